"""Just a bunch of disks: no array, each member is a device of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bench.acts import Act
from bench.inventory import Disk
from bench.journal import Entry
from bench.lease import Lease
from bench.stack.spec import Site, StackSpec, Volume
from stripelab.raid import LEVELS, Level


class Jbod:
    """Driver of the level ``jbod``."""

    levels = (LEVELS["jbod"],)
    programs = ()
    modules = ()

    def require(self, level: Level) -> None:
        """Nothing is needed."""

    @contextmanager
    def array(self, _site: Site, _spec: StackSpec, members: tuple[Disk, ...]) -> Iterator[Volume]:
        """The bare disks."""
        yield Volume(tuple(disk.path for disk in members), members)

    def undo_table(self, _lease: Lease) -> Mapping[type[Act], Callable[[Entry], None]]:
        """Nothing is journalled."""
        return {}


ARRAYS = Jbod()
