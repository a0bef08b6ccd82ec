"""Arrays: a module for each way to build them, found by name; adding one means adding a file here.

A module has an ``ARRAYS`` that satisfies :class:`ArrayDriver`.  Nothing else has to change: a sweep file knows the
names of its levels, the safety checks and the journal guard it, and the tests build every filesystem on it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Protocol

from bench.acts import Act
from bench.inventory import Disk
from bench.journal import Entry
from bench.lease import Lease
from bench.stack.spec import Site, StackSpec, Volume
from stripelab import raid
from stripelab.raid import Level


class ArrayDriver(Protocol):
    """How arrays of some levels are built, watched and taken down."""

    levels: tuple[Level, ...]
    programs: tuple[str, ...]
    """Programs that it calls."""
    modules: tuple[str, ...]
    """Kernel modules that it needs where they are not built in; the virtual lab loads those that its kernel has."""

    def require(self, level: Level) -> None:
        """Make the kernel ready for a level, or raise :class:`bench.errors.MissingToolError`."""
        ...

    def array(self, site: Site, spec: StackSpec, members: tuple[Disk, ...]) -> AbstractContextManager[Volume]:
        """Build the array over the members, wait until it is ready, yield it, and take it down.

        What it does to the disks goes through ``site.lease`` and is journalled first; the lines that build it for good
        are added to ``site.apply``.
        """
        ...

    def undo_table(self, lease: Lease) -> Mapping[type[Act], Callable[[Entry], None]]:
        """How to take back each kind of act that it journals."""
        ...


@cache
def drivers() -> tuple[ArrayDriver, ...]:
    """Every driver, with its levels known to :mod:`stripelab.raid`."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = tuple(importlib.import_module(f"{__name__}.{name}").ARRAYS for name in names)
    for driver in found:
        for level in driver.levels:
            raid.add(level)
    return found


@cache
def of_level(name: str) -> ArrayDriver:
    """The driver of a level."""
    return next(driver for driver in drivers() if any(level.name == name for level in driver.levels))


def levels() -> tuple[str, ...]:
    """Names of all levels that can be built."""
    built = {level.name for driver in drivers() for level in driver.levels}
    return tuple(name for name in raid.LEVELS if name in built)
