"""Latin hypercubes: points spread evenly over the values of number factors.

McKay, Beckman and Conover 1979 (Technometrics 21, 239-245): the range of each factor is divided into as many
equal parts as there are points, and each part has one point; of several such designs the one whose nearest two
points are farthest apart is chosen (Johnson, Moore and Ylvisaker 1990, Journal of Statistical Planning and
Inference 26, 131-148).  Here a part is mapped to the nearest value of the sweep.  If rules connect
factors, each point goes to the feasible combination that is nearest and least used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.encode import Encoded, encode
from permutations.designs.report import Chosen, DesignError
from permutations.designs.spec import DesignSpec
from permutations.designs.stream import Stream
from permutations.factors import FACTORS
from permutations.feasible.space import Space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

TRIES = 60
BALANCE = 0.5
"""Weight of the uses of a value so far against its distance from the point in the hypercube."""


def latin_hypercube(space: Space, spec: DesignSpec, seed: int) -> Chosen:
    """``spec.size`` distinct points; raises :class:`DesignError` if no number varies or the size is too large."""
    encoded = encode(space)
    size = spec.size or 1
    numbers = [column for column, name in enumerate(encoded.names) if FACTORS[name].kind is int]
    if not numbers:
        raise DesignError('a Latin hypercube is for numbers, and none varies: choose design = "covering"')
    if size > encoded.model.feasible():
        raise DesignError(f"{size} points are too many: there are {encoded.model.feasible()} feasible ones", "size")
    stream = Stream(seed, "latin-hypercube")
    scale = _Scale(encoded)
    cubes = [_Cube(encoded, scale, size, stream).rows() for _ in range(TRIES)]
    spread = [scale.nearest(rows) for rows in cubes]
    best = int(np.argmax(np.round(spread, 9)))
    rows = _distinct(encoded, cubes[best], size, stream)
    named = ", ".join(encoded.names[column] for column in numbers)
    most = max(_uneven(encoded, rows, column) for column in range(len(encoded.names)))
    guarantees = (
        f"{size} points spread over {named}: each value about equally often, the nearest two points far apart",
        f"the most and the least used value of a factor differ by at most {most} points"
        + ("" if encoded.model.unconstrained else " (rules join factors, which keeps some values rarer)"),
    )
    return Chosen(encoded.decode(rows), guarantees, {"nearest": round(scale.nearest(rows), 4), "uneven": most})


class _Scale:
    """Positions of the levels from 0 to 1: numbers by their rank, words by their order in the file."""

    def __init__(self, encoded: Encoded) -> None:
        self._at: list[Floats] = []
        self.number: list[bool] = []
        for name, values in zip(encoded.names, encoded.values, strict=True):
            number = FACTORS[name].kind is int
            order = sorted(range(len(values)), key=lambda n: (values[n] is not None, values[n] if number else n))
            ranks = np.argsort(np.array(order))
            self._at.append((ranks + 0.5) / len(values))
            self.number.append(number)

    def places(self, rows: Ints, columns: list[int]) -> Floats:
        """Rows of levels of ``columns`` as numbers from 0 to 1."""
        return np.stack([self._at[column][rows[:, n]] for n, column in enumerate(columns)], axis=1)

    def nearest(self, rows: Ints) -> float:
        """The distance between the nearest two points: differing words count 1, numbers their difference."""
        columns = list(range(rows.shape[1]))
        places = self.places(rows, columns)
        gaps = np.zeros((len(rows), len(rows)))
        for column in columns:
            gap = np.abs(places[:, None, column] - places[None, :, column])
            gaps += gap if self.number[column] else (gap > 0)
        np.fill_diagonal(gaps, np.inf)
        return float(gaps.min()) if len(rows) > 1 else 0.0


class _Cube:
    """One Latin hypercube, mapped to the feasible rows."""

    def __init__(self, encoded: Encoded, scale: _Scale, size: int, stream: Stream) -> None:
        self._model, self._scale, self._size, self._stream = encoded.model, scale, size, stream

    def rows(self) -> Ints:
        rows = np.zeros((self._size, len(self._model.levels)), dtype=np.int64)
        for group in self._model.groups:
            columns = list(group.columns)
            rows[:, columns] = group.rows[self._rows_of(columns, group.rows)]
        return rows

    def _rows_of(self, columns: list[int], table: Ints) -> Ints:
        """The row of a group's table for each point: near its part of the ranges and little used."""
        targets = np.stack([(self._stream.shuffled(self._size) + 0.5) / self._size for _ in columns], axis=1)
        places = self._scale.places(table, columns)
        share = np.stack([np.bincount(column)[column] / len(column) for column in table.T], axis=1)
        used = [np.zeros(int(column.max()) + 1) for column in table.T]
        expected = [self._size / len(np.unique(column)) for column in table.T]
        chosen = np.zeros(self._size, dtype=np.int64)
        for point in self._stream.shuffled(self._size).tolist():
            cost = np.abs(places - targets[point]).sum(axis=1) + 1e-6 * share.sum(axis=1)
            for n in range(len(columns)) if len(columns) > 1 else ():
                cost = cost + BALANCE * used[n][table[:, n]] / expected[n]
            ties = np.flatnonzero(cost <= cost.min() + 1e-9)
            chosen[point] = ties[self._stream.below(len(ties))]
            for n in range(len(columns)):
                used[n][table[chosen[point], n]] += 1
        return chosen


def _distinct(encoded: Encoded, rows: Ints, size: int, stream: Stream) -> Ints:
    """``rows`` with each duplicate replaced by another feasible row."""
    distinct: dict[tuple[int, ...], None] = dict.fromkeys(map(tuple, rows.tolist()))
    groups = encoded.model.groups
    start = [stream.below(len(group.rows)) for group in groups]
    total = encoded.model.feasible()
    for step in range(total):
        if len(distinct) >= size:
            break
        row, rest = [0] * len(encoded.names), step
        for first, group in zip(start, groups, strict=True):
            rest, place = divmod(rest, len(group.rows))
            levels = group.rows[(place + first) % len(group.rows)].tolist()
            for column, level in zip(group.columns, levels, strict=True):
                row[column] = level
        distinct[tuple(row)] = None
    return np.array(list(distinct), dtype=np.int64)


def _uneven(encoded: Encoded, rows: Ints, column: int) -> int:
    """Difference in points between the most and the least used level of a column."""
    counts = np.bincount(rows[:, column], minlength=encoded.model.levels[column])
    return int(counts.max() - counts.min())
