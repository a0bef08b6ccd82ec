"""Preferences between points that are statistically tied, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PREFERENCES: Mapping[str, str] = {
    "redundancy": "more disk failures survived",
    "capacity": "more usable capacity",
    "cost": "fewer disks",
    "simplicity": "the simpler setup",
}
"""Preferences with what each of them means, in the order that applies by default."""


def problem(prefer: Sequence[str]) -> str | None:
    """What is wrong with an order of preferences; None where nothing is."""
    for word in prefer:
        if word not in PREFERENCES:
            return f'"{word}" is not a preference'
        if list(prefer).count(word) > 1:
            return f'"{word}" is given twice'
    return None


def tie_rule(prefer: Sequence[str]) -> str:
    """The order in words."""
    return ", then ".join([*(PREFERENCES[word] for word in prefer), "the better figure"])
