"""RAID arithmetic: capacity, failures survived, stripe width, and what small I/O should reach.

Sources:
    Patterson, Gibson, Katz: A Case for Redundant Arrays of Inexpensive Disks (RAID), SIGMOD 1988.
    Chen, Lee, Gibson, Katz, Patterson: RAID: High-Performance, Reliable Secondary Storage,
    ACM Computing Surveys 26(2), 1994, table 1 (throughput relative to RAID 0).
    md(4) for the layouts of raid10; mdadm(8) for the default chunk.

Every function takes a feasible combination of level and number of disks; with another one the
answer means nothing.
"""

from __future__ import annotations

import math

from permutations.workload import DataSet

DEFAULT_CHUNK_KIB = 512
"""What mdadm --create takes where it is not told (mdadm(8))."""

MD_RESERVED_BYTES = 256 << 20
"""More than md takes of any member: at most 128 MiB before the data (super1.c of mdadm), bitmap and rounding."""

SPARE_SHARE = 0.15
SPARE_BYTES = 128 << 20
DISK_STEP_BYTES = 256 << 20
"""What a filesystem of the lab keeps for metadata, log and reserved blocks beside the data set: more than any needs."""


def data_disks(level: str, disks: int, raid10_layout: str | None = None) -> int:
    """Disks over which one stripe of data runs: what stripe width is counted in.

    For raid10 this depends on the layout.  With near copies (``n2``, mdadm's default) half of the
    disks of a stripe hold copies; with ``far`` and ``offset`` the data run over all disks first
    (md(4)), and md reports a stripe of all of them to filesystems.
    """
    if level == "raid10":
        return disks if raid10_layout in {"f2", "o2"} else disks // 2
    return capacity_disks(level, disks)


def capacity_disks(level: str, disks: int) -> int:
    """Disks' worth of data that an array holds; md keeps two copies on raid10 whatever its layout."""
    return {
        "jbod": disks,
        "raid0": disks,
        "raid1": 1,
        "raid5": disks - 1,
        "raid6": disks - 2,
        "raid10": disks // 2,
    }[level]


def usable_bytes(level: str, disks: int, disk_bytes: int) -> int:
    """Capacity before metadata of md and of the filesystem."""
    return capacity_disks(level, disks) * disk_bytes


def least_usable_bytes(level: str, disks: int, disk_bytes: int) -> int:
    """Capacity that is left of :func:`usable_bytes` whatever md keeps to itself."""
    reserved = 0 if level == "jbod" else MD_RESERVED_BYTES
    return capacity_disks(level, disks) * max(0, disk_bytes - reserved)


def disk_failures_survived(level: str, disks: int) -> int:
    """Disks that may fail, whichever they are, without loss of data: the worst case.

    raid10 may survive more, if the failures fall on different pairs; it is sure of one only.
    """
    return {"jbod": 0, "raid0": 0, "raid1": disks - 1, "raid5": 1, "raid6": 2, "raid10": 1}[level]


def stripe_width_kib(level: str, disks: int, chunk_kib: int | None, raid10_layout: str | None = None) -> int | None:
    """Chunk times data disks, KiB; None on levels without a chunk.  No chunk means mdadm's default."""
    if level in {"jbod", "raid1"}:
        return None
    return (chunk_kib or DEFAULT_CHUNK_KIB) * data_disks(level, disks, raid10_layout)


def write_amplification(level: str, disks: int, *, small: bool) -> float:
    """Bytes written to all disks together for each byte of data.

    ``small``: writes within one chunk, each of which writes its parity again; otherwise writes of
    whole stripes.
    """
    match level:
        case "raid1":
            return disks
        case "raid10":
            return 2
        case "raid5":
            return 2 if small else disks / (disks - 1)
        case "raid6":
            return 3 if small else disks / (disks - 2)
        case _:
            return 1


def random_write_iops(level: str, disks: int, iops_per_disk: float) -> float:
    """Small random writes per second where each disk has one budget for reads and another for writes.

    That is what the blkio throttle of the virtual lab enforces.  A small write costs one write on
    jbod and raid0, one per copy on raid1 and raid10, and on raid5 and raid6 the data and one or two
    parities.  What must be read first (the old data and parity, or, where md finds that cheaper, the
    rest of the stripe) comes out of the other budget and never exceeds it, so that the writes bind.
    """
    return disks * iops_per_disk / write_amplification(level, disks, small=True)


def random_read_iops(disks: int, iops_per_disk: float) -> float:
    """Small random reads per second: every disk of every level serves them (Chen et al., table 1)."""
    return disks * iops_per_disk


def random_write_iops_one_budget(level: str, disks: int, iops_per_disk: float) -> float:
    """Small random writes per second where reads and writes share a disk's budget: a real disk.

    raid5 reads old data and old parity and writes both (4 I/Os), raid6 has a second parity (6); on
    few disks it is cheaper to read the rest of the stripe and to write its parity anew, which costs
    one I/O per disk.  Patterson et al., 1988; Chen et al., 1994, table 1: max(1/G, 1/4) and
    max(1/G, 1/6) of RAID 0, G being the disks of a parity group.
    """
    ios = {"raid1": disks, "raid10": 2, "raid5": min(4, disks), "raid6": min(6, disks)}.get(level, 1)
    return disks * iops_per_disk / ios


def sequential_write_bw(level: str, disks: int, bw_per_disk: float) -> float:
    """Bytes per second of data where whole stripes are written and bandwidth alone binds.

    Chen et al., table 1: of RAID 0, 1/2 for mirrored pairs, (G-1)/G for RAID 5, (G-2)/G for RAID 6.
    """
    return capacity_disks(level, disks) * bw_per_disk


def sequential_read_bw(disks: int, bw_per_disk: float) -> float:
    """Bytes per second of data where every disk streams and bandwidth alone binds.

    Chen et al., table 1: large reads reach the bandwidth of all disks on every level.  A mirror does
    so only if there are streams enough for all copies: md keeps one stream on one of them.
    """
    return disks * bw_per_disk


def throttled_bw(iops_per_disk: float, bw_per_disk: float, request_bytes: int) -> float:
    """Bytes per second that one disk moves in requests of one size, under both of its limits."""
    return min(bw_per_disk, iops_per_disk * request_bytes)


def fullest_bytes(dataset: DataSet, level: str, disks: int) -> int:
    """Bytes of a data set on the fullest filesystem: on jbod there is one a disk, and the files take turns."""
    return math.ceil(dataset.files / disks) * dataset.file_bytes if level == "jbod" else dataset.total_bytes


def roomy_disk_bytes(dataset: DataSet, level: str, disks: int) -> int:
    """Size of a disk on which a data set has room at ease, whatever the filesystem; a multiple of 256 MiB.

    Each filesystem keeps :data:`SPARE_BYTES` and a share of :data:`SPARE_SHARE` to itself.
    """
    per_filesystem = fullest_bytes(dataset, level, disks) / (1 - SPARE_SHARE) + SPARE_BYTES
    disks_each = 1 if level == "jbod" else capacity_disks(level, disks)
    return math.ceil(per_filesystem / disks_each / DISK_STEP_BYTES) * DISK_STEP_BYTES


def places_for_files(level: str, disks: int, layout: str | None) -> int:
    """Places that the files of a data set take turns on: mount points, or the folders of ``per-disk``."""
    return disks if level == "jbod" or layout == "per-disk" else 1
