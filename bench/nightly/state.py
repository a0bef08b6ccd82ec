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
from results.nightly.answer import Nightly
from results.nightly.kept import FOLDER, outcome_of
from results.store import sealed

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
    for path in sorted((store / FOLDER).glob("*.began"), reverse=True):
        began_ns = _began(path)
        if outcome_of(store, path.stem) is None and 0 <= now_ns - began_ns < GOES_ON_S * 10**9:
            return path.stem
    return datetime.fromtimestamp(now_ns / 1e9, UTC).date().isoformat()


def begin(store: Path, night: str) -> int:
    """Note that a night begins; returns when it did, nanoseconds of Unix time: earlier where it is gone on with."""
    path = store / FOLDER / f"{night}.began"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        sealed.replace_durable(path, f"{time.time_ns()}\n".encode())
    return _began(path)


def _began(path: Path) -> int:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return 0


def keep(store: Path, night: Nightly) -> Path:
    """Write the outcome of a night down; returns where."""
    path = store / FOLDER / f"{night.night}.json"
    sealed.replace_durable(path, json.dumps(night.to_json(), ensure_ascii=False, indent=1).encode())
    ended(store, night.night)
    return path


def ended(store: Path, night: str) -> None:
    """Take away that a night began, which has its outcome: it may have been killed between the two."""
    with suppress(OSError):
        (store / FOLDER / f"{night}.began").unlink(missing_ok=True)
