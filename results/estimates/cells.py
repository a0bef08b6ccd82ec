"""Means by two factors, like for like: the other factors at their average in every cell.

A plain mean over the points of a cell mixes in what else those points have (a RAID level that was run with one layout
only).  Here a cell is a coefficient of a linear model with the other factors beside it: a least-squares mean (Searle,
Speed and Milliken, American Statistician 34, 1980).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from results.estimates.coding import Coding, coding, estimable, null_rows
from results.estimates.estimate import Fit, t_interval
from results.estimates.factor_model import solved
from results.statistics.bases import beyond, indicator, span
from stripelab.settings import Setting, ordered

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """Geometric mean of the figure with these two values, the other factors at their average.

    ``points`` were measured in it.  ``adjusted`` is False where the other factors cannot be separated from it: then
    ``value`` is the plain mean of the points.  ``low`` to ``high`` is its 95 % interval; None without a model.
    """

    row: Setting
    column: Setting
    value: float
    points: int
    adjusted: bool = True
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Interaction:
    """Means by two factors, for a heat map; combinations without a cell were not measured."""

    row_factor: str
    column_factor: str
    rows: tuple[Setting, ...]
    columns: tuple[Setting, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, eq=False)
class CellWeights:
    """Weights of the points in the mean of each cell, (cells, points); whether the other factors are taken out."""

    keys: tuple[tuple[Setting, Setting], ...]
    weights: Floats
    adjusted: tuple[bool, ...]
    nulls: Floats

    def comparable(self, one: int, other: int) -> bool:
        """Whether the difference between two cells is like for like."""
        import numpy as np

        step = np.zeros(len(self.nulls))
        step[[one, other]] = -1.0, 1.0
        return estimable(step, self.nulls)


def cell_weights(coded: Coding, row_factor: str, column_factor: str, model: Fit | None) -> CellWeights:
    """Weights of the cells of two factors; without a model all points count alike."""
    import numpy as np

    pairs = [(row[row_factor], row[column_factor]) for row in coded.rows]
    keys = tuple(dict.fromkeys(pairs))
    cells = indicator(pairs)
    others = coded.matrix(leave_out=(row_factor, column_factor))[:, 1:]
    matrix = np.hstack([cells, _full_rank(others, cells)])
    nulls = null_rows(matrix)
    weights = solved(model, matrix) if model is not None else np.linalg.pinv(matrix, rcond=1e-8)
    found = np.array(weights[: len(keys)])
    places = np.eye(matrix.shape[1])
    adjusted = tuple(estimable(places[place], nulls) for place in range(len(keys)))
    for place, whole in enumerate(adjusted):
        if not whole:
            found[place] = cells[:, place] / cells[:, place].sum()
    return CellWeights(keys, found, adjusted, nulls)


def _full_rank(columns: Floats, cells: Floats) -> Floats:
    """The columns but those that vary not at all beside the cells, which would only blur what they mean."""
    import numpy as np

    if columns.shape[1] == 0:
        return columns
    left = columns - span(cells) @ (span(cells).T @ columns)
    return (
        columns[:, np.sqrt((left**2).sum(axis=0)) > 1e-9] if beyond(columns, span(cells)).shape[1] else columns[:, :0]
    )


def interactions(model: Fit, settings: Mapping[str, Mapping[str, Setting]]) -> tuple[Interaction, ...]:
    """Means by each pair of factors that vary."""
    coded = coding([settings[point] for point in model.points])
    return tuple(cell_means(coded, one, other, model.log_means, model) for one, other in combinations(coded.names, 2))


def cell_means(coded: Coding, row_factor: str, column_factor: str, logs: Floats, model: Fit | None) -> Interaction:
    """Means by two factors from the log figures of points, in the order of ``coded``."""
    import numpy as np

    found = cell_weights(coded, row_factor, column_factor, model)
    counts: dict[tuple[Setting, Setting], int] = {}
    for row in coded.rows:
        key = (row[row_factor], row[column_factor])
        counts[key] = counts.get(key, 0) + 1
    cells = {}
    for key, weights, adjusted in zip(found.keys, found.weights, found.adjusted, strict=True):
        low, high = (None, None) if model is None else map(float, np.exp(t_interval(model, weights)[1:]))
        cells[key] = Cell(*key, float(np.exp(weights @ logs)), counts[key], adjusted, low, high)
    rows = ordered(row_factor, (row for row, _ in cells))
    columns = ordered(column_factor, (column for _, column in cells))
    listed = tuple(cells[row, column] for row in rows for column in columns if (row, column) in cells)
    return Interaction(row_factor, column_factor, tuple(rows), tuple(columns), listed)


def unmeasured(table: Interaction) -> Sequence[tuple[Setting, Setting]]:
    """Combinations of values, (row, column), that have no cell."""
    there = {(cell.row, cell.column) for cell in table.cells}
    return [(row, column) for row in table.rows for column in table.columns if (row, column) not in there]
