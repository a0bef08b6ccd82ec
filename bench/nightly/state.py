"""What a store remembers of its nights besides the trials: when each began, and what it came to.

``STORE/nights/DATE.json`` is the outcome of a night that is over, kept for ever; ``DATE.began`` is there from its first
moment to that.  Both are written whole or not at all, so a night that was killed is one that began and has no outcome:
the next call goes on with it.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from bench.errors import StoreError
from results.nightly.answer import LAST_NS, Nightly
from results.nightly.kept import FOLDER, outcome_of
from results.store.files import Folder

_BEGAN = ".began"
GOES_ON_S = 12 * 3600
"""A night that began no longer ago than this and has no outcome is gone on with, also after midnight."""


def name_of(store: Path, given: str | None) -> str:
    """Which night this is: the one that was asked for, else one that was interrupted, else today's (UTC).

    Raises:
        StoreError: what was asked for is no date.
    """
    if given is not None:
        try:
            return date.fromisoformat(given).isoformat()
        except ValueError:
            raise StoreError(f"{given!r} is no night", remedy="Give a date: --night 2026-11-24.") from None
    now_ns = time.time_ns()
    for name in reversed(_listed(store)):
        night = name.removesuffix(_BEGAN)
        if not _is_date(night) or not 0 <= now_ns - _began(store, night) < GOES_ON_S * 10**9:
            continue
        if outcome_of(store, night) is None:
            return night
    return datetime.fromtimestamp(now_ns / 1e9, UTC).date().isoformat()


def begin(store: Path, night: str) -> int:
    """Note that a night begins; returns when it did, nanoseconds of Unix time: earlier where it is gone on with."""
    folder = Folder(store)
    try:
        folder.make_folder(FOLDER)
        folder.clear_temporaries(FOLDER)
        if not folder.exists(_file(night, _BEGAN)):
            folder.replace(_file(night, _BEGAN), f"{time.time_ns()}\n".encode())
    except OSError as failure:
        raise StoreError(f"{failure.filename}: {failure.strerror}") from failure
    return _began(store, night)


def _file(night: str, suffix: str) -> str:
    return f"{FOLDER}/{night}{suffix}"


def _listed(store: Path) -> list[str]:
    """Names of the files that say when a night began."""
    try:
        return Folder(store).regular_names(FOLDER, _BEGAN)
    except OSError as failure:
        raise StoreError(f"{store / FOLDER}: {failure.strerror}") from failure


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


def _began(store: Path, night: str) -> int:
    """When a night began; 0 where nobody can say."""
    with suppress(OSError, ValueError):
        began_ns = int(Folder(store).read(_file(night, _BEGAN)))
        return began_ns if 0 <= began_ns <= LAST_NS else 0
    return 0


def keep(store: Path, night: Nightly) -> Path:
    """Write the outcome of a night down; returns where."""
    name = _file(night.night, ".json")
    Folder(store).replace(name, json.dumps(night.to_json(), ensure_ascii=False, indent=1).encode())
    ended(store, night.night)
    return store / name


def ended(store: Path, night: str) -> None:
    """Take away that a night began, which has its outcome: it may have been killed between the two."""
    with suppress(OSError):
        Folder(store).unlink(_file(night, _BEGAN))
