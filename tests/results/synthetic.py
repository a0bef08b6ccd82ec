"""Stores with a known truth: made from a seed, so that a test can check what the analysis finds.

``Truth`` maps settings to the true value of the metric; each trial gets multiplicative (log-normal)
noise of ``cv``, a block effect, and, where asked for, drift over the run order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np

from results.store.folder import Store
from results.store.schema import DISK_CHECK, EnvironmentRow, IntervalRow, ObservationRow, TelemetryRow, TrialRow

Settings = Mapping[str, str | int | None]
START_NS = 1_790_000_000_000_000_000
SURVIVED = {"jbod": 0, "raid0": 0, "raid1": 3, "raid5": 1, "raid6": 2, "raid10": 1}
DISK_BYTES = 1 << 30


def usable_bytes(settings: Settings) -> int:
    disks = int(settings["disks"] or 1)
    level = settings["level"]
    data = {"raid1": 1, "raid5": disks - 1, "raid6": disks - 2, "raid10": disks // 2}.get(str(level), disks)
    return data * DISK_BYTES


@dataclass(frozen=True)
class Plan:
    """What to make: points with their true values, replicates, noise."""

    truth: Sequence[tuple[Settings, float]]
    replicates: int = 3
    cv: float = 0.02
    block_sd: float = 0.0
    drift: float = 0.0
    order: str = "blocked"
    seed: int = 1
    substrate: str = "disk"
    workload: str = "random-write"
    metric: str = "iops"
    bs_bytes: int = 4096
    seconds: int = 5
    iops_limit: int | None = None
    directions: tuple[str, ...] = ("write",)
    scans: tuple[str, ...] = ()
    """Further workloads: large sequential reads, as fast as the disks that hold data."""
    disk_speeds: Mapping[str, float] = field(default_factory=dict)
    """Speed of a disk in the disk check, 1 of those that are not named; empty: no check was made."""
    busy: Mapping[str, float] = field(default_factory=dict)
    """Utilisation of a disk, per cent; ``*`` of those that are not named."""


def factorial(**factors: Sequence[str | int | None]) -> list[Settings]:
    return [dict(zip(factors, values, strict=True)) for values in product(*factors.values())]


def raid_points() -> list[Settings]:
    """Six levels of four disks, two chunks where md has one, two filesystems."""
    points: list[Settings] = []
    for level in SURVIVED:
        for chunk in (64, 512) if level not in {"jbod", "raid1"} else (None,):
            points += [
                {"level": level, "disks": 4, "chunk_kib": chunk, "filesystem": fs, "layout": "flat"}
                for fs in ("ext4", "xfs")
            ]
    return points


def raid_truth(iops_per_disk: float = 100.0) -> list[tuple[Settings, float]]:
    """Random-write IOPS by the RAID arithmetic, xfs one per cent faster."""
    gain = {"jbod": 4.0, "raid0": 4.0, "raid1": 1.0, "raid5": 2.0, "raid6": 4 / 3, "raid10": 2.0}
    return [
        (point, gain[str(point["level"])] * iops_per_disk * (1.01 if point["filesystem"] == "xfs" else 1.0))
        for point in raid_points()
    ]


def point_id(settings: Settings) -> str:
    return hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()[:12]


def schedule(plan: Plan, rng: np.random.Generator) -> list[tuple[int, int]]:
    """(point, block) in run order."""
    count = len(plan.truth)
    if plan.order == "grouped":
        return [(point, block) for point in rng.permutation(count) for block in range(plan.replicates)]
    return [(int(point), block) for block in range(plan.replicates) for point in rng.permutation(count)]


def values(plan: Plan) -> list[tuple[int, int, float]]:
    """(point, block, measured value) in run order."""
    rng = np.random.default_rng(plan.seed)
    runs = schedule(plan, rng)
    sigma = math.sqrt(math.log1p(plan.cv**2))
    blocks = rng.normal(0, plan.block_sd, plan.replicates)
    found = []
    for order, (point, block) in enumerate(runs):
        noise = rng.normal(0, sigma) + blocks[block] + math.log1p(-plan.drift * order / max(1, len(runs) - 1))
        found.append((point, block, plan.truth[point][1] * math.exp(noise)))
    return found


def environment(substrate: str = "disk") -> EnvironmentRow:
    return EnvironmentRow(
        environment_id=f"env-{substrate}",
        hostname="bench-01",
        substrate=substrate,
        kernel="6.1.0-44-amd64",
        architecture="x86_64",
        os_release="Debian GNU/Linux 12 (bookworm)",
        cpu_model="Example CPU 3.0 GHz",
        cpus=16,
        cpu_governor="performance",
        memory_bytes=64 << 30,
        disk_ids=tuple(f"SERIAL-{n}" for n in range(4)),
        disk_models=("EXAMPLE HDD",) * 4,
        disk_firmwares=("FW01",) * 4,
        disk_sizes_bytes=(DISK_BYTES,) * 4,
        disk_logical_block_bytes=(512,) * 4,
        disk_rotational=(True,) * 4,
        tools=("fio 3.33", "mdadm 4.2"),
        stripelab_version="0.1.0",
    )


def trial(plan: Plan, settings: Settings, block: int, run_order: int, status: str = "ok") -> TrialRow:
    level = str(settings.get("level", "raid0"))
    label = f"{level}-{settings.get('chunk_kib')}"
    return TrialRow(
        trial_id=hashlib.sha256(f"{point_id(settings)} {block} {plan.workload}".encode()).hexdigest()[:16],
        point_id=point_id(settings),
        protocol_id="protocol-1",
        environment_id=f"env-{plan.substrate}",
        sweep="synthetic",
        block=block,
        run_order=run_order,
        status=status,
        substrate=plan.substrate,
        started_at_ns=START_NS + run_order * 60_000_000_000,
        duration_s=42.5,
        build_s=3.25,
        usable_bytes=usable_bytes(settings) if "disks" in settings else None,
        disk_failures_survived=SURVIVED.get(level),
        disk_ids=tuple(f"SERIAL-{n}" for n in range(int(settings.get("disks") or 0))),
        disk_iops_limit=plan.iops_limit,
        build_commands=(f"mdadm --create /dev/md0 --level={level}",),
        apply_commands=(
            f"mdadm --create /dev/md/data --level={level} # {label}",
            f"mkfs.{settings.get('filesystem', 'xfs')} /dev/md/data",
            "LABEL=data /data xfs noatime 0 0",
        ),
        stripelab_version="0.1.0",
        **settings,  # type: ignore[arg-type]
    )


def observation(plan: Plan, row: TrialRow, value: float, direction: str, predicted: float | None) -> ObservationRow:
    iops = value if plan.metric == "iops" else value / plan.bs_bytes
    mean_ns = 1e9 / iops * 16
    bins = [int(mean_ns * factor) for factor in (0.5, 0.8, 1.0, 1.3, 2.0, 5.0)]
    counts = [max(1, int(iops * plan.seconds * share)) for share in (0.05, 0.3, 0.4, 0.2, 0.045, 0.005)]
    return ObservationRow(
        trial_id=row.trial_id,
        workload=plan.workload,
        direction=direction,
        engine="fio",
        engine_version="fio-3.33",
        command="fio --output-format=json+ job.fio",
        ios=int(iops * plan.seconds),
        total_bytes=int(iops * plan.seconds) * plan.bs_bytes,
        runtime_ns=plan.seconds * 1_000_000_000,
        iops=iops,
        bw_bytes_s=iops * plan.bs_bytes,
        errors=0,
        predicted_iops=predicted,
        lat_min_ns=bins[0],
        lat_mean_ns=mean_ns,
        lat_p50_ns=bins[2],
        lat_p95_ns=bins[3],
        lat_p99_ns=bins[4],
        lat_p999_ns=bins[5],
        lat_max_ns=bins[5],
        lat_bins_ns=tuple(bins),
        lat_counts=tuple(counts),
        raw_zlib=b"x" * 2000,
    )


def intervals(plan: Plan, row: TrialRow, value: float, direction: str) -> list[IntervalRow]:
    rng = np.random.default_rng([plan.seed, row.run_order])
    shape = value * np.exp(rng.normal(0, 0.05, plan.seconds))
    return [
        IntervalRow(
            trial_id=row.trial_id,
            workload=plan.workload,
            direction=direction,
            second=second,
            iops=float(iops),
            bw_bytes_s=float(iops) * plan.bs_bytes,
            lat_mean_ns=1e9 / float(iops),
        )
        for second, iops in enumerate(shape)
    ]


def telemetry(plan: Plan, row: TrialRow) -> list[TelemetryRow]:
    found = [
        TelemetryRow(
            trial_id=row.trial_id, workload=plan.workload, second=float(second + 1), device="cpu", user_pct=3.0
        )
        for second in range(plan.seconds)
    ]
    rng = np.random.default_rng([plan.seed, row.run_order, 1])
    for disk in row.disk_ids:
        busy = plan.busy.get(disk, plan.busy.get("*", 50.0))
        found.append(
            TelemetryRow(
                trial_id=row.trial_id, workload=plan.workload, second=1.0, device=disk, disk_id=disk, util_pct=busy
            )
        )
        speed = plan.disk_speeds.get(disk, 1.0) * math.exp(rng.normal(0, 0.02))
        if plan.disk_speeds:
            found += [
                TelemetryRow(
                    trial_id=row.trial_id, workload=DISK_CHECK, second=1.0, device=disk, disk_id=disk, **values
                )
                for values in ({"read_iops": 200 * speed}, {"read_bytes_s": 150e6 * speed})
            ]
    return found


def write(
    path: Path,
    plan: Plan,
    *,
    status: Callable[[int, int], str] = lambda _point, _block: "ok",
    predicted: Callable[[Settings], float | None] = lambda _settings: None,
    change: Callable[[TrialRow], TrialRow] = lambda row: row,
) -> Store:
    """Make a store; ``status`` says how the trial of (point, block) ended ('missing' leaves it out)."""
    store = Store.create(path)
    store.put_environment(environment(plan.substrate))
    for order, (point, block, value) in enumerate(values(plan)):
        settings = plan.truth[point][0]
        outcome = status(point, block)
        if outcome == "missing":
            continue
        row = change(trial(plan, settings, block, order, outcome))
        if outcome == "failed":
            store.append(
                replace(row, error_class="EngineError", error="fio ended with status 1", error_command="fio job")
            )
            continue
        if outcome == "invalid":
            row = replace(row, invalid_reasons=("the array was degraded after the workload",))
        share = value / len(plan.directions)
        measured = [observation(plan, row, share, direction, predicted(settings)) for direction in plan.directions]
        seconds = [second for direction in plan.directions for second in intervals(plan, row, share, direction)]
        for name in plan.scans:
            scan = replace(plan, workload=name, metric="bw_bytes_s", bs_bytes=1 << 20, seed=plan.seed + len(name))
            noise = np.random.default_rng([scan.seed, order]).normal(0, plan.cv)
            bandwidth = 20e6 * usable_bytes(settings) / DISK_BYTES * math.exp(noise)
            measured.append(observation(scan, row, bandwidth, "read", None))
            seconds += intervals(scan, row, bandwidth / scan.bs_bytes, "read")
        store.append(row, measured, seconds, telemetry(plan, row))
    return store
