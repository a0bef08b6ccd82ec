"""Comparison of the run orders of a plan: what each of them rebuilds, takes and writes.

Fully randomised means that every pair of a point and a workload is a separate run, at a random
place of the whole sweep: each builds its stack, because a stack left from the previous run would
not be independent (Jones and Nachtsheim 2009).  Blocked runs every workload of
a point over one stack, and builds a stack for every trial.  Split-plot shares the array between the
trials of a whole plot, and the filesystem between those of a sub-plot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from permutations.cost import (
    builds,
    known_disk_bytes,
    stack_bytes_per_disk,
    stack_seconds,
    trial_bytes_per_disk,
    trial_seconds,
    workload_seconds,
)
from permutations.design import Plan
from permutations.order import blocked, split_plot
from permutations.point import PlannedTrial
from stripelab.settings import RAW

RANDOMISED = "randomised"
BLOCKED = "blocked"
SPLIT_PLOT = "split-plot"


@dataclass(frozen=True)
class OrderCost:
    """Cost of an order.  ``stacks`` counts new arrays and new sets of bare disks, ``arrays`` only those of md.

    ``endurance_pct`` is the share of a disk's rated endurance, None if that is not known.
    """

    order: str
    runs: int
    stacks: int
    arrays: int
    filesystems: int
    estimated_s: float
    bytes_written_per_disk: int
    endurance_pct: float | None


def compare_orders(plan: Plan, disk_bytes: int | None = None) -> tuple[OrderCost, ...]:
    """The three orders of the points and replicates of a plan, the most expensive first."""
    sweep = plan.sweep
    options = {"seed": sweep.seed, "replicates": sweep.replicates, "protocol_id": sweep.protocol_id}
    in_blocks = blocked(plan.points, **options)  # type: ignore[arg-type]
    in_plots = split_plot(plan.points, **options)  # type: ignore[arg-type]
    return (
        randomised_cost(plan, disk_bytes),
        order_cost(plan, BLOCKED, in_blocks, disk_bytes),
        order_cost(plan, SPLIT_PLOT, in_plots, disk_bytes),
    )


def order_cost(plan: Plan, order: str, trials: Sequence[PlannedTrial], disk_bytes: int | None = None) -> OrderCost:
    """Cost of trials in an order."""
    sweep, size = plan.sweep, disk_bytes or known_disk_bytes(plan.sweep)
    built = list(zip(trials, builds(trials), strict=True))
    written = math.fsum(trial_bytes_per_disk(sweep, trial.point, size, does) for trial, does in built)
    return OrderCost(
        order=order,
        runs=len(built),
        stacks=sum(does.array for _, does in built),
        arrays=sum(does.array and trial.point.raid.array for trial, does in built),
        filesystems=sum(does.filesystem and trial.point.filesystem != RAW for trial, does in built),
        estimated_s=math.fsum(trial_seconds(sweep, trial.point, size, does) for trial, does in built),
        bytes_written_per_disk=math.ceil(written),
        endurance_pct=endurance_pct(plan, written),
    )


def randomised_cost(plan: Plan, disk_bytes: int | None = None) -> OrderCost:
    """Cost if every pair of a point and a workload is a separate run."""
    sweep, size = plan.sweep, disk_bytes or known_disk_bytes(plan.sweep)
    workloads = len(sweep.workloads)
    times = sweep.replicates * workloads
    seconds = sum(workload_seconds(sweep, workload) for workload in sweep.workloads)
    written = sweep.replicates * math.fsum(
        trial_bytes_per_disk(sweep, point, size) + (workloads - 1) * stack_bytes_per_disk(sweep, point, size)
        for point in plan.points
    )
    return OrderCost(
        order=RANDOMISED,
        runs=times * len(plan.points),
        stacks=times * len(plan.points),
        arrays=times * sum(point.raid.array for point in plan.points),
        filesystems=times * sum(point.filesystem != RAW for point in plan.points),
        estimated_s=sweep.replicates
        * math.fsum(workloads * stack_seconds(sweep, point, size) + seconds for point in plan.points),
        bytes_written_per_disk=math.ceil(written),
        endurance_pct=endurance_pct(plan, written),
    )


def endurance_pct(plan: Plan, written_bytes: float) -> float | None:
    """Share of the rated endurance that the sweep gives for its disks; None if it gives none."""
    rated = plan.sweep.rated_bytes_written
    return None if rated is None else 100 * written_bytes / rated
