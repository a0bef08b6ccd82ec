"""Which points are statistically tied for best: Hsu's multiple comparisons with the best.

Hsu, J. C. (1984), "Constrained simultaneous confidence intervals for multiple comparisons with the
best", Annals of Statistics 12, 1136-1144; Hsu (1996), Multiple Comparisons, ch. 4.  With the stated
confidence, all intervals hold at once, so the true best is among the tied with at least that
confidence.  The critical value is that of Dunnett's one-sided test (Dunnett 1955, JASA 50, 1096).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_NODES = 160
_TAIL = 1e-13
_MOST_LOOKED_AT = 400


@dataclass(frozen=True)
class Comparison:
    """A point against the best of the others, as ratios in which more than 1 is better.

    ``low`` and ``high`` hold at once for all points; ``tied`` says that the point may be the best.
    """

    point_id: str
    low: float
    high: float
    tied: bool


@cache
def dunnett_critical(comparisons: int, df: float, confidence: float = 0.95, correlation: float = 0.5) -> float:
    """One-sided critical value of Dunnett's test for equally correlated comparisons.

    Solves ∫∫ Φ((√r z + d u) / √(1-r))^m φ(z) dz f(u) du = confidence for d, where r is the correlation, m
    the number of comparisons, and u the ratio of the estimated to the true standard deviation (chi over
    the root of its degrees of freedom).
    ``df`` may be ``math.inf``.  Accurate to about 1e-6.
    """
    import numpy as np
    from scipy import optimize, special

    if comparisons < 1:
        raise ValueError("there is nothing to compare with")
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    z = 8.5 * nodes
    z_weights = 8.5 * weights * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    u, u_weights = _spread_ratio(df, nodes, weights)

    def excess(critical: float) -> float:
        standardised = (math.sqrt(correlation) * z[:, None] + critical * u[None, :]) / math.sqrt(1 - correlation)
        inside = np.exp(comparisons * special.log_ndtr(standardised))
        return float(z_weights @ inside @ u_weights) - confidence

    each = (1 - confidence) / comparisons
    bonferroni = -float(special.ndtri(each) if math.isinf(df) else special.stdtrit(df, each))
    return float(optimize.brentq(excess, 0.0, bonferroni + 1e-3, xtol=1e-9))


def _spread_ratio(df: float, nodes: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Quadrature points and weights for chi / sqrt(df), the estimated over the true standard deviation."""
    import numpy as np
    from scipy import special

    if math.isinf(df):
        return np.ones(1), np.ones(1)
    least = math.sqrt(2 * special.gammaincinv(df / 2, _TAIL) / df)
    most = math.sqrt(2 * special.gammainccinv(df / 2, _TAIL) / df)
    u = (least + most) / 2 + (most - least) / 2 * nodes
    log_density = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2) + (df - 1) * np.log(u) - df * u**2 / 2
    return u, (most - least) / 2 * weights * np.exp(log_density)


def compare_with_best(
    model: Fit, among: Sequence[int], *, maximise: bool, confidence: float = 0.95
) -> list[Comparison]:
    """Compare each of the points at the positions ``among`` with the best of the others of them.

    Where points have unequal numbers of trials, or share arrays, the least correlation that occurs is
    taken, which is on the safe side (Slepian's inequality: the critical value falls as correlations rise).
    """
    import numpy as np

    chosen = np.array(among)
    if len(chosen) == 1:
        return [Comparison(model.points[chosen[0]], 1.0, 1.0, tied=True)]
    means = model.log_means[chosen] * (1 if maximise else -1)
    lead = means[:, None] - means[None, :]
    return _constrained(model, chosen.tolist(), lead, allowances(model, chosen, confidence))


def allowances(model: Fit, chosen: npt.NDArray[np.intp], confidence: float) -> Floats:
    """Allowance of each of ``chosen`` (rows) against each, log scale, at once for all columns of a row.

    Dunnett's with the pooled noise, or with a point's own where that is larger.  Where points have enough
    trials of their own (``own_sd``) not less than Welch's one-sided t at the level divided by the number of
    rivals, which holds without equal variances (Bonferroni; Tamhane, Communications in Statistics A 6, 1977,
    compares such procedures).  The larger of the two holds wherever either of them does.
    """
    import numpy as np

    reach = np.zeros((len(chosen), len(chosen)))
    if len(chosen) < 2:
        return reach
    own, of_blocks = variances(model, chosen)
    counts = np.array(model.counts)[chosen]
    for i in range(len(chosen)):
        others = np.delete(counts, i)
        correlation = float(others.min() / (counts[i] + others.min())) if counts.min() < counts.max() else 0.5
        if model.components:
            correlation = least_correlation(model, chosen, i)
        if model.wide_sd is not None and model.sd > 0:
            correlation = min(correlation, float(own[i] / (own[i] + np.delete(own, i).max())))
        correlation = min(0.5, math.floor(20 * correlation + 1e-9) / 20)  # few different ones: each costs an integral
        critical = dunnett_critical(len(chosen) - 1, model.df, confidence, correlation)
        reach[i] = critical * np.sqrt(own + own[i] + of_blocks[i])
    if model.own_sd is not None:
        level = (1 - confidence) / (len(chosen) - 1)
        reach = np.maximum(reach, welch(model, model.own_sd, chosen, of_blocks, level))
    reach = np.maximum(reach, model.resolution)
    np.fill_diagonal(reach, 0.0)
    return reach


def variances(model: Fit, chosen: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Variance of each of ``chosen`` by its trials, and of each difference of two by blocks and plots, log scale.

    The noise is the pooled one, or the point's own where that is larger.
    """
    import numpy as np

    noise = model.sd if model.wide_sd is None else model.wide_sd[chosen]
    steps = model.low_rank[chosen]
    of_blocks: Floats = model.sd**2 * np.stack([((steps - step) ** 2).sum(axis=1) for step in steps])
    return np.broadcast_to(model.inverse_counts[chosen] * noise**2, len(chosen)), of_blocks


def welch(model: Fit, own_sd: Floats, chosen: npt.NDArray[np.intp], of_blocks: Floats, level: float) -> Floats:
    """Allowances by Welch's one-sided t at ``level`` with Satterthwaite's degrees of freedom, points by points."""
    import numpy as np
    from scipy import special

    own = model.inverse_counts[chosen] * own_sd[chosen] ** 2
    of_own = own**2 / (np.array(model.counts)[chosen] - 1)
    total = own[:, None] + own[None, :] + of_blocks
    parts = of_own[:, None] + of_own[None, :] + of_blocks**2 / model.df
    df = np.divide(total**2, parts, out=np.full_like(total, float(model.df)), where=parts > 0)
    found: Floats = special.stdtrit(df, 1 - level) * np.sqrt(total)
    return found


def limit_below(model: Fit, position: int, candidates: int, confidence: float) -> float:
    """How far below its mean, log scale, the true figure of a point may lie; at once for all ``candidates``.

    The studentised maximum of the pooled noise (Miller, Simultaneous Statistical Inference, 2nd ed., 1981,
    ch. 2), or of the point's own where that is larger; of one candidate a one-sided t.  Where points have enough
    trials of their own not less than t with those at the level divided by the candidates (Bonferroni).
    """
    import numpy as np
    from scipy import special

    of_blocks = model.sd**2 * float((model.low_rank[position] ** 2).sum())
    noise = model.sd if model.wide_sd is None else float(model.wide_sd[position])
    error = math.sqrt(noise**2 * float(model.inverse_counts[position]) + of_blocks)
    critical = (
        dunnett_critical(candidates, model.df, confidence, 0.0)
        if candidates > 1
        else float(special.stdtrit(model.df, confidence))
    )
    found = max(critical * error, model.resolution)
    if model.own_sd is not None:
        weights = np.zeros(len(model.points))
        weights[position] = 1.0
        own, df = model.standard_error(weights)
        found = max(found, own * float(special.stdtrit(df, 1 - (1 - confidence) / candidates)))
    return found


def least_correlation(model: Fit, chosen: npt.NDArray[np.intp], position: int) -> float:
    """The least correlation between two differences of the point at ``position`` and others of ``chosen``.

    Between 0 and 0.5; 0 as well where there are too many points to look.
    """
    import numpy as np

    if not 2 < len(chosen) <= _MOST_LOOKED_AT:
        return 0.5 if len(chosen) <= 2 else 0.0
    index = chosen[position]
    steps = model.low_rank[np.delete(chosen, position)] - model.low_rank[index]
    covariance = steps @ steps.T + model.inverse_counts[index]
    covariance += np.diag(model.inverse_counts[np.delete(chosen, position)])
    spread = np.sqrt(np.diag(covariance))
    return float(np.clip((covariance / np.outer(spread, spread)).min(), 0.0, 0.5))


def _constrained(model: Fit, chosen: Sequence[int], lead: Floats, reach: Floats) -> list[Comparison]:
    """Hsu's constrained intervals from the leads (i over j) and the allowances, both on the log scale."""
    import numpy as np

    own = np.eye(len(chosen), dtype=bool)
    upper = np.where(own, np.inf, lead + reach).min(axis=1)
    tied = upper >= -1e-12  # equal points without noise are tied, whatever the rounding
    found = []
    for i, index in enumerate(chosen):
        rivals = tied & ~own[i]
        lower = min(0.0, float((lead[i] - reach[:, i])[rivals].min())) if rivals.any() else 0.0
        high = max(0.0, float(upper[i]))
        found.append(Comparison(model.points[index], math.exp(lower), math.exp(high), bool(tied[i])))
    return found
