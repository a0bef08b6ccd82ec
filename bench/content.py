"""What is written on a disk: the signatures that wipefs(8) finds, and a sample of the bytes where it finds none.

A raw database, a virtual machine's image, the metadata of a thin pool, or a filesystem whose first superblock was
wiped have no signature.  So bytes are read where superblocks and their copies would be, at both ends, and at places
drawn at random.  The places follow from the disk's size and identity, so that two samples can be compared.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import random
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from bench import proc
from bench.inventory import Disk
from bench.nodes import open_device, through
from bench.safety.description import Content, Signature

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
ENDS_BYTES = MIB
BLOCK_BYTES = 4096
RANDOM_PLACES = 256
READERS = 16

FROM_START = (MIB + 512, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB, 256 * GIB)
"""Beyond the first MiB: VMFS, what partitions begin with, LUKS2's second header, bcachefs, copies of btrfs."""

FROM_END = (2 * MIB, 8 * MIB)
"""GPT, md 0.90 and 1.0, DDF, Intel's RAID, ZFS, NILFS2 and HFS+ lie within the last MiB, which is read anyway."""

EXT_GROUP_BYTES = (8192 * KIB, 16384 * 2 * KIB, 32768 * 4 * KIB)
"""Size of an ext group by block size: 8 blocks of bits; copies lie in groups 1 and powers of 3, 5 and 7 (mke2fs(8))."""

XFS_GROUPS = (4, 8, 16, 32)
"""Numbers of allocation groups that mkfs.xfs(8) picks by itself; each group begins with a copy of the superblock."""


def signatures(disks: Iterable[tuple[str, int]]) -> tuple[Signature, ...]:
    """Signatures on these devices (kernel name, open descriptor), probed read-only by one call of wipefs(8)."""
    names = {str(through(descriptor)): name for name, descriptor in disks}
    if not names:
        return ()
    finished = proc.run(
        ["wipefs", "--json", "--no-act", "--output", "DEVICE,TYPE,LABEL,UUID", *names],
        descriptors=[int(path.rpartition("/")[2]) for path in names],
    )
    if not finished.stdout.strip():
        return ()
    by_number = {path.rpartition("/")[2]: name for path, name in names.items()}
    return tuple(
        Signature(
            by_number[str(row["device"]).rpartition("/")[2]],
            row["type"] or "unknown",
            row["label"] or "",
            row["uuid"] or "",
        )
        for row in json.loads(_as_json(finished.stdout))["signatures"]
    )


def _as_json(printed: str) -> str:
    r"""Output of a program as JSON: bytes that were no UTF-8 stand there as ``\xNN``, which JSON does not know."""
    return re.sub(r"\\\\|\\x([0-9a-f]{2})", lambda found: found[0] if found[1] is None else rf"\udc{found[1]}", printed)


def sample(disk: Disk) -> Content:
    """What a sample of the disk's bytes shows; raises OSError where it cannot be read."""
    descriptor = open_device(disk.path, disk.device_number, diskseq=disk.diskseq, flags=os.O_RDONLY | os.O_DIRECT)
    found = hashlib.sha256()
    data_at: int | None = None
    try:
        with mmap.mmap(-1, ENDS_BYTES) as buffer:  # aligned to a page, as direct I/O wants it
            zeros = bytes(ENDS_BYTES)
            for start, size in places(disk.size_bytes - disk.size_bytes % disk.logical_block_bytes, disk.id or ""):
                length = os.preadv(descriptor, [memoryview(buffer)[:size]], start)
                piece = buffer[:length]
                found.update(piece)
                if data_at is None and piece != zeros[:length]:
                    data_at = start + next(place for place, byte in enumerate(piece) if byte)
    finally:
        os.close(descriptor)
    return Content(data_at, found.hexdigest())


def samples(disks: Iterable[Disk]) -> dict[Disk, Content | OSError]:
    """Samples of several disks, read side by side; what stood in the way where a disk cannot be read."""
    listed = list(disks)
    with ThreadPoolExecutor(min(READERS, max(1, len(listed)))) as readers:
        return dict(zip(listed, readers.map(_sample_or_failure, listed), strict=True))


def _sample_or_failure(disk: Disk) -> Content | OSError:
    try:
        return sample(disk)
    except OSError as failure:
        return failure


def places(size_bytes: int, identity: str) -> list[tuple[int, int]]:
    """What of a disk is read: (offset, bytes), both multiples of 4 KiB but at the very end, in order."""
    whole = size_bytes // BLOCK_BYTES * BLOCK_BYTES
    if whole <= 2 * ENDS_BYTES:
        return [(start, min(ENDS_BYTES, size_bytes - start)) for start in range(0, size_bytes, ENDS_BYTES)]
    last = whole - ENDS_BYTES
    dice = random.Random(os.fsencode(f"{identity} {size_bytes}"))  # noqa: S311 - the same places each time
    wanted = {dice.randrange(whole // BLOCK_BYTES) for _ in range(RANDOM_PLACES)}
    wanted |= {offset // BLOCK_BYTES for offset in superblocks(size_bytes)}
    blocks = [(block * BLOCK_BYTES, BLOCK_BYTES) for block in sorted(wanted)]
    between = [(start, size) for start, size in blocks if ENDS_BYTES <= start < last]
    tail = [(whole, size_bytes - whole)] if size_bytes > whole else []
    return [(0, ENDS_BYTES), *between, (last, ENDS_BYTES), *tail]


def superblocks(size_bytes: int) -> Iterator[int]:
    """Offsets within the disk where filesystems and volume managers keep superblocks and copies of them."""
    yield from (offset for offset in FROM_START if offset < size_bytes)
    yield from (size_bytes - offset for offset in FROM_END if offset < size_bytes)
    for group_bytes in EXT_GROUP_BYTES:
        first = KIB if group_bytes == EXT_GROUP_BYTES[0] else 0
        yield from (group * group_bytes + first for group in _ext_groups(size_bytes // group_bytes))
    for groups in XFS_GROUPS:
        group_blocks = -(-(size_bytes // BLOCK_BYTES) // groups)
        yield from (number * group_blocks * BLOCK_BYTES for number in range(1, groups))


def _ext_groups(groups: int) -> Iterator[int]:
    """Groups below ``groups`` with a copy of the superblock: 1, and the powers of 3, 5 and 7."""
    if groups > 1:
        yield 1
    for base in (3, 5, 7):
        power = base
        while power < groups:
            yield power
            power *= base
