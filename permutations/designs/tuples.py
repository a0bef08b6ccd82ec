"""The t-tuples of symbols that a covering array needs, and their counts in it.

A tuple of symbols s1 < … < st is the number s1·V^(t-1) + … + st, with V symbols in all.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


class Tuples:
    """The feasible tuples of a model at a strength; ``needed`` is a flag for each tuple number."""

    def __init__(self, model: Model, strength: int) -> None:
        self.model = model
        self.strength = min(strength, len(model.levels))
        self.columns = np.array(
            list(itertools.combinations(range(len(model.levels)), self.strength)), dtype=np.int64
        ).reshape(-1, self.strength)
        self.powers = np.array([model.symbols**power for power in reversed(range(self.strength))], dtype=np.int64)
        self._touching: dict[tuple[int, ...], Ints] = {}

    @cached_property
    def needed(self) -> NDArray[np.bool_]:
        """Whether each tuple is feasible."""
        flags = np.zeros(self.model.symbols**self.strength, dtype=np.bool_)
        within: dict[tuple[int, ...], Ints] = {}
        for columns in self.columns.tolist():
            numbers = np.zeros(1, dtype=np.int64)
            for group, chosen in itertools.groupby(
                sorted(range(self.strength), key=lambda n: self.model.group_of[columns[n]]),
                key=lambda n: int(self.model.group_of[columns[n]]),
            ):
                places = list(chosen)
                group_columns = tuple(columns[place] for place in places)
                if group_columns not in within:
                    within[group_columns] = self._rows(group, group_columns)
                part = within[group_columns] @ self.powers[places]
                numbers = (numbers[:, None] + part[None, :]).ravel()
            flags[numbers] = True
        return flags

    def _rows(self, group: int, columns: tuple[int, ...]) -> Ints:
        """The distinct rows of a group's table in some of its columns, as symbols."""
        at = [self.model.groups[group].columns.index(column) for column in columns]
        return np.unique(self.model.tables[group][:, at], axis=0)

    @cached_property
    def total(self) -> int:
        """Number of feasible tuples."""
        return int(self.needed.sum())

    @cached_property
    def lower_bound(self) -> int:
        """Lower bound of the rows: the most feasible tuples of one set of columns, of which a row has one."""
        first = np.flatnonzero(self.needed)
        sets = np.zeros(len(first), dtype=np.int64)
        rest = first
        for power in self.powers:
            sets = sets * len(self.model.levels) + self.model.column_of[rest // power]
            rest = rest % power
        return int(np.unique(sets, return_counts=True)[1].max(initial=0))

    def numbers(self, rows: Ints, columns: Ints | None = None) -> Ints:
        """The tuple numbers of each of ``rows`` (rows by columns, as symbols): rows by sets of columns."""
        sets = self.columns if columns is None else columns
        numbers: Ints = rows[:, sets[:, 0]] * self.powers[0]
        for place in range(1, self.strength):
            numbers = numbers + rows[:, sets[:, place]] * self.powers[place]
        return numbers

    def counts(self, rows: Ints) -> NDArray[np.int32]:
        """Count of each tuple in ``rows``."""
        return np.bincount(self.numbers(rows).ravel(), minlength=len(self.needed)).astype(np.int32)

    def touching(self, groups: tuple[int, ...]) -> Ints:
        """The sets of columns that have a column of one of ``groups``."""
        if groups not in self._touching:
            inside = np.isin(self.model.group_of[self.columns], groups).any(axis=1)
            self._touching[groups] = self.columns[inside]
        return self._touching[groups]

    def symbols_of(self, number: int) -> list[int]:
        """The symbols of a tuple."""
        symbols = []
        for power in self.powers.tolist():
            symbols.append(number // power)
            number %= power
        return symbols
