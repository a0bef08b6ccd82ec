"""What a sweep is to be judged by."""

from __future__ import annotations

from dataclasses import dataclass

from permutations.durability import Commits, commits, syncs
from permutations.workload import Workload
from stripelab import metrics
from stripelab.metrics import parts


@dataclass(frozen=True)
class Objective:
    """One figure of one workload, and whether more of it is better.

    ``require`` are constraints that a recommended point must meet; ``prefer`` says in which order
    preferences decide between points that are tied (see :mod:`stripelab.constraint`).  ``weight`` is the
    objective's weight in the recommendation for all workloads; None where the worst share decides.  ``written`` is
    the metric as the sweep file has it, where that stands for another (:func:`as_measured`).
    """

    workload: str
    metric: str
    maximise: bool
    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    weight: float | None = None
    written: str | None = None

    @classmethod
    def usual(cls, workload: Workload) -> Objective:
        """What a workload is judged by where the sweep does not say: commit latency, IOPS if random, else bandwidth.

        Commit latency is for a workload that syncs, where its engine measures it.  dd reports no I/O count, and its
        I/O is sequential anyway.
        """
        if syncs(workload) and commits(workload) is not Commits.NONE:
            metric = "commit_lat_p99_ns" if commits(workload) is Commits.ALL else "commit_lat_mean_ns"
            return cls(workload.name, metric, maximise=False)
        return cls(workload.name, "iops" if workload.random else "bw_bytes_s", maximise=True)


def as_measured(metric: str, workload: Workload) -> str:
    """A metric of a workload: where that syncs, a plain latency is the one of its commits."""
    return metrics.as_measured(metric, syncs=syncs(workload))


def not_of(metric: str, workload: Workload) -> str | None:
    """Why a workload has no such metric; None where it has."""
    direction, _ = parts(metric)
    lacking = {
        "read": None if workload.reads else "reads nothing",
        "write": None if workload.writes else "writes nothing",
        "sync": None if syncs(workload) else "has no fsync or fdatasync",
        "commit": None if syncs(workload) else "has no fsync, fdatasync or sync",
    }
    why = lacking.get(direction or "")
    return f'workload "{workload.name}" {why}, so it has no {metric}' if why is not None else None
