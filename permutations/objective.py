"""Objectives of a sweep: the metrics that decide its recommendation."""

from __future__ import annotations

from dataclasses import dataclass

from permutations.durability import Commits, commits, syncs
from permutations.workload import Workload
from stripelab import metrics
from stripelab.metrics import parts


@dataclass(frozen=True)
class Objective:
    """A metric of a workload that is maximised or minimised.

    ``require`` are constraints that a recommended point must meet; ``prefer`` has the
    preferences that decide between tied points, in order (see :mod:`stripelab.constraint`).  ``weight`` is the
    objective's weight in the recommendation for all workloads; None if the worst share decides.  ``written`` is
    the metric in the sweep file if it stands for another (:func:`as_measured`).
    """

    workload: str
    metric: str
    maximise: bool
    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    weight: float | None = None
    written: str | None = None

    @classmethod
    def default_for(cls, workload: Workload) -> Objective:
        """The default objective of a workload: commit latency, IOPS if random, else bandwidth.

        Commit latency is for a workload that syncs, if its engine measures it.  dd does not report an I/O count, and
        its I/O is sequential anyway.
        """
        if syncs(workload) and commits(workload) is not Commits.NONE:
            metric = "commit_lat_p99_ns" if commits(workload) is Commits.ALL else "commit_lat_mean_ns"
            return cls(workload.name, metric, maximise=False)
        return cls(workload.name, "iops" if workload.random else "bw_bytes_s", maximise=True)


def as_measured(metric: str, workload: Workload) -> str:
    """The metric that stands for ``metric``: for a workload that syncs, a plain latency is its commits' latency."""
    return metrics.as_measured(metric, syncs=syncs(workload))


def metric_problem(metric: str, workload: Workload) -> str | None:
    """Why a workload does not have a metric; None if it has."""
    direction, _ = parts(metric)
    problems = {
        "read": None if workload.reads else "reads nothing",
        "write": None if workload.writes else "writes nothing",
        "sync": None if syncs(workload) else "has no fsync or fdatasync",
        "commit": None if syncs(workload) else "has no fsync, fdatasync or sync",
    }
    problem = problems.get(direction or "")
    return f'workload "{workload.name}" {problem}, so it has no {metric}' if problem is not None else None
