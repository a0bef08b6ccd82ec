"""Trials that a guarantee rests on: their raw data are its evidence, and are not dropped unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from results.errors import ResultsError
from results.store.files import MEDIUM_BYTES, Folder, parse_json, read_named


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
    found = [_read(path, partial(read_named, path)) for path in named]
    folder, seen = Folder(store), {each.path.resolve() for each in found}
    try:
        beside = folder.regular_names(suffix=".json")
    except OSError as error:
        raise ResultsError(f"cannot read the store {store}: {error.strerror}") from None
    for path in (store / name for name in beside):
        if path.resolve() not in seen:
            with suppress(ResultsError):
                found.append(_read(path, partial(folder.read, path.name)))
    return tuple(found)


def _read(path: Path, content: Callable[[int], bytes]) -> Referred:
    """Trials of a guarantee as ``stripelab guarantee --json`` printed it, granted or refused."""
    remedy = "Give what `stripelab guarantee STORE --json` printed."
    try:
        plain = parse_json(content(MEDIUM_BYTES))
        if not isinstance(plain["granted"], bool):
            raise TypeError  # noqa: TRY301 - the words are below
        return Referred(path, frozenset(str(run["trial_id"]) for run in plain["runs"]))
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}", remedy=remedy) from None
    except (ValueError, KeyError, TypeError):
        raise ResultsError(f"{path} is no guarantee", remedy=remedy) from None
