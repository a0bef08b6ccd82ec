"""Reading a few bytes of a block device past the page cache of the device."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

PAGE_BYTES = 4096


def read_at(device: Path, offset: int, size: int) -> bytes:
    """``size`` bytes at ``offset``, which must lie within one page, read with O_DIRECT.

    Direct, because a filesystem that is mounted writes its superblock past the page cache that a
    buffered read of the device would be answered from.
    """
    start = offset - offset % PAGE_BYTES
    descriptor = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    try:
        with mmap.mmap(-1, PAGE_BYTES) as page:
            os.preadv(descriptor, [page], start)
            return bytes(page[offset - start : offset - start + size])
    finally:
        os.close(descriptor)
