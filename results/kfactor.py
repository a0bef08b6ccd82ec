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
BATCHES = 5


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
    evidence that runs differ at all (:func:`runs_differ`).
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
            f"(F test of {BATCHES} batch means a run, p = {p_value:.2g})"
        )
    return None


def runs_differ(runs: Sequence[Floats]) -> float:
    """How likely means of runs differ as much where all runs are alike: p of a one-way analysis of variance.

    The replicates within a run are the means of five batches of consecutive intervals, long enough
    to be nearly independent (batch means: Fishman, Management Science 24, 1978, 510).  NaN where a
    run is shorter than two intervals a batch.
    """
    import numpy as np
    from scipy import special

    if len(runs) < 2 or min(len(run) for run in runs) < 2 * BATCHES:
        return math.nan
    means = np.array([[part.mean() for part in np.array_split(run, BATCHES)] for run in runs])
    count = len(runs)
    between = BATCHES * float(means.mean(axis=1).var(ddof=1))
    within = float(means.var(axis=1, ddof=1).mean())
    if within == 0:
        return 0.0 if between > 0 else 1.0
    return float(special.fdtrc(count - 1, count * (BATCHES - 1), between / within))
