"""Kernel modules that a stack needs: loaded where that is possible, named where it is not."""

from __future__ import annotations

from pathlib import Path

from bench import proc
from bench.errors import MissingToolError, StackError
from bench.stack.filesystems import Filesystem

SCHEDULERS = {"mq-deadline": "mq-deadline", "kyber": "kyber-iosched", "bfq": "bfq"}
"""I/O schedulers of Linux by the name in sysfs, with their modules; ``none`` is always there."""


def ensure_filesystem(kind: Filesystem) -> None:
    """The kernel can mount this kind of filesystem, or :class:`MissingToolError`."""
    if kind.module is None or _kernel_mounts(kind.name):
        return
    load_module(kind.module)
    if not _kernel_mounts(kind.name):
        raise MissingToolError(
            f"this kernel has no {kind.name}",
            remedy=f"Load or install the kernel module {kind.module}, or take {kind.name} out of the sweep.",
        )


def load_scheduler(name: str) -> None:
    """Ask for the module of an I/O scheduler; whether the disks offer it then is read from each of them."""
    if name in SCHEDULERS:
        load_module(SCHEDULERS[name])


def _kernel_mounts(name: str) -> bool:
    lines = Path("/proc/filesystems").read_text(encoding="ascii").splitlines()
    return name in {line.split("\t")[-1] for line in lines}


def load_module(module: str) -> None:
    """Ask for a module; whether it came is for the caller to look at, for it may be built in."""
    proc.run(["modprobe", "--quiet", module], check=False, error=StackError)
