"""The values that the layers of a stack pass on to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.inventory import Disk
from bench.journal import Journal
from bench.lease import Lease
from permutations.point import DesignPoint
from permutations.workload import DataSet


@dataclass(frozen=True)
class StackSpec:
    """A design point in the stack's own types; None means "the tool's own default"."""

    level: str
    disks: int
    filesystem: str
    chunk_kib: int | None = None
    raid10_layout: str | None = None
    stripe_cache_pages: int | None = None
    mkfs_options: str | None = None
    mount_options: str | None = None
    layout: str | None = None
    scheduler: str | None = None
    read_ahead_kib: int | None = None
    nr_requests: int | None = None
    initial_sync: str = "wait"

    @classmethod
    def of(cls, point: DesignPoint, initial_sync: str) -> StackSpec:
        """The stack that a design point asks for."""
        return cls(**point.settings, initial_sync=initial_sync)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Geometry:
    """Stripe geometry of an array: what mkfs is told, and what must be read back."""

    chunk_kib: int
    data_disks: int

    @property
    def stripe_width_kib(self) -> int:
        """Chunk times data disks."""
        return self.chunk_kib * self.data_disks


@dataclass(frozen=True)
class ArrayState:
    """State of an md array, read from sysfs; Linux Documentation/admin-guide/md.rst."""

    array_state: str
    sync_action: str | None
    degraded: int | None

    @property
    def clean(self) -> bool:
        """Whether every member is there and nothing is being synchronised."""
        return not self.degraded and self.sync_action in {None, "idle"}


@dataclass(frozen=True)
class Volume:
    """What the array layer yields: one device, or one a disk (jbod)."""

    devices: tuple[Path, ...]
    members: tuple[Disk, ...]
    geometry: Geometry | None = None
    array: str | None = None
    """Kernel name of the array; None for jbod."""
    state: Callable[[], ArrayState | None] = lambda: None
    """Tells the state of the array now; None where there is no array."""

    @property
    def places(self) -> tuple[Path, ...]:
        """Where the devices would be on a user's host: placeholders for the lines to apply."""
        if self.array is not None:
            return (Path("/dev/md/data"),)
        return tuple(Path(f"/dev/disk/by-id/DISK{number}") for number, _ in enumerate(self.devices, start=1))


@dataclass
class Site:
    """Where a stack is built: the lease, the journal, a folder of its own, and a record.

    ``commands`` and ``warnings`` grow as the layers are built; a trial's row keeps both.
    """

    lease: Lease
    journal: Journal
    folder: Path
    tag: str
    """Short id that names arrays and labels of this trial."""
    commands: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    apply: list[str] = field(default_factory=list)
    """Lines that apply the settings for good, as a user would type them on a real host."""


@dataclass(frozen=True)
class StackRequest:
    """Everything that :func:`bench.stack.build.stack` needs beside the site."""

    spec: StackSpec
    dataset: DataSet
