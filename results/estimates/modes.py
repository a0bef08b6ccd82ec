"""Two modes: figures that fall into two groups, which no mean describes.

A mixture of two normal distributions of one width is fitted by EM (Dempster, Laird and Rubin, JRSS B 39,
1977) and must beat both one normal and one Student t (heavy tails are no modes) by Schwarz's criterion
(Annals of Statistics 6, 1978).  The groups must also stand apart by four standard deviations and more:
Ashman, Bird and Zepf (Astronomical Journal 108, 1994) ask for two.  It wants twenty values; the few runs
of one point are judged by :mod:`results.statistics.two_groups`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit
from stripelab.units import pct, signed_pct

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_LEAST_VALUES = 20
_LEAST_OF_A_MODE = 3
_LEAST_SHARE = 0.02
_LEAST_APART_SD = 4.0
_LEAST_LEAD = 10.0
_LEAST_STEP = 0.02
"""Modes nearer than 2 % to each other are of no consequence."""
_MOST_BETWEEN = 0.5
"""In the middle third between the modes there are at most this many values for one of the smaller mode."""
_STEPS = 60
"""Groups four standard deviations apart are found in fewer; one group alone would be followed for ever."""
_LOOK = 5
"""The likelihood, which costs as much as a step, is looked at after every so many; they divide ``_STEPS``."""
_MOST_VALUES = 20_000


@dataclass(frozen=True)
class ModesOfRuns:
    """Runs in two modes: of how many ``trials``, which are in the smaller one, and how far it is off."""

    trials: int
    minor_trials: tuple[str, ...]
    step_pct: float

    @property
    def sentence(self) -> str:
        """Why no mean is given, in words."""
        share = pct(100 * len(self.minor_trials) / self.trials)
        return (
            f"the runs fall into two modes: {len(self.minor_trials)} of {self.trials} trials ({share}) are "
            f"{signed_pct(self.step_pct)} off the others of their points, with nothing in between, and no mean "
            f"describes both. Find what switches (cache policy, a background task, a second path): the trials are "
            f"{', '.join(self.minor_trials[:8])}{' and others' if len(self.minor_trials) > 8 else ''}"
        )


@dataclass(frozen=True)
class Modes:
    """Two groups of log figures: their centres and the share of values in the first, larger group.

    ``minor`` says of each value whether it is in the smaller group; ``apart`` is the distance of the
    centres in standard deviations within the groups.
    """

    major: float
    minor_centre: float
    share: float
    minor: npt.NDArray[np.bool_]
    apart: float

    @property
    def step_pct(self) -> float:
        """The smaller group against the larger, per cent."""
        return 100 * math.expm1(self.minor_centre - self.major)


def two_modes(logs: Floats, worth: float = 1.0) -> Modes | None:
    """The two modes of some log figures; None where one describes them.

    ``worth`` is how many independent values one value is worth (less than 1 of seconds that resemble
    their neighbours).
    """
    import numpy as np

    if len(logs) < _LEAST_VALUES or float(np.ptp(logs)) < _LEAST_STEP:
        return None
    used = logs[:: max(1, len(logs) // _MOST_VALUES)]
    fitted = _mixture(used)
    if fitted is None:
        return None
    share, centres, sd, likelihood = fitted
    apart = abs(centres[1] - centres[0])
    if apart < max(_LEAST_APART_SD * sd, _LEAST_STEP):
        return None
    single = max(_normal(used), _student(used))
    lead = worth * (likelihood - single) - math.log(max(2.0, worth * len(used)))  # 2 more parameters, 1/2 log n each
    minor_is = 1 if share >= 0.5 else 0
    major, minor_centre = centres[1 - minor_is], centres[minor_is]
    minor = np.abs(logs - minor_centre) < np.abs(logs - major)
    between = int((np.abs(logs - (major + minor_centre) / 2) < apart / 6).sum())
    if between > _MOST_BETWEEN * minor.sum():  # a long tail, and no gap
        return None
    if lead < _LEAST_LEAD / 2 or minor.sum() < _LEAST_OF_A_MODE or minor.mean() < _LEAST_SHARE:
        return None
    return Modes(major, minor_centre, 1 - float(minor.mean()), minor, apart / sd)


def _mixture(logs: Floats) -> tuple[float, tuple[float, float], float, float] | None:
    """Share of the first group, centres, common width and log likelihood, from the best of three starts."""
    import numpy as np

    found = []
    for quantile in (0.05, 0.5, 0.95):
        cut = float(np.quantile(logs, quantile))
        lower = logs <= cut
        if not 0 < lower.sum() < len(logs):
            continue
        found.append(_em(logs, lower.astype(float)))
    return max(found, key=lambda each: each[3]) if found else None


def _em(logs: Floats, first: Floats) -> tuple[float, tuple[float, float], float, float]:
    """Expectation and maximisation from a first guess of who belongs to the first group."""
    import numpy as np

    floor = 1e-3 * float(np.std(logs)) + 1e-12
    before = -math.inf
    for step in range(1, _STEPS + 1):
        share = min(max(float(first.mean()), 1e-6), 1 - 1e-6)
        one = float(first @ logs) / (share * len(logs))
        two = float((1 - first) @ logs) / ((1 - share) * len(logs))
        outside = (logs - two) ** 2
        variance = float(first @ (logs - one) ** 2 + outside.sum() - first @ outside) / len(logs)
        sd = max(math.sqrt(variance), floor)
        # With one width, the log odds of the first group are a straight line in the value.
        odds = (one - two) / sd**2 * (logs - (one + two) / 2) + math.log(share / (1 - share))
        small = np.exp(-np.abs(odds))
        first = np.where(odds >= 0, 1.0, small) / (1 + small)
        if step % _LOOK:
            continue
        both = np.maximum(odds, 0.0) + np.log1p(small) - outside / (2 * sd**2)
        constant = math.log(1 - share) - math.log(sd) - 0.5 * math.log(2 * math.pi)
        likelihood = float(both.sum()) + len(logs) * constant
        if likelihood - before < 1e-6 * len(logs):
            break
        before = likelihood
    return share, (one, two), sd, likelihood


def _normal(logs: Floats) -> float:
    """Log likelihood of one normal distribution."""
    import numpy as np

    sd = max(float(np.std(logs)), 1e-12)
    return -len(logs) * (math.log(sd) + 0.5 * math.log(2 * math.pi) + 0.5)


def _student(logs: Floats) -> float:
    """Log likelihood of one Student t, the best of a few degrees of freedom; median and MAD to start from."""
    import numpy as np

    best = -math.inf
    for df in (1.5, 3.0, 6.0):
        centre = float(np.median(logs))
        scale = max(float(np.median(np.abs(logs - centre))), 1e-12)
        for _ in range(30):  # EM for the t distribution (Lange, Little and Taylor, JASA 84, 1989)
            weights = (df + 1) / (df + ((logs - centre) / scale) ** 2)
            centre = float(weights @ logs / weights.sum())
            scale = max(math.sqrt(float(weights @ (logs - centre) ** 2) / len(logs)), 1e-12)
        constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi) - math.log(scale)
        spread = np.log1p(((logs - centre) / scale) ** 2 / df)
        best = max(best, len(logs) * constant - (df + 1) / 2 * float(spread.sum()))
    return best


def modes_of_runs(model: Fit) -> ModesOfRuns | None:
    """Two modes among the trials of all points together; None where one describes them.

    Each trial is taken against the median of its point, blocks taken out by their median; a point whose
    median is one of its trials leaves that one out, since it differs by nothing from itself.
    """
    import numpy as np

    place = {point: index for index, point in enumerate(model.points)}
    row = np.array([place[each.point_id] for each in model.responses])
    block = np.array([each.block for each in model.responses])
    logs = np.log([each.value for each in model.responses])
    known = np.array(model.counts)[row] >= 3
    if known.sum() < _LEAST_VALUES:
        return None
    left = logs.copy()
    for _ in range(5):  # median polish (Tukey, Exploratory Data Analysis, 1977, ch. 11)
        for groups in (row, block):
            for group in np.unique(groups):
                left[groups == group] -= np.median(left[groups == group])
    trials = int(known.sum())
    still = np.flatnonzero(np.abs(left) <= 1e-12)
    own_medians = still[np.unique(row[still], return_index=True)[1]]  # one of a point; figures in steps repeat it
    known[own_medians] = False
    used = np.flatnonzero(known)
    found = two_modes(left[used])
    if found is None:
        return None
    minor = [model.responses[index].trial_id for index in used[found.minor]]
    return ModesOfRuns(trials, tuple(minor), found.step_pct)
