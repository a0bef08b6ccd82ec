"""The words that the machine side knows and a sweep file may use.

``permutations`` touches nothing else, so it cannot know which filesystems this machine's
``bench`` can build.  Whoever loads a sweep passes the words in; that keeps adding a filesystem
or an engine to one file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from permutations.workload import DiskProfile, Workload


@dataclass(frozen=True)
class Vocabulary:
    """Closed sets of words; a sweep file that uses another is refused with the nearest one.

    ``fio_options`` are the options that a workload may pass on to fio, ``ioengines`` the I/O engines
    of fio; None leaves them to whoever runs fio.  ``native_options`` and ``native_ioengines`` are those of
    the native engine, ``dd_options`` those of dd.

    ``option_problem`` says why a filesystem does not take a value of the factor ``mkfs_options`` or
    ``mount_options`` (factor, filesystem, value), ``workload_problem`` why an engine does not run a workload; both
    answer None where nothing is wrong.  ``strict`` refuses options that no filesystem of the sweep takes: a sweep
    that has run already is only read.
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
        """Options that a workload may pass on to an engine."""
        return {"native": self.native_options, "dd": self.dd_options}.get(engine, self.fio_options)

    def ioengines_of(self, engine: str) -> tuple[str, ...] | None:
        """Ways to the kernel of an engine."""
        return self.native_ioengines if engine == "native" else self.ioengines
