"""Folders that the lab may share with its guest."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from bench.errors import LabError
from bench.lab import access, modules

OWN = tuple(map(Path, ("/dev", "/proc", "/run", "/sys")))
"""Mounted anew in the guest: a share there, or around them, would be covered or would cover them."""
SYSTEM = tuple(Path(os.path.realpath(path)) for path in ("/bin", "/etc", "/lib", "/lib64", "/sbin", "/usr/lib"))
"""The host's system, which also starts the guest: a share may be in them, but may not contain them."""
ANOTHER = "Share a folder of its own, such as a new one in the home folder."


def checked(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The folders by their real names; LabError where one cannot be shared, or not together with another."""
    real = tuple(Path(os.path.realpath(folder)) for folder in folders)
    for folder in real:
        _require_plain_name(folder)
        _require_beside_the_system(folder)
        access.require_writable(folder)
    for one, other in combinations(real, 2):
        if one.is_relative_to(other) or other.is_relative_to(one):
            raise LabError(
                f"{one} and {other} cannot both be shared: one is within the other, or they are the same",
                remedy="Share the outer folder alone.",
            )
    return real


def _require_plain_name(folder: Path) -> None:
    """Kernel and fstab(5) take a path as a line of text: a name of control characters would end it."""
    text = str(folder)
    if not text.isprintable():  # a byte that is not UTF-8 is a surrogate, which is not printable
        raise LabError(
            f"{text!r} cannot be shared: its name has bytes that are not UTF-8, or control characters",
            remedy="Rename the folder.",
        )


def _require_beside_the_system(folder: Path) -> None:
    inside = next((own for own in OWN if folder.is_relative_to(own)), None)
    if inside is not None:
        raise LabError(f"{folder} cannot be shared: the guest has a {inside} of its own", remedy=ANOTHER)
    needed = next((path for path in (*OWN, *SYSTEM, modules.ROOT) if path.is_relative_to(folder)), None)
    if needed is not None:
        raise LabError(f"{folder} cannot be shared: it contains {needed}, which the guest needs", remedy=ANOTHER)
