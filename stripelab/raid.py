"""RAID levels: capacity, failures survived, stripe width, and the cost of a write.

Sources:
    Patterson, Gibson, Katz: A Case for Redundant Arrays of Inexpensive Disks (RAID), SIGMOD 1988.
    Chen, Lee, Gibson, Katz, Patterson: RAID: High-Performance, Reliable Secondary Storage,
    ACM Computing Surveys 26(2), 1994, table 1 (throughput relative to RAID 0).
    md(4) for the layouts of raid10; mdadm(8) for the default chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_CHUNK_KIB = 512
"""Chunk that mdadm --create uses by default (mdadm(8))."""

MD_RESERVED_BYTES = 256 << 20
"""More than md takes of any member: at most 128 MiB before the data (super1.c of mdadm), bitmap and rounding."""

RAID10_LAYOUTS = ("n2", "f2", "o2")
_SPREAD_LAYOUTS = frozenset({"f2", "o2"})
"""Layouts of raid10 whose stripe of data covers all disks (md(4))."""


@dataclass(frozen=True)
class Level:
    """What a level does with its member disks; its methods take a number of disks that the level allows.

    ``copies`` is how often each block is stored, None where every disk holds a copy.  ``parity_disks`` is the number of
    disks' worth of parity.  ``array`` is False where there is no array: each disk has a filesystem of its own.
    ``spread`` is False where data fill one disk after the other, so that work on a part of them is work on few disks.
    """

    name: str
    title: str
    min_disks: int
    copies: int | None = 1
    parity_disks: int = 0
    striped: bool = False
    array: bool = True
    spread: bool = True

    def allows(self, disks: int) -> bool:
        """Whether an array of this level can have so many disks, all of them in use."""
        return disks >= self.min_disks and disks % (self.copies or 1) == 0

    @property
    def disks_rule(self) -> str:
        """The numbers of disks it allows: ``raid10 needs an even number of disks, at least 4``."""
        if self.copies == 2:
            return f"{self.name} needs an even number of disks, at least {self.min_disks}"
        return f"{self.name} needs at least {self.min_disks} disk{'' if self.min_disks == 1 else 's'}"

    def copies_on(self, disks: int) -> int:
        """Copies of each block on an array of so many disks."""
        return disks if self.copies is None else self.copies

    def capacity_disks(self, disks: int) -> int:
        """Disks' worth of data that an array holds."""
        return disks // self.copies_on(disks) - self.parity_disks

    def usable_bytes(self, disks: int, disk_bytes: int) -> int:
        """Capacity before metadata of md and of the filesystem."""
        return self.capacity_disks(disks) * disk_bytes

    def least_usable_bytes(self, disks: int, disk_bytes: int) -> int:
        """Capacity that is left of :meth:`usable_bytes` whatever md reserves."""
        reserved = MD_RESERVED_BYTES if self.array else 0
        return self.usable_bytes(disks, max(0, disk_bytes - reserved))

    def data_disks(self, disks: int, raid10_layout: str | None = None) -> int:
        """Disks over which one stripe of data runs: the unit in which stripe width is counted.

        For raid10 this depends on the layout.  With near copies (``n2``, mdadm's default) half of the disks of a
        stripe hold copies; with ``far`` and ``offset`` the data run over all disks first (md(4)), and md reports a
        stripe of all of them to filesystems.
        """
        return disks if raid10_layout in _SPREAD_LAYOUTS else self.capacity_disks(disks)

    def disk_failures_survived(self, disks: int) -> int:
        """Disks that may fail, whichever they are, without loss of data: the worst case.

        raid10 may survive more, if the failures hit different pairs; one is certain.
        """
        return self.copies_on(disks) - 1 + self.parity_disks

    @property
    def redundant(self) -> bool:
        """Whether it survives a disk failure, and so has something to resynchronise."""
        return self.copies != 1 or self.parity_disks > 0

    def stripe_width_kib(self, disks: int, chunk_kib: int | None, raid10_layout: str | None = None) -> int | None:
        """Chunk times data disks, KiB; None on levels without a chunk.  No chunk means mdadm's default."""
        return (chunk_kib or DEFAULT_CHUNK_KIB) * self.data_disks(disks, raid10_layout) if self.striped else None

    def write_amplification(self, disks: int, *, small: bool) -> float:
        """Bytes written to all disks together for each byte of data.

        ``small``: writes within one chunk, each of which writes its parity again; otherwise writes of whole stripes.
        """
        if not self.parity_disks:
            return self.copies_on(disks)
        return 1 + self.parity_disks if small else disks / (disks - self.parity_disks)

    def random_write_iops(self, disks: int, iops_per_disk: float) -> float:
        """Small random writes per second where each disk has one budget for reads and another for writes.

        That is what the blkio throttle of the virtual lab enforces.  A small write costs one write on jbod and raid0,
        one per copy on raid1 and raid10, and on raid5 and raid6 the data and one or two parities.  What must be read
        first (the old data and parity, or, where md finds that cheaper, the rest of the stripe) comes out of the other
        budget and never exceeds it, so that the writes bind.
        """
        return disks * iops_per_disk / self.write_amplification(disks, small=True)

    def random_write_iops_one_budget(self, disks: int, iops_per_disk: float) -> float:
        """Small random writes per second where reads and writes share a disk's budget: a real disk.

        raid5 reads old data and old parity and writes both (4 I/Os), raid6 has a second parity (6); on few disks it is
        cheaper to read the rest of the stripe and to write its parity anew, which costs one I/O per disk.  Patterson
        et al., 1988; Chen et al., 1994, table 1: max(1/G, 1/4) and max(1/G, 1/6) of RAID 0, G being the disks of a
        parity group.
        """
        ios = min(2 * (1 + self.parity_disks), disks) if self.parity_disks else self.copies_on(disks)
        return disks * iops_per_disk / ios

    def sequential_write_bw(self, disks: int, bw_per_disk: float) -> float:
        """Bytes per second of data where whole stripes are written and bandwidth alone binds.

        Chen et al., table 1: of RAID 0, 1/2 for mirrored pairs, (G-1)/G for RAID 5, (G-2)/G for RAID 6.
        """
        return self.capacity_disks(disks) * bw_per_disk


LEVELS: dict[str, Level] = {
    level.name: level
    for level in (
        Level("jbod", "JBOD: no RAID, a filesystem per disk", 1, array=False),
        Level("raid0", "RAID 0 (stripes, no redundancy)", 2, striped=True),
        Level("raid1", "RAID 1 (mirror)", 2, copies=None),
        Level("raid10", "RAID 10 (striped mirrors)", 4, copies=2, striped=True),
        Level("raid5", "RAID 5 (one disk of parity)", 3, parity_disks=1, striped=True),
        Level("raid6", "RAID 6 (two disks of parity)", 4, parity_disks=2, striped=True),
    )
}
"""Levels by the name that a sweep file uses, in the order in which tables list them; :func:`add` adds to them."""


def add(level: Level) -> None:
    """Make a level known that a driver of arrays can build."""
    if LEVELS.setdefault(level.name, level) != level:
        raise ValueError(f"{level.name} is known as another level: {LEVELS[level.name]}")


def random_read_iops(disks: int, iops_per_disk: float) -> float:
    """Small random reads per second: every disk of every level serves them (Chen et al., table 1)."""
    return disks * iops_per_disk


def sequential_read_bw(disks: int, bw_per_disk: float) -> float:
    """Bytes per second of data where every disk streams and bandwidth alone binds.

    Chen et al., table 1: large reads reach the bandwidth of all disks on every level.  A mirror does so only if there
    are enough streams for all copies: md keeps one stream on one of them.
    """
    return disks * bw_per_disk


def throttled_bw(iops_per_disk: float, bw_per_disk: float, request_bytes: int) -> float:
    """Bytes per second that one disk moves in requests of one size, under both of its limits."""
    return min(bw_per_disk, iops_per_disk * request_bytes)
