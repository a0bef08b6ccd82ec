"""What a run of the native engine measured, as frozen values: sums and full histograms over all of its jobs.

Jobs are added bucket by bucket and sum by sum; integers stay integers, so that nothing is lost or
averaged.  Percentiles follow fio's rule (:class:`bench.histogram.Histogram`).
"""

from __future__ import annotations

import errno
import math
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.histogram import Histogram
from bench.native.buckets import bucket_midpoint_ns

DIRECTIONS = ("read", "write", "sync", "commit")
FINDINGS = ("whole", "unwritten", "lost", "torn", "misplaced", "corrupt")
HEADER_WORDS = 13
"""Words of 32 bits before the pairs of a second: see docs/native-engine.md."""


@dataclass(frozen=True)
class Latency:
    """One kind of latency of one direction, ns; ``stddev_ns`` is that of a sample (n - 1)."""

    samples: int
    min_ns: int
    max_ns: int
    mean_ns: float
    stddev_ns: float
    histogram: Histogram

    def percentile_ns(self, percent: float) -> int | None:
        """A percentile by fio's rule; None where nothing was sampled."""
        return self.histogram.percentile_ns(percent)


@dataclass(frozen=True)
class Figures:
    """One direction.  ``lat`` covers every I/O; ``slat`` and ``clat`` those that were looked at on their way.

    Commits (a sync with the writes that it makes durable) have ``lat`` alone; their I/Os are writes and syncs already.
    """

    direction: str
    ios: int
    total_bytes: int
    iops: float
    bw_bytes_s: float
    lat: Latency
    slat: Latency
    clat: Latency


@dataclass(frozen=True)
class Second:
    """One second of one direction; the mean is None in a second without I/O, as are the percentiles."""

    direction: str
    second: int
    ios: int
    total_bytes: int
    lat_mean_ns: float | None
    lat_p50_ns: int | None
    lat_p99_ns: int | None
    lat_p999_ns: int | None
    lat_max_ns: int | None
    histogram: Histogram


@dataclass(frozen=True)
class IoError:
    """I/Os that failed alike: how often, and the offsets of the first few."""

    errno: int
    direction: str
    count: int
    first_offsets: tuple[int, ...]

    @property
    def message(self) -> str:
        """In words."""
        at = ", ".join(str(offset) for offset in self.first_offsets)
        name = "end of file" if self.errno == errno.ENODATA else os.strerror(self.errno)
        return f"{self.count} {self.direction}(s) failed: {name} (at offset {at})"


@dataclass(frozen=True)
class Finding:
    """Blocks that verification judged alike, and the offset of the first."""

    kind: str
    blocks: int
    first_offset: int | None


@dataclass(frozen=True)
class JobFigures:
    """How one job went: the way to the kernel it took, what it cost, and what went wrong in it.

    ``batch_complete`` 0 says that it waited for all in flight, since I/O was complete when it had been
    handed over (``inline``).  ``late`` counts arrivals of an open loop that started over 100 us behind
    schedule, ``missed`` those that were due but not started when the job ended.  ``abandoned``: the job, or
    I/O of it, was still in the kernel when the run ended.  ``acked`` is the last write before which all are
    acknowledged, ``durable`` the same for sync.
    """

    ioengine: str
    detail: str
    iodepth: int
    batch_submit: int
    batch_complete: int
    inline: bool
    runtime_ns: int
    cpu_user_ns: int
    cpu_system_ns: int
    context_switches: int
    short_ios: int
    retries: int
    late: int
    late_max_ns: int
    missed: int
    clock_back: int
    sequence: int
    acked: int
    durable: int
    abandoned: bool
    failed: int
    where: str

    @property
    def picked(self) -> str:
        """How I/O was handed over, in words."""
        wait = "all in flight" if self.batch_complete == 0 else str(self.batch_complete)
        kind = "complete at once" if self.inline else "asynchronous"
        detail = f" ({self.detail})" if self.detail else ""
        way = f"{self.ioengine}{detail}, iodepth {self.iodepth}"
        return f"{way}: {kind}, up to {self.batch_submit} at a time, wait for {wait}"


@dataclass(frozen=True)
class Clock:
    """Which clock measured: ``tsc`` (the CPU's counter, which the kernel keeps time by too) or ``clock_gettime``.

    ``read_ns`` is what one reading costs, ``drift_ppm`` how far it ran away from CLOCK_MONOTONIC.
    """

    source: str
    read_ns: int
    drift_ppm: float


@dataclass(frozen=True)
class Result:
    """What a run measured.  ``implementation`` is ``c`` or ``python`` (the twin); ``stopped`` before its time."""

    implementation: str
    directions: tuple[Figures, ...]
    seconds: tuple[Second, ...]
    errors: tuple[IoError, ...]
    findings: tuple[Finding, ...]
    jobs: tuple[JobFigures, ...]
    clock: Clock
    harness_ns: float
    runtime_ns: int
    stopped: bool
    warnings: tuple[str, ...]

    def direction(self, name: str) -> Figures | None:
        """Figures of read, write, sync or commit; None where there were none."""
        return next((found for found in self.directions if found.direction == name), None)

    @property
    def iops(self) -> float:
        """Reads and writes a second."""
        return sum(found.iops for found in self.directions if found.direction in DIRECTIONS[:2])

    @property
    def bw_bytes_s(self) -> float:
        """Bytes a second, read and written."""
        return sum(found.bw_bytes_s for found in self.directions)

    @property
    def cpu_ns_per_io(self) -> float:
        """CPU time of the jobs' threads for each I/O, the kernel's share included."""
        ios = sum(found.ios for found in self.directions if found.direction != "commit")
        return sum(job.cpu_user_ns + job.cpu_system_ns for job in self.jobs) / ios if ios else math.nan


def decode(
    raw: Sequence[Mapping[str, Any]], *, implementation: str, clock: Clock, harness_ns: float, stopped: bool
) -> Result:
    """The library's answer, a mapping for each job, as a :class:`Result`."""
    jobs = tuple(_job(job) for job in raw)
    runtime_ns = max((job.runtime_ns for job in jobs), default=0)
    directions = [
        _figures(number, [job["directions"][number] for job in raw], runtime_ns) for number in range(len(DIRECTIONS))
    ]
    present = tuple(found for found in directions if found.ios)
    recorded = tuple(found.direction for found in present if found.lat.samples)
    warnings = []
    if any(job["series_short"] for job in raw):
        warnings.append("memory was short: some seconds are missing from the series, the sums are whole")
    if abs(clock.drift_ppm) > 100:
        warnings.append(f"the clock drifts by {clock.drift_ppm:.0f} ppm against CLOCK_MONOTONIC")
    return Result(
        implementation=implementation,
        directions=present,
        seconds=_seconds([job["series"] for job in raw], runtime_ns, recorded),
        errors=_errors(raw),
        findings=_findings(raw),
        jobs=jobs,
        clock=clock,
        harness_ns=harness_ns,
        runtime_ns=runtime_ns,
        stopped=stopped,
        warnings=tuple(warnings),
    )


def _job(raw: Mapping[str, Any]) -> JobFigures:
    names = {name: raw[name] for name in JobFigures.__dataclass_fields__ if name in raw}
    looked_at, inline = raw["looked_at"], raw["completed_inline"]
    return JobFigures(**names, context_switches=raw["switches"], inline=looked_at > 0 and 2 * inline > looked_at)


def _figures(number: int, parts: Sequence[Mapping[str, Any]], runtime_ns: int) -> Figures:
    ios, total_bytes = sum(part["ios"] for part in parts), sum(part["bytes"] for part in parts)
    per_s = 1e9 / runtime_ns if runtime_ns else 0.0
    kinds = [_latency([part[kind] for part in parts]) for kind in ("lat", "slat", "clat")]
    return Figures(DIRECTIONS[number], ios, total_bytes, ios * per_s, total_bytes * per_s, *kinds)


def _latency(parts: Iterable[Mapping[str, Any]]) -> Latency:
    """Latencies of several jobs as if one had taken them all: exact sums, variance by Σx² - (Σx)²/n in integers."""
    used = [part for part in parts if part["samples"]]
    samples, total = sum(part["samples"] for part in used), sum(part["sum_ns"] for part in used)
    square = sum((part["sum_square_high"] << 64) + part["sum_square_low"] for part in used)
    apart = (square * samples - total * total) / (samples * (samples - 1)) if samples > 1 else 0.0
    counts: Counter[int] = Counter()
    for part in used:
        counts.update({bucket: count for bucket, count in enumerate(array("Q", part["buckets"])) if count})
    return Latency(
        samples=samples,
        min_ns=min((part["min_ns"] for part in used), default=0),
        max_ns=max((part["max_ns"] for part in used), default=0),
        mean_ns=total / samples if samples else 0.0,
        stddev_ns=math.sqrt(apart),
        histogram=_histogram(counts),
    )


def _histogram(counts: Mapping[int, int]) -> Histogram:

    filled = sorted(counts)
    return Histogram(tuple(bucket_midpoint_ns(bucket) for bucket in filled), tuple(counts[bucket] for bucket in filled))


@dataclass
class _Sums:
    """A second of one direction while the jobs are added up."""

    ios: int = 0
    total_bytes: int = 0
    sum_ns: int = 0
    max_ns: int = 0

    def __post_init__(self) -> None:
        self.counts: Counter[int] = Counter()


def _seconds(series: Iterable[bytes], runtime_ns: int, directions: Sequence[str]) -> tuple[Second, ...]:
    """Every whole second, those without I/O too: a stall is a row of zeros and not a gap."""
    found: dict[tuple[str, int], _Sums] = {}
    for job in series:
        words = array("I", job)
        at = 0
        while at < len(words):
            second, direction, pairs = words[at : at + 3]
            sums = found.setdefault((DIRECTIONS[direction], second), _Sums())
            numbers = [words[at + 3 + 2 * index] + (words[at + 4 + 2 * index] << 32) for index in range(5)]
            sums.ios += numbers[0]
            sums.total_bytes += numbers[1]
            sums.sum_ns += numbers[2]
            sums.max_ns = max(sums.max_ns, numbers[4])
            at += HEADER_WORDS
            for index in range(at, at + 2 * pairs, 2):
                sums.counts[words[index]] += words[index + 1]
            at += 2 * pairs
    whole = (runtime_ns + 10_000_000) // 1_000_000_000
    return tuple(_second(name, second, found.get((name, second))) for name in directions for second in range(whole))


def _second(direction: str, second: int, sums: _Sums | None) -> Second:
    if sums is None or sums.ios == 0:
        return Second(direction, second, 0, 0, None, None, None, None, None, Histogram((), ()))
    counts = _histogram(sums.counts)
    p50, p99, p999 = (counts.percentile_ns(percent) for percent in (50.0, 99.0, 99.9))
    mean_ns = sums.sum_ns / sums.ios
    return Second(direction, second, sums.ios, sums.total_bytes, mean_ns, p50, p99, p999, sums.max_ns, counts)


def _errors(raw: Iterable[Mapping[str, Any]]) -> tuple[IoError, ...]:
    return tuple(
        IoError(error["errno"], DIRECTIONS[error["direction"]], error["count"], tuple(error["first_offsets"]))
        for job in raw
        for error in job["errors"]
    )


def _findings(raw: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    found = []
    for number, kind in enumerate(FINDINGS):
        counted = [job["findings"][number] for job in raw if job["findings"][number][0]]
        if counted:
            found.append(Finding(kind, sum(blocks for blocks, _ in counted), min(first for _, first in counted)))
    return tuple(found)
