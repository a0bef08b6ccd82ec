"""A folder as it lies there: every file with its digest, and everything that is no plain file.

Nothing named by a manifest is ever opened: the folder is walked without following a link, each file is
opened relative to the folder that was walked, and the manifest is compared with what was found.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_CHUNK_BYTES = 1 << 20
_DEEPEST = 16


@dataclass(frozen=True)
class Lying:
    """Something in the folder: ``sha256`` is None where it was not read, ``odd`` says why it never is.

    A file is not read where its size already differs from the one that was ``wanted`` of it.
    """

    path: str
    bytes: int
    sha256: str | None
    odd: str | None = None


def walk(root: Path, wanted: Mapping[str, int]) -> Iterator[Lying]:
    """Everything below ``root`` but folders, in the order of the names; ``wanted`` are sizes by path."""
    failed: list[OSError] = []
    for folder, names, files, descriptor in os.fwalk(root, follow_symlinks=False, onerror=failed.append):
        names.sort()
        inside = os.path.relpath(folder, root)
        prefix = "" if inside == "." else f"{inside}/"
        for name in sorted([*files, *names]):
            found = _look(name, descriptor, prefix + name, wanted)
            if found is not None:
                yield found
        if prefix.count("/") >= _DEEPEST:
            yield from (Lying(f"{prefix}{name}", 0, None, "lies too deep: it was not looked into") for name in names)
            names.clear()
    for error in failed:
        yield Lying(os.path.relpath(error.filename or root, root), 0, None, f"cannot be read: {error.strerror}")


def _look(name: str, folder: int, path: str, wanted: Mapping[str, int]) -> Lying | None:
    """One entry of a folder that is open; None for a folder."""
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(seen.st_mode):
            return None
        if stat.S_ISLNK(seen.st_mode):
            return Lying(path, 0, None, "is a symbolic link: it was not followed")
        if not stat.S_ISREG(seen.st_mode):
            return Lying(path, 0, None, "is no regular file: it was not opened")
        if wanted.get(path) != seen.st_size:
            return Lying(path, seen.st_size, None)
        return Lying(path, seen.st_size, digest_at(name, folder))
    except OSError as error:
        return Lying(path, 0, None, f"cannot be read: {error.strerror}")


def digest_at(name: str, folder: int) -> str:
    """SHA-256 of a file of an open folder, read piece by piece; a link in its place is an OSError."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    found = hashlib.sha256()
    try:
        while piece := os.read(descriptor, _CHUNK_BYTES):
            found.update(piece)
    finally:
        os.close(descriptor)
    return found.hexdigest()


def read_small(path: Path, most_bytes: int) -> bytes | None:
    """Content of a plain file of at most ``most_bytes``; None where there is none, or it is something else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = file.read(most_bytes + 1)
    return content if len(content) <= most_bytes else None
