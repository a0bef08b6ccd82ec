"""What the kernel can tell of block devices: mounts, swap, holders, members of btrfs, loop devices.

Each list sees a different part of the truth; :mod:`bench.safety.describe` puts them together.  Devices are named by
``major:minor``, which is how the kernel names them in every one of these places.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench import inventory
from bench.nodes import open_device
from bench.openers import Thing, number, thing_of

SYS_CLASS_BLOCK = Path("/sys/class/block")
SYS_DEV_BLOCK = Path("/sys/dev/block")
LOOP_GET_STATUS64 = 0x4C05
LOOP_INFO_BYTES = 232
REMOTE = frozenset({"9p", "afs", "ceph", "cifs", "fuse", "fuseblk", "lustre", "nfs", "nfs4", "smb3", "virtiofs"})
"""Kinds of filesystems that may not answer."""


@dataclass(frozen=True)
class Mount:
    """A mount in this mount namespace; proc_pid_mountinfo(5)."""

    device_number: str
    root: str
    mount_point: str
    options: tuple[str, ...]
    kind: str
    source: str
    superblock_options: tuple[str, ...]


@dataclass(frozen=True)
class Backing:
    """What a loop device lies on: a block device, or a file with what else that is (:func:`aliases`)."""

    loop: str
    thing: Thing
    path: str
    aliases: frozenset[Thing] = frozenset()

    @property
    def things(self) -> frozenset[Thing]:
        """Everything that it is to the kernel."""
        return self.aliases | {self.thing}


UNASKED = Thing("file", "", 0)
"""What a loop device lies on whose filesystem may never answer."""


def mounts() -> tuple[Mount, ...]:
    """Every mount of this namespace, in the order of mounting."""
    found = []
    for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
        before, _, after = line.partition(b" - ")
        _id, _parent, device, root, point, options, *_ = before.split(b" ")
        kind, source, superblock, *_ = after.split(b" ")
        found.append(
            Mount(
                device.decode("ascii"),
                unescaped(root),
                unescaped(point),
                tuple(unescaped(options).split(",")),
                unescaped(kind),
                unescaped(source),
                tuple(unescaped(superblock).split(",")),
            )
        )
    return tuple(found)


def unescaped(field: bytes) -> str:
    """A field of mountinfo or swaps: white space and backslashes stand there in octal; bytes may be no UTF-8."""
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 0xFF]), field))


def swaps() -> dict[Thing, str]:
    """Devices and files in use as swap, with their paths; proc_swaps(5)."""
    try:
        lines = Path("/proc/swaps").read_bytes().splitlines()[1:]
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        path = unescaped(line.split()[0])
        with suppress(OSError):  # of the host, as a container sees it, or removed since: no path of this system's
            thing = thing_of(Path(path).stat())
            if thing is not None:
                found[thing] = path
    return found


def devices_under(path: Path) -> frozenset[str]:
    """Device numbers that the filesystem holding ``path`` lies on, all the way down.

    The source of the mount is followed too: btrfs answers stat(2) with numbers of its own, which
    are in neither sysfs nor mountinfo.
    """
    found = set(ancestors(number(path.stat().st_dev)))
    resolved = path.resolve()
    above = [mount for mount in mounts() if resolved.is_relative_to(mount.mount_point)]
    if above:
        nearest = max(len(mount.mount_point) for mount in above)
        for mount in above:
            if len(mount.mount_point) == nearest:
                found |= ancestors_of_node(Path(mount.source))
    return frozenset(found)


def ancestors_of_node(node: Path) -> frozenset[str]:
    """As :func:`ancestors`, for a device node; empty where it is none."""
    try:
        status = node.stat()
    except OSError:
        return frozenset()
    return ancestors(number(status.st_rdev)) if stat.S_ISBLK(status.st_mode) else frozenset()


def ancestors(device_number: str) -> frozenset[str]:
    """A block device, its whole disk, the members of a btrfs with it, and all that lies below, loops included."""
    seen: set[str] = set()
    left = [device_number]
    backings = {each.loop: each for each in loops()[0]}
    while left:
        current = left.pop()
        folder = SYS_DEV_BLOCK / current
        if current in seen or not folder.exists():
            continue
        seen.add(current)
        resolved = folder.resolve()
        if (resolved / "partition").exists():
            left.append(number_of(resolved.parent))
        left += [number_of(slave) for slave in (resolved / "slaves").glob("*")]
        left += [number_of(SYS_CLASS_BLOCK / peer) for peer in btrfs_peers(resolved.name)]
        if resolved.name in backings:
            left.append(backings[resolved.name].thing.number)
    return frozenset(seen)


def btrfs_peers(name: str) -> frozenset[str]:
    """Kernel names of all members of the mounted btrfs that ``name`` is a member of."""
    for folder in Path("/sys/fs/btrfs").glob("*/devices"):
        members = frozenset(member.name for member in folder.iterdir())
        if name in members:
            return members
    return frozenset()


def holders(name: str) -> tuple[str, ...]:
    """Kernel names of what is stacked on a disk or partition (md, dm, bcache)."""
    return tuple(sorted(holder.name for holder in (SYS_CLASS_BLOCK / name / "holders").glob("*")))


def remote_folders(mounted: Sequence[Mount]) -> tuple[str, ...]:
    """Mount points of filesystems that a server or a program answers for, or does not: to ask there can hang."""
    return tuple(each.mount_point for each in mounted if each.kind.partition(".")[0] in REMOTE)


def below_any(path: str, folders: Sequence[str]) -> bool:
    """Whether a path is one of these folders, or lies in one."""
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def aliases(path: str, mounted: Sequence[Mount]) -> frozenset[Thing]:
    """What a file that is reached through an overlay is in each of its layers, as far as they are in sight."""
    resolved = os.path.realpath(path)
    above = [mount for mount in mounted if below_any(resolved, [mount.mount_point])]
    nearest = max(above, key=lambda mount: len(mount.mount_point), default=None)
    if nearest is None or nearest.kind != "overlay":
        return frozenset()
    inside = os.path.relpath(resolved, nearest.mount_point)
    found = set()
    for option in nearest.superblock_options:
        key, _, folders = option.partition("=")
        for folder in folders.split(":") if key.rstrip("+") in {"upperdir", "lowerdir"} else ():
            with suppress(OSError):
                found.add(thing_of((Path(folder) / inside).stat()))
    return frozenset(thing for thing in found if thing is not None)


def loops() -> tuple[tuple[Backing, ...], tuple[str, ...]]:
    """What every attached loop device lies on, and the loop devices of which it could not be told, with reasons.

    The kernel is asked through the device itself (LOOP_GET_STATUS64); the path in sysfs may name another file by now.
    """
    found, unknown = [], []
    mounted = mounts()
    remote = remote_folders(mounted)
    for attribute in sorted(inventory.SYS_BLOCK.glob("loop*/loop/backing_file")):
        name = attribute.parent.parent.name
        try:
            path = inventory.backing_file(name)
            thing = UNASKED if below_any(path, remote) else _backing(name) or thing_of(Path(path).stat())
        except OSError as failure:
            if failure.errno not in {errno.ENXIO, errno.ENOENT} or attribute.exists():
                unknown.append(f"what {name} lies on could not be found out: {failure.strerror}")
            continue
        if thing is not None:
            found.append(Backing(name, thing, path, aliases(path, mounted) if thing is not UNASKED else frozenset()))
    return tuple(found), tuple(unknown)


def _backing(name: str) -> Thing | None:
    """What the kernel says that a loop device lies on; None where it may not be asked."""
    try:
        descriptor = open_device(inventory.node(name), number_of(SYS_CLASS_BLOCK / name))
    except OSError:
        return None
    try:
        told = fcntl.ioctl(descriptor, LOOP_GET_STATUS64, bytes(LOOP_INFO_BYTES))
    finally:
        os.close(descriptor)
    device, inode, rdevice = struct.unpack_from("=QQQ", told)
    return Thing("block", number(rdevice)) if rdevice else Thing("file", number(device), inode)


def generic_nodes(name: str) -> Iterator[str]:
    """Numbers of the character devices that reach the same disk: SCSI generic, NVMe generic."""
    folder = inventory.SYS_BLOCK / name
    generic = folder / "device" / name.replace("nvme", "ng", 1) / "dev"
    for entry in (*folder.glob("device/scsi_generic/*/dev"), *([generic] if name.startswith("nvme") else [])):
        if found := inventory.text(entry):
            yield found


def number_of(folder: Path) -> str:
    """``major:minor`` of a folder of sysfs."""
    return (folder / "dev").read_text(encoding="ascii").strip()
