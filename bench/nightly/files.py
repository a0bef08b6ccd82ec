"""Files that a reader sees whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from bench.errors import StoreError

_PERMISSIONS = 0o777
_NEW_MODE = 0o644
"""node_exporter, web servers and CI read as other users than root."""


def write_whole(path: Path, content: bytes, remedy: str | None = None) -> None:
    """Write a file by temporary file, fsync and rename (rename(2) replaces at once); an old one's mode is kept.

    The temporary name starts with a dot and ends with ``.tmp``, so that no collector takes it for a file of its own.

    Raises:
        StoreError: the file cannot be written; an old one is as it was.
    """
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}-", suffix=".tmp", dir=path.parent)
        with open(descriptor, "wb") as sink:  # noqa: PTH123 - a descriptor, not a path
            sink.write(content)
            sink.flush()
            os.fchmod(sink.fileno(), _mode(path))
            os.fsync(sink.fileno())
        Path(temporary).replace(path)
        _sync_folder(path.parent)
    except OSError as failure:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise StoreError(
            f"{path} cannot be written: {failure.strerror}",
            remedy=remedy or "Correct the path or its permissions.",
        ) from failure


def _mode(path: Path) -> int:
    """The mode of an old file, that of a link and what is more than permissions left out."""
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        return _NEW_MODE
    return found & _PERMISSIONS if stat.S_ISREG(found) else _NEW_MODE


def _sync_folder(folder: Path) -> None:
    """The rename itself on disk; some filesystems cannot, and the file is whole all the same."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
