"""The file that makes a folder a store, with the version of its schema."""

from __future__ import annotations

import json
from pathlib import Path

from results.errors import ResultsError
from results.store.files import Folder, parse_json
from results.store.schema import SCHEMA_VERSION

MARKER = "stripelab.json"
_REMEDY = f'Its content should be {{"schema": {SCHEMA_VERSION}}}; put that back.'


def write_marker(path: Path) -> None:
    """Make the folder ``path`` a store of this version, durably; raises ResultsError where it cannot be written."""
    Folder(path).replace(MARKER, json.dumps({"schema": SCHEMA_VERSION}).encode() + b"\n")


def is_store(path: Path) -> bool:
    """Whether something lies where the marker of a store does, be it one that cannot be read."""
    try:
        return Folder(path).exists(MARKER)
    except OSError:
        return False


def check_marker(path: Path) -> None:
    """Raise ResultsError unless ``path`` holds a store that this version can read."""
    try:
        marker = parse_json(Folder(path).read(MARKER))
    except (FileNotFoundError, NotADirectoryError):
        raise ResultsError(
            f"{path} is no result store: it has no {MARKER}",
            remedy="Name the folder that was given to `stripelab run … --store`.",
        ) from None
    except OSError as error:
        raise ResultsError(f"cannot read {path / MARKER}: {error.strerror}", remedy=_REMEDY) from error
    except ValueError:
        marker = None
    version = marker.get("schema") if isinstance(marker, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ResultsError(f"{path / MARKER} does not say which schema the store has", remedy=_REMEDY)
    check_version(path, version)


def check_version(path: Path, version: int) -> None:
    """Raise ResultsError on a schema that is newer than this program."""
    if version > SCHEMA_VERSION:
        raise ResultsError(
            f"{path} has schema {_shown(version)}; this stripelab knows schemas up to {SCHEMA_VERSION}",
            remedy="Use the version of stripelab that wrote it, or a newer one.",
        )


def _shown(version: int) -> str:
    """A number that may be absurdly long."""
    return str(version) if version < 10**9 else "far above any there is"
