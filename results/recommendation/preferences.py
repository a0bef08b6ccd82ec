"""Which point of a tied set to take: preferences, not statistics, and said as such."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from results.recommendation.answer import JointPoint, RankedPoint
from stripelab.settings import complexity
from stripelab.units import capacity

_SAME_CAPACITY = 0.99
"""Capacities within 1 % are equal: md rounds the size of an array to whole chunks."""


Choosable = RankedPoint | JointPoint
Point = TypeVar("Point", RankedPoint, JointPoint)


def choose(tied: Sequence[Point], prefer: Sequence[str], called: str) -> tuple[Point, str]:
    """The point to take from the tied ones, which the reason calls ``called``, and why.

    A point with a single trial is taken only where there is no other.
    """
    if len(tied) == 1:
        return tied[0], f"there are no other {called}"
    left = [point for point in tied if point.trials > 1] or list(tied)
    reasons = []
    for word in prefer:
        ranks = classes(left, word)
        kept = [point for point, rank in zip(left, ranks, strict=True) if rank == 0]
        if len(kept) < len(left):
            reasons.append(_reason(word, kept[0]))
        left = kept
    chosen = min(left, key=lambda point: point.rank)
    if len(left) > 1:
        reasons.append("measured best among those equal in that" if reasons else "measured best")
    return chosen, f"among {len(tied)} {called} it {' and '.join(reasons)}"


def classes(points: Sequence[Choosable], word: str) -> list[int]:
    """Classes of points by one preference; 0 is the best, and points of a class are equal in it."""
    values = [_VALUE[word](point) for point in points]
    if word != "capacity":
        order = sorted(set(values))
        return [order.index(value) for value in values]
    found, largest, number = {}, math.inf, -1
    for value in sorted(set(values)):
        if number < 0 or -value[0] < _SAME_CAPACITY * largest:
            largest, number = -value[0], number + 1
        found[value] = number
    return [found[value] for value in values]


_VALUE: Mapping[str, Callable[[Choosable], tuple[int, ...]]] = {
    "redundancy": lambda point: (1 if point.disk_failures_survived is None else -point.disk_failures_survived,),
    "capacity": lambda point: (1 if point.usable_bytes is None else -point.usable_bytes,),
    "cost": lambda point: (point.settings["disks"] if isinstance(point.settings["disks"], int) else 1 << 30,),
    "simplicity": lambda point: complexity(point.settings),
}
"""What a preference looks at; the smallest is the best."""


def _reason(word: str, best: Choosable) -> str:
    if word == "redundancy":
        return f"survives the most disk failures ({best.disk_failures_survived})"
    if word == "capacity":
        return f"keeps the most usable capacity ({capacity(best.usable_bytes or 0)})"
    return f"needs the fewest disks ({best.settings['disks']})" if word == "cost" else "is the simplest to set up"
