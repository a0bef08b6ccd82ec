"""Space that a data set needs on the filesystems of a design point."""

from __future__ import annotations

import math

from permutations.workload import DataSet
from stripelab.raid import LEVELS

SPARE_SHARE = 0.15
SPARE_BYTES = 128 << 20
DISK_STEP_BYTES = 256 << 20
"""Step of disk sizes.  The spare space is for metadata, log and reserved blocks: more than any filesystem needs."""


def fullest_bytes(dataset: DataSet, level: str, disks: int) -> int:
    """Bytes of a data set on the fullest filesystem: a jbod has one on each disk and spreads the files."""
    return math.ceil(dataset.files / disks) * dataset.file_bytes if not LEVELS[level].array else dataset.total_bytes


def roomy_disk_bytes(dataset: DataSet, level: str, disks: int) -> int:
    """Size of a disk that fits a data set with any filesystem; a multiple of 256 MiB.

    Each filesystem needs :data:`SPARE_BYTES` and a share of :data:`SPARE_SHARE` besides the data set.
    """
    per_filesystem = fullest_bytes(dataset, level, disks) / (1 - SPARE_SHARE) + SPARE_BYTES
    data_disks = LEVELS[level].capacity_disks(disks) if LEVELS[level].array else 1
    return math.ceil(per_filesystem / data_disks / DISK_STEP_BYTES) * DISK_STEP_BYTES


def places_for_files(level: str, disks: int, layout: str | None) -> int:
    """Number of directories that the files are spread over: mount points, or the folders of ``per-disk``."""
    return disks if not LEVELS[level].array or layout == "per-disk" else 1
