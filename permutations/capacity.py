"""Space that a data set needs on the filesystems of a design point."""

from __future__ import annotations

import math

from permutations.workload import DataSet
from stripelab.raid import LEVELS

SPARE_SHARE = 0.15
SPARE_BYTES = 128 << 20
DISK_STEP_BYTES = 256 << 20
"""What a filesystem of the lab keeps for metadata, log and reserved blocks beside the data set: more than any needs."""


def fullest_bytes(dataset: DataSet, level: str, disks: int) -> int:
    """Bytes of a data set on the fullest filesystem: on jbod there is one a disk, and the files take turns."""
    return math.ceil(dataset.files / disks) * dataset.file_bytes if not LEVELS[level].array else dataset.total_bytes


def roomy_disk_bytes(dataset: DataSet, level: str, disks: int) -> int:
    """Size of a disk on which a data set has room at ease, whatever the filesystem; a multiple of 256 MiB.

    Each filesystem keeps :data:`SPARE_BYTES` and a share of :data:`SPARE_SHARE` to itself.
    """
    per_filesystem = fullest_bytes(dataset, level, disks) / (1 - SPARE_SHARE) + SPARE_BYTES
    disks_each = LEVELS[level].capacity_disks(disks) if LEVELS[level].array else 1
    return math.ceil(per_filesystem / disks_each / DISK_STEP_BYTES) * DISK_STEP_BYTES


def places_for_files(level: str, disks: int, layout: str | None) -> int:
    """Places that the files of a data set take turns on: mount points, or the folders of ``per-disk``."""
    return disks if not LEVELS[level].array or layout == "per-disk" else 1
