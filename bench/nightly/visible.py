"""Where the files lie that a nightly service needs, so that its sandbox hides none of them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

MAX_LINKS = 40
"""As many symbolic links as the kernel follows in one path (path_resolution(7))."""


def program() -> tuple[Path, ...]:
    """Where this stripelab lies: its interpreter, its virtual environment and its packages."""
    import bench
    import permutations
    import results

    packages = [Path(folder) for package in (bench, permutations, results) for folder in package.__path__]
    return (Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), *packages)


def words(command: Sequence[str]) -> tuple[Path, ...]:
    """Absolute paths in a command line, also within a word that is a command of its own."""
    found = []
    for word in command:
        inner = [word]
        with suppress(ValueError):  # such as a single quote that is meant as one
            inner += shlex.split(word)
        found += [Path(each.partition("=")[2] or each) for each in inner if "/" in each]
    return tuple(dict.fromkeys(path for path in found if path.is_absolute()))


def ways(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths, every symbolic link on the way to them, and where they are in the end."""
    return tuple(dict.fromkeys(step for path in paths for step in _way(path.absolute())))


def _way(path: Path) -> Iterator[Path]:
    yield path
    place, ahead, links = Path("/"), list(reversed(path.parts[1:])), 0
    while ahead:
        place = Path(os.path.normpath(place / ahead.pop()))  # no link is before a "..": place is resolved
        with suppress(OSError):
            target = Path(place.readlink())
            links += 1
            if links > MAX_LINKS:
                return
            yield place
            ahead += reversed(target.parts[1:] if target.is_absolute() else target.parts)
            place = Path("/") if target.is_absolute() else place.parent
    yield place
