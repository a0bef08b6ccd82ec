"""An abstract model of a space: columns with numbered levels, in groups that constraints connect.

Columns of different groups are independent of each other; within a group exactly the listed rows
are feasible.  A column without constraints is a separate group.  So a model of a thousand columns does
not need enumeration, and still the feasible tuples are known exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Group:
    """Connected columns and their feasible rows: rows by columns, as levels from 0."""

    columns: tuple[int, ...]
    rows: Ints


@dataclass(frozen=True, eq=False)
class Model:
    """``levels`` is the number of levels of each column; every column is in one of ``groups``.

    A *symbol* is one level of one column, numbered through all columns: level ``a`` of column ``j``
    is symbol ``offsets[j] + a``.  Every level must be in some feasible row.
    """

    levels: tuple[int, ...]
    groups: tuple[Group, ...]

    @classmethod
    def free(cls, levels: Sequence[int]) -> Model:
        """A model without constraints."""
        return cls.of(levels, ())

    @classmethod
    def of(cls, levels: Sequence[int], groups: Iterable[Group]) -> Model:
        """A model with constrained ``groups``; each of the other columns is free."""
        constrained = tuple(groups)
        bound = set(itertools.chain.from_iterable(group.columns for group in constrained))
        single = (
            Group((column,), np.arange(count, dtype=np.int64)[:, None])
            for column, count in enumerate(levels)
            if column not in bound
        )
        return cls(tuple(levels), (*constrained, *single))

    @cached_property
    def offsets(self) -> Ints:
        """The first symbol of each column."""
        return np.concatenate([[0], np.cumsum(self.levels)])[:-1].astype(np.int64)

    @cached_property
    def symbols(self) -> int:
        """Number of symbols."""
        return sum(self.levels)

    @cached_property
    def column_of(self) -> Ints:
        """The column of each symbol."""
        return np.repeat(np.arange(len(self.levels)), self.levels).astype(np.int64)

    @cached_property
    def group_of(self) -> Ints:
        """The group of each column."""
        numbers = np.zeros(len(self.levels), dtype=np.int64)
        for number, group in enumerate(self.groups):
            numbers[list(group.columns)] = number
        return numbers

    @cached_property
    def tables(self) -> tuple[Ints, ...]:
        """The feasible rows of each group, as symbols."""
        return tuple(group.rows + self.offsets[list(group.columns)] for group in self.groups)

    @property
    def unconstrained(self) -> bool:
        """Whether every column is free."""
        return all(len(group.columns) == 1 for group in self.groups)

    def feasible(self) -> int:
        """Number of feasible rows."""
        total = 1
        for group in self.groups:
            total *= len(group.rows)
        return total
