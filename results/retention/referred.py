"""Trials that a guarantee rests on: their raw data are its evidence, and are not dropped unasked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from results.errors import ResultsError

MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Referred:
    """A guarantee's file, and the trials that it counts."""

    path: Path
    trial_ids: frozenset[str]


def referred(store: Path, named: Iterable[Path]) -> tuple[Referred, ...]:
    """What the named files and those JSON files beside the tables that hold a guarantee count.

    Raises:
        ResultsError: a file that was named is no guarantee.
    """
    found = [_read(path) for path in named]
    seen = {each.path.resolve() for each in found}
    for path in sorted(store.glob("*.json")):
        if path.resolve() not in seen:
            with suppress(ResultsError):
                found.append(_read(path))
    return tuple(found)


def _read(path: Path) -> Referred:
    """Trials of a guarantee as ``stripelab guarantee --json`` printed it, granted or refused."""
    remedy = "Give what `stripelab guarantee STORE --json` printed."
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ResultsError(f"{path} is too large for a guarantee", remedy=remedy)
        plain = json.loads(path.read_bytes())
        if not isinstance(plain["granted"], bool):
            raise TypeError  # noqa: TRY301 - the words are below
        return Referred(path, frozenset(str(run["trial_id"]) for run in plain["runs"]))
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}", remedy=remedy) from None
    except (ValueError, KeyError, TypeError):
        raise ResultsError(f"{path} is no guarantee", remedy=remedy) from None
