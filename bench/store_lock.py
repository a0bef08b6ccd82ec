"""The lock of a store: one process writes to it at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BusyError, StoreError
from bench.ownership import ROOT, refuse_foreign
from results.store.files import Folder

LOCK_FILE = ".lock"


def make_folder(path: Path, trusted_uids: Collection[int] = (ROOT,)) -> None:
    """Make the folder of a store where there is none; root makes nothing where another user's link leads.

    Raises:
        OSError: it cannot be made.
        StoreError: it must not be by root.
    """
    if not path.exists():
        refuse_foreign(path, trusted_uids)
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    refuse_foreign(path, trusted_uids)


@contextmanager
def locked(
    path: Path,
    name: str = LOCK_FILE,
    busy: str = "another run is writing this store",
    trusted_uids: Collection[int] = (ROOT,),
) -> Iterator[None]:
    """The store, locked against a second run; a lock of the kernel's, which dies with its holder.

    Every verb that writes to a store begins here, so here root refuses one that other users may write.

    Raises:
        BusyError: another process holds it.
        StoreError: the folder cannot be written, or must not be by root.
    """
    try:
        make_folder(path, trusted_uids)
        descriptor = Folder(path).update(name, os.O_RDWR)
    except OSError as failure:
        raise StoreError(f"{path / name}: {failure.strerror}") from failure
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BusyError(f"{path}: {busy}") from None
    try:
        yield
    finally:
        os.close(descriptor)
