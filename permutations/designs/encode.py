"""Conversion between a space and its abstract model: columns stand for factors, levels for values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.model import Group, Model
from permutations.designs.report import Combination, DesignError
from permutations.feasible.network import Network
from permutations.feasible.space import Space
from stripelab.settings import Setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MOST_ROWS = 2_000_000
"""Maximum feasible combinations of a set of factors that rules connect: they are a table in memory."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """A space as a model: ``names`` and ``values`` are the factors and values of its columns.

    Factors with the same value at every feasible point are not columns.
    """

    space: Space
    model: Model
    names: tuple[str, ...]
    values: tuple[tuple[Setting, ...], ...]
    constants: dict[str, Setting]

    def decode(self, rows: Ints) -> tuple[Combination, ...]:
        """Rows of levels as combinations, in order and without duplicates."""
        at = [self.names.index(factor.name) if factor.name in self.names else -1 for factor in self.space.factors]
        fixed = [self.constants.get(factor.name) for factor in self.space.factors]
        distinct: dict[Combination, None] = {}
        for row in rows.tolist():
            combination = tuple(
                self.values[place][row[place]] if place >= 0 else constant
                for place, constant in zip(at, fixed, strict=True)
            )
            distinct[combination] = None
        return tuple(distinct)

    def encode(self, combinations: tuple[Combination, ...]) -> Ints:
        """Feasible combinations as rows of levels."""
        at = [next(n for n, factor in enumerate(self.space.factors) if factor.name == name) for name in self.names]
        rows = [
            [values.index(point[place]) for place, values in zip(at, self.values, strict=True)]
            for point in combinations
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, len(self.names))

    @cached_property
    def applies(self) -> int:
        """Number of columns."""
        return len(self.names)


def encode(space: Space) -> Encoded:
    """The model of a space; raises :class:`DesignError` if a set of connected factors is too large for a table."""
    names: list[str] = []
    values: list[tuple[Setting, ...]] = []
    groups: list[Group] = []
    constants = dict(space.split.constants)
    for network in space.split.networks:
        columns, rows = _table(network)
        kept = []
        for name, column in zip(network.names, rows.T, strict=True):
            if len(columns[name]) == 1:
                constants[name] = columns[name][0]
                continue
            kept.append(column)
            names.append(name)
            values.append(columns[name])
        if kept:
            first = len(names) - len(kept)
            groups.append(Group(tuple(range(first, len(names))), np.unique(np.stack(kept, axis=1), axis=0)))
    model = Model(tuple(len(listed) for listed in values), tuple(groups))
    return Encoded(space, model, tuple(names), tuple(values), constants)


def _table(network: Network) -> tuple[dict[str, tuple[Setting, ...]], Ints]:
    """The values that each factor has in the feasible rows of a network, in file order, and these rows as levels."""
    used: dict[str, dict[Setting, int]] = {name: {} for name in network.names}
    levels = [used[name] for name in network.names]
    rows = [
        [level.setdefault(setting, len(level)) for level, setting in zip(levels, combination, strict=True)]
        for combination in islice(network.walk(), MOST_ROWS + 1)
    ]
    if len(rows) > MOST_ROWS:
        joined = ", ".join(network.names)
        raise DesignError(
            f"rules join {joined}, which have more than {MOST_ROWS} feasible combinations together: shorten a list",
        )
    columns: dict[str, tuple[Setting, ...]] = {}
    table = np.array(rows, dtype=np.int64)
    for place, variable in enumerate(network.variables):
        order = {setting: number for number, setting in enumerate(dict.fromkeys(variable.settings))}
        seen_values = used[variable.name]
        columns[variable.name] = tuple(sorted(seen_values, key=lambda setting, order=order: order[setting]))  # type: ignore[misc]
        level = {setting: number for number, setting in enumerate(columns[variable.name])}
        renamed = np.array([level[setting] for setting in seen_values], dtype=np.int64)
        table[:, place] = renamed[table[:, place]]
    return columns, table
