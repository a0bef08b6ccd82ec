"""What a sweep is to be judged by."""

from __future__ import annotations

from dataclasses import dataclass

from permutations.durability import Commits, commits, syncs
from permutations.workload import Workload

RATES = ("iops", "bw_bytes_s")
"""Metrics of which more is better."""

OF_ANY = ("lat_mean_ns", "lat_p50_ns", "lat_p95_ns", "lat_p99_ns", "lat_p999_ns", "lat_max_ns")
"""Latencies of reads and writes; of a workload that syncs these names stand for its commits."""

DIRECTIONS = ("read", "write", "sync", "commit")
LATENCIES = (*OF_ANY, *(f"{direction}_{name}" for direction in DIRECTIONS for name in OF_ANY))
"""Metrics of which less is better: ``lat_p99_ns``, ``commit_lat_p99_ns``."""

METRICS = RATES + LATENCIES


@dataclass(frozen=True)
class Objective:
    """One figure of one workload, and whether more of it is better.

    ``require`` are constraints that a recommended point must meet; ``prefer`` says in which order
    preferences decide between points that are tied (see :mod:`permutations.constraint`).  ``weight`` is the
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
    return f"commit_{metric}" if metric in OF_ANY and syncs(workload) else metric


def not_of(metric: str, workload: Workload) -> str | None:
    """Why a workload has no such metric; None where it has."""
    direction = metric.partition("_lat_")[0] if metric in LATENCIES and metric not in OF_ANY else None
    lacking = {
        "read": None if workload.reads else "reads nothing",
        "write": None if workload.writes else "writes nothing",
        "sync": None if syncs(workload) else "has no fsync or fdatasync",
        "commit": None if syncs(workload) else "has no fsync, fdatasync or sync",
    }
    why = lacking.get(direction or "")
    return f'workload "{workload.name}" {why}, so it has no {metric}' if why is not None else None


def spelt(metrics: tuple[str, ...]) -> str:
    """A list of metrics for a person: the latencies of one direction in a word."""
    prefixes = tuple(f"{each}_" for each in DIRECTIONS)
    plain = ", ".join(each for each in metrics if not each.startswith(prefixes))
    return f"{plain}; of latencies also those of one kind, with {', '.join(prefixes)} in front"
