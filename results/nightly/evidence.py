"""Stage one and stage two of a verdict: a cheap screen, and tests on figures that were measured afresh.

All figures are natural logarithms, so that differences are relative changes; ``sign`` is 1 where more is better and -1
where less is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

CUSUM_SLACK, CUSUM_LIMIT = 0.5, 4.0
Z_LIMIT, Z_NIGHTS = 2.6, 60
"""Distance of one night that is suspicious, on a baseline of so many nights."""
CHECK_PAIRS, PAIRS, MANY_PAIRS = 4, 12, 20
"""Pairs of a nightly check of a change that is confirmed already, and fewest and usual most of a look."""
SPENT_A_YEAR = 4 / 256
"""What the levels of all looks at one side of a metric add up to at most, in any year (:func:`look`)."""
FALSE_REGRESSIONS_A_YEAR = 0.016
"""Bound on false regressions per metric and year: looks that confirmed something are not charged."""
YEAR_NIGHTS = 365
CONFIDENCE = 0.95
FEWEST_PAIRS = 8
"""2 to the power -8 is half the level of the first look: fewer pairs decide nothing."""
FOLLOWED_NIGHTS = 14
"""Nights whose median is the screen's new centre: two of each weekday."""
DEFAULT_MARGIN = 0.05
"""Practical margin, a share, unless another one is given."""

_SPARE_PAIRS = 4
_FAR_MARGINS = 1.5
"""Practical margins that a single night must be off: one stalled trial of three is about one margin."""
_WILD, _NORMAL_MAD = 5.0, 1.4826
_LEAST_SPREAD = 0.002
"""Standard deviation below which nights are taken to be rounded rather than that alike, as a share."""


@dataclass(frozen=True)
class Screen:
    """How far tonight is from the baseline, in its standard deviations, positive where it is worse.

    ``z`` is tonight's distance, ``cusum`` the one-sided cumulative sum over the nights since, on the side that
    ``worse`` tells; ``z_limit`` is what the distance is held to, which a short baseline widens.
    """

    z: float
    cusum: float
    worse: bool
    alarmed: bool
    z_limit: float = Z_LIMIT

    @property
    def statistic(self) -> float:
        """The one that is larger beside its limit."""
        return self.cusum if self.cusum / CUSUM_LIMIT > abs(self.z) / self.z_limit else self.z


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


def screen(
    baseline: Floats, since: Floats, sign: int, *, margin: float = DEFAULT_MARGIN, level: float | None = None
) -> Screen:
    """Screen the last of ``since``, the nights after the baseline (or after the last look).

    A tabular CUSUM (Page 1954, "Continuous inspection schemes", Biometrika 41, 100-115) beside a Shewhart limit, both
    in standard deviations of the baseline's nights.  The slack of the sum is half of the smallest change that is
    sought, which is the larger of one standard deviation and the practical ``margin`` (a share): a change within the
    margin is never a regression, so there is no point in measuring again for one.  ``level`` is the centre where
    pairs cleared nights after the baseline (:func:`followed`).
    """
    import numpy as np

    mean, spread = centre(baseline)
    worse = sign * ((mean if level is None else level) - since) / spread
    least = -math.log1p(-min(margin, 0.99)) / spread
    slack = max(CUSUM_SLACK, least / 2)
    sums = np.array([cusum(each, slack)[-1] for each in (worse, -worse)])
    z, limit = float(worse[-1]), max(z_limit(len(baseline)), _FAR_MARGINS * least)
    on_worse, on_better = sums > CUSUM_LIMIT
    on_worse, on_better = bool(on_worse or z > limit), bool(on_better or -z > limit)
    is_worse = on_worse or (not on_better and z >= 0)
    return Screen(z, float(sums[0 if is_worse else 1]), is_worse, on_worse or on_better, limit)


def centre(baseline: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the nights that are :func:`typical`."""
    nights = typical(baseline)
    return float(nights.mean()), max(_LEAST_SPREAD, float(nights.std(ddof=1)))


def followed(nights: Floats) -> float:
    """Centre of the screen after a night that pairs cleared: the median of the latest nights up to that one."""
    import numpy as np

    return float(np.median(nights[-FOLLOWED_NIGHTS:]))


def cusum(z: Floats, slack: float = CUSUM_SLACK) -> Floats:
    """The one-sided cumulative sum after each night that is ``z`` standard deviations off; the same shape, (n,)."""
    import numpy as np

    total = np.cumsum(z - slack)
    sums: Floats = total - np.minimum(0.0, np.minimum.accumulate(total))
    return sums


@lru_cache(maxsize=512)
def z_limit(nights: int) -> float:
    """Limit of a night's distance for a baseline of so many nights: as rare by chance as 2.6 is on 60.

    The ratio is that of prediction limits for one more value of a normal sample (Hahn and Meeker 1991,
    Statistical Intervals, section 4.7): a short baseline does not know its own spread.
    """
    from scipy import stats

    tail = stats.norm.sf(Z_LIMIT)
    few, full = (float(stats.t.isf(tail, count - 1)) * math.sqrt(1 + 1 / count) for count in (nights, Z_NIGHTS))
    return Z_LIMIT * max(1.0, few / full)


@dataclass(frozen=True)
class Look:
    """How a suspicious metric is confirmed: the one-sided level of its test, and the pairs that it takes."""

    level: float
    pairs: int


def look(earlier: int) -> Look:
    """The next look at a metric that had so many on the same side, none of which confirmed anything, within a year.

    A metric that is looked at often is found changed in the end, so the k-th look has the level (4/256) / (k (k + 1)),
    whose sum over any number of looks stays below 4/256 (alpha spending: Lan and DeMets 1983, Biometrika 70, 659-663;
    alpha investing: Foster and Stine 2008, JRSS B 70, 429-444).  In any :data:`YEAR_NIGHTS` nights the j-th look has
    j - 1 before it at least, so the bound holds for every year.  Pairs are as many as the exact test needs for that
    level, with some to spare for pairs that a stall turned round: 12 to 20, and 24 for the 364th look of a year.
    """
    level = SPENT_A_YEAR / ((earlier + 1) * (earlier + 2))
    needed = math.ceil(-math.log2(level))
    return Look(level, max(PAIRS, needed, min(MANY_PAIRS, needed + _SPARE_PAIRS)))


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

    def within(self, margin: float) -> bool:
        """Whether the whole interval lies within the margin: equivalence is shown (Schuirmann 1987)."""
        return math.log1p(-margin) <= self.low and self.high <= math.log1p(margin)


def sign_flip(differences: Floats, *, worse: bool, sign: int) -> float:
    """Exact one-sided p-value of paired differences: the share of all sign patterns with a sum as large.

    Fisher 1935, The Design of Experiments, section 21; exact wherever pairs are symmetric under "nothing changed",
    which drawing the order within each pair makes them.  Of more than :data:`MOST_FLIPPED` pairs the first are used.
    """
    return float(flip_p_values((-sign if worse else sign) * differences[None, :MOST_FLIPPED])[0])


MOST_FLIPPED = 32


def flip_p_values(differences: Floats) -> Floats:
    """The sign-flip test on each row of (m, n) differences, positive in the direction that is asked about; (m,).

    Flipping a subset lowers the sum by twice the subset's own, so a flipped sum is as large exactly where the subset's
    is not positive.  Subsets are counted half by half (Horowitz and Sahni 1974, JACM 21, 277-292).
    """
    import numpy as np

    half = differences.shape[1] // 2
    left, right = _subset_sums(differences[:, :half]), np.sort(_subset_sums(differences[:, half:]), axis=1)
    equal = 1e-12 * np.abs(differences).sum(axis=1)  # sums that only rounding tells apart
    counted = [
        np.searchsorted(second, slack - first, side="right").sum()
        for first, second, slack in zip(left, right, equal, strict=True)
    ]
    shares: Floats = np.asarray(counted, dtype=np.float64) / 2.0 ** differences.shape[1]
    return shares


def _subset_sums(values: Floats) -> Floats:
    import numpy as np

    sums: Floats = np.zeros((len(values), 1))
    for column in range(values.shape[1]):
        sums = np.concatenate([sums, sums + values[:, column : column + 1]], axis=1)
    return sums


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
