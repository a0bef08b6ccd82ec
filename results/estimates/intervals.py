"""Which interval a point's figure gets, chosen by what the noise looks like and said aloud.

* One noise for all points, the usual case: Student's t with the pooled standard deviation.
* Points that are not equally noisy: each point's own standard deviation, with Satterthwaite's degrees of
  freedom (Welch, Biometrika 34, 1947).  With blocks a point's own variance comes from its squared
  residuals, each of which expects a known mixture of all points' variances (Hartley, Rao and Kiefer,
  JASA 64, 1969; for complete blocks this is Grubbs's estimator, JASA 43, 1948).
* Heavy tails: the median with its exact interval by ranks (David and Nagaraja, Order Statistics, 3rd ed.,
  ch. 7) where a point has the six trials that it takes; elsewhere Student's t, which is on the safe side
  under heavy tails (Benjamini, Technometrics 25, 1983).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from results.estimates.estimate import POOLED_T, RANKS, WELCH_T, Fit, IntervalChoice
from results.estimates.shape import Shape
from results.units import pct

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_LEAST_TRIALS_OF_WELCH = 3
_LEAST_TRIALS_OF_RANKS = 6
_MOST_TRIALS = 4000
_LEAST_VARIANCE_SHARE = 1e-4
"""An estimated variance below this share of the pooled one counts as this share: it may come out negative."""


@dataclass(frozen=True)
class Estimate:
    """Central figure of a point and its confidence interval (of this point alone), and how both were made.

    ``value`` is the geometric mean, or by ranks the median, of the figures with blocks taken out.
    """

    point_id: str
    value: float
    low: float
    high: float
    trials: int
    method: str = POOLED_T


def with_intervals(model: Fit, shape: Shape) -> Fit:
    """The model with the intervals that the shape of its noise calls for."""
    if shape.heavy_tailed:
        return replace(model, intervals=_of_heavy_tails(model, shape))
    if not shape.unequal:
        return model
    spread = f"the noise differs between points (from {pct(shape.least_noise_pct)} to {pct(shape.most_noise_pct)})"
    if model.components or len(model.responses) > _MOST_TRIALS or min(model.counts) < _LEAST_TRIALS_OF_WELCH:
        why = (
            "trials share arrays or filesystems"
            if model.components
            else "a point's own noise cannot be told from fewer than three trials"
            if min(model.counts) < _LEAST_TRIALS_OF_WELCH
            else "there are too many trials to separate it"
        )
        reason = f"Student's t with the pooled noise although {spread}: {why}; more blocks would tell"
        return replace(model, intervals=IntervalChoice(POOLED_T, reason))
    return replace(
        model,
        intervals=IntervalChoice(WELCH_T, f"Welch's t with each point's own noise, since {spread}"),
        own_sd=own_noise(model),
    )


def _of_heavy_tails(model: Fit, shape: Shape) -> IntervalChoice:
    """Ranks where any point has enough trials for them."""
    seen = f"the noise has heavy tails (kurtosis {shape.kurtosis:.1f}, where a normal one has about 3)"
    if max(model.counts) < _LEAST_TRIALS_OF_RANKS or model.components:
        needs = "trials share arrays or filesystems" if model.components else "an interval by ranks takes six trials"
        return IntervalChoice(POOLED_T, f"Student's t, which is on the safe side although {seen}: {needs}")
    return IntervalChoice(RANKS, f"medians by ranks for points with six trials or more, since {seen}")


def own_noise(model: Fit) -> Floats:
    """Standard deviation of each point's noise, log scale, from the squared residuals of all trials.

    Solves E[SS of point i] = sum over k of W[i, k] · variance of k, where W sums the squares of the matrix
    that makes residuals from figures.
    """
    import numpy as np

    from results.estimates.diagnostics import residual_maker

    maker = residual_maker(model) ** 2
    place = {point: index for index, point in enumerate(model.points)}
    member = np.zeros((len(model.responses), len(model.points)))
    member[np.arange(len(model.responses)), [place[each.point_id] for each in model.responses]] = 1.0
    squares = member.T @ model.residuals**2
    variances = np.linalg.lstsq(member.T @ maker @ member, squares, rcond=None)[0]
    found: Floats = np.sqrt(np.maximum(variances, _LEAST_VARIANCE_SHARE * model.sd**2))
    return found


def estimates(model: Fit, confidence: float = 0.95) -> list[Estimate]:
    """Each point's figure with its interval, in the order of ``model.points``; the method is the model's choice."""
    import numpy as np
    from scipy import special

    if model.own_sd is None:
        spread = float(special.stdtrit(model.df, 0.5 + confidence / 2)) * model.sd
        half = spread * np.sqrt(model.inverse_counts + (model.low_rank**2).sum(axis=1))
    else:
        errors = [model.standard_error(row) for row in np.eye(len(model.points))]
        half = np.array([special.stdtrit(df, 0.5 + confidence / 2) * error for error, df in errors])
    method = WELCH_T if model.own_sd is not None else POOLED_T
    low, high = np.exp(model.log_means - half), np.exp(model.log_means + half)
    found = [
        Estimate(point, float(value), float(bottom), float(top), count, method)
        for point, value, bottom, top, count in zip(
            model.points, np.exp(model.log_means), low, high, model.counts, strict=True
        )
    ]
    if model.intervals.method != RANKS:
        return found
    by_ranks = _by_ranks(model, confidence)
    return [by_ranks.get(each.point_id, each) for each in found]


def median_ranks(trials: int, confidence: float = 0.95) -> tuple[int, int] | None:
    """Ranks, from 1, between which the median lies with at least ``confidence``; None of too few trials.

    The widest r with 2 · P(Bin(n, 1/2) < r) ≤ 1 - confidence; exact for every continuous distribution.
    """
    from scipy import special

    rank = 0
    while 2 * special.bdtr(rank, trials, 0.5) <= 1 - confidence:
        rank += 1
    return (rank, trials + 1 - rank) if rank else None


def _by_ranks(model: Fit, confidence: float) -> Mapping[str, Estimate]:
    """Medians of figures with blocks taken out, of the points that have enough trials."""
    import numpy as np

    place = {point: index for index, point in enumerate(model.points)}
    row = np.array([place[each.point_id] for each in model.responses])
    adjusted = model.log_means[row] + model.residuals
    found = {}
    for index, point in enumerate(model.points):
        ranks = median_ranks(model.counts[index], confidence)
        if ranks is None:
            continue
        values = np.sort(np.exp(adjusted[row == index]))
        low, high = float(values[ranks[0] - 1]), float(values[ranks[1] - 1])
        found[point] = Estimate(point, float(np.median(values)), low, high, model.counts[index], RANKS)
    return found
