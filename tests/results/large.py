"""A sweep of 200 points, three workloads, a minute of seconds each; ``python -m tests.results.large DIR`` makes it."""

from __future__ import annotations

import sys
from pathlib import Path

from results.store.folder import Store
from tests.results import synthetic
from tests.results.synthetic import Plan, Settings, factorial

GAIN = {"raid0": 4.0, "raid5": 2.0, "raid6": 4 / 3, "raid10": 2.0}


def points() -> list[Settings]:
    return factorial(
        level=list(GAIN),
        disks=[4],
        chunk_kib=[64, 128, 256, 512, 1024],
        filesystem=["xfs", "ext4"],
        layout=["flat"],
        scheduler=["none", "mq-deadline", "bfq", "kyber", None],
    )


def make(folder: Path, seconds: int = 60) -> Store:
    """200 points in two blocks, one disk slower than the others, three trials that do not count."""
    truth = [
        (point, GAIN[str(point["level"])] * 100.0 * (1 + 0.02 * place % 0.3)) for place, point in enumerate(points())
    ]
    plan = Plan(
        truth,
        replicates=2,
        seconds=seconds,
        scans=("scan", "backup"),
        disk_speeds={"SERIAL-2": 0.5},
        busy={"SERIAL-2": 96.0},
    )
    bad = {(3, 1): "failed", (9, 0): "invalid", (50, 1): "invalid"}
    return synthetic.write(folder, plan, status=lambda point, block: bad.get((point, block), "ok"))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
