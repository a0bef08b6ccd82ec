"""Latencies of one kind of I/O, and what a plain latency stands for where a workload syncs.

``lat_p99_ns`` is of the reads and writes of a workload.  Where they are made durable as it goes, the write alone says
nothing of how long a client waits: there the name stands for ``commit_lat_p99_ns``, of a sync with the writes that it
makes durable.  ``write_lat_p99_ns`` and ``sync_lat_p99_ns`` are the parts.
"""

from __future__ import annotations

from collections.abc import Iterable

from results.store.schema import ObservationRow

DIRECTIONS = ("read", "write", "sync", "commit")
SYNC, COMMIT = DIRECTIONS[2:]
APART = frozenset({SYNC, COMMIT})
"""Directions that move no data of their own: their rates are never added to those of reads and writes."""

OF_ANY = ("lat_min_ns", "lat_mean_ns", "lat_p50_ns", "lat_p95_ns", "lat_p99_ns", "lat_p999_ns", "lat_max_ns")
OF_ONE = tuple(f"{direction}_{name}" for direction in DIRECTIONS for name in OF_ANY)


def parts(metric: str) -> tuple[str | None, str]:
    """The direction that a metric is of, None where it is of all, and its column: ``("commit", "lat_p99_ns")``."""
    direction, _, _ = metric.partition("_")
    return (direction, metric.removeprefix(f"{direction}_")) if metric in OF_ONE else (None, metric)


def syncs(rows: Iterable[ObservationRow], workload: str) -> bool:
    """Whether a workload made its writes durable as it went."""
    return any(row.workload == workload and row.direction in APART for row in rows)


def as_measured(metric: str, rows: Iterable[ObservationRow], workload: str) -> str:
    """A metric of a workload: where that syncs, a plain latency is the one of its commits."""
    return f"{COMMIT}_{metric}" if metric in OF_ANY and syncs(rows, workload) else metric


def usual_of_commits(rows: Iterable[ObservationRow], workload: str) -> str | None:
    """The latency by which commits are judged: the 99th percentile, or the mean where no more is known."""
    commits = [row for row in rows if row.workload == workload and row.direction == COMMIT]
    for column in ("lat_p99_ns", "lat_mean_ns"):
        if commits and all(getattr(row, column) is not None for row in commits):
            return f"{COMMIT}_{column}"
    return None


def why_missing(metric: str, rows: Iterable[ObservationRow], workload: str) -> str:
    """Why no trial has a figure, with what to do about it where that is known."""
    own = [row for row in rows if row.workload == workload]
    direction, _ = parts(metric)
    engines = sorted({row.engine for row in own})
    if direction == COMMIT and syncs(own, workload):
        return (
            f"{workload} syncs, so its latency is that of commits ({metric}), and {' and '.join(engines)} did not "
            'measure that: run it with engine = "native", or ask for sync_lat_* or write_lat_* by name'
        )
    if direction is not None and not any(row.direction == direction for row in own):
        return f"{workload} has no {direction}s, and so no {metric}"
    return f"no trial has the figure {metric}, or it is zero in all of them"


def spelt(metrics: Iterable[str]) -> str:
    """A list of metrics for a person: the latencies of one direction in a word."""
    prefixes = tuple(f"{each}_" for each in DIRECTIONS)
    plain = ", ".join(metric for metric in metrics if not metric.startswith(prefixes))
    return f"{plain}; of latencies also those of one kind, with {', '.join(prefixes)} in front"
