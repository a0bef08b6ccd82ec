"""The full factorial: every feasible combination."""

from __future__ import annotations

from itertools import islice

from permutations.point import DesignPoint
from permutations.space import LeftOut, Space

MAX_POINTS = 1_000_000
"""More points than this would be decades of measuring: a slip in the sweep, not a plan."""


class TooManyPointsError(ValueError):
    """A full factorial that nobody could run."""


def full(space: Space) -> tuple[tuple[DesignPoint, ...], tuple[LeftOut, ...]]:
    """The points in stack order, and what was left out; raises :class:`TooManyPointsError`."""
    walk = space.walk()
    points = tuple(DesignPoint(values, space.varied) for values in islice(walk, MAX_POINTS + 1))
    if len(points) > MAX_POINTS:
        raise TooManyPointsError(f"the full factorial has more than {MAX_POINTS} points")
    return points, walk.left_out()
