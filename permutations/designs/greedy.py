"""Covering arrays built row by row: each row is the best of several candidates that are built group by group.

After the density and AETG algorithms (Cohen, Dalal, Fredman and Patton 1997, IEEE Transactions on
Software Engineering 23, 437-444; Bryce and Colbourn 2007, Software Testing, Verification and
Reliability 17, 159-182).  One candidate of each row has a given missing tuple, so that every
row covers something and the search ends.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.stream import Stream
from permutations.designs.tuples import Tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

CANDIDATES = 16
MOST_SYMBOLS = 2000
"""Maximum rows of a group's table that are compared for one choice; a larger table is sampled."""


def greedy(tuples: Tuples, stream: Stream, kept: Ints | None = None) -> Ints:
    """Rows, as symbols, with every feasible tuple; those of ``kept`` come first."""
    return _Greedy(tuples, stream).rows(kept)


class _Greedy:
    def __init__(self, tuples: Tuples, stream: Stream) -> None:
        self._tuples, self._model, self._stream = tuples, tuples.model, stream
        self._strength = tuples.strength
        shape = (self._model.symbols,) * self._strength
        flags = tuples.needed.reshape(shape)
        self._missing = np.zeros(shape, dtype=np.uint8)  # symmetric: a tuple counts in any order
        for axes in itertools.permutations(range(self._strength)):
            self._missing |= flags.transpose(axes)

    def rows(self, kept: Ints | None) -> Ints:
        chosen: list[Ints] = [] if kept is None else list(kept)
        for row in chosen:
            self._cover(row)
        open_numbers = np.flatnonzero(self._tuples.needed)
        while True:
            open_numbers = open_numbers[self._missing.ravel()[open_numbers] > 0]
            if not len(open_numbers):
                break
            around = int(open_numbers[self._stream.below(len(open_numbers))])
            row = self._row(self._tuples.symbols_of(around))
            self._cover(row)
            chosen.append(row)
        return np.array(chosen, dtype=np.int64).reshape(-1, len(self._model.levels))

    def _cover(self, row: Ints) -> None:
        self._missing[np.ix_(*[row] * self._strength)] = 0

    def _row(self, around: list[int]) -> Ints:
        """The best of the candidates, the last of which has the symbols ``around``."""
        columns = len(self._model.levels)
        rows = np.zeros((CANDIDATES, columns), dtype=np.int64)
        gains = np.zeros(CANDIDATES)
        near = np.zeros((CANDIDATES, self._model.symbols), dtype=np.int64)
        open_of = self._missing.reshape(self._model.symbols, -1).sum(axis=1, dtype=np.int64)
        bound: list[int] = []
        for step, group in enumerate(self._order(open_of)):
            table = self._choices(group, around)
            scores = self._scores(table, near, rows, bound)
            noise = self._stream.fractions(scores.size).reshape(scores.shape)
            # ties go to the symbol with the most missing tuples; the first choice is random, for variety
            rank = (
                scores + open_of[table].sum(axis=1) / (1.0 + 8 * open_of.sum()) + noise * (2.0 if step == 0 else 1e-3)
            )
            rank[-1, ~self._agrees(group, table, around)] = -np.inf
            best = rank.argmax(axis=1)
            gains += scores[np.arange(CANDIDATES), best]
            self._bind(rows, bound, near, table[best], list(self._model.groups[group].columns))
        winner: Ints = rows[int(gains.argmax())] if gains.max() > 0 else rows[-1]
        return winner

    def _order(self, open_of: Ints) -> list[int]:
        """The groups by missing tuples, the most first, with some noise."""
        weight = np.array([open_of[np.unique(table)].sum() for table in self._model.tables], dtype=np.float64)
        weight *= 0.8 + 0.4 * self._stream.fractions(len(weight))
        return [int(group) for group in np.argsort(-weight, kind="stable")]

    def _choices(self, group: int, around: list[int]) -> Ints:
        """Rows of a group's table, one of which agrees with the symbols ``around``."""
        table = self._model.tables[group]
        if len(table) <= MOST_SYMBOLS:
            return table
        agreeing = np.flatnonzero(self._agrees(group, table, around))
        one = agreeing[self._stream.below(len(agreeing))]
        chosen: Ints = table[np.append(self._stream.several(len(table), MOST_SYMBOLS), one)]
        return chosen

    def _agrees(self, group: int, table: Ints, around: list[int]) -> NDArray[np.bool_]:
        """Flags of the rows of the table that have those of the symbols ``around`` that belong to the group."""
        agrees = np.ones(len(table), dtype=np.bool_)
        columns = self._model.groups[group].columns
        for symbol in around:
            column = int(self._model.column_of[symbol])
            if column in columns:
                agrees &= table[:, columns.index(column)] == symbol
        return agrees

    def _scores(self, table: Ints, near: Ints, rows: Ints, bound: list[int]) -> NDArray[np.float64]:
        """Missing tuples that each candidate gains with each row of the table: candidates by rows."""
        gains: Ints = near[:, table].sum(axis=2)
        for pair in itertools.combinations(range(table.shape[1]), 2):
            inside = self._missing[table[:, pair[0]], table[:, pair[1]]]
            if self._strength == 2:
                gains += inside.astype(np.int64)
            elif bound:
                gains += inside[:, rows[:, bound]].sum(axis=2, dtype=np.int64).T
        if self._strength == 1:
            gains += self._missing[table[:, 0]]
        if self._strength == 3:
            for one, two, three in itertools.combinations(range(table.shape[1]), 3):
                gains += self._missing[table[:, one], table[:, two], table[:, three]].astype(np.int64)
        return gains.astype(np.float64)

    def _bind(self, rows: Ints, bound: list[int], near: Ints, chosen: Ints, columns: list[int]) -> None:
        """Bind columns and update ``near``: for each symbol, the missing tuples that it would complete."""
        for place, column in enumerate(columns):
            symbols = chosen[:, place]
            if self._strength == 2:
                near += self._missing[symbols]
            elif self._strength == 3:
                for other in bound:
                    near += self._missing[symbols, rows[:, other]]
            rows[:, column] = symbols
            bound.append(column)
