"""Files that a user lets a load write to, outside a sweep: what they hold is lost, but nothing else may be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bench.errors import DiskRefusedError
from bench.safety.checks import refusals
from bench.safety.describe import describe_file

SINKS = frozenset({(1, 3), (1, 5), (1, 7)})
"""Character devices that keep nothing: null, zero and full; Linux Documentation/admin-guide/devices.txt."""


def check(path: Path, descriptor: int | None = None, *, opened: bool = False) -> None:
    """Raise :class:`DiskRefusedError` unless ``path`` is a regular file that nothing of the system lies on.

    With ``opened`` no other process may have it open.  What it is, is asked of ``descriptor`` where it is open
    already.  What is not there, or may not be looked at, is left to whoever opens it, who says so.
    """
    try:
        found = path.stat() if descriptor is None else os.fstat(descriptor)
    except OSError:
        return
    if _is_sink(found):
        return
    if not stat.S_ISREG(found.st_mode):
        raise DiskRefusedError(
            f"{path} is {_kind(found.st_mode)}: outside a sweep only regular files are written to",
            remedy="Name a file; `stripelab run SWEEP --disks SERIAL,…` checks a disk before it writes to it.",
        )
    reasons = refusals(describe_file(path, found, opened=opened))
    if reasons:
        raise DiskRefusedError(
            f"{path}: {'; '.join(each.reason for each in reasons)}", remedy="Name a file that nothing else uses."
        )


def check_kind(path: Path) -> None:
    """Raise :class:`DiskRefusedError` where ``path`` is there and can be no target: a folder, a pipe, a terminal."""
    try:
        found = path.stat()
    except OSError:
        return
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISBLK(found.st_mode) or _is_sink(found)):
        raise DiskRefusedError(
            f"{path} is {_kind(found.st_mode)}: a load works on files and block devices", remedy="Name one of these."
        )


def _is_sink(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and (os.major(found.st_rdev), os.minor(found.st_rdev)) in SINKS


def _kind(mode: int) -> str:
    kinds = {stat.S_IFBLK: "a block device", stat.S_IFCHR: "a character device", stat.S_IFDIR: "a folder"}
    return kinds.get(stat.S_IFMT(mode), "a pipe or a socket")
