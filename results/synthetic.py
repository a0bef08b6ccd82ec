"""A sweep that was never measured, for notebooks and for trying the analysis: ``python -m results.synthetic STORE``.

Random-write IOPS of four disks by the arithmetic of RAID (Patterson, Gibson and Katz, SIGMOD 1988), with noise: a
random write costs one write of a disk on RAID 0, two on RAID 1 and 10, four on RAID 5 and six on RAID 6.  Large
chunks help the parity levels by 20 %, so that there is an interaction to find; one disk is slow if asked for.
Everything in it says that it is synthetic, on loop devices, so that nothing of it can become a guarantee.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from results.guarantee.synthetic import Campaign, environment, intervals
from results.guarantee.synthetic import observation as plain_observation
from results.guarantee.synthetic import trial as plain_trial
from results.store.folder import Store
from results.store.schema import DISK_CHECK, IntervalRow, ObservationRow, TelemetryRow, TrialRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

DISKS = tuple(f"SYNTHETIC{number}" for number in range(4))
WRITES = {"raid0": 1, "raid10": 2, "raid5": 4, "raid6": 6}
SURVIVED = {"raid0": 0, "raid10": 1, "raid5": 1, "raid6": 2}
DATA_DISKS = {"raid0": 4, "raid10": 2, "raid5": 3, "raid6": 2}
_GAIN_OF_LARGE_CHUNKS = 1.2
_DISK_IOPS = 20_000.0
_DISK_READ_BYTES_S = 500e6
_SLOW = 0.4
_GIB = 1 << 30


@dataclass(frozen=True)
class Synthetic:
    """What to make; ``slow_disk`` is one of :data:`DISKS`, ``noise`` the standard deviation of log figures."""

    replicates: int = 4
    seconds: int = 30
    noise: float = 0.03
    seed: int = 20261124
    slow_disk: str | None = None


def write(path: Path, wanted: Synthetic) -> Store:
    """Make a store of eight points in blocks of random order, and put it at ``path``.

    Raises:
        ResultsError: there is a store already, or the folder cannot be written.
    """
    import numpy as np

    rng = np.random.default_rng(wanted.seed)
    store = Store.create(path)
    store.put_environment(environment("loop"))
    points = list(product(WRITES, (64, 512)))
    order = 0
    for block in range(wanted.replicates):
        for place in rng.permutation(len(points)):
            row = _trial(points[place], block, order)
            rates = _speed(points[place], wanted) * np.exp(
                rng.normal(0, wanted.noise) + rng.normal(0, 0.04, wanted.seconds)
            )
            seconds: list[IntervalRow] = intervals(row, rates)
            store.append(row, [_observation(row, rates)], seconds, list(_telemetry(row, rates, wanted, order)))
            order += 1
    return store


def _speed(point: tuple[str, int], wanted: Synthetic) -> float:
    """IOPS of a point; an array with a slow disk goes at its pace."""
    level, chunk_kib = point
    gain = _GAIN_OF_LARGE_CHUNKS if level in {"raid5", "raid6"} and chunk_kib == 512 else 1.0
    return gain * len(DISKS) * _DISK_IOPS / WRITES[level] * (_SLOW if wanted.slow_disk else 1.0)


def _trial(point: tuple[str, int], block: int, order: int) -> TrialRow:
    level, chunk_kib = point
    point_id = hashlib.sha256(f"{level} {chunk_kib}".encode()).hexdigest()[:12]
    trial_id = hashlib.sha256(f"{point_id} {block}".encode()).hexdigest()[:16]
    usual = plain_trial(Campaign(points=8), 0, 0)
    return replace(
        usual,
        trial_id=trial_id,
        point_id=point_id,
        block=block,
        run_order=order,
        array_built_by=trial_id,
        filesystem_built_by=trial_id,
        started_at_ns=usual.started_at_ns + order * 600 * 10**9,
        level=level,
        chunk_kib=chunk_kib,
        raid10_layout="n2" if level == "raid10" else None,
        usable_bytes=DATA_DISKS[level] * 960 * _GIB,
        disk_failures_survived=SURVIVED[level],
        disk_ids=DISKS,
    )


def _observation(row: TrialRow, rates: Floats) -> ObservationRow:
    """Totals, and a histogram of latency that follows from the queue (Little's law)."""
    mean_ns = 128e9 / float(rates.mean())
    midpoints = tuple(int(mean_ns * factor) for factor in (0.5, 0.8, 1.0, 1.3, 2.0, 4.0))
    counted = plain_observation(row, rates)
    shares = (0.05, 0.3, 0.4, 0.2, 0.045, 0.005)
    return replace(
        counted,
        lat_min_ns=midpoints[0],
        lat_mean_ns=mean_ns,
        lat_p50_ns=midpoints[2],
        lat_p95_ns=midpoints[3],
        lat_p99_ns=midpoints[4],
        lat_p999_ns=midpoints[5],
        lat_max_ns=midpoints[5],
        lat_bins_ns=midpoints,
        lat_counts=tuple(int(counted.ios * share) for share in shares),
    )


def _telemetry(row: TrialRow, rates: Floats, wanted: Synthetic, order: int) -> Iterator[TelemetryRow]:
    """Each disk on its own before the first trial of a block, then each second of the workload."""
    import numpy as np

    rng = np.random.default_rng([wanted.seed, order])
    for place, disk in enumerate(DISKS):
        own = TelemetryRow(trial_id=row.trial_id, workload=DISK_CHECK, second=1.0, device=f"sd{'bcde'[place]}")
        own = replace(own, disk_id=disk)
        speed = (_SLOW if disk == wanted.slow_disk else 1.0) * math.exp(rng.normal(0, 0.01))
        if order % (2 * len(WRITES)) == 0:
            yield replace(own, read_iops=80_000 * speed)
            yield replace(own, read_bytes_s=_DISK_READ_BYTES_S * speed)
        busy = 98.0 if wanted.slow_disk in {None, disk} else 98.0 * _SLOW
        each = 4096 * WRITES[str(row.level)] / len(DISKS)
        for second, rate in enumerate(rates):
            yield replace(
                own,
                workload="random-write",
                second=second + 1.0,
                write_bytes_s=float(rate) * each,
                write_iops=float(rate) * each / 4096,
                read_bytes_s=0.0,
                util_pct=min(100.0, busy * math.exp(rng.normal(0, 0.02))),
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a store from the command line."""
    parser = argparse.ArgumentParser(prog="python -m results.synthetic", description=__doc__)
    parser.add_argument("store", type=Path, help="folder to make")
    parser.add_argument("--replicates", type=int, default=Synthetic.replicates)
    parser.add_argument("--seconds", type=int, default=Synthetic.seconds, help="length of a run")
    parser.add_argument("--seed", type=int, default=Synthetic.seed)
    parser.add_argument("--slow-disk", choices=DISKS, help="one disk at 40 %% of its peers' speed")
    chosen = parser.parse_args(arguments)
    write(
        chosen.store,
        Synthetic(chosen.replicates, chosen.seconds, seed=chosen.seed, slow_disk=chosen.slow_disk),
    )


if __name__ == "__main__":
    main()
