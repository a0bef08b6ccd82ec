"""Every disk read on its own, all at the same time: a disk that is slower than its peers shows here.

In a striped array it would not: md gives each member an equal share, so that all of them go at the
pace of the slowest.  Reading harms nothing: it runs before a stack is built, on disks that are leased.
(The same is done by gpcheckperf before a database is set up on a cluster.)
"""

from __future__ import annotations

import mmap
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from bench.inventory import Disk
from bench.telemetry import Sample

PHASE_S = 1.0
RANDOM_BYTES = 4096
SEQUENTIAL_BYTES = 1 << 20


@dataclass(frozen=True)
class _Phase:
    """What is read: blocks of ``size_bytes`` at what ``offsets`` says of a disk's size."""

    size_bytes: int
    offsets: Callable[[int], Callable[[], int]]


def check(disks: Sequence[Disk], number: int = 0) -> list[Sample]:
    """Two samples a disk: random reads of 4 KiB, then sequential ones of 1 MiB, a second each.

    ``number`` is that of the check where there are several in a row, from 0: their samples follow each other in time.

    One I/O at a time a disk, past the page cache.  The first sample of a disk carries ``read_iops``,
    the second ``read_bytes_s``; both are 0 of a disk that cannot be read.
    """
    iops = _read_all(disks, _Phase(RANDOM_BYTES, _anywhere))
    rates = _read_all(disks, _Phase(SEQUENTIAL_BYTES, _onwards))
    before_s = 2 * PHASE_S * number
    samples = [
        Sample(before_s + PHASE_S, disk.name, disk.id, read_iops=rate) for disk, rate in zip(disks, iops, strict=True)
    ]
    return samples + [
        Sample(before_s + 2 * PHASE_S, disk.name, disk.id, read_bytes_s=rate * SEQUENTIAL_BYTES)
        for disk, rate in zip(disks, rates, strict=True)
    ]


def _anywhere(blocks: int) -> Callable[[], int]:
    """Offsets all over the disk, the same ones for each disk of a size."""
    dice = random.Random(blocks)  # noqa: S311 - where to read is no secret
    return lambda: dice.randrange(blocks)


def _onwards(blocks: int) -> Callable[[], int]:
    """One block after the other from the beginning, where a rotating disk is fastest."""
    numbers = count()
    return lambda: next(numbers) % blocks


def _read_all(disks: Sequence[Disk], phase: _Phase) -> list[float]:
    """Reads per second of each disk, all disks read at once."""
    found = dict.fromkeys((disk.name for disk in disks), 0.0)

    def read(disk: Disk) -> None:
        with suppress(OSError):  # the trials that use it will fail, and say how
            found[disk.name] = _read(disk, phase)

    threads = [threading.Thread(target=read, args=(disk,), name=f"check-{disk.name}", daemon=True) for disk in disks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[disk.name] for disk in disks]


def _read(disk: Disk, phase: _Phase) -> float:
    """Reads per second of one disk over one phase; the first read, which may wake it, does not count."""
    descriptor = os.open(disk.path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    try:
        with mmap.mmap(-1, phase.size_bytes) as buffer:  # aligned to a page, as direct I/O wants it
            following = phase.offsets(max(1, disk.size_bytes // phase.size_bytes))
            os.preadv(descriptor, [buffer], following() * phase.size_bytes)
            started_s = time.monotonic()
            reads = 0
            while time.monotonic() - started_s < PHASE_S:
                os.preadv(descriptor, [buffer], following() * phase.size_bytes)
                reads += 1
            return reads / (time.monotonic() - started_s)
    finally:
        os.close(descriptor)
