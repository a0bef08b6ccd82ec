"""What nights are compared with: pinned by name, and moved only on purpose, with a reason that is kept for ever.

``STORE/baselines.jsonl`` has a line for each baseline that was ever pinned; the last one counts, and none is ever
taken out.  Each line carries the digest of its content, and the content that of the line before: a line that was
changed, or one that is missing in the middle, is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from results.errors import ResultsError
from results.nightly.answer import LAST_NS
from results.store.files import MEDIUM_BYTES, Folder, parse_json

FILE = "baselines.jsonl"
FIRST = "first"
FEWEST_NIGHTS = 20
"""Nights that a first baseline takes unless told otherwise.

From n nights the spread is known to within a factor of about 1 +- 1.96 / sqrt(2 (n - 1)): 1 +- 0.32 for 20, 1 +- 0.18
for 60.  A screen that is off by that much costs confirmation runs and no false verdict, so the first verdicts need not
wait for two months; 60 nights are what the screen's constants are for.
"""


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A baseline: these nights, this sweep, this machine; ``previous`` is the digest of the line before it."""

    name: str
    set_at_ns: int
    reason: str
    nights: tuple[str, ...]
    sweep_text: str
    environment_id: str
    previous: str | None


def read_baselines(store: Path) -> tuple[Pinned, ...]:
    """Every baseline that was ever pinned, in the order of time; none where none was.

    Raises:
        ResultsError: the file cannot be read, or a line of it is not as it was written.
    """
    path = store / FILE
    try:
        lines = (Folder(store).read_there(FILE, MEDIUM_BYTES) or b"").decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path} cannot be read: {error}") from None
    found: list[Pinned] = []
    previous = None
    for number, line in enumerate(lines, start=1):
        pinned, digest = _parsed(path, number, line)
        if pinned.previous != previous:
            raise _changed(path, number)
        found.append(pinned)
        previous = digest
    return tuple(found)


def pin(store: Path, pinned: Sequence[Pinned], new: Pinned) -> None:
    """Add a baseline after those that are there; either the whole line is there afterwards, or nothing changed.

    Raises:
        ResultsError: the name is taken, there is no reason, no night, or the file cannot be written.
    """
    if any(each.name == new.name for each in pinned):
        raise ResultsError(
            f"a baseline called {new.name!r} was pinned before", remedy="Give another --name: none is ever replaced."
        )
    if not new.reason.strip():
        raise ResultsError("a baseline is pinned for a reason", remedy="Give it: --reason TEXT.")
    if not new.nights:
        raise ResultsError("a baseline needs a night", remedy="Run `stripelab nightly SWEEP --store STORE` first.")
    digests = [_digest(_body(each)) for each in pinned]
    chained = [*pinned, Pinned(**{**asdict(new), "previous": digests[-1] if digests else None})]
    text = "".join(f"{json.dumps({'digest': _digest(_body(each)), 'body': _body(each)})}\n" for each in chained)
    folder = Folder(store)
    folder.clear_temporaries(name=FILE)
    folder.replace(FILE, text.encode())


def _parsed(path: Path, number: int, line: str) -> tuple[Pinned, str]:
    try:
        whole = parse_json(line)
        body = {**whole["body"], "nights": tuple(whole["body"]["nights"])}
        pinned, digest = Pinned(**body), str(whole["digest"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _changed(path, number) from None
    if _digest(_body(pinned)) != digest or not _sound(pinned):
        raise _changed(path, number)
    return pinned, digest


def _sound(pinned: Pinned) -> bool:
    """Whether every field is what it is called."""
    words = (pinned.name, pinned.reason, pinned.sweep_text, pinned.environment_id, *pinned.nights)
    time_ns = pinned.set_at_ns
    return (
        all(isinstance(word, str) for word in words)
        and bool(pinned.nights)
        and isinstance(time_ns, int)
        and 0 <= time_ns <= LAST_NS
    )


def _changed(path: Path, number: int) -> ResultsError:
    return ResultsError(
        f"{path}, line {number} is not as it was written: baselines are never changed in silence",
        remedy="Put the file back from a copy, or move it away and pin a new baseline with a reason.",
    )


def _body(pinned: Pinned) -> dict[str, object]:
    return {**asdict(pinned), "nights": list(pinned.nights)}


def _digest(body: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
