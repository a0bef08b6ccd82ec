"""Commits of a fio run: what its latencies of writes and of syncs say of them, and no more.

fio counts an fsync apart from the write before it.  Of one write and one sync the means add up to the mean of a commit;
percentiles, extremes and deviations of the sum cannot be had from those of the parts, and stay unknown.  A write that
is itself durable (``sync=1``, ``sync=dsync``) is a commit, and has all of its figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bench.engine import DirectionResult, IntervalResult
from permutations.durability import Commits, fio_commits

COMMIT = "commit"


def commits(
    options: Sequence[Mapping[str, str]], results: Sequence[DirectionResult], jobs: int
) -> DirectionResult | None:
    """The commits of jobs with these options and figures; None where fio tells nothing of them."""
    kinds = {fio_commits(each) for each in options}
    by_name = {each.direction: each for each in results}
    write, sync = by_name.get("write"), by_name.get("sync")
    if kinds == {Commits.ALL} and write is not None and sync is None:
        return _durable(write)
    if kinds != {Commits.MEAN} or write is None or sync is None or abs(write.ios - sync.ios) > jobs:
        return None
    if write.lat_mean_ns is None or sync.lat_mean_ns is None:
        return None
    return DirectionResult(
        direction=COMMIT,
        ios=sync.ios,
        total_bytes=0,
        runtime_ns=sync.runtime_ns,
        iops=sync.iops,
        bw_bytes_s=0.0,
        errors=0,
        lat_mean_ns=write.lat_mean_ns + sync.lat_mean_ns,
    )


def seconds(found: Iterable[DirectionResult], intervals: Sequence[IntervalResult]) -> tuple[IntervalResult, ...]:
    """The seconds with those of commits, where each commit is a write."""
    names = {each.direction for each in found}
    if COMMIT not in names or "sync" in names:
        return tuple(intervals)
    own = [replace(each, direction=COMMIT, bw_bytes_s=0.0) for each in intervals if each.direction == "write"]
    return (*intervals, *own)


def _durable(write: DirectionResult) -> DirectionResult:
    """Writes that are each a commit: they move their bytes as writes, and are submitted as such."""
    return replace(
        write,
        direction=COMMIT,
        total_bytes=0,
        bw_bytes_s=0.0,
        errors=0,
        slat_mean_ns=None,
        clat_mean_ns=None,
        clat_p50_ns=None,
        clat_p95_ns=None,
        clat_p99_ns=None,
        clat_p999_ns=None,
    )
