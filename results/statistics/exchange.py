"""Whether runs could have come in any order: what every statement about future runs rests on.

Two tests, each at half the level: a trend over the run order (Mann, Econometrica 13, 1945, 245;
Kendall), exact up to 60 runs, and neighbours that resemble each other (the rank version of von
Neumann's ratio: Bartels, Journal of the American Statistical Association 77, 1982, 40) from ten runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

LEVEL = 0.05
"""How often runs that are exchangeable are called drifting, by all tests on all figures together."""

_EXACT = 60
_LEAST_FOR_NEIGHBOURS = 10


def drift_over_runs(values: Sequence[float], level: float = LEVEL) -> str | None:
    """What of the ``values``, in run order, speaks against exchangeable runs at ``level``; None where nothing does."""
    trend = trend_p(values)
    if trend < level / 2:
        return f"they {_way(values)} over the run order (Mann and Kendall's test, p = {trend:.2g})"
    neighbours = neighbours_p(values)
    if neighbours is not None and neighbours < level / 2:
        return f"runs resemble those before them (Bartels' test, p = {neighbours:.2g})"
    return None


def trend_over_days(values: Sequence[float], level: float, correlation: float) -> str | None:
    """What of the ``values``, one a day, says that days are not alike but rise or fall; None where nothing does."""
    trend = trend_p(values, correlation)
    if trend < level:
        return f"they {_way(values)} from day to day (Mann and Kendall's test, p = {trend:.2g})"
    return None


def trend_p(values: Sequence[float], correlation: float = 0.0) -> float:
    """Two-sided p of Mann and Kendall's trend test; ties are taken for neither up nor down.

    Neighbours that are correlated widen the test's variance by (1 + phi)/(1 - phi) (Yue and Wang, Water Resources
    Management 18, 2004, 201), by the normal approximation.
    """
    count = len(values)
    if count < 3:
        return 1.0
    score = _score(values)
    if count <= _EXACT and not correlation:
        ways = _inversions(count)
        most = len(ways) - 1
        furthest = (most - abs(score)) // 2
        return min(1.0, 2 * sum(ways[: furthest + 1]) / math.factorial(count))
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    deviation *= math.sqrt((1 + correlation) / (1 - correlation))
    return math.erfc(max(0.0, abs(score) - 1) / deviation / math.sqrt(2))


def _score(values: Sequence[float]) -> int:
    """Pairs that rise less pairs that fall."""
    pairs = ((earlier, later) for place, later in enumerate(values) for earlier in values[:place])
    return sum(int(later > earlier) - int(later < earlier) for earlier, later in pairs)


def _way(values: Sequence[float]) -> str:
    return "rise" if _score(values) > 0 else "fall"


@cache
def _inversions(count: int) -> tuple[int, ...]:
    """How many permutations of ``count`` have 0, 1, 2, … inversions (Mahonian numbers)."""
    ways = [1]
    for size in range(2, count + 1):
        longer = [0] * (len(ways) + size - 1)
        for place, number in enumerate(ways):
            for shift in range(size):
                longer[place + shift] += number
        ways = longer
    return tuple(ways)


def neighbours_p(values: Sequence[float]) -> float | None:
    """One-sided p of Bartels' test that neighbours are alike, by its normal approximation; None of few runs."""
    from scipy import stats

    count = len(values)
    if count < _LEAST_FOR_NEIGHBOURS or len(set(values)) == 1:
        return None
    ranks = stats.rankdata(values)
    ratio = float(((ranks[1:] - ranks[:-1]) ** 2).sum() / ((ranks - ranks.mean()) ** 2).sum())
    variance = 4 * (count - 2) * (5 * count**2 - 2 * count - 9) / (5 * count * (count + 1) * (count - 1) ** 2)
    return float(stats.norm.cdf((ratio - 2) / math.sqrt(variance)))
