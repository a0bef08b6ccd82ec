"""The lock of a store: one process writes to it at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BusyError, StoreError

LOCK_FILE = ".lock"


@contextmanager
def locked(path: Path, name: str = LOCK_FILE, busy: str = "another run is writing this store") -> Iterator[None]:
    """The store, locked against a second run; a lock of the kernel's, which dies with its holder."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as failure:
        raise StoreError(f"{failure.filename}: {failure.strerror}") from failure
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BusyError(f"{path}: {busy}") from None
    try:
        yield
    finally:
        os.close(descriptor)
