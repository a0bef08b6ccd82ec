"""The normal tolerance bound, an approximation: mean minus k standard deviations of the runs' figures.

k = nct.ppf(gamma, n - 1, z_P √n) / √n (Odeh and Owen, Tables for Normal Tolerance Limits, 1980; NIST/SEMATECH
e-Handbook, 7.2.6.3).  It needs fewer runs than order statistics and it is wrong where its model is:
the figures of the runs must be normal.  They are when runs differ; where all of them are alike, the
1 % quantile of each is the lower tail of its own seconds, which is skewed, and the bound covers too
little (86 % for 95 %, simulated).  So it has a gate, :func:`gate`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MIN_RUNS = 10
"""Fewer say nothing of normality."""

NORMALITY_LEVEL = 0.10
VARIANCE_LEVEL = 0.01
MIN_SECONDS = 10
MOST_SKEWNESS = 0.5
MOST_KURTOSIS = 1.0
_LARGEST_PHI = 0.98


def k_factor(runs: int, share: float, confidence: float) -> float:
    """How many standard deviations below the mean a ``share`` of a normal population lies above.

    Raises:
        ValueError: fewer than two runs, or a share or a confidence that is not between 0 and 1.
    """
    from scipy import stats

    if runs < 2 or not (0 < share < 1 and 0 < confidence < 1):
        raise ValueError(f"no k factor for {runs} runs, a share of {share} and a confidence of {confidence}")
    shift = float(stats.norm.ppf(share)) * math.sqrt(runs)
    return float(stats.nct.ppf(confidence, runs - 1, shift)) / math.sqrt(runs)


def normal_bound(figures: Floats, share: float, confidence: float, *, at_least: bool = True) -> float:
    """The bound from the logarithms of the runs' ``figures`` (all positive): noise multiplies."""
    import numpy as np

    logs = np.log(figures)
    away = k_factor(len(logs), share, confidence) * float(logs.std(ddof=1))
    centre = float(logs.mean())
    return math.exp(centre - away if at_least else centre + away)


def gate(figures: Floats, runs: Sequence[Floats]) -> str | None:
    """Why the normal bound may not be given; None where nothing speaks against it.

    ``figures`` is one figure a run, ``runs`` the intervals of each.  Asked for are: ten runs, no
    evidence against normal logarithms (Shapiro and Wilk, Biometrika 52, 1965; level 10 %), and
    evidence that runs differ at all (:func:`runs_differ`).  Ten or twenty figures do not show a heavy
    tail; the many seconds within runs do, so these must have none.
    """
    import numpy as np
    from scipy import stats

    if len(figures) < MIN_RUNS:
        return f"{len(figures)} runs say too little of their distribution; {MIN_RUNS} are the least"
    if not (np.isfinite(figures).all() and (figures > 0).all()):
        return "the figure of a run is zero, or not finite"
    if float(np.ptp(figures)) == 0:
        return "the figures of all runs are equal, so how they vary is not known"
    p_value = float(stats.shapiro(np.log(figures)).pvalue)
    if p_value < NORMALITY_LEVEL:
        return f"the runs' figures are not normal on the log scale (Shapiro and Wilk, p = {p_value:.2g})"
    p_value = runs_differ(runs)
    if not p_value < VARIANCE_LEVEL:
        return (
            "there is no evidence that runs differ from each other at all "
            f"(analysis of variance with autocorrelated seconds, p = {p_value:.2g})"
        )
    skewness, kurtosis = tails(runs)
    if abs(skewness) > MOST_SKEWNESS or kurtosis > MOST_KURTOSIS:
        return f"the seconds within runs are not normal (skewness {skewness:.1f}, excess kurtosis {kurtosis:.1f})"
    return None


def runs_differ(runs: Sequence[Floats]) -> float:
    """How likely the means of runs differ as much where all runs are alike: p of an analysis of variance.

    What means of like runs differ by is taken from the seconds within them as a first-order
    autoregression, with its coefficient corrected for the shortness of runs (Bartlett, Journal of the
    Royal Statistical Society B 8, 1946, 27; Marriott and Pope, Biometrika 41, 1954, 390): neighbouring
    seconds resemble each other, and independent ones would make alike runs look different.  NaN where
    a run is shorter than ten intervals.
    """
    import numpy as np
    from scipy import special

    if len(runs) < 2 or min(len(run) for run in runs) < MIN_SECONDS:
        return math.nan
    means = np.array([run.mean() for run in runs])
    count, seconds = len(runs), float(np.mean([len(run) for run in runs]))
    left = [run - mean for run, mean in zip(runs, means, strict=True)]
    square = sum(float(each @ each) for each in left) / sum(len(each) for each in left)
    if square == 0:
        return 0.0 if float(np.ptp(means)) > 0 else 1.0
    lagged = sum(float(each[1:] @ each[:-1]) for each in left) / sum(len(each) - 1 for each in left)
    raw = lagged / square
    phi = min(max(raw + (1 + 3 * raw) / seconds, 0.0), _LARGEST_PHI)
    lags = np.arange(1, round(seconds))
    inflation = 1 + 2 * float(((1 - lags / seconds) * phi**lags).sum())
    alike = square / max(1 - inflation / seconds, 0.1) * inflation / seconds
    return float(special.chdtrc(count - 1, (count - 1) * float(means.var(ddof=1)) / alike))


def tails(runs: Sequence[Floats]) -> tuple[float, float]:
    """Skewness and excess kurtosis of the intervals of all runs, each run brought to mean 0 and deviation 1."""
    import numpy as np

    scaled = np.concatenate([(run - run.mean()) / run.std() for run in runs if run.std() > 0] or [np.zeros(1)])
    return float((scaled**3).mean()), float((scaled**4).mean()) - 3
