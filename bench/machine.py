"""What is known of where a sweep is to run: the virtual lab, loop files, leased disks, or disks that nobody has named.

:mod:`bench.preflight` holds a plan against it.  None stands for what is not known.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import inventory
from bench.errors import StripelabError
from bench.inventory import Disk
from bench.lab import modules
from permutations.sweep import Sweep
from permutations.workload import DiskProfile

UBD_TAGS = 64
"""Requests that a disk of User-Mode Linux takes at once (arch/um/drivers/ubd_kern.c)."""

LOOP_TAGS = 128
"""As much of a loop device (drivers/block/loop.c)."""

UBD_SCHEDULER = "mq-deadline"
"""What Linux picks by itself for a disk with a single queue (block/elevator.c)."""


@dataclass(frozen=True)
class Machine:
    """Where a sweep is to run.

    ``disk_bytes`` is the size of the smallest disk, ``schedulers`` those that every disk offers, ``tags`` the requests
    that a disk takes at once (``mq/0/nr_tags`` in sysfs), ``scheduler`` what the kernel picks by itself.  ``profile``
    limits each disk while a workload runs.
    """

    name: str
    disk_bytes: int | None = None
    memory_bytes: int | None = None
    schedulers: frozenset[str] | None = None
    scheduler: str | None = None
    tags: int | None = None
    profile: DiskProfile | None = None


def unnamed(disk_bytes: int | None = None) -> Machine:
    """Disks that are yet to be named, of this size."""
    return Machine("the disks", disk_bytes=disk_bytes)


def virtual_lab(sweep: Sweep, *, installed: bool = True) -> Machine:
    """The virtual lab of a sweep.

    ``installed`` says that its kernel must be there: :class:`StripelabError` is raised where it is not.  Otherwise what
    the kernel has stays unknown.
    """
    try:
        schedulers = modules.schedulers(modules.release())
    except StripelabError:
        if installed:
            raise
        schedulers = None
    lab = sweep.lab
    return Machine(
        "the virtual lab", lab.disk_bytes, lab.memory_bytes, schedulers, UBD_SCHEDULER, UBD_TAGS, lab.profile
    )


def loop_files(each_bytes: int) -> Machine:
    """Loop files of this size on this machine."""
    return Machine("loop files", disk_bytes=each_bytes, memory_bytes=memory_bytes(), tags=LOOP_TAGS)


def leased(disks: Sequence[Disk]) -> Machine:
    """Disks of this machine, as sysfs describes them."""
    offered = [_schedulers(disk) for disk in disks]
    tags = [found for disk in disks if (found := _tags(disk)) is not None]
    return Machine(
        "these disks",
        disk_bytes=min(disk.size_bytes for disk in disks),
        memory_bytes=memory_bytes(),
        schedulers=frozenset.intersection(*offered) if all(offered) else None,
        tags=min(tags) if len(tags) == len(disks) else None,
    )


def memory_bytes() -> int:
    """Memory of this machine, as far as its kernel can use it."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _schedulers(disk: Disk) -> frozenset[str]:
    """Schedulers that a disk offers; none where the kernel does not say."""
    text = _read(inventory.SYS_BLOCK / disk.name / "queue/scheduler")
    return frozenset(text.replace("[", "").replace("]", "").split())


def _tags(disk: Disk) -> int | None:
    text = _read(inventory.SYS_BLOCK / disk.name / "mq/0/nr_tags")
    return int(text) if text.isdecimal() else None


def _read(place: Path) -> str:
    try:
        return place.read_text(encoding="ascii").strip()
    except OSError:
        return ""
