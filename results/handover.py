"""Making a folder of evidence: the store's files that count, the documents made of just these, the manifest.

The data are copied, since a store goes on: the next trial may merge its files into a bundle, and a manifest
of files that are gone proves nothing.  The documents are made of the copy, so they speak of what was hashed,
and anyone who has the folder can make them again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.evidence.files import copy_store, digest
from results.evidence.manifest import FORMAT, MANIFEST, VERSION, Entry, Manifest, encode
from results.outfile import refuse_store
from results.store.files import Folder, cannot_write
from stripelab.units import date

if TYPE_CHECKING:
    from results.guarantee import Guarantee, Question
    from results.recommendation.recommend import Wishes

DATA = "store"
CONTRACT = "guarantee.txt"
_LIBRARIES = ("numpy", "scipy", "pyarrow", "matplotlib", "weasyprint")


@dataclass(frozen=True)
class Asked:
    """What evidence was asked for; ``command`` and ``version`` are those of the program that asks."""

    command: str
    version: str
    question: Question
    margin_pct: float | None = None
    wishes: Wishes | None = None
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
        ResultsError: there is something at ``target`` already, it lies in a store, or it cannot be written there.
    """
    refuse_store(target)
    if os.path.lexists(target):
        raise ResultsError(f"{target} is there already", remedy="Name a folder that is not there yet.")
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        yield temporary
        temporary.rename(target)
        Folder(target.absolute().parent).sync()
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def prepare(store_path: Path, folder: Path, asked: Asked) -> Prepared:
    """Fill ``folder`` with everything but the signature.

    Raises:
        ResultsError: the store cannot be judged, or the folder cannot be written.
    """
    from results.report import document, save
    from results.store.query import load

    source, files = load(store_path), Folder(folder)
    copied = copy_store(source.store, folder / DATA)
    entries = [Entry(each.sha256, f"{DATA}/{each.path}", each.bytes, each.role) for each in copied]
    made = document(
        load(folder / DATA), asked.margin_pct, asked.question, wishes=asked.wishes, name=DATA, evidence=copied
    )
    for suffix in (".html", ".pdf") if asked.pdf else (".html",):
        save(made, folder / f"report{suffix}")
        entries.append(digest(files, f"report{suffix}", "report"))
        if suffix == ".pdf":
            entries.append(digest(files, f"report{suffix}.sha256", "report"))
    guarantee = made.guarantee
    if guarantee is not None and guarantee.holds:
        from results.guarantee import contract

        files.create(CONTRACT, contract(guarantee).encode())
        entries.append(digest(files, CONTRACT, "guarantee"))
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
    files.create(MANIFEST, encode(manifest))
    return Prepared(manifest, guarantee)


def _made_with() -> tuple[str, ...]:
    """Versions of what the documents were made with: the same ones make the same bytes again."""
    import platform

    found = [f"python {platform.python_version()}"]
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return tuple(found)
