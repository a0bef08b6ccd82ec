"""Covering arrays: as few rows as possible with every feasible combination of any t columns.

The start is a greedy array, or an algebraic one if the columns allow; then rows are dropped one by one, and
tabu search restores the tuples that each of them leaves missing.  The budget is counted in steps and not in
seconds, so that a seed gives the same array on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs import algebra, starter
from permutations.designs.fields import order_for
from permutations.designs.greedy import greedy
from permutations.designs.model import Model
from permutations.designs.stream import Stream
from permutations.designs.tabu import repair
from permutations.designs.tuples import Tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MOST_TUPLES = 50_000_000
"""Maximum tuples of symbols that are counted, feasible or not: about 300 MiB."""

STEPS_BY_COLUMN = 300_000
"""Steps of tabu search for the last rows, divided by the number of columns, because they make a step slower."""

STEPS_BY_TUPLE = 30
"""Maximum steps for each tuple: a small model needs few."""

STARTER_STEPS = 3_200_000
"""Steps of the search for a cover starter, divided by the number of columns."""


class TooLargeError(ValueError):
    """A model with too many tuples to count."""


@dataclass(frozen=True, eq=False)
class Cover:
    """A covering array: ``rows`` by columns, as levels from 0.

    ``tuples`` is the number of feasible tuples, all of which it has; ``lower_bound`` is a lower bound of its
    number of rows; ``start`` names the construction that it was made from.
    """

    rows: Ints
    strength: int
    tuples: int
    lower_bound: int
    start: str


@dataclass(frozen=True)
class Effort:
    """Effort of the search: greedy arrays to start from, total steps of tabu search, and failed tries to drop a row."""

    starts: int = 4
    steps: int = 12_000
    tries: int = 2


def cover(
    model: Model, strength: int = 2, seed: int = 0, kept: Ints | None = None, effort: Effort | None = None
) -> Cover:
    """A covering array of ``model``; the rows of ``kept`` (as levels, feasible) come first and do not change.

    Raises :class:`TooLargeError` if the model has too many levels for the strength.
    """
    if model.symbols ** min(strength, len(model.levels)) > MOST_TUPLES:
        raise TooLargeError(f"{model.symbols} levels in all are too many for strength {strength}")
    return _Maker(model, strength, seed, kept, effort or Effort()).cover()


class _Maker:
    def __init__(self, model: Model, strength: int, seed: int, kept: Ints | None, effort: Effort) -> None:
        self._model, self._seed, self._effort = model, seed, effort
        self._tuples = Tuples(model, strength)
        self._stream = Stream(seed, "covering")
        self._kept = None if kept is None or not len(kept) else kept + model.offsets
        self._fixed = 0 if self._kept is None else len(self._kept)
        self._bound = max(self._tuples.lower_bound, self._fixed)

    def cover(self) -> Cover:
        rows, start = self._start()
        rows = self._reduce(rows)
        levels: Ints = rows - self._model.offsets
        return Cover(levels, self._tuples.strength, self._tuples.total, self._bound, start)

    def _start(self) -> tuple[Ints, str]:
        """The smallest start, and its name."""
        if (
            self._fixed == 0
            and self._tuples.strength == 2
            and set(self._model.levels) == {2}
            and self._model.unconstrained
        ):
            self._bound = len(algebra.binary(len(self._model.levels)))  # proven to be the smallest
            return algebra.binary(len(self._model.levels)) + self._model.offsets, "Kleitman-Spencer"
        arrays = [(greedy(self._tuples, self._stream, self._kept), "greedy") for _ in range(self._starts())]
        best = min(arrays, key=lambda entry: len(entry[0]))
        for array, name in self._constructions():
            if len(array) < len(best[0]):
                rows = self._complete(array, len(best[0]) - 1)
                best = best if rows is None else (rows, name)
        return best

    def _starts(self) -> int:
        """Number of greedy starts: fewer for a model whose greedy arrays take long."""
        return max(1, min(self._effort.starts, 4_000_000 // max(1, self._tuples.total * len(self._model.levels))))

    def _constructions(self) -> Iterator[tuple[Ints, str]]:
        """Arrays by algebra with their names, as levels; -1 stands for any level."""
        if not self._model.unconstrained or self._fixed or self._tuples.strength not in {2, 3}:
            return
        sorted_columns = np.argsort([-count for count in self._model.levels], kind="stable")
        for levels in sorted(set(self._model.levels), reverse=True):
            equal = sum(count == levels for count in self._model.levels)
            array = self._orthogonal(levels, equal)
            if array is not None:
                yield self._place(array, levels, sorted_columns), "orthogonal array, repeated"
        yield from self._cover_starters()

    def _orthogonal(self, levels: int, columns: int) -> Ints | None:
        if self._tuples.strength == 2:
            return algebra.binary(columns) if levels == 2 else algebra.repeat(levels, columns)
        order = order_for(max(levels, columns - 1))
        return None if order is None or order**3 > 3 * levels**3 else algebra.bush(order, 3)

    def _place(self, array: Ints, levels: int, sorted_columns: Ints) -> Ints:
        """The array's columns on the columns with ``levels`` levels and with the next fewer; the others stay open."""
        rows = max(len(array), self._bound)
        placed = np.full((rows, len(self._model.levels)), -1, dtype=np.int64)
        fitting = [column for column in sorted_columns.tolist() if self._model.levels[column] <= levels]
        for source, column in zip(array.T, fitting, strict=False):
            placed[: len(array), column] = np.where(source < self._model.levels[column], source, -1)
        return placed

    def _cover_starters(self) -> Iterator[tuple[Ints, str]]:
        """The array of a cover starter over all columns, with the largest number of levels."""
        columns, levels = len(self._model.levels), max(self._model.levels)
        if self._tuples.strength != 2 or levels < 4 or columns < 4 or min(self._model.levels) < levels // 2:
            return
        most = starter.most_fixed(columns, levels)
        for fixed in range(most, max(most - 2, -1), -1):
            row = starter.starter(columns, levels, fixed, self._stream, STARTER_STEPS // columns)
            if row is None:
                continue
            array = starter.develop(row, levels, fixed)
            if fixed:
                rest = cover(Model.free([fixed] * columns), 2, self._seed).rows + levels - fixed
                array = np.concatenate([array, rest])
            counts = np.array(self._model.levels)
            yield np.where(array < counts, array, -1), "cover starter"
            return

    def _complete(self, array: Ints, most: int) -> Ints | None:
        """The array with open places filled and no missing tuples; None if that takes more than ``most`` rows."""
        counts = np.array(self._model.levels, dtype=np.int64)
        rows = self._fill(array, counts)
        for _ in range(3):
            rows, used = repair(self._tuples, rows, self._stream, self._effort.steps // 4)
            if used <= self._effort.steps // 4:
                return rows
            if len(rows) >= most:
                return None
            rows = np.concatenate([rows, self._fill(np.full((1, len(counts)), -1, dtype=np.int64), counts)])
        return None

    def _fill(self, array: Ints, counts: Ints) -> Ints:
        """Levels as symbols, with random ones at the open places."""
        drawn = (self._stream.fractions(array.size).reshape(array.shape) * counts).astype(np.int64)
        filled: Ints = np.where(array < 0, drawn, array) + self._model.offsets
        return filled

    def _reduce(self, rows: Ints) -> Ints:
        """Drop rows as long as the other rows can take the missing tuples."""
        by_size = min(STEPS_BY_TUPLE * self._tuples.total, STEPS_BY_COLUMN // len(self._model.levels))
        steps, failures = min(self._effort.steps, by_size), 0
        while len(rows) > self._bound and steps > 0 and failures < self._effort.tries:
            budget = 1 + steps // (self._effort.tries - failures)
            dropped = self._least_useful(rows)
            fewer, used = repair(self._tuples, np.delete(rows, dropped, axis=0), self._stream, budget, self._fixed)
            steps -= used
            if used <= budget:
                rows, failures = fewer, 0
            else:
                failures += 1
        return rows

    def _least_useful(self, rows: Ints) -> int:
        """The row, except the fixed ones, with the fewest tuples that no other row has; a random one of ties."""
        unique = (self._tuples.counts(rows)[self._tuples.numbers(rows)] == 1).sum(axis=1)
        unique[: self._fixed] = unique.max() + 1
        ties = np.flatnonzero(unique == unique.min())
        return int(ties[self._stream.below(len(ties))])
