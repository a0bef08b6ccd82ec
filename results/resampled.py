"""The energy statistic on many resampled series at once, for :mod:`results.changepoint`.

A permutation test looks at hundreds of short series; one after the other, calls cost more than arithmetic.
With S the sums of the matrix of distances over its leading rows and columns, and W half of the diagonal of S (sums
over the pairs within the first values), the statistic of the split at i and the end k is
a(i, k) S(i, k) - b(i, k) W(i) - c(i, k) W(k), where a, b and c depend on the numbers of values alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MOST = 512
"""Values of a series worked on as a whole matrix; in longer ones the sums lose digits and the cache of a CPU."""

_ROWS = 64
_CELLS = 1 << 16
"""Rows of one matrix, and cells of several, that are worked on at a time, so that they stay in the cache of a CPU."""


def batch(size: int) -> int:
    """How many series of this length are worked on at a time; 1 or more."""
    return max(1, _CELLS // size**2)


def best_statistics(series: Floats, min_size: int, alpha: float) -> Floats:
    """The largest statistic over all splits and ends of each of (m, n) series; (m,). Minus infinity: too short.

    The statistic is that of :func:`results.changepoint.best_split`.
    """
    import numpy as np

    count, size = series.shape
    if size < 2 * min_size:
        return np.full(count, -np.inf)
    sums = distances(series, series, alpha)
    np.cumsum(sums, axis=1, out=sums)
    np.cumsum(sums, axis=2, out=sums)
    within = np.diagonal(sums, axis1=1, axis2=2) / 2
    # Splits are rows and ends are columns; what lies within the first value of either is never one.
    both, before, whole, never = _weights(size, min_size)
    rows, columns = slice(min_size - 1, size - min_size), slice(2 * min_size - 1, size)
    found = sums[:, rows, columns] * both
    found -= before * within[:, rows, None]
    found -= whole * within[:, None, columns]
    found += never
    best: Floats = found.max(axis=(1, 2))
    return best


@lru_cache(maxsize=16)
def _weights(size: int, min_size: int) -> tuple[Floats, Floats, Floats, Floats]:
    """The factors a, b and c of splits (rows) and ends (columns), and minus infinity where an end is too near."""
    import numpy as np

    split = np.arange(float(min_size), size - min_size + 1)[:, None]
    end = np.arange(2.0 * min_size, size + 1)
    behind = end - split
    possible = behind >= min_size
    share = np.where(possible, split / np.maximum(behind - 1, 1.0), 0.0)
    both = np.where(possible, 2 / end * (1 + share), 0.0)
    before = np.where(possible, 2 / end * (2 + behind / (split - 1) + share), 0.0)
    return both, before, 2 / end * share, np.where(possible, 0.0, -np.inf)


def whole_splits(series: Floats, min_size: int, alpha: float) -> npt.NDArray[np.intp]:
    """Where each of (m, n) series that are known to hold one change is split: both parts reach its ends; (m,)."""
    import numpy as np

    size = series.shape[1]
    index = np.arange(min_size, size - min_size + 1)
    before = _within(series, alpha)
    left, right = before[:, index], _within(series[:, ::-1], alpha)[:, size - index]
    between = before[:, -1:] - left - right
    m, n = index, size - index
    statistic = 2 / size * (between - left * n / (m - 1) - right * m / (n - 1))
    found: npt.NDArray[np.intp] = index[np.argmax(statistic, axis=1)]
    return found


def _within(series: Floats, alpha: float) -> Floats:
    """Sums of distances over the pairs within the first k values of each of (m, n) series, k from 0 to n."""
    import numpy as np

    count, size = series.shape
    steps = np.zeros((count, size + 1))
    for first in range(0, size, _ROWS):
        last = min(first + _ROWS, size)
        apart = distances(series[:, first:last], series[:, :last], alpha)
        steps[:, first + 1 : last + 1] = np.tril(apart, first - 1).sum(axis=2)
    return np.cumsum(steps, axis=1)


def distances(some: Floats, others: Floats, alpha: float) -> Floats:
    """Distances between the values of two stretches, (…, m) and (…, n); shape (…, m, n)."""
    import numpy as np

    apart: Floats = some[..., :, None] - others[..., None, :]
    np.abs(apart, out=apart)
    return apart if alpha == 1.0 else apart**alpha
