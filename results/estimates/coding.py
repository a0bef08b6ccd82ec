"""Columns of the factors in a linear model of any design, and which values the design can compare.

A factor has columns that add up to zero over its values, so that the effect of another factor is one at their
average.  Where it does not apply (a mirror has no chunk) its columns are zero: a mirror is compared with the average
over the chunks of a striped array.  Values that no comparison connects, given the factors before it, form groups of
their own (a layout that only one RAID level has); differences between groups belong to the factor before.
(Searle, Linear Models, 1971, ch. 5, on functions that are estimable.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from results.estimates.settings import varied
from results.statistics.bases import beyond, indicator, span
from stripelab.settings import Setting, ordered

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_TOLERANCE = 1e-9
"""Below this squared sine a direction is rounding."""


@dataclass(frozen=True, eq=False)
class FactorCode:
    """A factor's values, the ``codes`` of each (values, columns), and which can be compared.

    ``groups`` has a number per value: values of one group can be compared.  ``separable`` is the same with every other
    factor of any values left in the model: what is in one group here is confounded with no factor.
    """

    name: str
    levels: tuple[Setting, ...]
    codes: Floats
    groups: tuple[int, ...]
    separable: tuple[int, ...]
    confounders: Mapping[tuple[int, int], tuple[str, ...]]

    @property
    def comparable(self) -> list[tuple[int, int]]:
        """Places of each two values that can be compared; none where every one is confounded with a factor."""
        places = range(len(self.levels))
        found = [(one, other) for one, other in combinations(places, 2) if self.groups[one] == self.groups[other]]
        return found if any(self.separable[one] == self.separable[other] for one, other in found) else []

    @property
    def confounded_with(self) -> tuple[str, ...]:
        """Factors that some of its values cannot be separated from."""
        return tuple(dict.fromkeys(name for names in self.confounders.values() for name in names))


@dataclass(frozen=True, eq=False)
class Coding:
    """The columns of all factors at each point: (points, columns) each, ``rest`` what else the factors span."""

    rows: tuple[Mapping[str, Setting], ...]
    factors: tuple[FactorCode, ...]
    columns: Mapping[str, Floats]
    rest: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The factors that vary, in the order of the stack."""
        return tuple(factor.name for factor in self.factors)

    def matrix(self, leave_out: Sequence[str] = ()) -> Floats:
        """A column of ones, then the columns of the factors, then ``rest``."""
        import numpy as np

        kept = [columns for name, columns in self.columns.items() if name not in leave_out]
        return np.hstack([np.ones((len(self.rows), 1)), *kept, self.rest])

    def pair(self, one: str, other: str) -> Floats:
        """Columns of the interaction of two factors: products of codes where both apply, zero elsewhere."""
        import numpy as np

        both = [place for place, row in enumerate(self.rows) if row[one] is not None and row[other] is not None]
        found = np.zeros((len(self.rows), 0))
        if both:
            left, right = (_centred([self.rows[place][name] for place in both]) for name in (one, other))
            found = np.zeros((len(self.rows), left.shape[1] * right.shape[1]))
            found[both] = (left[:, :, None] * right[:, None, :]).reshape(len(both), -1)
        return found


def coding(rows: Sequence[Mapping[str, Setting]]) -> Coding:
    """Columns of the factors that vary among the points with these settings."""
    import numpy as np

    names = varied(rows)
    indicators = {name: _indicator(name, rows) for name in names}
    centred = {name: columns @ _contrasts(columns.shape[1]) for name, (_, columns) in indicators.items()}
    ones = np.ones((len(rows), 1))
    basis, factors, coded = span(ones), [], {}
    for name, (levels, columns) in indicators.items():
        groups = _groups(columns, basis)
        codes = np.zeros((len(levels), 0))
        for group in dict.fromkeys(groups):
            places = [place for place, each in enumerate(groups) if each == group]
            block = np.zeros((len(levels), len(places) - 1))
            block[places] = _contrasts(len(places))
            codes = np.hstack([codes, block])
        others = {other: columns for other, columns in centred.items() if other != name}
        separable = _groups(columns, span(np.hstack([ones, *others.values()])))
        confounders = _confounders(columns, separable, others)
        factors.append(FactorCode(name, levels, codes, groups, separable, confounders))
        coded[name] = columns @ codes
        basis = np.hstack([basis, beyond(coded[name], basis)])
    every = [columns for _, columns in indicators.values()]
    rest = beyond(np.hstack(every), basis) if every else np.zeros((len(rows), 0))
    return Coding(tuple(rows), tuple(factors), coded, rest)


def null_rows(matrix: Floats) -> Floats:
    """A basis of the combinations of the columns of ``matrix`` that are zero; (columns, dimension)."""
    import numpy as np

    lengths = np.sqrt((matrix**2).sum(axis=0))
    scale = np.where(lengths > 0, lengths, 1.0)
    squares, turned = np.linalg.eigh((matrix / scale).T @ (matrix / scale))
    return np.asarray(turned[:, squares < _TOLERANCE * max(1, matrix.shape[1])] / scale[:, None], dtype=np.float64)


def estimable(weights: Floats, nulls: Floats) -> bool:
    """Whether a sum of coefficients with ``weights`` is the same for every solution, given :func:`null_rows`."""
    if nulls.shape[1] == 0:
        return True
    return bool(abs(weights @ nulls).max() < 1e-5 * max(1.0, float(abs(nulls).max()) * float(abs(weights).max())))


def _indicator(name: str, rows: Sequence[Mapping[str, Setting]]) -> tuple[tuple[Setting, ...], Floats]:
    """The values of a factor in their order, and a column each; zeros where it does not apply."""
    import numpy as np

    levels = tuple(ordered(name, (row[name] for row in rows if row[name] is not None)))
    place = {level: at for at, level in enumerate(levels)}
    found = np.zeros((len(rows), len(levels)))
    for at, row in enumerate(rows):
        if row[name] is not None:
            found[at, place[row[name]]] = 1.0
    return levels, found


def _contrasts(count: int) -> Floats:
    """Columns that add up to zero over ``count`` values, orthonormal; (count, count - 1)."""
    import numpy as np

    found = np.zeros((count, count - 1))
    for column in range(count - 1):
        found[: column + 1, column] = 1.0
        found[column + 1, column] = -(column + 1.0)
        found[:, column] /= np.sqrt((column + 1.0) * (column + 2.0))
    return found


def _centred(values: Sequence[Setting]) -> Floats:
    columns = indicator(values)
    return columns @ _contrasts(columns.shape[1])


def _groups(columns: Floats, basis: Floats) -> tuple[int, ...]:
    """A number per value; two are alike where their difference can be estimated beside what ``basis`` spans."""
    import numpy as np

    left = columns - basis @ (basis.T @ columns)
    scale = np.sqrt((columns**2).sum(axis=0))
    squares, turned = np.linalg.eigh((left / scale).T @ (left / scale))
    nulls = turned[:, squares < _TOLERANCE * max(1, len(scale))] / scale[:, None]
    nulls /= np.sqrt((nulls**2).sum(axis=0)) if nulls.size else 1.0
    found: list[int] = []
    for place in range(len(scale)):
        alike = [each for each in range(place) if np.allclose(nulls[each], nulls[place], atol=1e-5)]
        found.append(found[alike[0]] if alike else len(set(found)))
    return tuple(found)


def _confounders(
    columns: Floats, separable: Sequence[int], others: Mapping[str, Floats]
) -> Mapping[tuple[int, int], tuple[str, ...]]:
    """For each two values that some factor cannot be separated from: which factors.

    A factor is one of them where it alone is confounded with the difference, or where the difference could be
    estimated without it.
    """
    import numpy as np

    apart = [pair for pair in combinations(range(len(separable)), 2) if separable[pair[0]] != separable[pair[1]]]
    if not apart:
        return {}
    ones = np.ones((len(columns), 1))
    alone = {name: _groups(columns, span(np.hstack([ones, each]))) for name, each in others.items()}
    without = {
        name: _groups(columns, span(np.hstack([ones, *(each for other, each in others.items() if other != name)])))
        for name in others
    }
    found = {}
    for one, other in apart:
        names = [
            name
            for name in others
            if alone[name][one] != alone[name][other] or without[name][one] == without[name][other]
        ]
        found[one, other] = tuple(names or others)
    return found
