"""One disk with everything that lies below and above it, as a frozen value that the checks decide on.

:mod:`bench.safety.describe` makes it from the running kernel, :mod:`bench.safety.checks` reads it.  Nothing in
here touches the machine, so that a decision can be repeated, stored and tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bench.inventory import Disk


class Role(StrEnum):
    """What a device is to the disk that is described."""

    DISK = "disk"
    FILE = "file"
    """A regular file that the user named, outside a sweep; then there is no disk."""
    PARTITION = "partition"
    BELOW = "below"
    """What the disk lies on: the device or file under a loop device, the members of a stacked device."""
    ABOVE = "above"
    """What is stacked on the disk or on a partition of it."""
    ARRAY = "array"
    """Our own array on the disk, or a partition of it."""


@dataclass(frozen=True)
class Signature:
    """A superblock or partition table that wipefs(8) finds; ``device`` is a kernel name."""

    device: str
    type: str
    label: str = ""
    uuid: str = ""

    def __str__(self) -> str:
        name = f" “{self.label}”" if self.label else ""
        return f"{self.type}{name}"


@dataclass(frozen=True)
class Device:
    """A block device, or the file under a loop device, and who uses it now."""

    role: Role
    name: str
    """Kernel name, or the path of a file."""
    node: str | None = None
    """What is wrong with its device node; None where the node is this very device."""
    mounted_at: tuple[str, ...] = ()
    swap: bool = False
    holders: tuple[str, ...] = ()
    """Kernel names of what is stacked directly on it."""
    loops: tuple[str, ...] = ()
    """Loop devices on it, but for the disk that is described."""
    openers: tuple[str, ...] = ()
    """Other processes that have it open, as "process 12 (name)"."""
    btrfs_member: bool = False
    """Whether it is a member of a mounted btrfs."""
    claim_error: str | None = None
    """Why the kernel does not grant O_EXCL on it; None where it does, or where it was not asked."""
    signatures: tuple[Signature, ...] = ()


@dataclass(frozen=True)
class Content:
    """What a sample of the disk's bytes shows.

    ``data_at`` is the offset of the first byte that is not zero, None where all that was read is zero; ``digest``
    is a SHA-256 over the sample.
    """

    data_at: int | None
    digest: str


@dataclass(frozen=True)
class Known:
    """What the store's journal knows of the content of a disk.

    ``uuids`` are those of all arrays and filesystems that this store ever made.  ``taken``: this store has begun to
    write to the disk and has not given it back.  ``returned`` is the digest of the sample that was read when it was.
    """

    uuids: frozenset[str] = frozenset()
    taken: bool = False
    returned: str | None = None


@dataclass(frozen=True)
class Description:
    """A disk as the checks see it, or (``disk`` is None) a file that the user lets a load write to.

    ``devices`` begins with the disk or file itself.  ``array`` is the kernel name of our own array on it: then the
    content of the disk is not looked at, and the array must be free in its place.  ``leased`` is the disk as it was
    when the user's lease on it began; None outside a lease, where nobody has named it.
    """

    disk: Disk | None
    devices: tuple[Device, ...]
    twins: tuple[str, ...] = ()
    """Other disks that claim the same identity, as paths."""
    needed_for: tuple[str, ...] = ()
    """What of the system or of this run lies on it: mount points, swap, the result store."""
    content: Content | None = None
    """None where it was not read: under our own array, where the user gave it up, or where this store has taken it."""
    known: Known = Known()
    leased: Disk | None = None
    in_lease: bool = False
    """Whether it is described for a lease, so that :attr:`leased` counts."""
    erase: bool = False
    """Whether the user typed its serial a second time, which gives up what is written on it."""
    array: str | None = None
    unknown: tuple[str, ...] = ()
    """What could not be found out, each with its reason."""
    unseen: tuple[str, ...] = ()
    """Processes whose open files this one may not see, root or not: a limit of the checks, not a reason to refuse."""

    def of(self, *roles: Role) -> tuple[Device, ...]:
        """The devices with these roles."""
        return tuple(device for device in self.devices if device.role in roles)


@dataclass(frozen=True)
class Refusal:
    """Why a disk may not be written to: the name of the check, and a sentence."""

    check: str
    reason: str
