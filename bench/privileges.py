"""Which capabilities (capabilities(7)) the programs keep that root starts.

A run on disks of this host needs root, but few of its programs do: an engine that reads and writes, or a mkfs that
writes to a disk, needs root's user id for the device node and none of root's powers.  Each program therefore starts
through ``setpriv``, which takes from it for good (bounding set, no new privileges) what its row does not list.

An ordinary user has nothing to give up.  In the virtual lab root is the guest's: its powers end at the guest, and the
start of one more program is expensive there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.lab.inside import inside

OTHERS_FILES = "dac_override"
"""Opens files that belong to another user: those that the user of a command has named, and only where needed."""

_SETPCAP = 8
"""Number of CAP_SETPCAP in <linux/capability.h>: without it no capability can be taken from a child."""


@dataclass(frozen=True)
class Row:
    """What a program keeps (None: everything that root has), and what for."""

    capabilities: tuple[str, ...] | None
    purpose: str


_NOTHING = Row((), "")

TABLE: Mapping[str, Row] = {
    "bwrap": Row(None, "makes the sandbox of the virtual lab, then drops all capabilities itself"),
    "dd": Row((), "the engine: opens devices and files as their owner"),
    "env": Row((), "names the runtime folder for systemctl"),
    "fio": Row(("ipc_lock", "sys_nice"), "the engine: options `lockmem`, `fixedbufs`; `nice`, `prio*`, `cmdprio*`"),
    "linux.uml": Row((), "prints its version"),
    "losetup": Row(("dac_read_search",), "attaches loop files of a store that lies in another user's closed folder"),
    "mdadm": Row(("mknod", "sys_admin"), "makes temporary device nodes; ioctls and sysfs attributes of md"),
    "mkfs.btrfs": Row((), "writes to the device as its owner"),
    "mkfs.ext4": Row((), "writes to the device as its owner"),
    "mkfs.xfs": Row(("sys_admin",), "sets the block size of the device (ioctl `BLKBSZSET`)"),
    "modprobe": Row(("sys_module",), "loads a module of md or of a filesystem"),
    "mount": Row(("sys_admin",), "mount(2)"),
    "sh": Row(
        None, "runs the commands that the user gave to restore a state (`--restore-baseline`, `--restore-tonight`)"
    ),
    "smartctl": Row(("sys_admin", "sys_rawio"), "admin commands of NVMe; pass-through commands of ATA and SCSI"),
    "ssh-keygen": Row((), "signs and verifies"),
    "systemctl": Row((), "asks the service manager, which knows root by its user id"),
    "systemd-analyze": Row((), "verifies units"),
    "umount": Row(("sys_admin",), "umount(2)"),
    "wipefs": Row((), "reads and wipes signatures as owner of the device"),
}
"""By name of the program.  One that is not listed keeps nothing, such as the mkfs of a filesystem that is added."""


def setpriv_options(program: str, paths: Iterable[Path] = ()) -> tuple[str, ...]:
    """Options of setpriv(1) that leave ``program`` what its row lists; none where nothing can or must be taken.

    ``paths`` are files that the user named.  Where one of them belongs to another user, the program may open it.
    """
    row = TABLE.get(Path(program).name, _NOTHING)
    if row.capabilities is None or not gives_up():
        return ()
    kept = list(row.capabilities)
    if any(_belongs_to_another(path) for path in paths):
        kept.append(OTHERS_FILES)
    bounding = ",".join(["-all", *(f"+{name}" for name in kept)])
    return ("--bounding-set", bounding, "--inh-caps", "-all", "--no-new-privs")


def gives_up() -> bool:
    """Whether programs start with fewer capabilities than this process: as root of the host, where that is allowed."""
    if os.geteuid() != 0 or inside():
        return False
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> _SETPCAP & 1)


def _belongs_to_another(path: Path) -> bool:
    """Whether root without capabilities could be kept from ``path`` by its mode or that of a folder above it.

    What does not exist keeps nobody out; the program will say that it is missing.
    """
    real = Path(os.path.realpath(path))
    try:
        for folder in real.parents:
            status = folder.stat()
            if not status.st_mode & (0o100 if status.st_uid == 0 else 0o001):
                return True
        status = real.stat()
    except OSError:
        return False
    return status.st_uid != 0
