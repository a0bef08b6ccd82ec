"""Runs with a known truth, as arrays or as a store: for the worked example and for validation.

``python -m results.guarantee.synthetic STORE`` makes the store of the documentation.  What it writes
says that it was measured on loop devices, so that nothing of it can become a guarantee.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from results.store.folder import Store
from results.store.schema import EnvironmentRow, IntervalRow, ObservationRow, TrialRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

SHAPES = ("normal", "lognormal", "two modes", "heavy tail")
SLOW_SHARE = 0.1
SLOW = 0.8
"""Of two modes, the share of slow runs and their speed."""

SKEW = 0.5
"""Standard deviation of the logarithm of the skewed noise; its long tail is the slow side."""

_TAIL_DF = 3
_FLOOR = 0.01
_START_NS = 1_790_000_000_000_000_000
_BLOCK_BYTES = 4096
_GIB = 1 << 30


@dataclass(frozen=True)
class Truth:
    """How runs come about: seconds with autocorrelation ``phi`` and deviation ``within``, runs with ``between``.

    ``shape`` is that of all noises; "two modes" makes one run in ten slow.  ``trend`` is the change
    within a run, ``drift`` that from the first run to the last, both as shares.  Days deviate by ``between_days``, a
    first-order autoregression with ``day_phi``.
    """

    shape: str = "normal"
    phi: float = 0.0
    between: float = 0.02
    within: float = 0.05
    level: float = 100_000.0
    trend: float = 0.0
    drift: float = 0.0
    between_days: float = 0.0
    day_phi: float = 0.0


def day_levels(rng: np.random.Generator, truth: Truth, days: int, series: int = 1) -> Floats:
    """The level of each day as a factor: ``series`` by ``days``."""
    import numpy as np

    noise = rng.standard_normal((days, series))
    for day in range(1, days):
        noise[day] = truth.day_phi * noise[day - 1] + math.sqrt(1 - truth.day_phi**2) * noise[day]
    return np.asarray(np.maximum(1 + truth.between_days * shaped(truth.shape, noise.T), _FLOOR), dtype=np.float64)


def draw(rng: np.random.Generator, truth: Truth, runs: int, seconds: int, runs_a_day: int = 1) -> Floats:
    """``runs`` by ``seconds`` figures, ``runs_a_day`` of each day.

    Latent noise is a first-order autoregression, shaped afterwards.
    """
    import numpy as np

    noise = rng.standard_normal((seconds, runs))
    for second in range(1, seconds):
        noise[second] = truth.phi * noise[second - 1] + math.sqrt(1 - truth.phi**2) * noise[second]
    levels = 1 + truth.between * shaped(truth.shape, rng.standard_normal(runs))
    if truth.shape == "two modes":
        levels = levels * np.where(rng.random(runs) < SLOW_SHARE, SLOW, 1.0)
    levels = levels * (1 + truth.drift * np.linspace(0, 1, runs))
    if truth.between_days:
        levels = levels * np.repeat(day_levels(rng, truth, -(-runs // runs_a_day))[0], runs_a_day)[:runs]
    course = 1 + truth.trend * np.linspace(0, 1, seconds)
    values = levels[:, None] * course * (1 + truth.within * shaped(truth.shape, noise.T))
    return np.asarray(truth.level * np.maximum(values, _FLOOR), dtype=np.float64)


def shaped(shape: str, noise: Floats) -> Floats:
    """Normal noise as noise of another shape, of mean 0 and deviation 1, its long tail below."""
    import numpy as np
    from scipy import special

    if shape == "lognormal":
        mean, spread = math.exp(SKEW**2 / 2), math.sqrt(math.expm1(SKEW**2)) * math.exp(SKEW**2 / 2)
        return np.asarray((mean - np.exp(SKEW * noise)) / spread, dtype=np.float64)
    if shape == "heavy tail":
        grid = np.linspace(-7, 7, 20_001)
        tail = special.stdtrit(_TAIL_DF, special.ndtr(grid)) / math.sqrt(_TAIL_DF / (_TAIL_DF - 2))
        return np.asarray(np.interp(noise, grid, tail), dtype=np.float64)
    return noise


@dataclass(frozen=True)
class Campaign:
    """A store to make: one point, or several that are equally good; ``substrate`` as in the schema.

    Each day has ``runs_a_day`` runs of each point, ten minutes apart.
    """

    truth: Truth = Truth()
    runs: int = 20
    runs_a_day: int = 1
    seconds: int = 60
    seed: int = 20261122
    points: int = 1
    substrate: str = "loop"


def write(path: Path, campaign: Campaign) -> Store:
    """Make a store whose runs come from the truth, in blocks, and put it at ``path``."""
    import numpy as np

    rng = np.random.default_rng(campaign.seed)
    store = Store.create(path)
    store.put_environment(environment(campaign.substrate))
    shape = (campaign.runs, campaign.seconds, campaign.runs_a_day)
    drawn = [draw(rng, campaign.truth, *shape) for _ in range(campaign.points)]
    for block in range(campaign.runs):
        for point in range(campaign.points):
            row = trial(campaign, point, block)
            seconds = drawn[point][block]
            store.append(row, [observation(row, seconds)], intervals(row, seconds))
    return store


def environment(substrate: str) -> EnvironmentRow:
    """A machine that does not exist, and says so."""
    return EnvironmentRow(
        environment_id=f"synthetic-{substrate}",
        hostname="synthetic",
        substrate=substrate,
        kernel="6.1.0-44-amd64",
        architecture="x86_64",
        os_release="Debian GNU/Linux 12 (bookworm)",
        cpu_model="synthetic CPU",
        cpus=16,
        cpu_governor="performance",
        memory_bytes=64 * _GIB,
        disk_ids=tuple(f"SYNTHETIC{number}" for number in range(4)),
        disk_models=("SYNTHETIC SSD",) * 4,
        disk_firmwares=("F001",) * 4,
        disk_sizes_bytes=(960 * _GIB,) * 4,
        disk_logical_block_bytes=(4096,) * 4,
        disk_rotational=(False,) * 4,
        tools=("fio 3.33", "mdadm 4.2", "mkfs.xfs 6.1.0"),
        stripelab_version="synthetic",
    )


def trial(campaign: Campaign, point: int, block: int) -> TrialRow:
    """A trial that is ok, of a RAID 10; points differ in their chunk."""
    chunk_kib = 64 << point
    point_id = hashlib.sha256(f"chunk {chunk_kib}".encode()).hexdigest()[:12]
    trial_id = hashlib.sha256(f"{point_id} {block}".encode()).hexdigest()[:16]
    order = block * campaign.points + (point + block) % campaign.points  # no point has the same place in every block
    day = block // campaign.runs_a_day
    since_s = day * 86_400 + (order - day * campaign.runs_a_day * campaign.points) * 600
    return TrialRow(
        trial_id=trial_id,
        point_id=point_id,
        protocol_id="0123456789abcdef",
        environment_id=f"synthetic-{campaign.substrate}",
        sweep="synthetic",
        block=block,
        run_order=order,
        array_built_by=trial_id,
        filesystem_built_by=trial_id,
        status="ok",
        substrate=campaign.substrate,
        started_at_ns=_START_NS + since_s * 10**9,
        duration_s=480.0 + campaign.seconds,
        build_s=420.0,
        level="raid10",
        disks=4,
        chunk_kib=chunk_kib,
        raid10_layout="n2",
        filesystem="xfs",
        layout="flat",
        initial_sync="wait",
        array_state_before="clean",
        array_state_after="clean",
        sync_action_before="idle",
        sync_action_after="idle",
        degraded_before=0,
        degraded_after=0,
        usable_bytes=1920 * _GIB,
        dataset_bytes=1344 * _GIB,
        disk_failures_survived=1,
        disk_ids=tuple(f"SYNTHETIC{number}" for number in range(4)),
        build_commands=("(synthetic: nothing was built)",),
        apply_commands=("(synthetic: nothing was built)",),
        stripelab_version="synthetic",
    )


def observation(row: TrialRow, seconds: Floats) -> ObservationRow:
    """Totals of the seconds, of random writes of 4 KiB; five rounds were steady before."""
    rate, count = float(seconds.mean()), len(seconds)
    asked = {
        "name": "random-write",
        "engine": "fio",
        "rw": "randwrite",
        "bs_bytes": _BLOCK_BYTES,
        "iodepth": 32,
        "numjobs": 4,
        "runtime_s": float(count),
        "ramp_time_s": 0.0,
        "precondition": {"rw": "write", "bs_bytes": 128 << 10, "iodepth": 16, "numjobs": 1, "passes": 2.0},
        "steady_state": {"metric": "iops", "round_s": 60.0, "rounds_max": 25},
    }
    return ObservationRow(
        trial_id=row.trial_id,
        workload="random-write",
        direction="write",
        engine="fio",
        engine_version="3.33",
        command="(synthetic: nothing was run)",
        ios=int(rate * count),
        total_bytes=int(rate * count) * _BLOCK_BYTES,
        runtime_ns=count * 10**9,
        iops=rate,
        bw_bytes_s=rate * _BLOCK_BYTES,
        errors=0,
        workload_json=json.dumps(asked, sort_keys=True),
        precondition_command="(synthetic: nothing was run)",
        steady_verdict="steady",
        steady_metric="iops",
        steady_rounds=(rate,) * 5,
    )


def intervals(row: TrialRow, seconds: Floats) -> list[IntervalRow]:
    """One row a second; the latency is that of a queue of 128."""
    usual = IntervalRow(trial_id=row.trial_id, workload="random-write", direction="write", second=0)
    return [
        replace(
            usual,
            second=second,
            iops=float(rate),
            bw_bytes_s=float(rate) * _BLOCK_BYTES,
            lat_mean_ns=128e9 / float(rate),
        )
        for second, rate in enumerate(seconds)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a store from the command line."""
    parser = argparse.ArgumentParser(prog="python -m results.guarantee.synthetic", description=__doc__)
    parser.add_argument("store", type=Path, help="folder to make")
    parser.add_argument("--runs", type=int, default=Campaign.runs)
    parser.add_argument("--runs-a-day", type=int, default=Campaign.runs_a_day)
    parser.add_argument("--days-pct", type=float, default=0.0, help="standard deviation between days")
    parser.add_argument("--seed", type=int, default=Campaign.seed)
    parser.add_argument("--shape", choices=SHAPES, default=Truth.shape)
    parser.add_argument("--phi", type=float, default=0.6, help="autocorrelation of the seconds")
    parser.add_argument("--points", type=int, default=Campaign.points, help="points that are equally good")
    chosen = parser.parse_args(arguments)
    truth = Truth(shape=chosen.shape, phi=chosen.phi, between_days=chosen.days_pct / 100)
    campaign = Campaign(truth, chosen.runs, chosen.runs_a_day, seed=chosen.seed, points=chosen.points)
    write(chosen.store, campaign)


if __name__ == "__main__":
    main()
