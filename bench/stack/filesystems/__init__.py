"""Filesystems: a module each, found by name; adding one means adding a file here.

A module has a ``FILESYSTEM`` that satisfies :class:`Filesystem`.  Nothing else has to change: the
sweep file knows its name, ``stripelab doctor`` its packages, and the tests build it on every level.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import Protocol

from bench.stack.allowed import MkfsOptions, MountOptions
from bench.stack.spec import Geometry


class Filesystem(Protocol):
    """How one kind of filesystem is made, mounted, checked and taken away."""

    name: str
    program: str
    """mkfs program."""
    package: str
    """Debian package of ``program``."""
    module: str | None
    """Kernel module to load where the kernel does not have it built in; None: always built in."""
    stripes: bool
    """Whether it takes stripe geometry."""
    force: tuple[str, ...]
    """Options that make mkfs go ahead without a word: the safety checks have asked.  A user gets none of them."""
    mkfs_options: MkfsOptions
    """What a sweep may add to the command line of mkfs: nothing that names a file, a device or another size."""
    mount_options: MountOptions
    """What a sweep may mount it with."""

    def mkfs(
        self, device: Path, geometry: Geometry | None, label: str, options: tuple[str, ...], uuid: str | None = None
    ) -> list[str]:
        """Command line that makes the filesystem; ``label`` has 12 characters at most.

        ``options`` are words of :attr:`mkfs_options`; without a ``uuid`` mkfs makes one up.
        """
        ...

    def room_bytes(self, device_bytes: int, options: tuple[str, ...]) -> int:
        """Most bytes of files that a new filesystem on a device of this size can have room for; 0: mkfs refuses it.

        An upper bound, so that what does not fit in it fits nowhere; what is free once it is mounted decides.
        """
        ...

    def own_geometry(self, options: tuple[str, ...]) -> bool:
        """Whether ``options`` set the stripe geometry, which then is not checked against the array's."""
        ...

    def geometry_of(self, device: Path) -> Geometry | None:
        """Stripe geometry that the filesystem on ``device`` says it has; None for none."""
        ...


@cache
def names() -> tuple[str, ...]:
    """Names of all filesystems, sorted."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__)))


@cache
def by_name(name: str) -> Filesystem:
    """The filesystem called ``name``."""
    filesystem: Filesystem = importlib.import_module(f"{__name__}.{name}").FILESYSTEM
    return filesystem


def option_problem(factor: str, name: str, line: str) -> str | None:
    """Why a filesystem does not take ``line`` as the factor ``mkfs_options`` or ``mount_options``; None if it does."""
    kind = by_name(name)
    allowed = kind.mkfs_options if factor == "mkfs_options" else kind.mount_options
    return allowed.problem(line)
