"""Several jobs as one: exact sums, pooled moments, percentiles of the merged histogram.

Percentiles are never averaged, nor are rates.  The rate of a group is what it moved, divided by the
longest runtime among its jobs, as fio's own ``group_reporting`` does; so rate times runtime is the
amount, which a sum of per-job rates would not keep where jobs end at different times.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from bench import histogram
from bench.engine import DirectionResult
from bench.fio import commits
from bench.fio.model import DIRECTIONS, Direction, Job, Latency
from bench.histogram import Histogram

PERCENTS = (50.0, 95.0, 99.0, 99.9)
"""Percentiles that an observation has."""
_NO_PERCENTILES = (None,) * len(PERCENTS)
_NO_HISTOGRAM = Histogram((), ())


def merge_jobs(jobs: Sequence[Job]) -> tuple[Direction, ...]:
    """One :class:`Direction` for each direction in which any of ``jobs`` did I/O."""
    found: dict[str, list[Direction]] = {}
    for job in jobs:
        for part in job.directions:
            if part.ios > 0:
                found.setdefault(part.name, []).append(part)
    return tuple([merge_directions(name, found[name]) for name in DIRECTIONS if name in found])


def merge_latencies(parts: Iterable[Latency | None], *, histograms: bool = True) -> Latency | None:
    """Latencies pooled: as if every sample had been taken by one job.

    None where any part was not measured, since a pool of some of the jobs would pass for all of
    them.  The percentiles that fio printed are kept where there is a single part; of several parts
    only the merged histogram can give them, and that is left out without ``histograms``.
    """
    measured = []
    for part in parts:
        if part is None:
            return None
        measured.append(part)
    if len(measured) <= 1:
        return measured[0] if measured else None
    samples = sum([part.samples for part in measured])
    mean_ns = sum([part.samples * part.mean_ns for part in measured]) / samples
    found = [part.histogram for part in measured if part.histogram is not None] if histograms else []
    return Latency(
        samples=samples,
        min_ns=min([part.min_ns for part in measured]),
        max_ns=max([part.max_ns for part in measured]),
        mean_ns=mean_ns,
        stddev_ns=_pooled_stddev(measured, samples, mean_ns),
        histogram=histogram.merge(found) if len(found) == len(measured) else None,
    )


def percentiles_ns(latency: Latency | None) -> tuple[int | None, ...]:
    """Percentiles at :data:`PERCENTS`: as fio printed them, or else by its rule from the histogram.

    None where neither has it.
    """
    if latency is None:
        return _NO_PERCENTILES
    printed = dict(latency.percentiles)
    found = tuple([printed.get(percent) for percent in PERCENTS])
    if latency.histogram is None or None not in found:
        return found
    histogram = latency.histogram
    return tuple(
        [histogram.percentile_ns(at) if value is None else value for at, value in zip(PERCENTS, found, strict=True)]
    )


def results(jobs: Sequence[Job], options: Sequence[Mapping[str, str]] = ()) -> tuple[DirectionResult, ...]:
    """What an engine reports of ``jobs``: read, write, trim (or mixed), then sync, then commit.

    ``options`` are those of each job, global ones included: they say what a commit is (:mod:`bench.fio.commits`).
    Errors that fio counted and went on from (``continue_on_error``) are not told apart by direction:
    they stand with the first one.
    """
    errors = sum([job.io_errors for job in jobs])
    found = []
    for direction in merge_jobs(jobs):
        found.append(direction_result(direction, errors=errors))
        errors = 0
    sync = _sync(jobs)
    if sync is not None:
        found.append(direction_result(sync, errors=0))
    commit = commits.commits(options, found, len(jobs))
    return (*found, commit) if commit is not None else tuple(found)


def merge_directions(name: str, parts: Sequence[Direction]) -> Direction:
    """What several jobs did in one direction, as if one had done it."""
    if len(parts) == 1:
        return _single(parts[0])
    ios = sum([part.ios for part in parts])
    total_bytes = sum([part.total_bytes for part in parts])
    runtime_ms = max([part.runtime_ms for part in parts])
    lat = merge_latencies([part.lat for part in parts])
    has_total = lat is not None and lat.histogram is not None  # then nobody asks for that of completion latency
    return Direction(
        name=name,
        ios=ios,
        total_bytes=total_bytes,
        runtime_ms=runtime_ms,
        iops=ios * 1000 / runtime_ms if runtime_ms else None,
        bw_bytes_s=total_bytes * 1000 / runtime_ms if runtime_ms else sum([part.bw_bytes_s for part in parts]),
        short_ios=sum([part.short_ios for part in parts]),
        dropped_ios=sum([part.dropped_ios for part in parts]),
        slat=merge_latencies([part.slat for part in parts]),
        clat=merge_latencies([part.clat for part in parts], histograms=not has_total),
        lat=lat,
    )


def _single(part: Direction) -> Direction:
    """A direction of one job alone, its rates made as those of several are."""
    if not part.runtime_ms:
        return part
    return Direction(
        part.name,
        part.ios,
        part.total_bytes,
        part.runtime_ms,
        part.ios * 1000 / part.runtime_ms,
        part.total_bytes * 1000 / part.runtime_ms,
        part.short_ios,
        part.dropped_ios,
        part.slat,
        part.clat,
        part.lat,
    )


def _pooled_stddev(parts: Sequence[Latency], samples: int, mean_ns: float) -> float | None:
    """Standard deviation (n - 1) of the union: squares within each part, and between the parts' means."""
    if samples < 2:
        return 0.0
    squares = 0.0
    for part in parts:
        if part.stddev_ns is None:
            return None
        apart = part.mean_ns - mean_ns
        squares += (part.samples - 1) * part.stddev_ns * part.stddev_ns + part.samples * apart * apart
    return math.sqrt(squares / (samples - 1))


def _sync(jobs: Sequence[Job]) -> Direction | None:
    """Fsync and its kin as a direction of its own: it moves no bytes, and takes time of the others."""
    synced = [job for job in jobs if job.sync_ios > 0]
    if not synced:
        return None
    ios = sum(job.sync_ios for job in synced)
    runtime_ms = max((part.runtime_ms for job in jobs for part in job.directions), default=0)
    return Direction(
        name="sync",
        ios=ios,
        total_bytes=0,
        runtime_ms=runtime_ms,
        iops=ios * 1000 / runtime_ms if runtime_ms else None,
        bw_bytes_s=0.0,
        lat=merge_latencies(job.sync for job in synced),
    )


def direction_result(direction: Direction, *, errors: int) -> DirectionResult:
    """What an engine reports of a direction."""
    slat, lat, clat = direction.slat, direction.lat, direction.clat
    found = _NO_HISTOGRAM if lat is None or lat.histogram is None else lat.histogram
    clat_p50_ns, clat_p95_ns, clat_p99_ns, clat_p999_ns = percentiles_ns(clat)
    lat_p50_ns, lat_p95_ns, lat_p99_ns, lat_p999_ns = percentiles_ns(lat)
    return DirectionResult(
        direction=direction.name,
        ios=direction.ios,
        total_bytes=direction.total_bytes,
        runtime_ns=direction.runtime_ms * 1_000_000,
        iops=direction.iops,
        bw_bytes_s=direction.bw_bytes_s,
        errors=errors,
        slat_mean_ns=None if slat is None else slat.mean_ns,
        clat_mean_ns=None if clat is None else clat.mean_ns,
        clat_p50_ns=clat_p50_ns,
        clat_p95_ns=clat_p95_ns,
        clat_p99_ns=clat_p99_ns,
        clat_p999_ns=clat_p999_ns,
        lat_min_ns=None if lat is None else lat.min_ns,
        lat_mean_ns=None if lat is None else lat.mean_ns,
        lat_stddev_ns=None if lat is None else lat.stddev_ns,
        lat_p50_ns=lat_p50_ns,
        lat_p95_ns=lat_p95_ns,
        lat_p99_ns=lat_p99_ns,
        lat_p999_ns=lat_p999_ns,
        lat_max_ns=None if lat is None else lat.max_ns,
        lat_bins_ns=found.bins_ns,
        lat_counts=found.counts,
    )
