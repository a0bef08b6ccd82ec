"""Covering arrays of a fixed number of rows, by tabu search for the tuples that are still missing.

After Nurmela 2004, Upper bounds for covering arrays by tabu search (Discrete Applied Mathematics
138, 143-152): a missing tuple is chosen at random, every row is changed to have it, and the
change that leaves the fewest tuples missing is made, unless it undoes a recent one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.stream import Stream
from permutations.designs.tuples import Tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

TENURE = 8
"""Maximum further steps for which a changed place is not changed again."""

_NEVER = 1 << 30


def repair(tuples: Tuples, rows: Ints, stream: Stream, steps: int, fixed: int = 0) -> tuple[Ints, int]:
    """``rows``, changed so that no tuple is missing, and the steps taken; the first ``fixed`` rows do not change.

    If ``steps`` do not suffice: the rows with the fewest missing tuples, and ``steps`` + 1.
    """
    search = _Search(tuples, rows, stream, fixed)
    for step in range(steps):
        if not search.missing:
            return search.rows, step
        search.step(step)
    return (search.rows, steps) if not search.missing else (search.best_rows, steps + 1)


class _Search:
    """The state of one search; rows are symbols."""

    def __init__(self, tuples: Tuples, rows: Ints, stream: Stream, fixed: int) -> None:
        self._tuples, self._model, self._stream, self._fixed = tuples, tuples.model, stream, fixed
        self.rows = rows.copy()
        self._counts = tuples.counts(self.rows)
        self.missing: list[int] = np.flatnonzero((self._counts == 0) & tuples.needed).tolist()
        self._place = {number: place for place, number in enumerate(self.missing)}
        self._until = np.zeros((len(rows), len(self._model.groups)), dtype=np.int64)
        self._fewest = len(self.missing)
        self.best_rows = self.rows.copy()

    def step(self, now: int) -> None:
        """Make the best change that gives some row a missing tuple."""
        number = self.missing[self._stream.below(len(self.missing))]
        symbols = self._by_group(self._tuples.symbols_of(number))
        groups = tuple(sorted(symbols))
        changed_rows, changed = self._changed(symbols, groups)
        sets = self._tuples.touching(groups)
        before, after = self._tuples.numbers(self.rows, sets), self._tuples.numbers(changed_rows, sets)
        lost = (self._counts[before] == 1) & (before != after)
        gained = self._counts[after] == 0
        missing = len(self.missing) + lost.sum(axis=1) - gained.sum(axis=1)
        recent = ((self._until[:, list(groups)] > now) & changed).any(axis=1)
        missing = np.where(recent & (missing >= self._fewest), _NEVER, missing)
        missing[: self._fixed] = _NEVER
        least = int(missing.min())
        if least == _NEVER:
            return
        ties = np.flatnonzero(missing == least)
        row = int(ties[self._stream.below(len(ties))])
        self._change(row, changed_rows[row], before[row], after[row])
        for place, group in enumerate(groups):
            if changed[row, place]:
                self._until[row, group] = now + 2 + self._stream.below(TENURE)

    def _by_group(self, symbols: list[int]) -> dict[int, list[int]]:
        by_group: dict[int, list[int]] = {}
        for symbol in symbols:
            by_group.setdefault(int(self._model.group_of[self._model.column_of[symbol]]), []).append(symbol)
        return by_group

    def _changed(self, symbols: dict[int, list[int]], groups: tuple[int, ...]) -> tuple[Ints, Flags]:
        """Every row with the symbols put in, and flags of the ``groups`` that this changes."""
        rows = self.rows.copy()
        changed = np.zeros((len(rows), len(groups)), dtype=np.bool_)
        for place, group in enumerate(groups):
            columns = list(self._model.groups[group].columns)
            if len(columns) == 1:
                (symbol,) = symbols[group]
                changed[:, place] = rows[:, columns[0]] != symbol
                rows[:, columns[0]] = symbol
                continue
            table = self._model.tables[group]
            agrees, has = np.ones(len(table), dtype=np.bool_), np.ones(len(rows), dtype=np.bool_)
            for symbol in symbols[group]:
                at = columns.index(int(self._model.column_of[symbol]))
                agrees &= table[:, at] == symbol
                has &= rows[:, columns[at]] == symbol
            choices = table[agrees]
            drawn = choices[self._stream.several(len(choices), len(rows))]
            rows[:, columns] = np.where(has[:, None], rows[:, columns], drawn)
            changed[:, place] = ~has
        return rows, changed

    def _change(self, row: int, symbols: Ints, before: Ints, after: Ints) -> None:
        """Put ``symbols`` into a row, and update the counts and the list of missing tuples."""
        differs = before != after
        self._counts[before[differs]] -= 1
        self._counts[after[differs]] += 1
        for number in before[differs][self._counts[before[differs]] == 0].tolist():
            self._place[number] = len(self.missing)
            self.missing.append(number)
        for number in after[differs][self._counts[after[differs]] == 1].tolist():
            place, last = self._place.pop(number), self.missing.pop()
            if last != number:
                self.missing[place] = last
                self._place[last] = place
        self.rows[row] = symbols
        if len(self.missing) < self._fewest:
            self._fewest = len(self.missing)
            self.best_rows = self.rows.copy()
