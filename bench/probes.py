"""What the kernel can tell of who uses a block device.

Each probe sees a different part of the truth; :mod:`bench.rails` asks all of them.  Devices are
named by ``major:minor``, which is how the kernel names them in every one of these places.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import inventory, proc
from bench.inventory import Disk

SYS_CLASS_BLOCK = Path("/sys/class/block")
SYS_DEV_BLOCK = Path("/sys/dev/block")
OWN_PREFIX = "stripelab"
"""Start of every array name and filesystem label that stripelab writes."""


@dataclass(frozen=True)
class Mount:
    """A mount in this mount namespace; proc_pid_mountinfo(5)."""

    device_number: str
    mount_point: str
    source: str


@dataclass(frozen=True)
class Signature:
    """Something that was once written to a disk on purpose, as wipefs(8) sees it."""

    device: str
    """Kernel name of the disk (wipefs prints it with or without ``/dev/``, by version)."""
    type: str
    label: str
    uuid: str

    @property
    def ours(self) -> bool:
        """Whether stripelab wrote it: an array or filesystem that bears our name."""
        return self.label.rpartition(":")[2].startswith(OWN_PREFIX)

    def __str__(self) -> str:
        name = f" “{self.label}”" if self.label else ""
        return f"{self.type}{name}"


def number(device: int) -> str:
    """A device number as ``major:minor``."""
    return f"{os.major(device)}:{os.minor(device)}"


def mounts() -> tuple[Mount, ...]:
    """Every mount of this namespace; a space in a name is escaped there, in octal."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split(" ")
        found.append(Mount(fields[2], fields[4].replace("\\040", " "), fields[fields.index("-") + 2]))
    return tuple(found)


def swap_devices() -> dict[str, str]:
    """Block devices in use as swap: device number to path; proc_swaps(5)."""
    try:
        lines = Path("/proc/swaps").read_text(encoding="utf-8").splitlines()[1:]
    except FileNotFoundError:
        return {}
    devices = [Path(line.split()[0]) for line in lines]
    return {number(device.stat().st_rdev): str(device) for device in devices if device.is_block_device()}


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
    """A block device, its whole disk, the members of a btrfs with it, and all that lies below."""
    seen: set[str] = set()
    left = [device_number]
    while left:
        current = left.pop()
        folder = SYS_DEV_BLOCK / current
        if current in seen or not folder.exists():
            continue
        seen.add(current)
        resolved = folder.resolve()
        if (resolved / "partition").exists():
            left.append(_number_of(resolved.parent))
        left += [_number_of(slave) for slave in (resolved / "slaves").glob("*")]
        left += [_number_of(SYS_CLASS_BLOCK / peer) for peer in btrfs_peers(resolved.name)]
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


def device_numbers(disk: Disk) -> dict[str, str]:
    """Device numbers of a disk and its partitions, with their kernel names."""
    return {_number_of(SYS_CLASS_BLOCK / name): name for name in (disk.name, *inventory.partitions(disk))}


def loops_on(paths: Collection[str]) -> tuple[str, ...]:
    """Loop devices whose backing file is one of these device nodes."""
    return tuple(
        backing.parent.parent.name
        for backing in inventory.SYS_BLOCK.glob("loop*/loop/backing_file")
        if backing.read_text(encoding="utf-8").strip() in paths
    )


def openers() -> dict[str, str]:
    """Block devices that another process has open: device number to "pid (command)"; proc_pid_fd(5)."""
    found: dict[str, str] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            for device_number in _open_block_devices(process):
                found.setdefault(device_number, process.name)
    return {device_number: f"{pid} ({_command(pid)})" for device_number, pid in found.items()}


def signatures(disks: Iterable[Disk]) -> tuple[Signature, ...]:
    """Signatures on whole disks, probed read-only by one call of wipefs(8)."""
    devices = [disk.path for disk in disks]
    finished = proc.run(["wipefs", "--json", "--no-act", "--output", "DEVICE,TYPE,LABEL,UUID", *devices])
    if not finished.stdout.strip():
        return ()
    return tuple(
        Signature(Path(row["device"]).name, row["type"] or "unknown", row["label"] or "", row["uuid"] or "")
        for row in json.loads(finished.stdout)["signatures"]
    )


def _open_block_devices(process: Path) -> Iterator[str]:
    """Device numbers of block devices behind the descriptors of a process; it may end meanwhile."""
    try:
        descriptors = list(os.scandir(process / "fd"))
    except OSError:
        return
    for descriptor in descriptors:
        try:
            status = descriptor.stat()
        except OSError:
            continue
        if stat.S_ISBLK(status.st_mode):
            yield number(status.st_rdev)


def _command(pid: str) -> str:
    try:
        return (Path("/proc") / pid / "comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "ended"


def _number_of(folder: Path) -> str:
    return (folder / "dev").read_text(encoding="ascii").strip()
