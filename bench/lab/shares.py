"""Folders that the lab may share with its guest."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from contextlib import suppress
from itertools import combinations
from pathlib import Path

from bench import probes
from bench.errors import LabError
from bench.lab import access, modules
from bench.lab.seccomp import SET_ID

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
    require_no_mount_below(real)
    for folder in real:
        _require_no_set_id(folder)
    return real


def require_no_mount_below(folders: Iterable[Path]) -> None:
    """LabError where something is mounted below one of the folders: the guest could write to it.

    That may be a /proc, a /sys or the disk of somebody else, and the one who shares a folder means its files.
    """
    points = [Path(mount.mount_point) for mount in probes.mounts()]
    for folder in folders:
        below = next((point for point in points if point != folder and point.is_relative_to(folder)), None)
        if below is not None:
            raise LabError(
                f"{folder} cannot be shared: {str(below)!r} is mounted below it, and the guest could write there",
                remedy=f"Unmount it (umount {shlex.quote(str(below))}), or share a folder without a mount in it.",
            )


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


def _require_no_set_id(folder: Path) -> None:
    """LabError where a file below has a set-id bit: mapped into memory it can be written, and keeps the bit.

    write(2) takes the bit away; what the guest writes this way would run as the file's owner on the host.
    """
    left = [str(folder)]
    while left:
        with suppress(OSError), os.scandir(left.pop()) as entries:  # gone since, or closed to this user
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                elif entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mode & SET_ID:
                    raise LabError(
                        f"{folder} cannot be shared: {entry.path!r} is a set-user-ID or set-group-ID file",
                        remedy=f"Take the bits away (chmod ug-s {shlex.quote(entry.path)}), or share another folder.",
                    )
