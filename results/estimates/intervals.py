"""Which interval a point's figure gets, chosen by the number of trials and stated.

* Five trials or more of every point: each point's own standard deviation, with Satterthwaite's degrees of
  freedom (Welch, Biometrika 34, 1947).
* Fewer: Student's t with the pooled standard deviation, and the answer states that it assumes equal noise.
* Heavy tails: the median with its exact interval by ranks (David and Nagaraja, Order Statistics, 3rd ed.,
  ch. 7) where a point has the six trials that it takes; elsewhere Student's t, which is on the safe side
  under heavy tails (Benjamini, Technometrics 25, 1983).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from results.estimates.estimate import POOLED_T, RANKS, WELCH_T, Fit, IntervalChoice
from results.estimates.noise import own_noise
from results.estimates.shape import Shape

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_LEAST_TRIALS_OF_WELCH = 5
_LEAST_TRIALS_OF_RANKS = 6
_MOST_TRIALS = 4000
_SURE_TO_SEE_A_TENTH = 29
"""Fewest runs that show a mode of one run in ten with 95 % probability: 0.9 to the power of 29 is 0.047."""


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
    """The model with its intervals: each point's own noise where every point has five trials, else a pooled one.

    The number of trials decides, not a test of the noise: at two or three blocks such a test has no power, and
    what it lets through is wrong just where it matters (Moser and Stevens, American Statistician 46, 1992;
    Zimmerman, British Journal of Mathematical and Statistical Psychology 57, 2004).
    """
    import numpy as np

    if len(model.responses) > _MOST_TRIALS or model.components:
        why = "trials share arrays or filesystems" if model.components else "there are too many trials to separate it"
        chosen = IntervalChoice(POOLED_T, f"Student's t with one noise for all points, pooled over them: {why}")
        return replace(model, intervals=chosen, assumption=f"that the noise is the same at every point, since {why}")
    own = own_noise(model)
    model = replace(model, wide_sd=np.maximum(own, model.sd), assumption=_assumption(model))
    if min(model.counts) >= _LEAST_TRIALS_OF_WELCH:
        reason = "Welch's t with each point's own noise, since every point has five trials or more"
        model = replace(model, own_sd=own, intervals=IntervalChoice(WELCH_T, reason))
    if shape.heavy_tailed:
        return replace(model, intervals=_of_heavy_tails(model, shape))
    return model


def _assumption(model: Fit) -> str | None:
    """What the simultaneous limits take for granted, as a phrase after "assumes"; None where nothing is."""
    found = []
    least = min(model.counts)
    if least < _LEAST_TRIALS_OF_WELCH:
        trials = "1 trial" if least == 1 else f"{least} trials"
        have = "the points have" if least == max(model.counts) else "some points have only"
        found.append(
            f"normal noise of the same size at every point ({have} {trials}, and {_LEAST_TRIALS_OF_WELCH} can check it)"
        )
    if len(model.responses) < _SURE_TO_SEE_A_TENTH:
        found.append(f"no rare slow runs ({len(model.responses)} runs may miss what happens in one of ten)")
    return " and ".join(found) or None


def _of_heavy_tails(model: Fit, shape: Shape) -> IntervalChoice:
    """Ranks where any point has enough trials for them."""
    seen = f"the noise has heavy tails (kurtosis {shape.kurtosis:.1f}, where a normal one has about 3)"
    if max(model.counts) < _LEAST_TRIALS_OF_RANKS or model.components:
        needs = "trials share arrays or filesystems" if model.components else "an interval by ranks takes six trials"
        return IntervalChoice(POOLED_T, f"Student's t, which is on the safe side although {seen}: {needs}")
    return IntervalChoice(RANKS, f"medians by ranks for points with six trials or more, since {seen}")


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
