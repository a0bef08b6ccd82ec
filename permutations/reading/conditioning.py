"""``precondition`` and ``steady_state`` of a ``[[workload]]``."""

from __future__ import annotations

from permutations.conditioning import STEADY_METRICS, Precondition, SteadyState
from permutations.reading.table import Table

LEAST_ROUNDS = 5
"""Rounds in a window of the steady-state rule."""

HOUR_S = 3600.0


def parse_precondition(workload: Table) -> Precondition | None:
    """``precondition = { rw = "write", bs = "128k", passes = 2 }``; None if the key is absent."""
    if not workload.has("precondition"):
        return None
    table = workload.table("precondition")
    table.only(("rw", "bs", "iodepth", "numjobs", "passes"))
    default = Precondition()
    bs_bytes = table.size("bs", default.bs_bytes, 512, 1 << 30)
    if bs_bytes % 512:
        table.refuse("bs", "is no multiple of 512 bytes, as direct I/O needs")
    return Precondition(
        rw=table.word("rw", ("write", "randwrite"), default.rw),
        bs_bytes=bs_bytes,
        iodepth=table.integer("iodepth", default.iodepth, 1, 65536),
        numjobs=table.integer("numjobs", default.numjobs, 1, 1024),
        passes=table.number("passes", default.passes, 0.01, 1000.0),
    )


def parse_steady_state(workload: Table, bs_bytes: int) -> SteadyState | None:
    """``steady_state = { metric = "iops", round_s = 60, rounds_max = 25 }``; None if the key is absent."""
    if not workload.has("steady_state"):
        return None
    table = workload.table("steady_state")
    table.only(("metric", "round_s", "rounds_max"))
    default = SteadyState("iops" if bs_bytes < 64 << 10 else "bw_bytes_s")
    return SteadyState(
        metric=table.word("metric", STEADY_METRICS, default.metric, "unknown figure"),
        round_s=table.number("round_s", default.round_s, 1.0, 24 * HOUR_S),
        rounds_max=table.integer("rounds_max", default.rounds_max, LEAST_ROUNDS, 10_000),
    )
