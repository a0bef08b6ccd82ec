"""A limit per disk, so that the right answer is known before anything is measured.

It is the throttle of the kernel's block layer, set for the root group of the first version of the
blkio controller (Documentation/admin-guide/cgroup-v1/blkio-controller.rst): the second version has
no limits for the root group, where everything runs here.  Reads and writes have budgets of their
own.  It counts requests before they are merged.  It is meant to be on while a workload runs and no
longer: mkfs at 100 IOPS takes minutes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench.acts import ThrottleAct
from bench.errors import StackError
from bench.journal import Entry, Journal, effect
from bench.lease import Lease
from permutations.workload import DiskProfile

WINDOW_S = 0.1
"""Time over which the throttle counts (throtl_slice of block/blk-throttle.c, HZ / 10): what a disk may move in it
passes at once."""

MOUNTS = Path("/proc/self/mounts")
IOPS_FILES = ("blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device")
BANDWIDTH_FILES = ("blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device")


@contextmanager
def throttled(
    disks: Sequence[Path],
    profile: DiskProfile,
    journal: Journal | None = None,
    own: Mapping[Path, DiskProfile] | None = None,
) -> Iterator[None]:
    """Limit each of these block devices to ``profile`` for as long as the context lasts.

    A device in ``own`` has the limit that is given there.  With a ``journal`` the act is written there
    first, so that a later run can take it back.  Raises :class:`StackError` where the kernel has no such
    throttle, or where a disk has a limit that somebody else set: it is left alone.
    """
    folder = controller()
    limits = {device_number(disk): (own or {}).get(disk, profile) for disk in disks}
    numbers = list(limits)
    _refuse_foreign(folder, numbers)

    def limit() -> None:
        for number, each in limits.items():
            for name in IOPS_FILES:
                _set(folder / name, number, each.iops)
            for name in BANDWIDTH_FILES:
                _set(folder / name, number, each.bw_bytes_s)

    with ExitStack() as stack:
        if journal is None:
            stack.callback(_lift, folder, numbers)
            limit()
        else:
            stack.enter_context(effect(journal, ThrottleAct(tuple(numbers)), limit, lambda _: _lift(folder, numbers)))
        yield


def undo(entry: Entry, lease: Lease) -> None:
    """Lift the limits of an act from leased disks; those of an earlier boot are gone with it."""
    assert isinstance(entry.act, ThrottleAct)  # noqa: S101 - the table of undos is by type
    numbers = [disk.device_number for disk in lease.disks if disk.device_number in entry.act.devices]
    if entry.of_this_boot and numbers:
        _lift(controller(), numbers)


def controller(mounts: Path = MOUNTS) -> Path:
    """Where the blkio controller is mounted, or :class:`StackError`."""
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, folder, kind, options, *_ = line.split(" ")
        if kind == "cgroup" and "blkio" in options.split(",") and (Path(folder) / IOPS_FILES[0]).exists():
            return Path(folder)
    raise StackError(
        "this system has no blkio controller of cgroup version 1, so its disks cannot be throttled",
        remedy="Run the sweep in the virtual lab (--lab), which has one, or take the profile out of [lab].",
    )


def device_number(disk: Path) -> str:
    """``major:minor`` of a block device."""
    try:
        found = disk.stat()
    except OSError as failure:
        raise StackError(f"{disk} cannot be throttled: {failure.strerror}") from None
    if not stat.S_ISBLK(found.st_mode):
        raise StackError(f"{disk} cannot be throttled: it is no block device")
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"


def _refuse_foreign(folder: Path, numbers: Sequence[str]) -> None:
    for name in (*IOPS_FILES, *BANDWIDTH_FILES):
        limits = _limits(folder / name)
        for number in numbers:
            if number in limits:
                raise StackError(
                    f"{folder / name}: the disk {number} has a limit already, of {limits[number]}",
                    remedy=f"If nothing needs it, lift it: echo '{number} 0' > {folder / name}",
                )


def _limits(file: Path) -> dict[str, int]:
    pairs = (line.split() for line in file.read_text(encoding="ascii").splitlines())
    return {number: int(value) for number, value in pairs}


def _set(file: Path, number: str, value: int) -> None:
    """Write one limit and read it back; 0 lifts it."""
    try:
        file.write_text(f"{number} {value}\n", encoding="ascii")
    except OSError as failure:
        raise StackError(
            f"cannot limit the disk {number}: {failure.strerror}", command=_command(file, number, value)
        ) from None
    found = _limits(file).get(number, 0)
    if found != value:
        raise StackError(
            f"the limit of the disk {number} was set to {value} and reads {found}",
            command=_command(file, number, value),
        )


def _command(file: Path, number: str, value: int) -> str:
    return f"echo '{number} {value}' > {file}"


def _lift(folder: Path, numbers: Sequence[str]) -> None:
    for name in (*IOPS_FILES, *BANDWIDTH_FILES):
        limited = _limits(folder / name)
        for number in numbers:
            if number in limited:
                with suppress(FileNotFoundError):
                    _set(folder / name, number, 0)
