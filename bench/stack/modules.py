"""Kernel modules that a stack needs: loaded where that is possible, named where it is not."""

from __future__ import annotations

from pathlib import Path

from bench import proc
from bench.errors import MissingToolError, StackError
from bench.lab.modules import SCHEDULERS
from bench.stack.filesystems import Filesystem

MD_MODULES = {"raid0": "raid0", "raid1": "raid1", "raid5": "raid456", "raid6": "raid456", "raid10": "raid10"}
PERSONALITIES = Path("/proc/mdstat")


def ensure_filesystem(kind: Filesystem) -> None:
    """The kernel can mount this kind of filesystem, or :class:`MissingToolError`."""
    if kind.module is None or _kernel_mounts(kind.name):
        return
    _load(kind.module)
    if not _kernel_mounts(kind.name):
        raise MissingToolError(
            f"this kernel has no {kind.name}",
            remedy=f"Load or install the kernel module {kind.module}, or take {kind.name} out of the sweep.",
        )


def ensure_level(level: str) -> None:
    """The md driver has the personality for this RAID level, or :class:`MissingToolError`."""
    if level == "jbod" or _md_runs(level):
        return
    _load(MD_MODULES[level])
    if not _md_runs(level):
        raise MissingToolError(
            f"this kernel's md has no {level}",
            remedy=f"Load or install the kernel module {MD_MODULES[level]}; in the virtual lab (--lab) it is there.",
        )


def load_scheduler(name: str) -> None:
    """Ask for the module of an I/O scheduler; whether the disks offer it then is read from each of them."""
    if name in SCHEDULERS:
        _load(SCHEDULERS[name])


def _kernel_mounts(name: str) -> bool:
    lines = Path("/proc/filesystems").read_text(encoding="ascii").splitlines()
    return name in {line.split("\t")[-1] for line in lines}


def _md_runs(level: str) -> bool:
    try:
        first = PERSONALITIES.read_text(encoding="ascii").partition("\n")[0]
    except FileNotFoundError:
        return False
    return f"[{level}]" in first


def _load(module: str) -> None:
    """Ask for a module; whether it came is for the caller to look at, for it may be built in."""
    proc.run(["modprobe", "--quiet", module], check=False, error=StackError)
