"""The content of a file that is imported: regular, and no more of it than fits."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bench.errors import EngineError


def content_of(path: str | Path, most_bytes: int) -> tuple[bytes, int]:
    """What a regular file holds, and when it was last changed; os.open, because of many small files.

    Raises:
        EngineError: it is no regular file, or has more than ``most_bytes`` by now.
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise EngineError("it is no plain file")
        pieces, left = [], most_bytes + 1
        while left and (piece := os.read(descriptor, min(left, status.st_size + 1))):
            pieces.append(piece)
            left -= len(piece)
        if not left:
            raise EngineError(too_large(most_bytes + 1, most_bytes))
        return b"".join(pieces), status.st_mtime_ns
    finally:
        os.close(descriptor)


def too_large(size: int, most_bytes: int) -> str:
    """Why a file of this size is not read."""
    return f"it has {size >> 20} MiB, and {most_bytes >> 20} MiB are the most"
