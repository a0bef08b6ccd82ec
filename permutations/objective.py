"""What a sweep is to be judged by."""

from __future__ import annotations

from dataclasses import dataclass

from permutations.workload import Workload

RATES = ("iops", "bw_bytes_s")
"""Metrics of which more is better."""

LATENCIES = ("lat_mean_ns", "lat_p50_ns", "lat_p95_ns", "lat_p99_ns", "lat_p999_ns", "lat_max_ns")
"""Metrics of which less is better."""

METRICS = RATES + LATENCIES


@dataclass(frozen=True)
class Objective:
    """One figure of one workload, and whether more of it is better.

    ``require`` are constraints that a recommended point must meet; ``prefer`` says in which order
    preferences decide between points that are tied (see :mod:`permutations.constraint`).  ``weight`` is the
    objective's weight in the recommendation for all workloads; None where the worst share decides.
    """

    workload: str
    metric: str
    maximise: bool
    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    weight: float | None = None

    @classmethod
    def usual(cls, workload: Workload) -> Objective:
        """What a workload is judged by where the sweep does not say: IOPS if random, else bandwidth.

        dd reports no I/O count, and its I/O is sequential anyway.
        """
        return cls(workload.name, "iops" if workload.random else "bw_bytes_s", maximise=True)
