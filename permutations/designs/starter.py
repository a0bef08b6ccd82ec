"""Covering arrays of strength 2 from a cover starter, for columns of many levels.

A cover starter is one row of k symbols.  Rotating it k times, and adding 1 to k·g copies of it
modulo g, gives k·g rows: g of the levels are cyclic, the other f = v - g are fixed.  The rows have
every pair except those of two fixed levels if, at each distance, the row has every difference
modulo g, and every fixed level both before and after a cyclic one.  So the search is for one row of
k symbols instead of an array.

Meagher and Stevens 2005, Group construction of covering arrays (Journal of Combinatorial Designs 13,
70-77); Lobb, Colbourn, Danziger, Stevens and Torres-Jimenez 2012, Cover starters for covering arrays of
strength two (Discrete Mathematics 312, 943-956).  The search is simulated annealing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.stream import Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

TEMPERATURE = 0.35
MOST_SHARE = 0.62
"""Maximum share of the k pairs at a distance that it needs for a starter to be likely."""


def most_fixed(columns: int, levels: int) -> int:
    """Maximum fixed levels for a starter to be likely; negative if none is."""
    return min(levels - 2, int(MOST_SHARE * columns) - levels)


def starter(columns: int, levels: int, fixed: int, stream: Stream, steps: int) -> list[int] | None:
    """A cover starter; None if ``steps`` do not find one.  Levels from ``levels - fixed`` are fixed."""
    search = _Search(columns, levels, fixed, stream)
    for _ in range(steps):
        if not search.missing:
            return search.row
        search.step()
    return search.row if not search.missing else None


def develop(row: list[int], levels: int, fixed: int) -> Ints:
    """The rows that a starter generates; they lack the pairs of two fixed levels."""
    cyclic = levels - fixed
    first = np.array(row, dtype=np.int64)
    rotated = np.stack([np.roll(first, shift) for shift in range(len(row))])
    rows = [np.where(rotated < cyclic, (rotated + shift) % cyclic, rotated) for shift in range(cyclic)]
    return np.concatenate(rows)


class _Search:
    """The state of the search: one row, and the counts of each kind of pair at each distance."""

    def __init__(self, columns: int, levels: int, fixed: int, stream: Stream) -> None:
        self._levels, self._fixed, self._cyclic = levels, fixed, levels - fixed
        self._distances = columns // 2
        self._stream = stream
        self.row: list[int] = stream.several(levels, columns).tolist()
        self._kind = [[self._kind_of(one, other) for other in range(levels)] for one in range(levels)]
        self._kinds = self._cyclic + 2 * fixed
        self._counts = [[0] * (self._kinds + 1) for _ in range(self._distances + 1)]
        self.missing = self._distances * self._kinds
        for place in range(columns):
            for distance in range(1, self._distances + 1):
                self._count(distance, self.row[place], self.row[(place + distance) % columns], 1)

    def _kind_of(self, one: int, other: int) -> int:
        """The difference of two cyclic levels, or a number for one fixed level; the last is for two fixed ones."""
        cyclic = self._cyclic
        if one < cyclic:
            return (other - one) % cyclic if other < cyclic else other
        return one + self._fixed if other < cyclic else cyclic + 2 * self._fixed

    def _count(self, distance: int, one: int, other: int, by: int) -> None:
        kind = self._kind[one][other]
        if kind == self._kinds:
            return
        counts = self._counts[distance]
        counts[kind] += by
        if counts[kind] == (1 if by > 0 else 0):
            self.missing -= by

    def _put(self, place: int, level: int) -> None:
        row, columns = self.row, len(self.row)
        for value, by in ((row[place], -1), (level, 1)):
            for distance in range(1, self._distances + 1):
                self._count(distance, value, row[(place + distance) % columns], by)
                self._count(distance, row[place - distance], value, by)
        row[place] = level

    def step(self) -> None:
        """Try one level at one place; sometimes a change for the worse is kept."""
        place, level = self._stream.below(len(self.row)), self._stream.below(self._levels)
        old, before = self.row[place], self.missing
        if level == old:
            return
        self._put(place, level)
        worse = self.missing - before
        if worse > 0 and self._stream.fraction() >= math.exp(-worse / TEMPERATURE):
            self._put(place, old)
