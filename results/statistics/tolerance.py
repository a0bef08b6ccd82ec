"""Bounds from order statistics: exact whatever the distribution, as long as the runs are exchangeable.

The r-th smallest of n runs is a lower bound for a share P of future runs with confidence gamma where
BinomCDF(r - 1; n, 1 - P) is at most 1 - gamma.  (Wilks, Annals of Mathematical Statistics 12, 1941, 91;
Hahn and Meeker, Statistical Intervals, 1991, ch. 5; the binomial sum as an incomplete beta function:
David and Nagaraja, Order Statistics, 3rd ed., 2.1.)
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-12
MOST_RUNS = 10_000_000
"""Where :func:`runs_needed` stops looking."""


def coverage(runs: float, confidence: float, rank: int = 1) -> float:
    """The share P of future runs that the ``rank``-th smallest of ``runs`` bounds; for rank 1, (1 - gamma)^(1/n).

    ``runs`` may be an effective number, with a fraction.  Both shares are between 0 and 1; 0.0 where there are fewer
    runs than the rank needs.
    """
    from scipy import special

    if not 1 <= rank <= runs:
        return 0.0
    if rank == 1:
        return float((1 - confidence) ** (1 / runs))
    return 1 - float(special.betaincinv(rank, runs - rank + 1, confidence))


def confidence_of(runs: int, share: float, rank: int = 1) -> float:
    """With which confidence the ``rank``-th smallest of ``runs`` bounds a ``share`` of future runs."""
    from scipy import special

    return float(special.betainc(rank, runs - rank + 1, 1 - share)) if 1 <= rank <= runs else 0.0


def runs_needed(share: float, confidence: float, rank: int = 1) -> int:
    """The fewest runs of which the ``rank``-th smallest bounds a ``share`` of future runs.

    Raises:
        ValueError: a share or a confidence that is not between 0 and 1, or more than MOST_RUNS.
    """
    if not (0 < share < 1 and 0 < confidence < 1):
        raise ValueError(f"a share of {share} with a confidence of {confidence} needs no finite number of runs")
    low, high = rank - 1, max(rank, 2)
    while confidence_of(high, share, rank) < confidence - _ROUNDING:
        low, high = high, 2 * high
        if low > MOST_RUNS:
            raise ValueError(f"a share of {share} with a confidence of {confidence} needs more than {MOST_RUNS} runs")
    while high - low > 1:
        middle = (low + high) // 2
        if confidence_of(middle, share, rank) < confidence - _ROUNDING:
            low = middle
        else:
            high = middle
    return high


def usable_rank(runs: int, share: float, confidence: float) -> int:
    """The largest rank that still bounds a ``share`` of future runs; 0 where not even the smallest does."""
    low, high = 0, runs + 1
    while high - low > 1:
        middle = (low + high) // 2
        if confidence_of(runs, share, middle) >= confidence - _ROUNDING:
            low = middle
        else:
            high = middle
    return low


def median_ranks(count: int, confidence: float = 0.95) -> tuple[int, int] | None:
    """Ranks (from 1) of the two values between which the median lies; None where ``count`` values are too few.

    The narrowest symmetric pair with at least the ``confidence`` (David and Nagaraja, 7.1).
    """
    from scipy import special

    tail = (1 - confidence) / 2
    low = 0
    while low < count // 2 and float(special.bdtr(low, count, 0.5)) <= tail + _ROUNDING:
        low += 1
    return (low, count - low + 1) if low else None


def run_bound(values: Floats, share: float, *, at_least: bool = True) -> Floats:
    """What at least a ``share`` of a run's intervals deliver: the greatest such figure.

    ``values`` has the intervals in its last axis; the answer has the axes before it.  Where less is
    better (``at_least`` false) it is the least figure that the share stays at or below.  Of n
    intervals, floor(n (1 - share)) may be worse, counted exactly and not in binary fractions.
    """
    import numpy as np

    intervals = values.shape[-1]
    worse = math.floor(intervals * (1 - Fraction(str(share))))
    position = worse if at_least else intervals - 1 - worse
    found: Floats = np.partition(values, position, axis=-1)[..., position]
    return found


def smallest(values: Floats, rank: int = 1) -> Floats:
    """The ``rank``-th smallest (from 1) along the last axis: the bound that the runs together support."""
    import numpy as np

    found: Floats = np.partition(values, rank - 1, axis=-1)[..., rank - 1]
    return found
