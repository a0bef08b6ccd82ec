"""Making a folder of evidence: the store's files that count, the documents made of just these, the manifest.

The data are copied, since a store goes on: the next trial may merge its files into a bundle, and a manifest
of files that are gone proves nothing.  The documents are made of the copy, so they speak of what was hashed,
and anyone who has the folder can make them again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from results import sealed
from results.errors import ResultsError
from results.evidence.manifest import FORMAT, MANIFEST, VERSION, Entry, Manifest, encode
from results.nightly.baseline import FILE as BASELINES
from results.nightly.kept import FOLDER as NIGHTS
from results.objective import SWEEP_FILE
from results.schema import TABLES
from results.store import MARKER, Store
from results.units import date

if TYPE_CHECKING:
    from results.guarantee import Guarantee, Question

DATA = "store"
PROTOCOL_FILE = "protocol"
CONTRACT = "guarantee.txt"
_LIBRARIES = ("numpy", "scipy", "pyarrow", "matplotlib", "weasyprint")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Asked:
    """What evidence was asked for; ``command`` and ``version`` are those of the program that asks."""

    command: str
    version: str
    question: Question
    margin_pct: float | None = None
    pdf: bool = True


@dataclass(frozen=True)
class Prepared:
    """What was made: the manifest, and the guarantee that the documents state or refuse (None: it has no answer)."""

    manifest: Manifest
    guarantee: Guarantee | None


@contextlib.contextmanager
def publishing(target: Path) -> Iterator[Path]:
    """A folder beside ``target`` to fill, which becomes ``target`` at the end, whole, or vanishes.

    Raises:
        ResultsError: there is something at ``target`` already, or it cannot be written there.
    """
    if target.exists() or target.is_symlink():
        raise ResultsError(f"{target} is there already", remedy="Name a folder that is not there yet.")
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        yield temporary
        temporary.rename(target)
        sealed.sync_folder(target.absolute().parent)
    except OSError as error:
        raise sealed.cannot_write(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def prepare(store_path: Path, folder: Path, asked: Asked) -> Prepared:
    """Fill ``folder`` with everything but the signature.

    Raises:
        ResultsError: the store cannot be judged, or the folder cannot be written.
    """
    from results.query import load
    from results.report import document, save

    source = load(store_path)
    copied = copy_store(source.store, folder / DATA)
    entries = [Entry(each.sha256, f"{DATA}/{each.path}", each.bytes, each.role) for each in copied]
    made = document(load(folder / DATA), asked.margin_pct, asked.question, name=DATA, evidence=copied)
    for suffix in (".html", ".pdf") if asked.pdf else (".html",):
        save(made, folder / f"report{suffix}")
        entries.append(_entry(folder, f"report{suffix}", "report"))
    guarantee = made.guarantee
    if guarantee is not None and guarantee.holds:
        from results.guarantee import contract

        sealed.write_durable(folder / CONTRACT, contract(guarantee).encode())
        entries.append(_entry(folder, CONTRACT, "guarantee"))
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        sweep=made.recommendation.sweep,
        date=date(made.recommendation.last_trial_ns),
        stripelab_version=asked.version,
        made_with=_made_with(),
        command=asked.command,
        statement=guarantee.statement if guarantee else None,
        watermark=guarantee.watermark if guarantee else None,
        files=tuple(sorted(entries, key=lambda each: each.path)),
    )
    sealed.write_durable(folder / MANIFEST, encode(manifest))
    return Prepared(manifest, guarantee)


def store_entries(store: Store) -> list[Entry]:
    """The files of a store that count, with the digest of each, in the order of their paths."""
    found = []
    for path, role in _files(store):
        sha256, size = _digest(path)
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


def _entry(folder: Path, name: str, role: str) -> Entry:
    sha256, size = _digest(folder / name)
    return Entry(sha256, name, size, role)


def _digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _made_with() -> tuple[str, ...]:
    """Versions of what the documents were made with: the same ones make the same bytes again."""
    import platform

    found = [f"python {platform.python_version()}"]
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return tuple(found)
