"""How much of a file was ever written, by the extents that its file system tells of.

Linux: Documentation/filesystems/fiemap.rst, include/uapi/linux/fiemap.h.
"""

from __future__ import annotations

import array
import fcntl
import struct

FS_IOC_FIEMAP = 0xC020660B
FLAG_SYNC = 0x1
EXTENT_LAST = 0x1
EXTENT_UNWRITTEN = 0x800
_HEAD = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQQQIIII")
_AT_A_TIME = 512


def written_bytes(descriptor: int, size_bytes: int) -> int | None:
    """Bytes of a file that were written: neither holes nor allocated and unwritten.

    None where the file system does not tell, as for devices.
    """
    written, start = 0, 0
    while start < size_bytes:
        found = _extents(descriptor, start, size_bytes - start)
        if found is None:
            return None
        for logical, length, flags in found:
            if not flags & EXTENT_UNWRITTEN:
                written += min(logical + length, size_bytes) - max(logical, start)
            start = logical + length
        if not found or found[-1][2] & EXTENT_LAST:
            break
    return written


def _extents(descriptor: int, start: int, length: int) -> list[tuple[int, int, int]] | None:
    """Offset, length and flags of the next extents; None where they cannot be asked for."""
    room = array.array("B", bytes(_HEAD.size + _AT_A_TIME * _EXTENT.size))
    _HEAD.pack_into(room, 0, start, length, FLAG_SYNC, 0, _AT_A_TIME, 0)
    try:
        fcntl.ioctl(descriptor, FS_IOC_FIEMAP, room, True)
    except OSError:
        return None
    count = _HEAD.unpack_from(room, 0)[3]
    fields = (_EXTENT.unpack_from(room, _HEAD.size + number * _EXTENT.size) for number in range(count))
    return [(each[0], each[2], each[5]) for each in fields]
