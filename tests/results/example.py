"""The store of docs/methodology-recommendation.md; ``python -m tests.results.example DIR`` makes it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.results import synthetic
from tests.results.synthetic import Plan, raid_points

GAIN = {"jbod": 4.0, "raid0": 4.0, "raid1": 1.0, "raid5": 2.0, "raid6": 4 / 3, "raid10": 2.0}


def make(folder: Path) -> None:
    """Random-write IOPS by the RAID arithmetic; 512 KiB chunks are 38 % faster on raid5 and raid6 alone."""
    truth = []
    for point in raid_points():
        larger = point["level"] in {"raid5", "raid6"} and point["chunk_kib"] == 512
        truth.append((point, GAIN[str(point["level"])] * 100.0 * (1.38 if larger else 1.0)))
    synthetic.write(folder, Plan(truth, replicates=4, cv=0.03, seconds=30, disk_speeds={"SERIAL-2": 0.34}))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
