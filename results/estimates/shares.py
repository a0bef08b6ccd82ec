"""How much of the variance between points a factor, or a pair of factors, accounts for, with an interval.

The share is that of the *true* variance: what noise adds to both sums of squares is taken out (as in
omega squared: Hays, Statistics for Psychologists, 1963).  Its interval comes from the noncentral F
distribution (Steiger, Psychological Methods 9, 2004): one for the sum of squares of the factor and one
for the rest, at half the error each (Bonferroni), so that together they hold with the stated confidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit
from results.estimates.settings import Setting, varied
from results.statistics.bases import beyond, indicator, span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_NEGLIGIBLE_NOISE = 1e-9
_MOST_POINTS = 1500


@dataclass(frozen=True)
class Share:
    """A share of the variance between points, per cent, and its confidence limits."""

    pct: float
    low_pct: float
    high_pct: float


@dataclass(frozen=True)
class PairEffect:
    """What two factors do together beyond what each does: the share of variance of their interaction.

    It is measured among the ``points`` where both apply, the effects of all single factors taken out.
    (Sobol', Mathematical Modelling 1, 1993: the second-order index.)
    """

    one: str
    other: str
    points: int
    share: Share
    sentence: str


def share_of(model: Fit, indices: Sequence[int], basis: Floats, confidence: float = 0.95) -> Share | None:
    """Share of the variance among the points at ``indices`` that lies along the orthonormal ``basis``.

    ``basis`` has a row per index, and each column adds up to zero.  None where nothing varies beyond noise.
    """
    import numpy as np

    chosen = np.array(indices)
    means = model.log_means[chosen] - model.log_means[chosen].mean()
    noise = model.inverse_counts[chosen] * (model.sd if model.own_sd is None else model.own_sd[chosen]) ** 2
    low_rank = model.sd * (model.low_rank[chosen] - model.low_rank[chosen].mean(axis=0))
    explained, total = float(((basis.T @ means) ** 2).sum()), float(means @ means)
    of_basis = float((basis**2 * noise[:, None]).sum() + ((basis.T @ low_rank) ** 2).sum())
    of_all = float(noise.sum() * (1 - 1 / len(chosen)) + (low_rank**2).sum())
    rest_df = len(chosen) - 1 - basis.shape[1]
    true = max(0.0, explained - of_basis)
    rest = max(0.0, total - explained - (of_all - of_basis)) if rest_df else 0.0
    if true + rest <= 0:
        return None
    each = 1 - (1 - confidence) / 2
    ours = _true_sum(explained, of_basis, basis.shape[1], model.df, each)
    others = _true_sum(total - explained, of_all - of_basis, rest_df, model.df, each) if rest_df else (0.0, 0.0)
    low = ours[0] / (ours[0] + others[1]) if ours[0] > 0 else 0.0
    high = ours[1] / (ours[1] + others[0]) if ours[1] > 0 else 0.0
    point = true / (true + rest)
    return Share(100 * point, 100 * min(low, point), 100 * max(high, point))


def _true_sum(square: float, noise: float, df: int, error_df: float, confidence: float) -> tuple[float, float]:
    """Confidence limits of the sum of squares that would be there without noise."""
    if noise <= _NEGLIGIBLE_NOISE * square:
        return square, square
    scale = noise / df
    low, high = noncentrality(square / noise, df, error_df, confidence)
    return low * scale, high * scale


def noncentrality(ratio: float, df: float, error_df: float, confidence: float) -> tuple[float, float]:
    """Confidence limits of the noncentrality of an F ratio, by inverting its distribution (Steiger 2004)."""
    from scipy import optimize, special

    def found(level: float) -> float:
        if special.fdtr(df, error_df, ratio) <= level:
            return 0.0
        top = max(10.0, 4 * df * ratio)
        while noncentral_f(ratio, df, error_df, top) > level:
            top *= 2
        return float(optimize.brentq(lambda value: noncentral_f(ratio, df, error_df, value) - level, 0.0, top))

    tail = (1 - confidence) / 2
    return found(1 - tail), found(tail)


def noncentral_f(ratio: float, df: float, error_df: float, noncentral: float) -> float:
    """Probability of an F ratio of at most ``ratio`` where the noncentrality is ``noncentral``.

    Where the library's series gives up, which it does for hundreds of degrees of freedom: the same series of
    central distributions with Poisson weights (Johnson, Kotz and Balakrishnan, Continuous Univariate
    Distributions 2, 2nd ed., ch. 30), summed over the terms that have weight.
    """
    import numpy as np
    from scipy import special

    found = float(special.ncfdtr(df, error_df, noncentral, ratio))
    if not math.isnan(found):
        return found
    mean = noncentral / 2
    reach = 10 * math.sqrt(mean) + 20
    terms = np.arange(max(0, math.floor(mean - reach)), math.ceil(mean + reach) + 1)
    weights = np.exp(special.xlogy(terms, mean) - mean - special.gammaln(terms + 1))
    below = special.betainc(df / 2 + terms, error_df / 2, df * ratio / (df * ratio + error_df))
    return min(1.0, float(weights @ below))


def between(levels: Sequence[Sequence[int]]) -> Floats:
    """Orthonormal basis of the differences between groups; rows in the order of the groups' members."""
    import numpy as np

    sizes = [len(level) for level in levels]
    columns = np.repeat(np.eye(len(levels)), sizes, axis=0)
    return beyond(columns, np.full((sum(sizes), 1), sum(sizes) ** -0.5))


def pair_effects(model: Fit, settings: Mapping[str, Mapping[str, Setting]]) -> tuple[PairEffect, ...]:
    """Interactions of each two factors that were crossed, the largest share first."""
    names = varied(settings[point] for point in model.points)
    if len(model.points) > _MOST_POINTS:
        return ()
    found = [_pair(model, settings, names, one, other) for one, other in combinations(names, 2)]
    return tuple(sorted((each for each in found if each is not None), key=lambda each: -each.share.pct))


def _pair(
    model: Fit, settings: Mapping[str, Mapping[str, Setting]], names: Sequence[str], one: str, other: str
) -> PairEffect | None:
    """The interaction of two factors; None where they were not crossed, or nothing varies."""
    import numpy as np

    indices = [
        index
        for index, point in enumerate(model.points)
        if settings[point][one] is not None and settings[point][other] is not None
    ]
    if len(indices) < 4:
        return None
    rows = [settings[model.points[index]] for index in indices]
    single = np.hstack([np.ones((len(rows), 1)), *(indicator([row[name] for row in rows]) for name in names)])
    basis = beyond(indicator([(row[one], row[other]) for row in rows]), span(single))
    if basis.shape[1] == 0:
        return None
    share = share_of(model, indices, basis)
    if share is None:
        return None
    limits = f"95 % interval {share.low_pct:.0f} to {share.high_pct:.0f} %"
    sentence = (
        f"{one} and {other} together: {share.pct:.0f} % of the variance ({limits}) beyond what each does alone."
        if share.low_pct > 0
        else f"{one} and {other} together: nothing that these trials can show ({share.pct:.0f} %, {limits})."
    )
    return PairEffect(one, other, len(indices), share, sentence)
