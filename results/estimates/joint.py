"""One stack for several workloads: each point's share of every workload's best, with bounds that hold at once.

The share of a point is its figure over that of the best point (the other way round for a latency), so that
figures of different units can be compared.  Bounds come from simultaneous intervals for all differences of
point means on the log scale, Tukey and Kramer's (Kramer, Biometrics 12, 1956; Hayter, Annals of Statistics 12,
1984, for unequal numbers of trials), at a level divided by the number of workloads (Bonferroni): with the stated
confidence they hold for all points and all workloads together, and so for whichever point is picked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from results.estimates.best import variances, welch
from results.estimates.estimate import Fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_MOST_OF_TUKEY = 200
"""Points beyond which the studentised range is replaced by Bonferroni's limit, which is wider and always known."""


@dataclass(frozen=True)
class Share:
    """A point's share of a workload's best figure, per cent, and its simultaneous bounds."""

    pct: float
    at_least_pct: float
    at_most_pct: float


@dataclass(frozen=True)
class Joint:
    """A point's joint score over all workloads: a share, per cent, with its simultaneous bounds.

    ``limited_by`` is the place of the workload with the smallest share.
    """

    point_id: str
    pct: float
    at_least_pct: float
    at_most_pct: float
    limited_by: int


def shares(model: Fit, among: Sequence[int], *, maximise: bool, confidence: float) -> dict[str, Share]:
    """Shares of the best of the points at the positions ``among``, whose bounds all hold at once."""
    import numpy as np

    chosen = np.array(among)
    means = model.log_means[chosen] * (1 if maximise else -1)
    lead = means[:, None] - means[None, :]
    reach = _reach(model, chosen, confidence)
    bounds = zip(means - means.max(), (lead - reach).min(axis=1), (lead + reach).min(axis=1), strict=True)
    return {
        model.points[index]: Share(*(100 * math.exp(min(0.0, float(each))) for each in row))
        for index, row in zip(chosen, bounds, strict=True)
    }


def _reach(model: Fit, chosen: npt.NDArray[np.intp], confidence: float) -> Floats:
    """Allowance of each difference of two of the points, log scale; 0 on the diagonal.

    As :func:`results.estimates.best.allowances`, two-sided and for all pairs: with the pooled noise or a point's own
    where that is larger, not less than Welch's where points have enough trials, and not below the resolution.
    """
    import numpy as np

    count = len(chosen)
    if count < 2:
        return np.zeros((count, count))
    own, of_blocks = variances(model, chosen)
    critical = range_critical(count, float(model.df), confidence)
    reach: Floats = critical * np.sqrt(own[:, None] + own[None, :] + of_blocks)
    if model.own_sd is not None:
        level = (1 - confidence) / (count * (count - 1))  # both sides of every pair
        reach = np.maximum(reach, welch(model, model.own_sd, chosen, of_blocks, level))
    reach = np.maximum(reach, model.resolution)
    np.fill_diagonal(reach, 0.0)
    return reach


@cache
def range_critical(points: int, df: float, confidence: float) -> float:
    """Critical value of all two-sided differences of ``points`` means, in standard errors of a difference."""
    from scipy import special, stats

    if points <= _MOST_OF_TUKEY:
        return float(stats.studentized_range.ppf(confidence, points, df)) / math.sqrt(2)
    return float(special.stdtrit(df, 1 - (1 - confidence) / (points * (points - 1))))


def joint(by_workload: Sequence[Mapping[str, Share]], weights: Sequence[float] | None = None) -> list[Joint]:
    """Joint scores of the points that every workload has, the best first.

    The score is the smallest share, or with ``weights`` the weighted geometric mean of the shares.
    """
    points = [point for point in by_workload[0] if all(point in each for each in by_workload[1:])]
    found = []
    for point in points:
        own = [each[point] for each in by_workload]
        smallest = min(range(len(own)), key=lambda place: own[place].pct)
        score, least, most = (
            _score(values, weights)
            for values in (
                [share.pct for share in own],
                [share.at_least_pct for share in own],
                [share.at_most_pct for share in own],
            )
        )
        found.append(Joint(point, score, least, most, smallest))
    return sorted(found, key=lambda each: (-each.pct, each.point_id))


def _score(values: Sequence[float], weights: Sequence[float] | None) -> float:
    if weights is None:
        return min(values)
    total = math.fsum(weights)
    return math.exp(math.fsum(weight * math.log(value) for weight, value in zip(weights, values, strict=True)) / total)
