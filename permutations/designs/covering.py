"""Covering arrays: the fewest rows found that have every feasible combination of any t columns.

A start is built greedily, and by algebra where the columns allow; then rows are dropped one by one, and
what is missing after each is put back by tabu search.  The budget is counted in steps and not in
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
from permutations.designs.tabu import repaired
from permutations.designs.tuples import Tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MOST_TUPLES = 50_000_000
"""Tuples of symbols that are kept count of, feasible or not: about 300 MiB."""

STEPS_BY_COLUMN = 300_000
"""Steps of tabu search for the last rows, divided by the number of columns, since a step takes longer with many."""

STEPS_BY_TUPLE = 30
"""At most so many steps for each tuple: a small model is soon searched."""

STARTER_STEPS = 3_200_000
"""Steps of the search for a cover starter, divided by the number of columns."""


class TooLargeError(ValueError):
    """A model whose tuples are too many to be counted."""


@dataclass(frozen=True, eq=False)
class Cover:
    """A covering array: ``rows`` by columns, as levels from 0.

    ``tuples`` is how many feasible tuples there are, all of which it has; ``lower_bound`` is a size below
    which no array can be; ``start`` says what it was made from.
    """

    rows: Ints
    strength: int
    tuples: int
    lower_bound: int
    start: str


@dataclass(frozen=True)
class Effort:
    """How long to search: greedy arrays to start from, and steps of tabu search in all."""

    starts: int = 4
    steps: int = 12_000
    tries: int = 2


def cover(
    model: Model, strength: int = 2, seed: int = 0, kept: Ints | None = None, effort: Effort | None = None
) -> Cover:
    """A covering array of ``model``; the rows of ``kept`` (as levels, feasible) come first and stay as they are.

    Raises :class:`TooLargeError` where the model has too many levels for the strength.
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
        rows = self._reduced(rows)
        levels: Ints = rows - self._model.offsets
        return Cover(levels, self._tuples.strength, self._tuples.total, self._bound, start)

    def _start(self) -> tuple[Ints, str]:
        """The smallest of the starts."""
        if (
            self._fixed == 0
            and self._tuples.strength == 2
            and set(self._model.levels) == {2}
            and self._model.unconstrained
        ):
            self._bound = len(algebra.binary(len(self._model.levels)))  # it is known to be the smallest
            return algebra.binary(len(self._model.levels)) + self._model.offsets, "Kleitman-Spencer"
        found = [(greedy(self._tuples, self._stream, self._kept), "greedy") for _ in range(self._starts())]
        best = min(found, key=lambda entry: len(entry[0]))
        for array, name in self._constructed():
            if len(array) < len(best[0]):
                rows = self._completed(array, len(best[0]) - 1)
                best = best if rows is None else (rows, name)
        return best

    def _starts(self) -> int:
        """Fewer starts for a model whose greedy arrays take long."""
        return max(1, min(self._effort.starts, 4_000_000 // max(1, self._tuples.total * len(self._model.levels))))

    def _constructed(self) -> Iterator[tuple[Ints, str]]:
        """Arrays by algebra, as levels; -1 where any level will do."""
        if not self._model.unconstrained or self._fixed or self._tuples.strength not in {2, 3}:
            return
        sorted_columns = np.argsort([-count for count in self._model.levels], kind="stable")
        for levels in sorted(set(self._model.levels), reverse=True):
            equal = sum(count == levels for count in self._model.levels)
            array = self._orthogonal(levels, equal)
            if array is not None:
                yield self._placed(array, levels, sorted_columns), "orthogonal array, repeated"
        yield from self._started()

    def _orthogonal(self, levels: int, columns: int) -> Ints | None:
        if self._tuples.strength == 2:
            return algebra.binary(columns) if levels == 2 else algebra.repeated(levels, columns)
        order = order_for(max(levels, columns - 1))
        return None if order is None or order**3 > 3 * levels**3 else algebra.bush(order, 3)

    def _placed(self, array: Ints, levels: int, sorted_columns: Ints) -> Ints:
        """The array's columns on those of ``levels`` levels and the next fewer; other columns are open."""
        rows = max(len(array), self._bound)
        placed = np.full((rows, len(self._model.levels)), -1, dtype=np.int64)
        fitting = [column for column in sorted_columns.tolist() if self._model.levels[column] <= levels]
        for source, column in zip(array.T, fitting, strict=False):
            placed[: len(array), column] = np.where(source < self._model.levels[column], source, -1)
        return placed

    def _started(self) -> Iterator[tuple[Ints, str]]:
        """The array of a cover starter over as many columns as there are, with the most levels of any."""
        columns, levels = len(self._model.levels), max(self._model.levels)
        if self._tuples.strength != 2 or levels < 4 or columns < 4 or min(self._model.levels) < levels // 2:
            return
        most = starter.most_fixed(columns, levels)
        for fixed in range(most, max(most - 2, -1), -1):
            row = starter.starter(columns, levels, fixed, self._stream, STARTER_STEPS // columns)
            if row is None:
                continue
            array = starter.developed(row, levels, fixed)
            if fixed:
                rest = cover(Model.free([fixed] * columns), 2, self._seed).rows + levels - fixed
                array = np.concatenate([array, rest])
            counts = np.array(self._model.levels)
            yield np.where(array < counts, array, -1), "cover starter"
            return

    def _completed(self, array: Ints, most: int) -> Ints | None:
        """An array with its open places filled and its missing tuples found, in at most ``most`` rows."""
        counts = np.array(self._model.levels, dtype=np.int64)
        rows = self._filled(array, counts)
        for _ in range(3):
            rows, used = repaired(self._tuples, rows, self._stream, self._effort.steps // 4)
            if used <= self._effort.steps // 4:
                return rows
            if len(rows) >= most:
                return None
            rows = np.concatenate([rows, self._filled(np.full((1, len(counts)), -1, dtype=np.int64), counts)])
        return None

    def _filled(self, array: Ints, counts: Ints) -> Ints:
        """Levels as symbols, with random ones at the open places."""
        drawn = (self._stream.fractions(array.size).reshape(array.shape) * counts).astype(np.int64)
        filled: Ints = np.where(array < 0, drawn, array) + self._model.offsets
        return filled

    def _reduced(self, rows: Ints) -> Ints:
        """Drop rows while what is then missing can be put into the others."""
        by_size = min(STEPS_BY_TUPLE * self._tuples.total, STEPS_BY_COLUMN // len(self._model.levels))
        steps, failures = min(self._effort.steps, by_size), 0
        while len(rows) > self._bound and steps > 0 and failures < self._effort.tries:
            budget = 1 + steps // (self._effort.tries - failures)
            dropped = self._least(rows)
            fewer, used = repaired(self._tuples, np.delete(rows, dropped, axis=0), self._stream, budget, self._fixed)
            steps -= used
            if used <= budget:
                rows, failures = fewer, 0
            else:
                failures += 1
        return rows

    def _least(self, rows: Ints) -> int:
        """The row, not one of the fixed, that has the fewest tuples to itself; the ties are drawn."""
        alone = (self._tuples.counts(rows)[self._tuples.numbers(rows)] == 1).sum(axis=1)
        alone[: self._fixed] = alone.max() + 1
        ties = np.flatnonzero(alone == alone.min())
        return int(ties[self._stream.below(len(ties))])
