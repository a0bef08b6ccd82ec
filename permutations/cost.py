"""Estimated cost of a plan: hours, and bytes written to each disk.

Both are computed before the first run, from stated assumptions.  Bytes are an upper bound ("at most")
for the first disk, which gets the most writes because every point uses it.
Metadata of mkfs, of the filesystem and of md is left out because it is small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from permutations.plan import Plan
from permutations.point import DesignPoint, PlannedTrial
from permutations.sweep import Sweep
from permutations.workload import Workload
from stripelab.raid import throttled_bw

BUILD_S = 4.0
"""Time to build and tear down a stack: array, filesystem, mount, queue settings."""

ARRAY_S = 2.0
"""Part of :data:`BUILD_S` for the array, without md's resync."""

FILESYSTEM_S = 1.0
"""Part of :data:`BUILD_S` for the filesystem."""

WORKLOAD_OVERHEAD_S = 1.0
"""Time around each workload: drop caches, start the engine, read the result."""

LAY_OUT_BYTES_S = 150 << 20
"""Rate at which the data set is written."""

RESYNC_BYTES_S = 150 << 20
"""Rate of md's initial resync per disk; md's own limit (speed_limit_max) is 200,000 KiB/s."""

DISK_BYTES_S = 500_000_000
"""Assumed maximum throughput of a disk without a profile: a little under SATA 6 Gbit/s."""

PAGE_BYTES = 4096


@dataclass(frozen=True)
class Cost:
    """Estimate for a plan; ``resync_counted`` is false if it waits for resyncs on disks of unknown size."""

    estimated_s: float
    bytes_written_per_disk: int
    resync_counted: bool
    assumptions: Mapping[str, float]


def plan_cost(plan: Plan, disk_bytes: int | None = None) -> Cost:
    """Total cost of the trials of a plan.

    ``disk_bytes`` is the size of a real disk, for the initial resync; the sizes of the lab's disks are known.
    """
    sweep = plan.sweep
    size = disk_bytes if disk_bytes is not None else known_disk_bytes(sweep)
    built = list(zip(plan.trials, builds(plan.trials), strict=True))
    seconds = math.fsum(trial_seconds(sweep, trial.point, size, does) for trial, does in built)
    written = math.fsum(trial_bytes_per_disk(sweep, trial.point, size, does) for trial, does in built)
    blocks = race_blocks(sweep, len(built), seconds)
    return Cost(
        estimated_s=blocks * seconds,
        bytes_written_per_disk=math.ceil(blocks * written),
        resync_counted=size is not None or not any(resyncs_first(sweep, point) for point in plan.points),
        assumptions={
            "build_s": BUILD_S,
            "workload_overhead_s": WORKLOAD_OVERHEAD_S,
            "lay_out_bytes_s": LAY_OUT_BYTES_S,
            "resync_bytes_s": RESYNC_BYTES_S,
            "disk_bytes_s": disk_rate(sweep, 1 << 30),
        },
    )


def race_blocks(sweep: Sweep, trials: int, seconds: float) -> float:
    """Budget of a race in units of its first block; 1 for every other design."""
    if sweep.racing is None:
        return 1.0
    if sweep.racing.budget_trials is not None:
        return sweep.racing.budget_trials / trials
    return max(1.0, (sweep.racing.budget_s or 0.0) / seconds)


@dataclass(frozen=True)
class Builds:
    """Layers that a trial builds; the others are left from an earlier trial of its plot."""

    array: bool = True
    filesystem: bool = True


def builds(trials: Iterable[PlannedTrial]) -> Iterator[Builds]:
    """Layers that each trial of a plan builds, in run order."""
    whole_plot = sub_plot = None
    for trial in trials:
        array = trial.whole_plot is None or trial.whole_plot != whole_plot
        yield Builds(array, array or trial.sub_plot is None or trial.sub_plot != sub_plot)
        whole_plot, sub_plot = trial.whole_plot, trial.sub_plot


def known_disk_bytes(sweep: Sweep) -> int | None:
    """Size of a disk if the sweep has a ``[lab]`` table, else None."""
    return sweep.lab.disk_bytes if sweep.lab_given else None


def trial_seconds(
    sweep: Sweep, point: DesignPoint | None = None, disk_bytes: int | None = None, does: Builds | None = None
) -> float:
    """Duration of one trial, with the initial resync if point and disk size are given."""
    workloads = sum(workload_seconds(sweep, workload) for workload in sweep.workloads)
    return stack_seconds(sweep, point, disk_bytes, does) + workloads


def stack_seconds(
    sweep: Sweep, point: DesignPoint | None = None, disk_bytes: int | None = None, does: Builds | None = None
) -> float:
    """Time to build the layers of a trial and to write its data set."""
    does = does or Builds()
    seconds = BUILD_S - ARRAY_S - FILESYSTEM_S + ARRAY_S * does.array + FILESYSTEM_S * does.filesystem
    if does.array and point is not None and disk_bytes is not None and resyncs_first(sweep, point):
        seconds += disk_bytes / RESYNC_BYTES_S
    return seconds + sweep.dataset.total_bytes / LAY_OUT_BYTES_S


def workload_seconds(sweep: Sweep, workload: Workload) -> float:
    """Maximum duration of one workload: its runtime, or the time for its size at the rate of one disk."""
    size = bounded_bytes(sweep, workload)
    measured_s = workload.runtime_s if size is None else size / disk_rate(sweep, workload.bs_bytes)
    return WORKLOAD_OVERHEAD_S + conditioning_seconds(sweep, workload) + workload.ramp_time_s + measured_s


def conditioning_seconds(sweep: Sweep, workload: Workload) -> float:
    """Maximum time before the measured run: preconditioning at :data:`LAY_OUT_BYTES_S`, and all rounds."""
    seconds = 0.0
    if workload.precondition is not None:
        seconds += workload.precondition.passes * sweep.dataset.total_bytes / LAY_OUT_BYTES_S + WORKLOAD_OVERHEAD_S
    if workload.steady_state is not None:
        seconds += workload.steady_state.rounds_max * (workload.steady_state.round_s + WORKLOAD_OVERHEAD_S)
    return seconds


def bounded_bytes(sweep: Sweep, workload: Workload) -> int | None:
    """Bytes that a workload transfers if its size limits it; None if its runtime does.

    ``io_size`` applies to each job of fio.  dd without ``io_size`` transfers the whole data set, and so does a job
    file that sets neither time nor size.
    """
    if workload.io_size_bytes is not None:
        return workload.io_size_bytes * workload.numjobs
    return sweep.dataset.total_bytes if workload.engine == "dd" or workload.runtime_s == 0 else None


def trial_bytes_per_disk(
    sweep: Sweep, point: DesignPoint, disk_bytes: int | None = None, does: Builds | None = None
) -> float:
    """Maximum bytes that one trial writes to a disk: resync, data set, workloads."""
    writing = (workload for workload in sweep.workloads if workload.writes)
    written = sum(workload_bytes_per_disk(sweep, point, workload) for workload in writing)
    before = sum(precondition_bytes_per_disk(sweep, point, workload) for workload in sweep.workloads)
    return stack_bytes_per_disk(sweep, point, disk_bytes, does) + before + written


def stack_bytes_per_disk(
    sweep: Sweep, point: DesignPoint, disk_bytes: int | None = None, does: Builds | None = None
) -> float:
    """Bytes that building the stack writes to a disk: resync and data set."""
    resyncs = (does or Builds()).array and disk_bytes is not None and resyncs_first(sweep, point)
    laid_out = share_of_a_disk(sweep, point, small=False) * sweep.dataset.total_bytes
    return laid_out + (disk_bytes or 0) * resyncs


def workload_bytes_per_disk(sweep: Sweep, point: DesignPoint, workload: Workload) -> float:
    """Maximum bytes that a workload writes to a disk: from its size, or from its runtime and the disk rate."""
    steady = workload.steady_state
    rounds_s = steady.rounds_max * steady.round_s if steady is not None else 0.0
    in_rounds = disk_rate(sweep, workload.bs_bytes) * rounds_s
    size = bounded_bytes(sweep, workload)
    if size is None:
        time_s = workload.ramp_time_s + workload.runtime_s
        return disk_rate(sweep, workload.bs_bytes) * time_s + in_rounds
    width_kib = point.raid.stripe_width_kib(point.disks, point.chunk_kib, point.raid10_layout)
    small = workload.random or (width_kib is not None and workload.bs_bytes < width_kib * 1024)
    written = 1 - (50 if workload.rwmixread is None else workload.rwmixread) / 100 if workload.reads else 1
    ramp = disk_rate(sweep, workload.bs_bytes) * workload.ramp_time_s  # in addition to the size
    return share_of_a_disk(sweep, point, small=small) * written * size + ramp + in_rounds


def precondition_bytes_per_disk(sweep: Sweep, point: DesignPoint, workload: Workload) -> float:
    """Bytes that preconditioning writes to a disk."""
    before = workload.precondition
    if before is None:
        return 0.0
    width_kib = point.raid.stripe_width_kib(point.disks, point.chunk_kib, point.raid10_layout)
    small = before.rw == "randwrite" or (width_kib is not None and before.bs_bytes < width_kib * 1024)
    size = before.io_size_bytes(sweep.dataset.total_bytes) * before.numjobs
    return share_of_a_disk(sweep, point, small=small) * size


def share_of_a_disk(sweep: Sweep, point: DesignPoint, *, small: bool) -> float:
    """Bytes written to the fullest disk for each byte of data; a jbod spreads whole files over the disks."""
    if not point.raid.array:
        return math.ceil(sweep.dataset.files / point.disks) / sweep.dataset.files
    if not point.raid.spread:
        return 1.0
    return point.raid.write_amplification(point.disks, small=small) / point.disks


def disk_rate(sweep: Sweep, request_bytes: int) -> float:
    """Maximum bytes per second of a disk in one direction: from the lab's profile, or assumed."""
    profile = sweep.lab.profile
    if profile is None:
        return DISK_BYTES_S
    return throttled_bw(profile.iops, profile.bw_bytes_s, max(request_bytes, PAGE_BYTES))


def resyncs_first(sweep: Sweep, point: DesignPoint) -> bool:
    """Whether the run waits for md's initial resync at a point."""
    return sweep.initial_sync == "wait" and point.raid.redundant
