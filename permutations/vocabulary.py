"""The names that ``bench`` supports and a sweep file may use.

``permutations`` does not import ``bench``, so it cannot know which filesystems that can
build.  The caller who loads a sweep passes the names; so adding a filesystem or an engine
changes one file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from permutations.workload import DiskProfile, Workload


@dataclass(frozen=True)
class Vocabulary:
    """Sets of valid names; an error for any other name in a sweep file suggests the nearest one.

    ``fio_options`` are the options that a workload may pass to fio, ``ioengines`` the I/O engines
    of fio; with None they are not checked here.  ``native_options`` and ``native_ioengines`` are those of
    the native engine, ``dd_options`` those of dd.

    ``option_problem`` returns why a filesystem does not support a value of the factor ``mkfs_options`` or
    ``mount_options`` (factor, filesystem, value), ``workload_problem`` why an engine cannot run a workload; both
    return None if nothing is wrong.  ``strict`` rejects options that no filesystem of the sweep supports; it is
    false for a sweep that has run already.
    """

    levels: tuple[str, ...]
    filesystems: tuple[str, ...]
    engines: tuple[str, ...]
    disk_profiles: tuple[DiskProfile, ...]
    fio_options: tuple[str, ...] | None = None
    ioengines: tuple[str, ...] | None = None
    native_options: tuple[str, ...] | None = None
    native_ioengines: tuple[str, ...] | None = None
    dd_options: tuple[str, ...] = ("buffer_compress_percentage",)
    option_problem: Callable[[str, str, str], str | None] | None = None
    workload_problem: Callable[[Workload], str | None] | None = None
    strict: bool = True

    def options_of(self, engine: str) -> tuple[str, ...] | None:
        """Options that a workload may pass to an engine."""
        return {"native": self.native_options, "dd": self.dd_options}.get(engine, self.fio_options)

    def ioengines_of(self, engine: str) -> tuple[str, ...] | None:
        """I/O engines of an engine; None if they are not checked."""
        return self.native_ioengines if engine == "native" else self.ioengines
