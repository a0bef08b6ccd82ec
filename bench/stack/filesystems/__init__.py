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
    """Options that make mkfs go ahead without a word: the rails have asked already.  A user gets none of them."""

    def mkfs(self, device: Path, geometry: Geometry | None, label: str, options: tuple[str, ...]) -> list[str]:
        """Command line that makes the filesystem; ``label`` has 12 characters at most."""
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
