"""Which latency judges a workload, from what was observed of it."""

from __future__ import annotations

from collections.abc import Iterable

from results.store.schema import ObservationRow
from stripelab import metrics
from stripelab.metrics import APART, COMMIT, parts


def syncs(rows: Iterable[ObservationRow], workload: str) -> bool:
    """Whether a workload made its writes durable as it went."""
    return any(row.workload == workload and row.direction in APART for row in rows)


def as_measured(metric: str, rows: Iterable[ObservationRow], workload: str) -> str:
    """A metric of a workload: where that syncs, a plain latency is the one of its commits."""
    return metrics.as_measured(metric, syncs=syncs(rows, workload))


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
