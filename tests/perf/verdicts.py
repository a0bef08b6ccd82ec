"""What a comparison on a device can tell: ratios with their intervals, beside those of a generator with itself.

The scatter of a device decides what can be seen on it.  So one generator runs twice in every round, and the interval of
its ratio with itself (A/A) stands beside every figure: what lies within that is nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.9
FLOOR = 0.97
"""The least share of the better generator's figure that counts as keeping up."""
NARROW = 0.03
"""An A/A interval narrower than this shows differences as small as the floor's."""


@dataclass(frozen=True)
class Ratio:
    """Median of the ratios of the rounds, and its interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def width(self) -> float:
        """From one end of the interval to the other."""
        return self.high - self.low


def ratio_of(over: Sequence[float], under: Sequence[float]) -> Ratio:
    """Median ratio of figures paired by round, with the interval that order statistics give at least 90% confidence.

    No distribution is assumed (Conover, Practical Nonparametric Statistics, 1999, section 3.2).  Raises ValueError for
    fewer than five rounds, which have no such interval.
    """
    from scipy.stats import quantile_test

    ratios = [a / b for a, b in zip(over, under, strict=True)]
    interval = quantile_test(ratios, q=1, p=0.5).confidence_interval(CONFIDENCE)
    low, high = float(interval.low), float(interval.high)
    if not low <= high:  # NaN where the rounds are too few
        raise ValueError(f"{len(ratios)} rounds give no interval of a median: five do")
    return Ratio(statistics.median(ratios), low, high)


def word(found: Ratio, itself: Ratio) -> str:
    """``ahead``, ``level``, ``behind``, or ``not separable here``: how ``found`` stands to 1, seen beside A/A.

    Ahead and behind lie wholly beyond 1 and beyond what the device makes of two runs of the same.  Level is an interval
    within 3% of 1.
    """
    if found.low > max(1, itself.high):
        return "ahead"
    if found.high < min(1, itself.low):
        return "behind"
    if found.low >= FLOOR and found.high <= 1 / FLOOR:
        return "level"
    return "not separable here"


def lost(found: Ratio, itself: Ratio) -> bool:
    """Whether a figure is certainly under the floor, on a device on which that much can be seen."""
    return found.high < FLOOR and itself.width < NARROW


def at_equal_pace(figures: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]) -> float:
    """Median ratio of costs, of pairs of (pace, cost), the slowest run with the slowest and so on.

    What an I/O costs depends on how fast they come: where the device changes its pace from round to round, this
    compares runs that had the same one.
    """
    pairs = zip(sorted(figures), sorted(others), strict=True)
    return statistics.median(ours / theirs for (_, ours), (_, theirs) in pairs)
