"""A few runs of one point that fall into a fast and a slow group; :mod:`results.estimates.modes` needs many.

The values are split where the two groups differ most from each other and least within themselves
(Fisher, Journal of the American Statistical Association 53, 1958, 789: the best partition of an ordered
series; Otsu, IEEE Transactions on Systems, Man and Cybernetics 9, 1979, 62).  The distance of the groups in
units of their common standard deviation is then held against what the same split finds in as many
values of one normal group (simulated, level 1 %).  A mean of two groups is the speed of neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVEL = 0.01
LEAST_RUNS = 5
LEAST_DISTANCE = 0.02
"""Groups closer than this share of the median are one, whatever the noise."""

_DRAWS = 4000
_SEED = 20261122


@dataclass(frozen=True)
class Groups:
    """Two groups: centres (means, in the unit of the values), the share of each, and how far they are apart.

    ``apart`` is the distance in standard deviations within the groups; ``smaller`` says which group is
    the smaller one, and ``members`` how many values it has.
    """

    low: float
    high: float
    low_share: float
    high_share: float
    apart: float
    smaller: str
    members: int

    @property
    def single(self) -> bool:
        """Whether the smaller group is one value: it stands apart, and may be the first of a group."""
        return self.members == 1


def of_runs(figures: Floats) -> Groups | None:
    """Two groups among the ``figures`` of runs, one each; None where one group explains them."""
    import numpy as np

    if len(figures) < LEAST_RUNS or not np.isfinite(figures).all():
        return None
    ordered = np.sort(figures)
    place, apart = _split(ordered[None, :])
    found = _groups(ordered, int(place[0]), float(apart[0]))
    far = found.high - found.low >= LEAST_DISTANCE * abs(float(np.median(ordered)))
    return found if far and found.apart > critical(len(figures)) else None


@cache
def critical(count: int) -> float:
    """The distance that one normal group of ``count`` values exceeds in 1 % of cases, by seeded simulation."""
    import numpy as np

    rng = np.random.default_rng(_SEED)
    _, apart = _split(np.sort(rng.standard_normal((_DRAWS, count)), axis=1))
    return float(np.quantile(apart, 1 - LEVEL))


def _split(ordered: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """Of each row, which is in order: how many values the best lower group has, and how far the groups are apart."""
    import numpy as np

    count = ordered.shape[1]
    below = np.cumsum(ordered, axis=1)[:, :-1]
    total = ordered.sum(axis=1, keepdims=True)
    sizes = np.arange(1, count)
    steps = (total - below) / (count - sizes) - below / sizes
    between = steps**2 * sizes * (count - sizes) / count
    best = between.argmax(axis=1)
    rows = np.arange(len(ordered))
    whole = ((ordered - ordered.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    within = np.maximum(whole - between[rows, best], 0.0)
    deviation = np.sqrt(within / max(1, count - 2))
    distance = steps[rows, best]
    apart = np.divide(
        distance, deviation, out=np.full_like(distance, math.inf), where=deviation > 1e-12 * np.abs(distance)
    )
    return best + 1, apart


def _groups(ordered: Floats, lower: int, apart: float) -> Groups:
    count = len(ordered)
    return Groups(
        low=float(ordered[:lower].mean()),
        high=float(ordered[lower:].mean()),
        low_share=lower / count,
        high_share=1 - lower / count,
        apart=apart,
        smaller="low" if lower <= count - lower else "high",
        members=min(lower, count - lower),
    )
