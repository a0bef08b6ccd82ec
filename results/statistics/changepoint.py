"""Since when is a series different: E-divisive change points with a permutation test.

Matteson and James (2014), "A nonparametric approach for multiple change point analysis of multivariate
data", JASA 109, 334-345.  Two stretches of a series are compared by the energy distance (Székely and
Rizzo 2005): the mean distance between values of the two, less the mean distances within each.  It is
zero only where both have the same distribution, so a change of level, of spread or of shape is found,
and no distribution is assumed.  A series is split where the scaled distance is largest, then its parts
are, for as long as a permutation test says that chance does not explain the split.

The test takes the values to be exchangeable where nothing changed.  Values that follow each other
closely (the weather of a machine) are not, and then it finds changes that are none: a change point
says *when*, and a test on fresh measurements says *whether*.

Each permutation costs O(n²) operations.  Those of short series are worked on several at a time
(:mod:`results.statistics.resampled`), those of long ones by blocks of rows, in O(n) memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.statistics import resampled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MAX_VALUES = 4096
"""Longest series; time grows with the square of its length."""

_ROWS = 64
"""Rows worked on at a time, so that they stay in the cache of a CPU."""

_ROUNDING = 1e-9
"""Relative difference between statistics that only the order of summation makes."""


@dataclass(frozen=True)
class ChangePoint:
    """A change: ``index`` is the first value after it, counted from 0.

    The change lies between the values ``low`` - 1 and ``high`` with the confidence that was asked for, if
    there is one: ``low`` <= ``index`` <= ``high``.  ``statistic`` is the scaled energy distance, in units of
    the values to the power alpha; ``p_value`` is the share of permuted series with one as large.
    """

    index: int
    low: int
    high: int
    statistic: float
    p_value: float
    median_before: float
    median_after: float


@dataclass(frozen=True)
class Split:
    """The most different neighbours in a stretch: from its start to ``index``, and from there to ``end``."""

    index: int
    end: int
    statistic: float


def change_points(
    values: Sequence[float] | Floats,
    *,
    significance: float = 0.05,
    permutations: int = 199,
    min_size: int = 2,
    alpha: float = 1.0,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[ChangePoint, ...]:
    """Change points of a series in the order of time; the same for the same ``seed``, on every machine.

    Splits are tested one after the other, and the first that is not significant ends the search, as
    Matteson and James have it.  A test stops when its outcome is certain (Besag and Clifford 1991,
    "Sequential Monte Carlo p-values", Biometrika 78, 301-304), which changes no verdict.  Intervals are
    bootstrapped (Hušková and Kirch 2008, "Bootstrapping confidence intervals for the change-point of time
    series", Journal of Time Series Analysis 29, 947-972): values are drawn anew on either side of the
    change, and the spread of where the split is then found is the spread of where it was.

    Args:
        values: n finite numbers at equal steps, in the order of time, in any unit.
        significance: level of each test.
        permutations: permuted series a test makes at most, and bootstrapped ones of an interval.
        min_size: fewest values between two change points, 2 or more.
        alpha: exponent of the distance, more than 0 and less than 2.
        confidence: of each change's interval.
        seed: of the permutations.

    Raises:
        ResultsError: values that are not finite, too many of them, or a setting out of its range.
    """
    import numpy as np

    series = np.asarray(values, dtype=np.float64)
    _check(series, significance, permutations, min_size, alpha, confidence)
    search = _Search(series, min_size, alpha, permutations, np.random.PCG64(seed))
    found: dict[int, tuple[float, float]] = {}
    while (split := search.best(bounds := (0, *sorted(found), len(series)))) is not None:
        p_value = search.p_value(bounds, split.statistic, significance)
        if p_value > significance:
            break
        found[split.index] = (split.statistic, p_value)
    return tuple(
        ChangePoint(
            index,
            *search.interval(start, index, end, confidence),
            *found[index],
            float(np.median(series[start:index])),
            float(np.median(series[index:end])),
        )
        for (start, index), (_, end) in pairwise(pairwise(bounds))
    )


def best_split(values: Sequence[float] | Floats, *, min_size: int = 2, alpha: float = 1.0) -> Split | None:
    """The most different neighbouring stretches, of which the first begins with the series; untested.

    That is (τ, κ) = argmax Q(X[:τ], X[τ:κ]) with Q = mn/(m+n) · (2 E|X-Y| - E|X-X'| - E|Y-Y'|), distances to the
    power ``alpha``, the means within a stretch over pairs of different values (Matteson and James 2014,
    sec. 2).  None where the series is too short.

    Raises:
        ResultsError: as :func:`change_points`.
    """
    import numpy as np

    series = np.asarray(values, dtype=np.float64)
    _check(series, 0.5, 1, min_size, alpha, 0.5)
    return _split(series, min_size, alpha)


def _check(
    series: Floats, significance: float, permutations: int, min_size: int, alpha: float, confidence: float
) -> None:
    """Raise ResultsError on what cannot be searched."""
    import numpy as np

    if series.ndim != 1 or not np.isfinite(series).all():
        raise ResultsError("change points want one finite number per step", remedy="Leave out what was not measured.")
    if len(series) > MAX_VALUES:
        raise ResultsError(
            f"{len(series)} values are too many to search for change points", remedy=f"Give {MAX_VALUES} at most."
        )
    if not (0 < significance < 1 and 0 < confidence < 1 and 0 < alpha < 2 and permutations >= 1 and min_size >= 2):
        raise ResultsError(
            f"change points cannot be sought with {significance=}, {confidence=}, {alpha=}, {permutations=}, "
            f"{min_size=}",
            remedy="Levels lie between 0 and 1, alpha between 0 and 2; one permutation and two values are the least.",
        )


@dataclass(frozen=True, eq=False)
class _Search:
    """A series and how it is searched."""

    series: Floats
    min_size: int
    alpha: float
    permutations: int
    bits: np.random.PCG64

    def best(self, bounds: Sequence[int]) -> Split | None:
        """The split with the largest statistic among the stretches between ``bounds``."""
        found = None
        for start, end in pairwise(bounds):
            split = _split(self.series[start:end], self.min_size, self.alpha)
            if split is not None and (found is None or split.statistic > found.statistic):
                found = Split(start + split.index, start + split.end, split.statistic)
        return found

    def p_value(self, bounds: Sequence[int], statistic: float, significance: float) -> float:
        """Share of series, permuted between the change points that are known, whose best split is as large.

        The series itself counts as one of them (Phipson and Smyth 2010), so that it is never zero.
        """
        too_many = math.floor(significance * (self.permutations + 1) + _ROUNDING)
        reached = statistic - _ROUNDING * abs(statistic)
        exceeding = made = 0
        size = bounds[-1]
        while made < self.permutations:
            before = self.bits.state
            count = min(resampled.batch(size), self.permutations - made)
            for number, reaches in enumerate(self._permuted_reach(bounds, reached, count), start=1):
                made += 1
                exceeding += reaches
                if exceeding >= too_many and exceeding / made > significance:
                    self.bits.state = before
                    self.bits.advance(number * size)  # as if no more had been drawn than were looked at
                    return exceeding / made
        return (exceeding + 1) / (self.permutations + 1)

    def _permuted_reach(self, bounds: Sequence[int], reached: float, count: int) -> list[bool]:
        """Of so many fresh permutations, which have a split as large as ``reached``."""
        import numpy as np

        # Ordered by numbers of the raw stream, which numpy promises never to change.
        raw = self.bits.random_raw(count * bounds[-1]).reshape(count, bounds[-1])
        found = np.zeros(count, dtype=bool)
        for start, end in pairwise(bounds):
            permuted = self.series[start + np.argsort(raw[:, start:end], axis=1, kind="stable")]
            if end - start <= resampled.MOST:
                found |= resampled.best_statistics(permuted, self.min_size, self.alpha) >= reached
                continue
            splits = [_split(each, self.min_size, self.alpha) for each in permuted]
            found |= [split is not None and split.statistic >= reached for split in splits]
        return [bool(each) for each in found]

    def interval(self, start: int, index: int, end: int, confidence: float) -> tuple[int, int]:
        """Interval of the change at ``index``, between its neighbours (or the ends of the series)."""
        import numpy as np

        sides = (self.series[start:index], self.series[index:end])
        shifts: list[int] = []
        while len(shifts) < self.permutations:
            count = min(resampled.batch(end - start), self.permutations - len(shifts))
            raw = self.bits.random_raw(count * (end - start)).reshape(count, end - start)
            parts = (raw[:, : index - start], raw[:, index - start :])
            drawn = [
                side[(part % np.uint64(len(side))).astype(np.intp)] for side, part in zip(sides, parts, strict=True)
            ]
            found = resampled.whole_splits(np.concatenate(drawn, axis=1), self.min_size, self.alpha)
            shifts += [each - (index - start) for each in found.tolist()]
        tail = (1 - confidence) / 2
        lower, upper = np.quantile(shifts, (tail, 1 - tail), method="inverted_cdf")
        return (
            max(start + self.min_size, min(index, index - int(upper))),
            min(end - self.min_size, max(index, index - int(lower))),
        )


def _split(series: Floats, min_size: int, alpha: float) -> Split | None:
    """The split of one stretch, the first of equals; None where it is too short."""
    import numpy as np

    size = len(series)
    if size < 2 * min_size:
        return None
    within = _within(series, alpha)
    shape = _behind(size)
    before = np.zeros(size)  # of each value: its distances to the values before the rows at hand
    best = Split(min_size, 2 * min_size, -np.inf)
    for first in range(0, size - min_size, _ROWS):
        last = min(first + _ROWS, size - min_size)
        sums = resampled.distances(series[first:last], series[first:], alpha)
        sums[0] += before[first:]
        np.cumsum(sums, axis=0, out=sums)
        before[first:] = sums[-1]
        found = _best_of_rows(sums, within, shape, first, min_size)
        if found is not None and found.statistic > best.statistic:
            best = found
    return best


def _best_of_rows(
    sums: Floats, within: Floats, shape: tuple[Floats, Floats], first: int, min_size: int
) -> Split | None:
    """The best split at ``first`` + 1 and the rows after it, from each value's distances to those before the split.

    ``sums`` has a row for each split and a column for each value from ``first``; ``within[k]`` is the sum over
    pairs of the first k values.  With n values before the split and m behind it, Q = 2/(n+m) · (between -
    m/(n-1) · left - n/(m-1) · right), where the three are sums over pairs.
    """
    import numpy as np

    rows, columns = sums.shape
    skipped = max(0, min_size - 1 - first)  # rows with too few values before the split
    if skipped >= rows:
        return None
    behind, inverse = (each[skipped:rows, :columns] for each in shape)
    before = np.arange(first + 1 + skipped, first + 1 + rows, dtype=np.float64)[:, None]
    left = within[first + 1 + skipped : first + 1 + rows][:, None]
    between = np.cumsum(sums[skipped:], axis=1)
    local = np.arange(skipped, rows)
    between -= between[local - skipped, local][:, None]
    right = within[first + 1 : first + columns + 1] - left
    right -= between
    right *= inverse
    right *= before
    between -= behind * (left / (before - 1))
    between -= right
    between *= 2 / np.arange(first + 1.0, first + columns + 1)
    corner = between[:, : rows + min_size]
    corner[behind[:, : rows + min_size] < min_size] = -np.inf
    row, column = divmod(int(np.argmax(between)), columns)
    return Split(first + 1 + skipped + row, first + 1 + column, float(between[row, column]))


@lru_cache(maxsize=4)
def _behind(columns: int) -> tuple[Floats, Floats]:
    """For each row and column the values m between split and end, and 1/(m - 1)."""
    import numpy as np

    behind = np.arange(float(columns)) - np.arange(float(_ROWS))[:, None]
    return behind, 1 / np.maximum(behind - 1, 1.0)


def _within(series: Floats, alpha: float) -> Floats:
    """Sums of distances over the pairs within the first k values, k from 0 to n."""
    import numpy as np

    size = len(series)
    steps = np.zeros(size + 1)
    for first in range(0, size, _ROWS):
        last = min(first + _ROWS, size)
        apart = resampled.distances(series[first:last], series[:last], alpha)
        steps[first + 1 : last + 1] = np.tril(apart, first - 1).sum(axis=1)
    return np.cumsum(steps)
