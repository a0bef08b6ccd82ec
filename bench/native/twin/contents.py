"""What is written, and what is found: incompressible buffers, and a pattern that tells lost and torn writes."""

from __future__ import annotations

import random
import struct
import zlib

from bench.native.text import SECTOR, UINT64_MAX

WHOLE, UNWRITTEN, LOST, TORN, MISPLACED, CORRUPT = range(6)
MAGIC = 0x3145504952545300
"""``\\0STRIPE1``, little-endian."""

HEADER = struct.Struct("<QQQII")
"""At the start of every sector: magic, offset, generation, checksum, reserved."""

CRC_AT = 24
TOUCHED = 4096
"""The smallest block that storage deduplicates, bytes."""

Buffer = bytearray | memoryview


def fill(buffer: Buffer, seed: int, compress_pct: int) -> None:
    """Random bytes, the share ``compress_pct`` of each sector zeros."""
    random_bytes = (SECTOR - SECTOR * compress_pct // 100 + 7) // 8 * 8
    noise = random.Random(seed).randbytes(len(buffer))  # noqa: S311 - contents, no secret
    if random_bytes == SECTOR:
        buffer[:] = noise
        return
    zeros = bytes(SECTOR - random_bytes)
    for at in range(0, len(buffer), SECTOR):
        sector = noise[at : at + random_bytes] + zeros
        buffer[at : at + SECTOR] = sector[: len(buffer) - at]


def touch(buffer: Buffer, length: int, offset: int, sequence: int) -> None:
    """Make each block of 4 KiB differ from what was written before."""
    for at in range(0, length - 15, TOUCHED):
        struct.pack_into("<QQ", buffer, at, offset + at, sequence)


def _checksum(sector: bytes | memoryview) -> int:
    """CRC-32 (ISO 3309) of the sector without its checksum."""
    return zlib.crc32(sector[CRC_AT + 4 :], zlib.crc32(b"\0\0\0\0", zlib.crc32(sector[:CRC_AT])))


def write_pattern(buffer: Buffer, length: int, offset: int, generation: int) -> None:
    """Write the verify header into every sector of the first ``length`` bytes."""
    for at in range(0, length, SECTOR):
        HEADER.pack_into(buffer, at, MAGIC, (offset + at) & UINT64_MAX, generation, 0, 0)
        struct.pack_into("<I", buffer, at + CRC_AT, zlib.crc32(buffer[at : at + SECTOR]))


def pattern(length: int, offset: int, generation: int, /) -> bytes:
    """A block of ``length`` bytes, zeros but for the verify pattern.

    Raises ValueError for a length that is no multiple of 512.
    """
    _require_sectors(length)
    block = bytearray(length)
    write_pattern(block, length, offset & UINT64_MAX, generation & UINT64_MAX)
    return bytes(block)


def judge(block: bytes | memoryview, offset: int, expected: int, /) -> int:
    """What the pattern says of a block of which at least the write ``expected`` must be there (0: nothing is known).

    An index of ``findings``. Raises ValueError for a block that is no multiple of 512 bytes.
    """
    _require_sectors(len(block))
    sectors = len(block) // SECTOR
    foreign = 0
    misplaced = False
    generations = []
    for at in range(0, len(block), SECTOR):
        sector = block[at : at + SECTOR]
        magic, where, generation, crc, _ = HEADER.unpack_from(sector)
        if magic != MAGIC:
            foreign += 1
        elif crc == _checksum(sector):
            misplaced |= where != (offset + at) & UINT64_MAX
            generations.append(generation)
    if foreign == sectors:
        return LOST if expected else UNWRITTEN
    if misplaced:
        return MISPLACED
    if not generations:
        return CORRUPT
    if len(generations) < sectors or len(set(generations)) > 1:
        return TORN
    return LOST if generations[0] < expected else WHOLE


def _require_sectors(length: int) -> None:
    if length <= 0 or length % SECTOR:
        raise ValueError("length is no multiple of a sector")
