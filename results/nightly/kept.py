"""The outcomes of nights that a store keeps: read only, wherever the files are.

``STORE/nights/DATE.json`` is the outcome of a night that is over, kept for ever.
"""

from __future__ import annotations

from pathlib import Path

from results.errors import ResultsError
from results.nightly.answer import Nightly, from_json
from results.store.files import MEDIUM_BYTES, Folder

FOLDER = "nights"
_SUFFIX = ".json"


def nights(store: Path) -> tuple[str, ...]:
    """Every night that is over, in the order of time; raises ResultsError where they cannot be listed."""
    try:
        names = Folder(store).regular_names(FOLDER, _SUFFIX)
    except OSError as error:
        raise ResultsError(f"{store / FOLDER} cannot be read: {error.strerror}") from None
    return tuple(name.removesuffix(_SUFFIX) for name in names if name != _SUFFIX)


def outcome_of(store: Path, night: str) -> Nightly | None:
    """The outcome of a night; None where it has none yet.

    Raises:
        ResultsError: the file cannot be read, or is no outcome.
    """
    path = store / FOLDER / f"{night}{_SUFFIX}"
    try:
        content = Folder(store).read_there(f"{FOLDER}/{night}{_SUFFIX}", MEDIUM_BYTES)
        return None if content is None else from_json(content)
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from None
    except ResultsError as error:
        raise ResultsError(f"{path}: {error.message}", remedy="Put the file back from a copy.") from None


def outcomes(store: Path) -> tuple[Nightly, ...]:
    """Outcomes of all nights, in the order of time.

    Raises:
        ResultsError: as :func:`outcome_of`.
    """
    found = (outcome_of(store, night) for night in nights(store))
    return tuple(night for night in found if night is not None)
