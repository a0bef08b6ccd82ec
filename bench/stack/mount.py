"""The mount layer: each device at a mount point of its own under the site's folder."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import probes, proc
from bench.errors import StackError
from bench.journal import Act, effect
from bench.stack import filesystems
from bench.stack.allowed import OptionRefusedError
from bench.stack.filesystem import OPTIONS_REMEDY
from bench.stack.spec import Site, StackSpec, Volume

UNMOUNT_TIMEOUT_S = 30.0
DEFAULT_OPTIONS = "noatime"
"""A read that writes the access time back is another workload than the one asked for."""
OWN_OPTIONS = ("nosuid", "nodev")
"""A filesystem that a run makes has no programs and no devices on it; no I/O is changed by saying so."""
MOUNTINFO = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")


@contextmanager
def mounted(site: Site, spec: StackSpec, volume: Volume) -> Iterator[tuple[Path, ...]]:
    """Mount every device; yields the mount points in the order of the devices."""
    options = mount_options(spec)
    site.apply += [
        f"fstab: LABEL=data{number} /data{number} {spec.filesystem} {options} 0 0"
        for number, _ in enumerate(volume.places, start=1)
    ]
    with ExitStack() as stack:
        points = []
        for number, device in enumerate(volume.devices):
            point = site.folder / f"mnt{number}"
            stack.enter_context(_mounted(site, device, point, spec.filesystem, options))
            points.append(point)
        yield tuple(points)


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
def _mounted(site: Site, device: Path, point: Path, kind: str, options: str) -> Iterator[None]:
    def mount() -> None:
        point.mkdir(parents=True, exist_ok=True)
        finished = proc.run_on_disks(mount_argv(kind, options, device, point))
        site.commands.append(finished.command)
        problem = why_not_mounted(device, point, kind)
        if problem is not None:
            raise StackError(f"{point} is not a mount of {device}: {problem}", command=finished.command)

    with effect(site.journal, "mount", {"point": str(point)}, mount, undo):
        yield


@dataclass(frozen=True)
class Mounted:
    """What stands at a mount point; proc_pid_mountinfo(5)."""

    device_number: str
    root: str
    point: str
    options: frozenset[str]
    filesystem: str
    source: str
    superblock_options: frozenset[str]


def mounts_at(point: Path, mountinfo: Path = MOUNTINFO) -> tuple[Mounted, ...]:
    """Everything that is mounted at exactly ``point``, the newest last."""
    wanted = os.path.realpath(point)
    found = (_parsed(line) for line in mountinfo.read_bytes().splitlines())
    return tuple(mount for mount in found if mount.point == wanted)


def _parsed(line: bytes) -> Mounted:
    """A line of mountinfo; spaces, tabs, newlines and backslashes of names are octal there."""
    fields = [os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8)]), field)) for field in line.split(b" ")]
    filesystem, source, superblock = fields[fields.index("-", 6) + 1 :][:3]
    return Mounted(
        device_number=fields[2],
        root=fields[3],
        point=fields[4],
        options=frozenset(fields[5].split(",")),
        filesystem=filesystem,
        source=source,
        superblock_options=frozenset(superblock.split(",")),
    )


def why_not_mounted(device: Path, point: Path, kind: str, mountinfo: Path = MOUNTINFO) -> str | None:
    """Why what is written to ``point`` would not go to the whole filesystem on ``device``; None if it would.

    mount(8) ends with status 0 in cases where nothing is mounted, or where something else or only a part of it is.
    """
    found = mounts_at(point, mountinfo)
    if len(found) != 1:
        return f"{len(found)} filesystems are mounted there"
    (mount,) = found
    if mount.filesystem != kind:
        return f"{mount.filesystem} is mounted there, not {kind}"
    if mount.root != "/":
        return f"only {mount.root} of the filesystem is mounted there"
    if not _lies_on(mount, device):
        return f"{mount.source} ({mount.device_number}) is mounted there"
    if not ("rw" in mount.options and "rw" in mount.superblock_options):
        return "it is mounted read-only"
    if not mount.options.issuperset(OWN_OPTIONS):
        return f"it is mounted without {' and '.join(OWN_OPTIONS)}"
    if point.stat().st_dev == point.parent.stat().st_dev:
        return "the folder lies on the filesystem of its parent"
    return None


def _lies_on(mount: Mounted, device: Path) -> bool:
    """Whether the mount is of ``device``; btrfs shows numbers of its own, of which only the source tells."""
    expected = device.stat().st_rdev
    if not mount.device_number.startswith("0:"):
        return mount.device_number == probes.number(expected)
    try:
        source = Path(mount.source).stat()
    except OSError:
        return False
    return stat.S_ISBLK(source.st_mode) and source.st_rdev == expected


def undo(act: Act) -> None:
    """Unmount our mount point if it is mounted, and remove the folder."""
    point = Path(act.facts["point"])
    deadline = time.monotonic() + UNMOUNT_TIMEOUT_S
    while any(mount.mount_point == str(point) for mount in probes.mounts()):
        finished = proc.run_on_disks(["umount", point], check=False)
        if finished.status != 0 and time.monotonic() > deadline:
            raise StackError(f"{point} cannot be unmounted: {finished.stderr.strip()}", command=finished.command)
        if finished.status != 0:
            time.sleep(0.1)
    with suppress(FileNotFoundError):
        point.rmdir()
