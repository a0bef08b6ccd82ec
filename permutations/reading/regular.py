"""Read a file that the user named: regular and of bounded size, or the reason why it cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class UnreadableError(Exception):
    """A file that cannot or must not be read; the message completes "the file …"."""


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Content of a regular file of at most ``most_bytes``; raises :class:`UnreadableError` for anything else.

    It does not block on a FIFO and does not read devices such as ``/dev/zero`` or a disk.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableError("is not a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(most_bytes + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise UnreadableError("does not exist") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnreadableError(f"cannot be read: {reason}") from None
    if len(content) > most_bytes:
        raise UnreadableError(f"is larger than {most_bytes} bytes")
    return content
