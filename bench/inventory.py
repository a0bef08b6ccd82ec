"""The whole disks of this machine and their identities, read from sysfs.

A disk is known by its WWN or serial, never by its kernel name: ``sda`` may be another disk after
the next boot.  A loop device is known by its backing file.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.errors import EnvironmentUnknownError

SYS_BLOCK = Path("/sys/block")
UDEV_DATA = Path("/run/udev/data")
NOT_DISKS = re.compile(r"(ram|zram|dm-|md|sr|fd|nbd|drbd)\d")
SECTOR_BYTES = 512
"""Unit of every size in sysfs, whatever the disk's block size (Documentation/ABI/stable/sysfs-block)."""


@dataclass(frozen=True)
class Disk:
    """A whole disk as the kernel shows it now.

    ``id`` is the WWN, else the serial, else (loop devices) ``loop:`` and the backing file; None
    where the disk has none of them, in which case it can never be leased.
    """

    name: str
    id: str | None
    serial: str | None
    wwn: str | None
    model: str
    firmware: str
    size_bytes: int
    logical_block_bytes: int
    rotational: bool
    removable: bool
    read_only: bool
    diskseq: str
    device_number: str
    substrate: str

    @property
    def path(self) -> Path:
        """Device node."""
        return node(self.name)

    @property
    def sys(self) -> Path:
        """Its folder in sysfs."""
        return SYS_BLOCK / self.name

    @property
    def fingerprint(self) -> tuple[str | None, int, str, str]:
        """What must not change between the plan and the act."""
        return (self.id, self.size_bytes, self.model, self.diskseq)

    def answers_to(self, wanted: str) -> bool:
        """Whether ``wanted`` is one of the disk's identities."""
        return wanted in {identity for identity in (self.id, self.serial, self.wwn) if identity}


def disks() -> tuple[Disk, ...]:
    """Every whole disk with a medium, by kernel name."""
    try:
        names = sorted(entry.name for entry in SYS_BLOCK.iterdir() if not NOT_DISKS.match(entry.name))
    except OSError as failure:
        raise EnvironmentUnknownError(
            f"the disks of this machine cannot be listed: {SYS_BLOCK}: {failure.strerror}"
        ) from failure
    return tuple(disk for disk in (read(name) for name in names) if disk is not None and disk.size_bytes > 0)


def ambiguous_ids(present: tuple[Disk, ...]) -> frozenset[str]:
    """Identities that more than one disk claims (cloned serials, paths of one multipath disk)."""
    claims = Counter(disk.id for disk in present if disk.id)
    return frozenset(identity for identity, count in claims.items() if count > 1)


def read(name: str) -> Disk | None:
    """The disk called ``name`` in the kernel; None where it is gone or has no medium."""
    folder = SYS_BLOCK / name
    try:
        size_bytes = int(text(folder / "size") or 0) * SECTOR_BYTES
        device_number = text(folder / "dev")
    except ValueError:
        return None
    if not device_number:
        return None
    backing = backing_file(name)
    if name.startswith("loop") and not backing:
        return None
    properties = _udev_properties(device_number)
    serial = _serial(folder, properties)
    wwn = text(folder / "wwid") or text(folder / "device/wwid") or properties.get("ID_WWN") or None
    return Disk(
        name=name,
        id=f"loop:{backing}" if backing else wwn or serial,
        serial=serial,
        wwn=wwn,
        model=text(folder / "device/model") or properties.get("ID_MODEL") or _default_model(name),
        firmware=text(folder / "device/firmware_rev") or text(folder / "device/rev") or "",
        size_bytes=size_bytes,
        logical_block_bytes=int(text(folder / "queue/logical_block_size") or SECTOR_BYTES),
        rotational=text(folder / "queue/rotational") == "1",
        removable=text(folder / "removable") == "1",
        read_only=text(folder / "ro") == "1",
        diskseq=text(folder / "diskseq"),
        device_number=device_number,
        substrate=_substrate(name),
    )


def node(name: str) -> Path:
    """Device node of a block device; sysfs has an exclamation mark where a node lies in a folder (``cciss!c0d0``)."""
    return Path("/dev") / name.replace("!", "/")


def partitions(name: str) -> tuple[str, ...]:
    """Kernel names of the partitions of a whole block device."""
    return tuple(sorted(entry.parent.name for entry in (SYS_BLOCK / name).glob("*/partition")))


def _serial(folder: Path, properties: dict[str, str]) -> str | None:
    """Serial from the driver, from SCSI page 80h, or from udev."""
    direct = text(folder / "serial") or text(folder / "device/serial")
    if direct:
        return direct
    try:
        page = (folder / "device/vpd_pg80").read_bytes()
    except OSError:
        page = b""
    unit_serial = page[4:].decode("ascii", errors="ignore").strip("\0 ")
    return unit_serial or properties.get("ID_SERIAL_SHORT") or None


def _udev_properties(device_number: str) -> dict[str, str]:
    """Properties that udev keeps of a block device; empty where udev does not run."""
    lines = text(UDEV_DATA / f"b{device_number}").splitlines()
    pairs = (line[2:].partition("=") for line in lines if line.startswith("E:"))
    return {key: value for key, _, value in pairs}


def _substrate(name: str) -> str:
    """What kind of disk the driver's name tells: real hardware only where nothing says otherwise."""
    if name.startswith("loop"):
        return "loop"
    return "uml" if name.startswith("ubd") else "disk"


def _default_model(name: str) -> str:
    return {"loop": "loop file", "uml": "virtual lab disk"}.get(_substrate(name), "")


def backing_file(name: str) -> str:
    """Path of the file under a loop device, spaces at its end included; empty where it has none."""
    try:
        return os.fsdecode((SYS_BLOCK / name / "loop/backing_file").read_bytes().removesuffix(b"\n"))
    except OSError:
        return ""


def text(path: Path) -> str:
    """Content of a small sysfs file without its newline; empty where it is absent or unreadable."""
    try:
        return os.fsdecode(path.read_bytes()).strip("\0\n ")
    except OSError:
        return ""
