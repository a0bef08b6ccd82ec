"""How much of the variance between points a factor, or a pair of factors, accounts for, with an interval.

The share is that of the *true* variance: what noise adds to both sums of squares is taken out (as in
omega squared: Hays, Statistics for Psychologists, 1963).  Its interval comes from the noncentral F
distribution (Steiger, Psychological Methods 9, 2004): one for the sum of squares of the factor and one
for the rest, at half the error each (Bonferroni), so that together they hold with the stated confidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit
from results.estimates.factor_model import LEVEL, FactorModel, PairTest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_NEGLIGIBLE_NOISE = 1e-9
_MOST_NAMED = 3


@dataclass(frozen=True)
class Share:
    """A share of the variance between points, per cent, and its confidence limits."""

    pct: float
    low_pct: float
    high_pct: float


@dataclass(frozen=True)
class PairEffect:
    """What two factors do together beyond what each does: the share of variance of their interaction.

    The effects of all single factors are taken out, and of all other pairs that can be told from it
    (Sobol', Mathematical Modelling 1, 1993: the second-order index).  Both apply at ``points``.  ``significant`` is
    after Holm over all factors and pairs.  ``confounded_with`` are pairs (``level x chunk_kib``) that the design
    cannot separate from it: then the share is that of all of them.
    """

    one: str
    other: str
    points: int
    share: Share
    sentence: str
    significant: bool = False
    confounded_with: tuple[str, ...] = ()


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


def pair_effects(found: FactorModel) -> tuple[PairEffect, ...]:
    """Interactions of factors, the significant ones first, then the largest share."""
    listed = [each for each in (_pair(found, test) for test in found.pairs) if each is not None]
    return tuple(sorted(listed, key=lambda each: (not each.significant, -each.share.pct)))


def _pair(found: FactorModel, test: PairTest) -> PairEffect | None:
    """The interaction of two factors, or of several pairs that are one to the design; None where nothing varies."""
    share = share_of(found.fit, range(len(found.coding.rows)), test.basis, 1 - LEVEL * test.weight)
    if share is None:
        return None
    one, other = test.pairs[0]
    rest = tuple(" x ".join(pair) for pair in test.pairs[1:])
    named = [f"{left} and {right}" for left, right in test.pairs]
    if len(named) > _MOST_NAMED:
        named = [f"some of {len(named)} pairs of factors, which this design cannot separate"]
    if not test.significant:
        sentence = f"{' or '.join(named)}: no significant interaction."
    else:
        separate = "; this design cannot separate these" if 1 < len(test.pairs) <= _MOST_NAMED else ""
        sentence = (
            f"{', or '.join(named)}: the effect of one depends on the other ({share.pct:.0f} % of the variance, "
            f"95 % interval {share.low_pct:.0f} to {share.high_pct:.0f} %){separate}."
        )
    points = sum(1 for row in found.coding.rows if row[one] is not None and row[other] is not None)
    return PairEffect(one, other, points, share, sentence, test.significant, rest)
