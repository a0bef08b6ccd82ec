"""What fio reported, in one shape for every version of fio: nanoseconds, bytes, seconds named as such.

The parser turns fio's JSON, whichever version wrote it, into these frozen values; nothing here
reads or knows JSON.  ``None`` means that fio did not record a figure, never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from bench.histogram import Histogram

DIRECTIONS = ("read", "write", "trim", "mixed")
"""Directions of fio's data I/O; ``mixed`` stands for all of them with ``unified_rw_reporting``."""


class Options(Mapping[str, str]):
    """Options and their values, frozen: what was made of them once can be kept and found again by them.

    In a tree of ten thousand files there are a few dozen different ones.
    """

    __slots__ = ("_hash", "_options")

    def __init__(self, options: Mapping[str, str]) -> None:
        """A copy of ``options``."""
        self._options = dict(options)
        self._hash = hash(tuple(self._options.items()))

    def __getitem__(self, name: str) -> str:
        """The value of an option."""
        return self._options[name]

    def __iter__(self) -> Iterator[str]:
        """Names in the order of the file."""
        return iter(self._options)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._options)

    def __hash__(self) -> int:
        """Of names, values and their order."""
        return self._hash

    def __eq__(self, other: object) -> bool:
        """The same names with the same values, in the same order."""
        if not isinstance(other, Options):
            return NotImplemented
        return self is other or (self._hash == other._hash and list(self.items()) == list(other.items()))


NO_OPTIONS = Options({})


class Latency(msgspec.Struct, frozen=True, gc=False):
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


class Direction(msgspec.Struct, frozen=True, gc=False):
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


class Job(msgspec.Struct, frozen=True, gc=False):
    """One job of fio, or one group of jobs where it ran with ``group_reporting``."""

    name: str
    group: int
    error: int
    directions: tuple[Direction, ...]
    sync: Latency | None
    sync_ios: int
    options: Options = NO_OPTIONS
    hostname: str | None = None
    io_errors: int = 0
    job_runtime_ms: int | None = None
    user_cpu_pct: float | None = None
    system_cpu_pct: float | None = None
    steady_state: SteadyState | None = None

    @property
    def ios(self) -> int:
        """I/Os of all directions."""
        return sum([direction.ios for direction in self.directions])


@dataclass(frozen=True)
class Document:
    """One JSON document of fio."""

    fio_version: str
    timestamp_ms: int | None
    global_options: tuple[Options, ...]
    jobs: tuple[Job, ...]
    disk_util: tuple[DiskUtil, ...]
    client_mode: bool

    def options_of(self, job: Job) -> Options:
        """Options of a job: the global ones, and its own, which win."""
        return merged((*self.global_options, job.options))


@lru_cache(maxsize=1024)
def merged(every: tuple[Options, ...]) -> Options:
    """Options one above the other: the last one wins."""
    found: dict[str, str] = {}
    for options in every:
        found.update(options)
    return Options(found)


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
