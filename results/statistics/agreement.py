"""Whether two ways of measuring agree: paired ratios, and equivalence within a margin.

Two ways measure the same thing in turn, round by round.  The logarithms of the ratios of each round have
a mean and a t-interval of 90%.  They agree where the interval lies within the margin, which is two
one-sided tests at 5% (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987); they differ where it lies
outside; otherwise the rounds do not tell.  Pairing takes out what drifts from round to round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.05
FEWEST_ROUNDS = 2


@dataclass(frozen=True)
class Agreement:
    """The ratio of the first to the second with its 90% interval; ``verdict`` is agree, differ or unclear."""

    ratio: float
    low: float
    high: float
    rounds: int
    margin: float
    verdict: str

    @property
    def words(self) -> str:
        """The verdict in words."""
        if self.verdict == "agree":
            return f"agree within {self.margin:.3g}%"
        if self.verdict == "differ":
            return f"differ by {100 * (self.ratio - 1):+.1f}%"
        return "not enough rounds to tell"


def agreement(first: Sequence[float], second: Sequence[float], margin_pct: float) -> Agreement | None:
    """Compare paired figures; None where there are too few rounds or a figure is not above zero.

    ``margin_pct``: 2 stands for ratios from 1/1.02 to 1.02.
    """
    from scipy import stats

    if len(first) < FEWEST_ROUNDS or min(*first, *second) <= 0:
        return None
    logs = [math.log(one / other) for one, other in zip(first, second, strict=True)]
    rounds = len(logs)
    mean = math.fsum(logs) / rounds
    spread = math.sqrt(math.fsum((each - mean) ** 2 for each in logs) / (rounds - 1) / rounds)
    half = float(stats.t.ppf(1 - LEVEL, rounds - 1)) * spread
    bound = math.log1p(margin_pct / 100)
    low, high = mean - half, mean + half
    verdict = "agree" if -bound <= low and high <= bound else "differ" if low > bound or high < -bound else "unclear"
    return Agreement(math.exp(mean), math.exp(low), math.exp(high), rounds, margin_pct, verdict)
