"""Disk images of the virtual lab: preallocated, locked, and without a name unless one is asked for.

An anonymous image is an open file without a directory entry: it vanishes with the last process
that holds it, whatever ends that process.  A named image (``--images DIR``) outlives the lab; it is
locked with flock(2) on the open file that the sandbox inherits, so the lock lasts exactly as long
as anything can write the image.  (User-Mode Linux does not lock its disks.)
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.errors import BusyError, DiskRefusedError, LabError
from bench.safety import writable
from results.store.files import Folder

MAX_DISKS = 16
"""User-Mode Linux has 16 disks and ignores a 17th without a word."""
LAYERED = (b"OOOM", b"MOOO")
"""Magic number of a layered image of User-Mode Linux, in either byte order (arch/um/drivers/cow_user.c)."""


def serial(number: int) -> str:
    """Serial of disk ``number``, counted from 1."""
    return f"LAB{number:07d}"


@contextmanager
def opened(disks: int, size_bytes: int, *, images_dir: Path | None, scratch: Path) -> Iterator[tuple[int, ...]]:
    """Descriptors of ``disks`` images of ``size_bytes`` each; closed (and unlocked) at the end.

    They are anonymous files on the file system of ``scratch``, or named files in ``images_dir``.
    Raises :class:`BusyError` where another lab holds a named image, :class:`LabError` where there
    is no room or more disks are asked for than the guest can have.
    """
    if not 0 <= disks <= MAX_DISKS:
        raise LabError(
            f"the virtual lab has {MAX_DISKS} disks at most, and {disks} are asked for",
            remedy=f"Ask for {MAX_DISKS} disks or fewer.",
        )
    folder = images_dir or scratch
    with ExitStack() as stack:
        descriptors = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(1, disks + 1):
                image = _named(folder / f"{serial(number)}.img", size_bytes) if images_dir else _anonymous(folder)
                stack.callback(os.close, image)
                os.posix_fallocate(image, 0, size_bytes)
                descriptors.append(image)
        except OSError as failure:
            raise _no_image(failure, folder, disks, size_bytes) from None
        yield tuple(descriptors)


def require_plain(images: Sequence[int]) -> None:
    """LabError where the guest's kernel would take a disk for a layered image.

    It reads the size of such a disk from the header, also with the flag that says there is none: the
    disk then has another size, or the kernel panics.  A guest can write that header.
    """
    for number, image in enumerate(images, start=1):
        if os.pread(image, 4, 0) in LAYERED:
            raise LabError(
                f"disk {serial(number)} begins with the header of a layered image, which the guest's kernel misreads",
                remedy=f"Remove the image {serial(number)}.img, or clear its first 4 bytes: "
                f"dd if=/dev/zero of={serial(number)}.img bs=4 count=1 conv=notrunc",
            )


def _anonymous(folder: Path) -> int:
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as failure:
        if failure.errno not in {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}:
            raise
    path = folder / f".stripelab-{os.getpid()}.img"  # this file system has no O_TMPFILE
    image = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    path.unlink()
    return image


def _named(path: Path, size_bytes: int) -> int:
    image = Folder(path.parent).update(path.name, os.O_RDWR, 0o600)
    try:
        fcntl.flock(image, fcntl.LOCK_EX | fcntl.LOCK_NB)
        writable.check(path, opened=True)
    except BlockingIOError:
        os.close(image)
        raise BusyError(f"{path} is the disk of another lab that is running") from None
    except DiskRefusedError:
        os.close(image)
        raise
    found = os.fstat(image).st_size
    if found not in {0, size_bytes}:
        os.close(image)
        raise LabError(
            f"{path} has {found} bytes, and the lab is asked for disks of {size_bytes}",
            remedy="Ask for disks of that size, name another folder with --images, or remove the image.",
        )
    return image


def _no_image(failure: OSError, folder: Path, disks: int, size_bytes: int) -> LabError:
    if failure.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        free = shutil.disk_usage(folder).free
        return LabError(
            f"{folder} has no room for {disks} disks of {size_bytes >> 20} MiB ({free >> 20} MiB are free)",
            remedy="Free some space, name another folder with --images, or ask for fewer or smaller disks.",
        )
    return LabError(f"cannot make a disk image in {folder}: {failure.strerror}", remedy="Name a folder you may write.")
