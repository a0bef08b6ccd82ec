"""Files and devices: what the kernel says of their direct I/O, and opening them without ever making one."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from bench.native.text import File, Options

BLKSSZGET = 0x1268
BLKGETSIZE64 = 0x80081272
AT_EMPTY_PATH = 0x1000
DIOALIGN = 0x2000
STATX_BYTES = 256
DIO_MEM_ALIGN = 0x98
DIO_OFFSET_ALIGN = 0x9C
"""Where statx(2) of Linux 6.1 and later puts the alignment of direct I/O."""


@dataclass(frozen=True)
class Target:
    """What the kernel says of a file or device.

    ``memory_align`` and ``offset_align`` are for direct I/O, bytes (statx(2), STATX_DIOALIGN, or the logical block
    size); 0 where the kernel does not say.  ``nowait``: io_uring reaches it without a thread for each I/O.
    """

    size_bytes: int
    memory_align: int
    offset_align: int
    device: bool
    nowait: bool


def probe(path: str | bytes, *, direct: bool) -> Target:
    """What the kernel says of a target; raises OSError where it cannot be opened."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (os.O_DIRECT if direct else 0))
    try:
        status = os.fstat(descriptor)
        device = stat.S_ISBLK(status.st_mode)
        memory, offset = _alignment(descriptor)
        if device and not offset:
            memory = offset = _number_by_ioctl(descriptor, BLKSSZGET, "=i")
        size = _number_by_ioctl(descriptor, BLKGETSIZE64, "=Q") if device else status.st_size
        return Target(size, memory, offset, device, _reads_without_waiting(descriptor))
    finally:
        os.close(descriptor)


def takes_nowait(path: bytes, direct: int) -> bool:
    """Whether io_uring reaches it without a thread for each I/O; what cannot be read is given the benefit."""
    try:
        return probe(path, direct=bool(direct)).nowait
    except OSError:
        return True


def _alignment(descriptor: int) -> tuple[int, int]:
    """Of memory and of offsets, bytes; zeros where the kernel or the C library does not say."""
    import ctypes

    statx = getattr(ctypes.CDLL(None), "statx", None)
    found = ctypes.create_string_buffer(STATX_BYTES)
    if statx is None or statx(descriptor, b"", AT_EMPTY_PATH, DIOALIGN, found) != 0:
        return 0, 0
    (mask,) = struct.unpack_from("=I", found.raw)
    if not mask & DIOALIGN:
        return 0, 0
    (memory,) = struct.unpack_from("=I", found.raw, DIO_MEM_ALIGN)
    (offset,) = struct.unpack_from("=I", found.raw, DIO_OFFSET_ALIGN)
    return memory, offset


def _reads_without_waiting(descriptor: int) -> bool:
    """A read that may not block: EOPNOTSUPP says that io_uring would need a thread for each I/O."""
    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        try:
            os.preadv(descriptor, [page], 0, os.RWF_NOWAIT)
        except OSError as error:
            return error.errno != errno.EOPNOTSUPP
    return True


def _number_by_ioctl(descriptor: int, request: int, layout: str) -> int:
    """A number that the device tells, or 0."""
    try:
        answer = fcntl.ioctl(descriptor, request, bytes(struct.calcsize(layout)))
    except OSError:
        return 0
    return int(struct.unpack(layout, answer)[0])


def open_target(file: File, options: Options) -> int:
    """A descriptor for the I/O of a job; raises OSError."""
    flags = os.O_DIRECT if options.direct else 0
    flags |= (os.O_RDWR if options.reads else os.O_WRONLY) if options.writes else os.O_RDONLY
    if options.exclusive and _is_block_device(file.path):
        flags |= os.O_EXCL  # open(2): EBUSY where the device is mounted or claimed
    try:
        return os.open(file.path, flags | os.O_NOATIME)
    except PermissionError as error:
        if error.errno != errno.EPERM:
            raise
        return os.open(file.path, flags)  # not the owner: the time of access is updated, then


def _is_block_device(path: bytes) -> bool:
    try:
        return Path(os.fsdecode(path)).is_block_device()
    except OSError:
        return False
