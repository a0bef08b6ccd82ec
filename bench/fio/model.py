"""What fio reported, in one shape for every version of fio: nanoseconds, bytes, seconds named as such.

The parser turns fio's JSON, whichever version wrote it, into these frozen values; nothing here
reads or knows JSON.  ``None`` means that fio did not record a figure, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bench.histogram import Histogram

DIRECTIONS = ("read", "write", "trim", "mixed")
"""Directions of fio's data I/O; ``mixed`` stands for all of them with ``unified_rw_reporting``."""


@dataclass(frozen=True)
class Latency:
    """One kind of latency of one direction.

    ``percentiles`` are (percent, nanoseconds) pairs as fio printed them, empty where it recorded
    none; ``histogram`` is there with ``json+`` and percentiles on.  Of submission latency there are the
    moments alone.
    """

    samples: int
    min_ns: int
    max_ns: int
    mean_ns: float
    stddev_ns: float | None
    percentiles: tuple[tuple[float, int], ...] = ()
    histogram: Histogram | None = None


@dataclass(frozen=True)
class Direction:
    """Figures of one direction of one job (or of several jobs, merged)."""

    name: str
    ios: int
    total_bytes: int
    runtime_ms: int
    iops: float | None
    bw_bytes_s: float
    short_ios: int = 0
    dropped_ios: int = 0
    slat: Latency | None = None
    clat: Latency | None = None
    lat: Latency | None = None


@dataclass(frozen=True)
class SteadyState:
    """fio's steady-state detection.

    Where it was not ``attained``, fio pads its arrays with zeros and divides by the whole window:
    ``bw_mean_bytes_s`` and ``iops_mean`` are None then.
    """

    criterion: str
    duration_s: int
    attained: bool
    bw_mean_bytes_s: int | None
    iops_mean: int | None


@dataclass(frozen=True)
class DiskUtil:
    """Use of one block device while fio ran; ``aggregate`` is the mean over the members of a stacked one."""

    name: str
    read_ios: int
    write_ios: int
    read_merges: int
    write_merges: int
    util_pct: float | None
    aggregate: DiskUtil | None = None


@dataclass(frozen=True)
class Job:
    """One job of fio, or one group of jobs where it ran with ``group_reporting``."""

    name: str
    group: int
    error: int
    directions: tuple[Direction, ...]
    sync: Latency | None
    sync_ios: int
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    hostname: str | None = None
    io_errors: int = 0
    job_runtime_ms: int | None = None
    user_cpu_pct: float | None = None
    system_cpu_pct: float | None = None
    steady_state: SteadyState | None = None

    @property
    def ios(self) -> int:
        """I/Os of all directions."""
        return sum(direction.ios for direction in self.directions)


@dataclass(frozen=True)
class Document:
    """One JSON document of fio."""

    fio_version: str
    timestamp_ms: int | None
    global_options: tuple[Mapping[str, str], ...]
    jobs: tuple[Job, ...]
    disk_util: tuple[DiskUtil, ...]
    client_mode: bool

    def options_of(self, job: Job) -> Mapping[str, str]:
        """Options of a job: the global ones, and its own, which win."""
        merged: dict[str, str] = {}
        for options in self.global_options:
            merged.update(options)
        merged.update(job.options)
        return MappingProxyType(merged)


@dataclass(frozen=True)
class FioOutput:
    """Everything found in one output of fio.

    With ``--status-interval`` there are several documents, each cumulative; ``result`` is the last
    complete one.  ``prefix`` is all text beside the documents, kept as evidence.  ``truncated``
    says that the text ended within a document, ``not_numbers`` that figures were ``nan`` or ``inf``.
    """

    documents: tuple[Document, ...]
    prefix: str
    truncated: bool
    not_numbers: bool = False

    @property
    def result(self) -> Document:
        """The last complete document."""
        return self.documents[-1]
