"""The file that labs have thousands of, straight into rows: one document of fio 3 whose jobs all did the same.

Everything else is left to the way of every file (:mod:`bench.importing.fio`, :mod:`bench.importing.rows`), which this
one must equal value by value: whatever it has the least doubt about it declines.  The tests hold the two beside each
other.  It takes half of the time, because next to nothing is made on the way from the decoded JSON to the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from bench.errors import EngineError, ImportFailedError
from bench.fio import parser
from bench.fio.merge import PERCENTS, direction_result, merge_directions
from bench.fio.model import Direction, Latency, merged
from bench.fio.wire import DECODER, DIRECTION, WireDirection, WireDocument, WireJob, WireLatency, WireMoments
from bench.histogram import Histogram
from bench.importing.fio import clones
from bench.importing.rows import Source, TrialRows, environment_of, place_of, saturated, storable, stored, trial_row
from bench.importing.run import Naming, digest
from bench.importing.workload import canonical_text
from permutations.durability import Commits, fio_commits
from results.store.schema import EnvironmentRow, ObservationRow

_ABSENT = b"null"
_LONGEST_MS = 1 << 40
_LARGEST_NS = 1 << 52
_NO_FIGURES: tuple[None, ...] = (None,) * len(PERCENTS)
_NO_HISTOGRAM = Histogram((), ())


class _Other(Exception):  # noqa: N818 - no error: another way is taken
    """The document is not of the kind that is read here."""


def trial(content: bytes, naming: Naming, source: Source) -> tuple[TrialRows, EnvironmentRow] | None:
    """The trial of a file (ASCII, without logs), and its machine; None where the file is to be read the careful way.

    That way also finds the words where something is wrong.
    """
    try:
        wire = DECODER.decode(content)
        return _trial(wire, naming, source) if wire.jobs else None
    except (_Other, EngineError, ImportFailedError, msgspec.DecodeError, RecursionError, UnicodeError, OverflowError):
        return None


def _trial(wire: WireDocument, naming: Naming, source: Source) -> tuple[TrialRows, EnvironmentRow]:
    jobs = wire.jobs or []
    first = jobs[0]
    options = bytes(first.options)
    told: list[tuple[object, ...]] = []
    active: dict[str, list[WireDirection]] = {"read": [], "write": [], "trim": []}
    for job in jobs:
        if (job.jobname, job.groupid, bytes(job.options)) != (first.jobname, first.groupid, options):
            raise _Other
        told.append((job.jobname, job.groupid, None, 0, _directions(job, active)))
    timestamp_ms = wire.timestamp_ms
    if timestamp_ms is None and wire.timestamp is not None:
        timestamp_ms = wire.timestamp * 1000
    version = wire.version.removeprefix("fio-")
    own = merged((*parser.global_options(bytes(wire.global_options)), parser.job_options(options)))
    said, workload, load = naming.part(own, first.jobname)
    if clones(load, len(jobs)) is not None or fio_commits(own) is not Commits.NONE:
        raise _Other
    trial_id = digest(digest("fio", version, timestamp_ms, told))
    words = _Words(trial_id, storable(workload), storable(version or "unknown"), storable(canonical_text(load)))
    errors, raw = sum([job.total_err for job in jobs]), stored(source.raw)
    observations: list[ObservationRow] = []
    for name, parts in active.items():
        if parts:
            observations.append(
                _observation(name, parts, words, 0 if observations else errors, None if observations else raw)
            )
    if not observations:
        raise _Other
    machine = environment_of("fio", version or "unknown", ())
    row = trial_row(
        trial_id,
        place_of(tuple(said.factors.items()), tuple(said.labels.items())),
        (workload,),
        machine,
        None if timestamp_ms is None else timestamp_ms * 1_000_000,
        max([each.runtime_ns for each in observations]),
        source,
        warnings=tuple(saturated(observations)),
    )
    return TrialRows(row, tuple(observations), ()), machine


class _Words(NamedTuple):
    """What the rows of all directions say alike."""

    trial_id: str
    workload: str
    version: str
    workload_json: str


def _directions(job: WireJob, active: dict[str, list[WireDirection]]) -> list[tuple[object, ...]]:
    """What belongs to the identity of a run of every direction; those in which anything was done go to ``active``."""
    if job.error or job.hostname is not None or bytes(job.mixed) != _ABSENT or parser.sync_of(bytes(job.sync))[1]:
        raise _Other
    told: list[tuple[object, ...]] = []
    for name, raw in (("read", job.read), ("write", job.write), ("trim", job.trim)):
        text = bytes(raw)
        wire = None if parser.without_io(text) else DIRECTION.decode(text)
        if wire is None or wire.total_ios == 0:
            idle = _told_of_idle(name, text)
            if idle is not None:
                told.append(idle)
            continue
        if wire.total_ios is None or wire.bw_bytes is None or wire.io_kbytes is None:
            raise _Other
        if not 0 < wire.runtime < _LONGEST_MS or wire.slat or wire.clat or wire.lat:
            raise _Other
        active[name].append(wire)
        mean_ns = wire.lat_ns.mean if _measured(wire.lat_ns, wire.total_ios) and wire.lat_ns else None
        told.append((name, wire.total_ios, wire.io_bytes, wire.runtime, wire.bw_bytes, mean_ns))
    return told


@lru_cache(maxsize=256)
def _told_of_idle(name: str, text: bytes) -> tuple[object, ...] | None:
    """The same of a direction without I/O, whose text is that of many files; None where it is not there."""
    part = parser.idle(name, text)
    if part is None:
        return None
    if part.ios:
        raise _Other
    return (name, 0, part.total_bytes, part.runtime_ms, part.bw_bytes_s, None)


def _observation(
    name: str, parts: Sequence[WireDirection], words: _Words, errors: int, raw: bytes | None
) -> ObservationRow:
    """The row of a direction of all jobs."""
    if len(parts) > 1:
        result = direction_result(merge_directions(name, [_to_pool(name, part) for part in parts]), errors=errors)
        return ObservationRow(
            trial_id=words.trial_id,
            workload=words.workload,
            engine="fio",
            engine_version=words.version,
            command="",
            workload_json=words.workload_json,
            raw_zlib=raw,
            **vars(result),
        )
    (part,) = parts
    ios, runtime_ms = part.total_ios or 0, part.runtime
    slat, clat, lat = part.slat_ns, part.clat_ns, part.lat_ns
    clat_p50_ns, clat_p95_ns, clat_p99_ns, clat_p999_ns = _percentiles(clat, ios)[0]
    (lat_p50_ns, lat_p95_ns, lat_p99_ns, lat_p999_ns), counted = _percentiles(lat, ios)
    has_lat = _measured(lat, ios)
    return ObservationRow(
        trial_id=words.trial_id,
        workload=words.workload,
        direction=name,
        engine="fio",
        engine_version=words.version,
        command="",
        ios=ios,
        total_bytes=part.io_bytes,
        runtime_ns=runtime_ms * 1_000_000,
        iops=ios * 1000 / runtime_ms,
        bw_bytes_s=part.io_bytes * 1000 / runtime_ms,
        errors=errors,
        slat_mean_ns=slat.mean if slat is not None and _measured(slat, ios) else None,
        clat_mean_ns=clat.mean if clat is not None and _measured(clat, ios) else None,
        clat_p50_ns=clat_p50_ns,
        clat_p95_ns=clat_p95_ns,
        clat_p99_ns=clat_p99_ns,
        clat_p999_ns=clat_p999_ns,
        lat_min_ns=lat.min if lat is not None and has_lat else None,
        lat_mean_ns=lat.mean if lat is not None and has_lat else None,
        lat_stddev_ns=lat.stddev if lat is not None and has_lat else None,
        lat_p50_ns=lat_p50_ns,
        lat_p95_ns=lat_p95_ns,
        lat_p99_ns=lat_p99_ns,
        lat_p999_ns=lat_p999_ns,
        lat_max_ns=lat.max if lat is not None and has_lat else None,
        lat_bins_ns=counted.bins_ns,
        lat_counts=counted.counts,
        workload_json=words.workload_json,
        raw_zlib=raw,
    )


def _to_pool(name: str, part: WireDirection) -> Direction:
    """A direction of one job of several: its percentiles are looked at, and no more, since nothing pools them."""
    ios = part.total_ios or 0
    latencies: list[Latency | None] = []
    for wire in (part.clat_ns, part.lat_ns):
        if wire is None or not _measured(wire, ios):
            latencies.append(None)
            continue
        if wire.percentile:
            parser.percents(tuple(wire.percentile))
        found = parser.histogram(wire.bins, 1) if wire.bins else None
        latencies.append(_latency(wire, ios, found))
    clat, lat = latencies
    slat = _latency(part.slat_ns, ios) if part.slat_ns is not None and _measured(part.slat_ns, ios) else None
    bw_bytes_s = part.bw_bytes or 0.0
    return Direction(
        name, ios, part.io_bytes, part.runtime, part.iops, bw_bytes_s, part.short_ios, part.drop_ios, slat, clat, lat
    )


def _latency(wire: WireMoments, ios: int, found: Histogram | None = None) -> Latency:
    """A latency without its percentiles."""
    samples = ios if wire.samples is None else wire.samples
    return Latency(samples, wire.min, wire.max, wire.mean or 0.0, wire.stddev, (), found)


def _measured(wire: WireMoments | None, ios: int) -> bool:
    """Whether there is a latency at all (zeros stand there otherwise)."""
    if wire is None or wire.mean is None:
        return False
    samples = ios if wire.samples is None else wire.samples
    if samples == 0 or (wire.max <= 0 and wire.mean <= 0.0):
        return False
    if not 0 <= wire.min <= wire.max <= _LARGEST_NS:
        raise _Other
    return True


def _percentiles(wire: WireLatency | None, ios: int) -> tuple[tuple[int | None, ...], Histogram]:
    """Percentiles at :data:`PERCENTS` as fio printed them, or else from the histogram; and that."""
    if wire is None or not _measured(wire, ios):
        return _NO_FIGURES, _NO_HISTOGRAM
    counted = (parser.histogram(wire.bins, 1) if wire.bins else None) or _NO_HISTOGRAM
    if not wire.percentile:
        return tuple([counted.percentile_ns(percent) for percent in PERCENTS]), counted
    values = list(wire.percentile.values())
    places = _places(tuple(wire.percentile))
    found = tuple([None if place is None else values[place] for place in places])
    if None in values or (None in found and counted.counts):
        raise _Other
    return found, counted


@lru_cache(maxsize=256)
def _places(keys: tuple[str, ...]) -> tuple[int | None, ...]:
    """Where in what fio printed each of :data:`PERCENTS` stands."""
    order, as_printed = parser.percents(keys)
    if not as_printed:
        raise _Other
    return tuple(order.index(percent) if percent in order else None for percent in PERCENTS)
