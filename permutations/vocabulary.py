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
    """Closed sets of words; a sweep file that uses another is refused with the nearest one."""

    filesystems: tuple[str, ...]
    engines: tuple[str, ...]
    disk_profiles: tuple[DiskProfile, ...]
