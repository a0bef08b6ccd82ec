"""The files of a store that count, with the digest of each; and a copy of just these."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from results.errors import ResultsError
from results.estimates.objective import JOB_FILES, SWEEP_FILE
from results.evidence.manifest import Entry
from results.nightly.baseline import FILE as BASELINES
from results.nightly.kept import FOLDER as NIGHTS
from results.store import sealed
from results.store.files import Folder, cannot_read, cannot_write
from results.store.folder import Store
from results.store.marker import MARKER
from results.store.schema import TABLES

PROTOCOL_FILE = "protocol"
_CHUNK_BYTES = 1 << 20


def store_entries(store: Store) -> list[Entry]:
    """The files of a store that count, with the digest of each, in the order of their paths."""
    return [digest(store.folder, name, role) for name, role in _files(store)]


def copy_store(store: Store, target: Path) -> list[Entry]:
    """Copy the files of a store that count; what is set aside, the journal and locks stay behind.

    Raises:
        ResultsError: a file changed meanwhile, is no regular file, or there is no room.
    """
    found = []
    copies, files = Folder(target), _files(store)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for folder in {name.rpartition("/")[0] for name, _ in files} - {""}:
            copies.make_folder(folder)
    except OSError as error:
        raise cannot_write(target, error) from error
    for name, role in files:
        try:
            found.append(_copy(store.folder, copies, name, role))
            if role in TABLES:
                sealed.digest(copies, name)
        except (sealed.DamagedFileError, FileNotFoundError) as error:
            raise ResultsError(
                f"{store.path / name} changed while it was copied", remedy="Run the same command again."
            ) from error
    return found


def _files(store: Store) -> list[tuple[str, str]]:
    """Names of the files of a store that count, with their roles; raises ResultsError where they cannot be listed."""
    try:
        return list(_listed(store))
    except OSError as error:
        raise cannot_read(store.path, error) from error


def _listed(store: Store) -> Iterator[tuple[str, str]]:
    """As :func:`_files`; raises OSError."""
    for name, role in ((PROTOCOL_FILE, "store"), (MARKER, "store"), (SWEEP_FILE, "sweep")):
        if store.folder.exists(name):
            yield name, role
    for name in store.folder.regular_names(JOB_FILES, ".fio"):
        yield f"{JOB_FILES}/{name}", "sweep"
    for table in TABLES:
        for name in store.names(table):
            yield name, table
    if store.folder.exists(BASELINES):
        yield BASELINES, "baseline"
    for name in store.folder.regular_names(NIGHTS, ".json"):
        yield f"{NIGHTS}/{name}", NIGHTS


def _copy(source: Folder, target: Folder, name: str, role: str) -> Entry:
    """What a file is, and a durable copy of just these bytes."""
    with _opened(source, name) as theirs:
        try:
            descriptor = target.update(name, os.O_WRONLY | os.O_EXCL)
            with os.fdopen(descriptor, "wb") as ours:
                entry = _hashed(theirs, name, role, ours)
                ours.flush()
                os.fsync(descriptor)
        except OSError as error:
            raise cannot_write(target.path / name, error) from error
    return entry


def digest(folder: Folder, name: str, role: str) -> Entry:
    """What a file is: SHA-256, size, role; raises ResultsError where it is no regular file."""
    with _opened(folder, name) as file:
        return _hashed(file, name, role)


def _opened(folder: Folder, name: str) -> BinaryIO:
    try:
        return folder.open(name)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ResultsError(f"cannot read {folder.path / name}: {error.strerror}") from error


def _hashed(file: BinaryIO, name: str, role: str, copy: BinaryIO | None = None) -> Entry:
    """What is read of a file, piece by piece; ``copy`` gets the same bytes."""
    found, size = hashlib.sha256(), 0
    while piece := file.read(_CHUNK_BYTES):
        found.update(piece)
        size += len(piece)
        if copy is not None:
            copy.write(piece)
    return Entry(found.hexdigest(), name, size, role)
