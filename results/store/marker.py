"""The file that makes a folder a store, with the version of its schema."""

from __future__ import annotations

import json
from pathlib import Path

from results.errors import ResultsError
from results.store import sealed
from results.store.schema import SCHEMA_VERSION

MARKER = "stripelab.json"


def write_marker(path: Path) -> None:
    """Make the folder ``path`` a store of this version, durably; raises ResultsError where it cannot be written."""
    sealed.replace_durable(path / MARKER, json.dumps({"schema": SCHEMA_VERSION}).encode() + b"\n")


def check_marker(path: Path) -> None:
    """Raise ResultsError unless ``path`` holds a store that this version can read."""
    try:
        marker = json.loads((path / MARKER).read_bytes())
        version = int(marker["schema"])
    except (FileNotFoundError, NotADirectoryError):
        raise ResultsError(
            f"{path} is no result store: it has no {MARKER}",
            remedy="Name the folder that was given to `stripelab run … --store`.",
        ) from None
    except OSError as error:
        raise ResultsError(f"cannot read {path / MARKER}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            f"{path / MARKER} does not say which schema the store has",
            remedy=f'Its content should be {{"schema": {SCHEMA_VERSION}}}; put that back.',
        ) from error
    check_version(path, version)


def check_version(path: Path, version: int) -> None:
    """Raise ResultsError on a schema that is newer than this program."""
    if version > SCHEMA_VERSION:
        raise ResultsError(
            f"{path} has schema {version}; this stripelab knows schemas up to {SCHEMA_VERSION}",
            remedy="Use the version of stripelab that wrote it, or a newer one.",
        )
