"""The files of a store that count, with the digest of each; and a copy of just these."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from results.errors import ResultsError
from results.estimates.objective import SWEEP_FILE
from results.evidence.manifest import Entry
from results.nightly.baseline import FILE as BASELINES
from results.nightly.kept import FOLDER as NIGHTS
from results.store import sealed
from results.store.folder import Store
from results.store.marker import MARKER
from results.store.schema import TABLES

PROTOCOL_FILE = "protocol"
_CHUNK_BYTES = 1 << 20


def store_entries(store: Store) -> list[Entry]:
    """The files of a store that count, with the digest of each, in the order of their paths."""
    found = []
    for path, role in _files(store):
        sha256, size = digest(path)
        found.append(Entry(sha256, _inside(path, role), size, role))
    return found


def copy_store(store: Store, target: Path) -> list[Entry]:
    """Copy the files of a store that count; what is set aside, the journal and locks stay behind.

    Raises:
        ResultsError: a file changed meanwhile, or there is no room.
    """
    found = []
    for path, role in _files(store):
        inside = _inside(path, role)
        copy = target / inside
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            sha256, size = _copy(path, copy)
            found.append(Entry(sha256, inside, size, role))
            if role in TABLES:
                sealed.digest(copy)
        except (sealed.DamagedFileError, FileNotFoundError) as error:
            raise ResultsError(f"{path} changed while it was copied", remedy="Run the same command again.") from error
        except OSError as error:
            raise sealed.cannot_write(copy, error) from error
    return found


def _files(store: Store) -> Iterator[tuple[Path, str]]:
    """Files of a store that count, with their roles."""
    for name, role in ((PROTOCOL_FILE, "store"), (MARKER, "store"), (SWEEP_FILE, "sweep")):
        if (store.path / name).exists():
            yield store.path / name, role
    for table in TABLES:
        for path in store.files(table):
            yield path, table
    if (store.path / BASELINES).exists():
        yield store.path / BASELINES, "baseline"
    for path in sorted((store.path / NIGHTS).glob("*.json")):
        yield path, NIGHTS


def _inside(path: Path, role: str) -> str:
    """Where a file lies within the store."""
    return f"{path.parent.name}/{path.name}" if role in {*TABLES, NIGHTS} else path.name


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Digest and size of a file, and a durable copy of just these bytes."""
    found, size = hashlib.sha256(), 0
    with source.open("rb") as theirs, target.open("xb") as ours:
        while piece := theirs.read(_CHUNK_BYTES):
            found.update(piece)
            size += len(piece)
            ours.write(piece)
        ours.flush()
        os.fsync(ours.fileno())
    return found.hexdigest(), size


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
