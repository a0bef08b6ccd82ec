"""Days that resemble the day before: how many independent ones they are worth to a bound from order statistics.

Where a day keeps the state of the day before with probability phi and draws a new one otherwise, D days hold
1 + (D - 1)(1 - phi) states on average; the largest of a max-autoregressive series behaves exactly as that of so many
independent values, 1 - phi being its extremal index (Leadbetter, Zeitschrift für Wahrscheinlichkeitstheorie 65, 1983,
291; Davis and Resnick, Advances in Applied Probability 21, 1989, 781).  Extremes of a Gaussian autoregression cluster
less, so the count is cautious there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

ASSUMED = 0.3
"""Correlation from one day to the next that is always allowed for: too small to be seen in a few weeks."""

MOST = 0.95
_LEAST_DAYS = 4


def correlation(values: Sequence[float]) -> float:
    """The correlation of neighbouring ``values`` to reckon with, between ASSUMED and MOST.

    That of their normal scores, which no outlier moves, without its bias of -(1 + 3 phi)/D (Kendall, Biometrika 41,
    1954, 403) and with a standard error on top: an estimate from a few days is uncertain.
    """
    import numpy as np
    from scipy import special, stats

    count = len(values)
    if count < _LEAST_DAYS or len(set(values)) == 1:
        return ASSUMED
    scores = special.ndtri((stats.rankdata(values) - 0.375) / (count + 0.25))
    scores = scores - scores.mean()
    raw = float(scores[1:] @ scores[:-1] / (scores @ scores))
    found = float(np.clip((raw + 1 / count) / (1 - 3 / count), -1, MOST))
    return min(MOST, max(ASSUMED, found + math.sqrt((1 - found**2) / count)))


def effective(count: int, phi: float) -> float:
    """How many independent days ``count`` days count as, neighbours correlated by ``phi``."""
    return 1 + (count - 1) * (1 - phi) if count else 0.0


def days_needed(share: float, confidence: float, phi: float = ASSUMED) -> int:
    """The fewest days whose worst bounds a ``share`` of future days with the ``confidence``."""
    independent = math.log(1 - confidence) / math.log(share)
    return max(1, math.ceil(1 + (independent - 1) / (1 - phi) - 1e-9))
