"""Stage one and stage two of a verdict: a cheap screen, and tests on figures that were measured afresh.

All figures are natural logarithms, so that differences are relative changes; ``sign`` is 1 where more is better and -1
where less is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

CUSUM_SLACK, CUSUM_LIMIT, Z_LIMIT = 0.5, 4.0, 2.6
PAIRS = 12
SIGNIFICANCE = 1 / 256
CONFIDENCE = 0.95
FEWEST_PAIRS = 8
"""2 to the power -8 is the significance: with fewer pairs no outcome reaches it."""

_WILD, _NORMAL_MAD = 5.0, 1.4826
_LEAST_SPREAD = 0.002
"""Standard deviation below which nights are taken to be rounded rather than that alike, as a share."""


@dataclass(frozen=True)
class Screen:
    """How far tonight is from the baseline, in its standard deviations, positive where it is worse.

    ``z`` is tonight's distance, ``cusum`` the one-sided cumulative sum over the nights since, on the side that
    ``worse`` tells.
    """

    z: float
    cusum: float
    worse: bool
    alarmed: bool

    @property
    def statistic(self) -> float:
        """The one that is larger beside its limit."""
        return self.cusum if self.cusum / CUSUM_LIMIT > abs(self.z) / Z_LIMIT else self.z


def typical(nights: Floats) -> Floats:
    """The nights without those that lie further than five robust standard deviations from the median.

    A host that stalls for a second makes a night like that, and one of them in a baseline would make the screen blind
    (Hampel identifier; Davies and Gather 1993, "The identification of multiple outliers", JASA 88, 782).  A screen that
    is too keen costs confirmation runs, one that is blind a regression.
    """
    import numpy as np

    apart = np.abs(nights - np.median(nights))
    kept: Floats = nights[apart <= _WILD * max(_LEAST_SPREAD, _NORMAL_MAD * float(np.median(apart)))]
    return kept


def screen(baseline: Floats, since: Floats, sign: int) -> Screen:
    """Screen the last of ``since``, the nights after the baseline (or after the last false alarm).

    A tabular CUSUM with k = 0.5 and h = 4 (Montgomery, Introduction to Statistical Quality Control, 7th ed., ch. 9.1)
    beside a Shewhart limit of 2.6; both in standard deviations of a new night against the mean of n.
    """
    baseline = typical(baseline)
    spread = max(_LEAST_SPREAD, float(baseline.std(ddof=1))) * math.sqrt(1 + 1 / len(baseline))
    worse = sign * (float(baseline.mean()) - since) / spread
    sums = {side: _cusum([side * float(each) for each in worse]) for side in (1, -1)}
    z = float(worse[-1])
    on_worse = z > Z_LIMIT or sums[1] > CUSUM_LIMIT
    on_better = z < -Z_LIMIT or sums[-1] > CUSUM_LIMIT
    is_worse = on_worse or (not on_better and z >= 0)
    return Screen(z, sums[1 if is_worse else -1], is_worse, on_worse or on_better)


def _cusum(steps: Sequence[float]) -> float:
    total = 0.0
    for step in steps:
        total = max(0.0, total + step - CUSUM_SLACK)
    return total


@dataclass(frozen=True)
class Shift:
    """A change as a logarithm with its interval; ``p_value`` is that of the side that ``sign`` asked for."""

    change: float
    low: float
    high: float
    p_value: float | None
    count: int

    def beyond(self, margin: float) -> bool:
        """Whether the whole interval lies beyond the practical margin, a share, on one side or the other."""
        return self.high < math.log1p(-margin) or self.low > math.log1p(margin)


def sign_flip(differences: Floats, *, worse: bool, sign: int) -> float:
    """Exact one-sided p-value of paired differences: the share of all sign patterns with a sum as large.

    Fisher 1935, The Design of Experiments, section 21; exact wherever pairs are symmetric under "nothing changed",
    which drawing the order within each pair makes them.  Up to 20 pairs are enumerated, of more the first 20 are used.
    """
    import numpy as np

    values = (-sign if worse else sign) * differences[:20]
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate((sums + value, sums - value))
    observed = values.sum()
    return float((sums >= observed - 1e-12 * max(1.0, float(abs(values).sum()))).mean())


def paired(differences: Floats, *, worse: bool, sign: int) -> Shift:
    """Tonight less baseline over interleaved pairs: mean, its t interval, and the exact p-value."""
    from scipy import stats

    count = len(differences)
    mean = float(differences.mean())
    half = float(differences.std(ddof=1)) / math.sqrt(count) * float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
    return Shift(mean, mean - half, mean + half, sign_flip(differences, worse=worse, sign=sign), count)


def against_nights(baseline: Floats, fresh: Floats) -> Shift:
    """Fresh figures of one night against the nights of the baseline: a prediction interval for one more night.

    However many fresh trials there are, they are of one night, whose own share of the spread they have in common
    (Hahn and Meeker 1991, Statistical Intervals, section 4.7).  There is no p-value: what separates nights is
    not chance alone.
    """
    from scipy import stats

    baseline = typical(baseline)
    change = float(fresh.mean() - baseline.mean())
    spread = max(_LEAST_SPREAD, float(baseline.std(ddof=1))) * math.sqrt(1 + 1 / len(baseline))
    half = spread * float(stats.t.ppf((1 + CONFIDENCE) / 2, len(baseline) - 1))
    return Shift(change, change - half, change + half, None, len(fresh))
