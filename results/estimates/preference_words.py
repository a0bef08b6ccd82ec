"""The words for preferences between points that are tied, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results.errors import ResultsError

PREFERENCES: Mapping[str, str] = {
    "redundancy": "more disk failures survived",
    "capacity": "more usable capacity",
    "cost": "fewer disks",
    "simplicity": "the simpler setup",
}
"""What may decide, in the order that holds where a sweep says nothing else."""


def check(prefer: Sequence[str]) -> tuple[str, ...]:
    """An order of preferences; the usual one where none is given.

    Raises:
        ResultsError: a word is not known, or there twice.
    """
    for word in prefer:
        if word not in PREFERENCES or list(prefer).count(word) > 1:
            raise ResultsError(
                f'"{word}" is no preference, or is there twice',
                remedy=f"Name each of these once at most, the first first: {', '.join(PREFERENCES)}.",
            )
    return tuple(prefer) or tuple(PREFERENCES)


def tie_rule(prefer: Sequence[str]) -> str:
    """The order in words."""
    return ", then ".join([*(PREFERENCES[word] for word in prefer), "the better figure"])
