"""The words that the machine side knows and a sweep file may use.

``permutations`` touches nothing else, so it cannot know which filesystems this machine's
``bench`` can build.  Whoever loads a sweep passes the words in; that keeps adding a filesystem
or an engine to one file.
"""

from __future__ import annotations

from dataclasses import dataclass

from permutations.workload import DiskProfile


@dataclass(frozen=True)
class Vocabulary:
    """Closed sets of words; a sweep file that uses another is refused with the nearest one.

    ``fio_options`` are the options that a workload may pass on to fio, ``ioengines`` the I/O engines
    of fio; None leaves them to whoever runs fio.  ``native_options`` and ``native_ioengines`` are those of
    the native engine.
    """

    filesystems: tuple[str, ...]
    engines: tuple[str, ...]
    disk_profiles: tuple[DiskProfile, ...]
    fio_options: tuple[str, ...] | None = None
    ioengines: tuple[str, ...] | None = None
    native_options: tuple[str, ...] | None = None
    native_ioengines: tuple[str, ...] | None = None

    def options_of(self, engine: str) -> tuple[str, ...] | None:
        """Options that a workload may pass on to an engine."""
        return self.native_options if engine == "native" else self.fio_options

    def ioengines_of(self, engine: str) -> tuple[str, ...] | None:
        """Ways to the kernel of an engine."""
        return self.native_ioengines if engine == "native" else self.ioengines
