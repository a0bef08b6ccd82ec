"""Opening a block device by what it is: a name in /dev may be stale, a link, or another device by now."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

PLAIN = re.compile(r"[A-Za-z0-9_./+@%,=~-]+")
BLKGETDISKSEQ = 0x80081280
"""linux/fs.h: the number that the kernel gave the disk when it appeared; never given twice in a boot."""


class WrongDeviceError(OSError):
    """The node is not that of the device that was meant."""


def open_device(path: Path, device_number: str, *, diskseq: str = "", flags: int = os.O_RDONLY) -> int:
    """A descriptor of the block device with this ``major:minor``; raises OSError where the node is another's.

    ``diskseq`` is compared as well where both sides have one.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
    problem = wrong(os.fstat(descriptor), device_number) or _replaced(descriptor, diskseq)
    if problem is not None:
        os.close(descriptor)
        raise WrongDeviceError(0, problem, str(path))
    return descriptor


@contextmanager
def opened(devices: Sequence[tuple[Path, str, str]], flags: int = os.O_RDONLY) -> Iterator[tuple[int, ...]]:
    """Descriptors of these devices (node, ``major:minor``, diskseq) for as long as the context lasts."""
    with ExitStack() as stack:
        descriptors = []
        for path, device_number, diskseq in devices:
            descriptors.append(open_device(path, device_number, diskseq=diskseq, flags=flags))
            stack.callback(os.close, descriptors[-1])
        yield tuple(descriptors)


def through(descriptor: int) -> Path:
    """A path that reaches an open descriptor, for this process and for programs that inherit it."""
    return Path(f"/proc/self/fd/{descriptor}")


def named(text: str, descriptors: Sequence[int]) -> str:
    """A text with these open files by their names in place of :func:`through`: what a user can paste.

    A name with characters that mean something to a shell or to fio stays a descriptor: pasted, it could mean another.
    """
    for descriptor in descriptors:
        name = str(through(descriptor).readlink())
        if not PLAIN.fullmatch(name):
            continue
        text = re.sub(rf"{through(descriptor)}(?!\d)", lambda _, name=name: name, text)  # type: ignore[misc]
    return text


def problem_of(path: Path, device_number: str) -> str | None:
    """What is wrong with a device node; None where it is a block device of this number."""
    try:
        return wrong(path.stat(), device_number)
    except OSError as failure:
        return f"cannot be used: {failure.strerror}"


def wrong(found: os.stat_result, device_number: str) -> str | None:
    """Why a file is not the block device with this number; None where it is."""
    if not stat.S_ISBLK(found.st_mode):
        return "is not a block device"
    number = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    return None if number == device_number else f"leads to the device {number}, not to {device_number}"


def _replaced(descriptor: int, diskseq: str) -> str | None:
    """Why an open disk is not the one with this sequence number; None where it is, or where nobody can tell."""
    try:
        (now,) = struct.unpack("=Q", fcntl.ioctl(descriptor, BLKGETDISKSEQ, bytes(8)))
    except OSError:  # Linux before 5.15, or a device without one
        return None
    return None if not diskseq or str(now) == diskseq else f"is another disk now (diskseq {now}, was {diskseq})"
