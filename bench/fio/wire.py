"""The shape of fio's JSON, as it stands in the file: decoded by msgspec, seen by the parser alone.

Only keys that are used are named; msgspec skips the others.  Fields are as lenient as fio's versions
differ (2.x to 3.42), and no more: a wrong type is an error of the document.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**52)]
"""A whole number that stays exact when it is counted in KiB and wanted in bytes."""
Amount = Annotated[float, msgspec.Meta(ge=0.0, le=1e18)]
"""A rate or a time; fio prints ``nan`` for some, which is null by the time it is decoded."""


class WireMoments(msgspec.Struct, frozen=True, gc=False):
    """``slat_ns``, of which nobody wants more, so that its histogram is skipped; before 3.0 ``slat``, without ``N``."""

    min: int = 0
    max: int = 0
    mean: Amount | None = None
    stddev: Amount | None = None
    samples: Count | None = msgspec.field(name="N", default=None)


class WireLatency(WireMoments, frozen=True, gc=False):
    """``clat_ns``, ``lat_ns``; before 3.0 ``clat``, ``lat``."""

    percentile: dict[str, Count | None] | None = None
    bins: dict[int, Count] | None = None


class WireDirection(msgspec.Struct, frozen=True, gc=False):
    """``read``, ``write``, ``trim`` or ``mixed`` of a job."""

    io_bytes: Count = 0
    io_kbytes: Count | None = None
    bw: Amount | None = None
    bw_bytes: Amount | None = None
    iops: Amount | None = None
    runtime: Count = 0
    total_ios: Count | None = None
    short_ios: Count = 0
    drop_ios: Count = 0
    slat_ns: WireMoments | None = None
    clat_ns: WireLatency | None = None
    lat_ns: WireLatency | None = None
    slat: WireMoments | None = None
    clat: WireLatency | None = None
    lat: WireLatency | None = None


class WireSync(msgspec.Struct, frozen=True, gc=False):
    """``sync`` of a job: fsync and its kin, counted apart from data I/O."""

    total_ios: Count = 0
    lat_ns: WireLatency | None = None


class WireSteadyStateData(msgspec.Struct, frozen=True, gc=False):
    """``steadystate.data``: bytes per second and I/Os per second."""

    bw_mean: int = 0
    iops_mean: int = 0


class WireSteadyState(msgspec.Struct, frozen=True, gc=False):
    """``steadystate`` of a job."""

    ss: str = ""
    duration: int = 0
    attained: int = 0
    data: WireSteadyStateData | None = None


_ABSENT, _NO_OPTIONS = msgspec.Raw(b"null"), msgspec.Raw(b"{}")


class WireJob(msgspec.Struct, frozen=True, gc=False):
    """An entry of ``jobs`` or of ``client_stats``.

    What a tree of files has the same over and over (options, directions in which nothing was done) is left as it
    stands in the text: whoever has decoded it once knows it again by its bytes.
    """

    jobname: str
    groupid: int = 0
    error: int = 0
    hostname: str | None = None
    options: msgspec.Raw = msgspec.field(name="job options", default=_NO_OPTIONS)
    read: msgspec.Raw = _ABSENT
    write: msgspec.Raw = _ABSENT
    trim: msgspec.Raw = _ABSENT
    mixed: msgspec.Raw = _ABSENT
    sync: msgspec.Raw = _ABSENT
    job_runtime: Count | None = None
    usr_cpu: Amount | None = None
    sys_cpu: Amount | None = None
    total_err: Count = 0
    steadystate: WireSteadyState | None = None


class WireDiskUtil(msgspec.Struct, frozen=True, gc=False):
    """An entry of ``disk_util``; ``aggr_write_merge`` lacks its s in every version of fio."""

    name: str = ""
    read_ios: int = 0
    write_ios: int = 0
    read_merges: int = 0
    write_merges: int = 0
    util: Amount | None = None
    aggr_read_ios: int | None = None
    aggr_write_ios: int = 0
    aggr_read_merges: int = 0
    aggr_write_merge: int = 0
    aggr_util: Amount | None = None


class WireDocument(msgspec.Struct, frozen=True, gc=False):
    """One document: ``jobs``, or ``client_stats`` where fio was a client of fio servers."""

    version: str = msgspec.field(name="fio version", default="")
    timestamp: int | None = None
    timestamp_ms: int | None = None
    global_options: msgspec.Raw = msgspec.field(name="global options", default=_ABSENT)
    jobs: list[WireJob] | None = None
    client_stats: list[WireJob] | None = None
    disk_util: list[WireDiskUtil] = msgspec.field(default_factory=list)


DECODER = msgspec.json.Decoder(WireDocument)
DIRECTION = msgspec.json.Decoder(WireDirection | None)
SYNC = msgspec.json.Decoder(WireSync | None)
OPTIONS = msgspec.json.Decoder(dict[str, str | None])
GLOBAL_OPTIONS: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
