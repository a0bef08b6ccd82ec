"""The mount layer: each device at a mount point of its own under the site's folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import probes, proc
from bench.acts import MountAct, of_store
from bench.errors import StackError
from bench.journal import Entry, effect
from bench.nodes import through
from bench.openers import number
from bench.stack import filesystems
from bench.stack.allowed import OptionRefusedError
from bench.stack.filesystem import OPTIONS_REMEDY
from bench.stack.spec import Site, StackSpec, Volume

UNMOUNT_TIMEOUT_S = 30.0
DEFAULT_OPTIONS = "noatime"
"""A read that writes the access time back is another workload than the one asked for."""
OWN_OPTIONS = ("nosuid", "nodev")
"""A filesystem that a run makes has no programs and no devices on it; no I/O is changed by saying so."""


@contextmanager
def mounted(site: Site, spec: StackSpec, volume: Volume) -> Iterator[tuple[Path, ...]]:
    """Mount every device; yields the mount points in the order of the devices."""
    options = mount_options(spec)
    site.apply += [
        f"fstab: LABEL=data{number} /data{number} {spec.filesystem} {options} 0 0"
        for number, _ in enumerate(volume.places, start=1)
    ]
    points = tuple(site.folder / f"mnt{number}" for number, _ in enumerate(volume.devices))
    with ExitStack() as stack:
        # What an earlier trial left there is removed after this: it is destruction, and asks like one.
        with site.lease.destroying(f"mount for {site.tag}", volume.members, held_by=volume.array) as opened:
            for descriptor, point in zip(opened, points, strict=True):
                stack.enter_context(_mounted(site, descriptor, point, spec.filesystem, options))
        yield points


def mount_options(spec: StackSpec) -> str:
    """The sweep's options, or ours where it has none; raises :class:`StackError` for one that is not allowed."""
    try:
        return filesystems.by_name(spec.filesystem).mount_options.checked(spec.mount_options or DEFAULT_OPTIONS)
    except OptionRefusedError as refused:
        raise StackError(f"mount_options {spec.mount_options!r}: {refused}", remedy=OPTIONS_REMEDY) from None


def mount_argv(kind: str, options: str, device: Path, point: Path) -> list[str]:
    """The command line that mounts ``device``."""
    return ["mount", "-t", kind, "-o", ",".join((options, *OWN_OPTIONS)), str(device), str(point)]


@contextmanager
def _mounted(site: Site, descriptor: int, point: Path, kind: str, options: str) -> Iterator[None]:
    def mount() -> None:
        point.mkdir(parents=True, exist_ok=True)
        argv = mount_argv(kind, options, through(descriptor), point)
        finished = proc.run_on_disks(argv, descriptors=[descriptor])
        site.commands.append(finished.command)
        problem = why_not_mounted(number(os.fstat(descriptor).st_rdev), point, kind)
        if problem is not None:
            raise StackError(f"{point} is not a mount of the device: {problem}", command=finished.command)

    with effect(site.journal, MountAct(str(point)), mount, lambda entry: undo(entry, site.lease.store)):
        yield


def why_not_mounted(device_number: str, point: Path, kind: str) -> str | None:
    """Why what is written to ``point`` would not go to the whole filesystem on a device; None if it would.

    mount(8) ends with status 0 in cases where nothing is mounted, or where something else or only a part of it is.
    """
    found = [mount for mount in probes.mounts() if mount.mount_point == os.path.realpath(point)]
    if len(found) != 1:
        return f"{len(found)} filesystems are mounted there"
    (mount,) = found
    if mount.kind != kind:
        return f"{mount.kind} is mounted there, not {kind}"
    if mount.root != "/":
        return f"only {mount.root} of the filesystem is mounted there"
    if not _lies_on(mount, device_number):
        return f"{mount.source} ({mount.device_number}) is mounted there"
    if not ("rw" in mount.options and "rw" in mount.superblock_options):
        return "it is mounted read-only"
    if not set(mount.options).issuperset(OWN_OPTIONS):
        return f"it is mounted without {' and '.join(OWN_OPTIONS)}"
    if point.stat().st_dev == point.parent.stat().st_dev:
        return "the folder lies on the filesystem of its parent"
    return None


def _lies_on(mount: probes.Mount, device_number: str) -> bool:
    """Whether the mount is of the device; btrfs shows a number of its own, so there the device must be a member."""
    if not mount.device_number.startswith("0:"):
        return mount.device_number == device_number
    name = (probes.SYS_DEV_BLOCK / device_number).resolve().name
    return mount.kind == "btrfs" and bool(probes.btrfs_peers(name))


def undo(entry: Entry, store: Path) -> None:
    """Unmount our mount point if it is mounted, and remove the folder; that of another store is left alone."""
    assert isinstance(entry.act, MountAct)  # noqa: S101 - the table of undos is by type
    point = Path(entry.act.point)
    if not of_store(point.parent, store):
        return
    deadline = time.monotonic() + UNMOUNT_TIMEOUT_S
    while any(mount.mount_point == str(point) for mount in probes.mounts()):
        finished = proc.run_on_disks(["umount", point], check=False)
        if finished.status != 0 and time.monotonic() > deadline:
            raise StackError(f"{point} cannot be unmounted: {finished.stderr.strip()}", command=finished.command)
        if finished.status != 0:
            time.sleep(0.1)
    try:
        point.rmdir()
    except FileNotFoundError:
        return
    except OSError as failure:
        raise StackError(
            f"{point} cannot be removed: {failure.strerror}", remedy="Look what lies in it, and remove it by hand."
        ) from failure
