"""The energy statistic on many resampled series at once, for :mod:`results.statistics.changepoint`.

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

MOST = 256
"""Values of a series worked on as a whole matrix; in longer ones the sums lose digits, and too few fit the cache."""

_TOGETHER, _CELLS = 32, 1 << 19
"""Series worked on at a time, and cells of their matrices, so that these stay in the cache of a CPU."""
_ROWS = 64


def batch(size: int) -> int:
    """How many series of this length are worked on at a time; 1 or more."""
    return max(1, min(_TOGETHER, _CELLS // size**2))


def best_statistics(series: Floats, min_size: int, alpha: float) -> Floats:
    """The largest statistic over all splits and ends of each of (m, n) series; (m,). Minus infinity: too short.

    The statistic is that of :func:`results.statistics.changepoint.best_split`.
    """
    import numpy as np

    count, size = series.shape
    if size < 2 * min_size:
        return np.full(count, -np.inf)
    sums = _sums(series, alpha)
    within = sums[np.arange(size), np.arange(size)] / 2
    both, before, whole = _weights(size, min_size)
    best = np.full(count, -np.inf)
    for row in range(size - 2 * min_size + 1):
        split, end = row + min_size - 1, row + 2 * min_size - 1
        found = sums[split, end:] * both[row, row:, None]
        found -= before[row, row:, None] * within[split]
        found -= whole[row, row:, None] * within[end:]
        np.maximum(best, found.max(axis=0), out=best)
    return best


def _sums(series: Floats, alpha: float) -> Floats:
    """Sums of the distances over the leading rows and columns, of (m, n) series; (n, n, m).

    The series lie innermost: so every step of a sum is one of many series at once, which no ``cumsum`` does.
    """
    import numpy as np

    values = np.ascontiguousarray(series.T)
    sums: Floats = values[:, None] - values
    np.abs(sums, out=sums)
    if alpha != 1.0:
        np.power(sums, alpha, out=sums)
    for number in range(1, len(sums)):
        sums[number] += sums[number - 1]
    for number in range(1, len(sums)):
        sums[:, number] += sums[:, number - 1]
    return sums


@lru_cache(maxsize=16)
def _weights(size: int, min_size: int) -> tuple[Floats, Floats, Floats]:
    """The factors a, b and c of splits (rows) and ends (columns); an end too near to its split has none to use."""
    import numpy as np

    split = np.arange(float(min_size), size - min_size + 1)[:, None]
    end = np.arange(2.0 * min_size, size + 1)
    behind = end - split
    share = split / np.maximum(behind - 1, 1.0)
    return 2 / end * (1 + share), 2 / end * (2 + behind / (split - 1) + share), 2 / end * share


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
