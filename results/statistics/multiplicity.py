"""Tests and intervals for many comparisons at once.

Within a factor: all pairs of values by the studentised range (Tukey 1953; Kramer, Biometrics 12, 1956; conservative
where the numbers of runs differ: Hayter, Annals of Statistics 12, 1984).  Over factors: Holm's procedure with weights
(Scandinavian Journal of Statistics 6, 1979).  Both together are a closed test, so the probability of any false claim
stays below the level whatever is true (Hochberg and Tamhane, Multiple Comparison Procedures, 1987, ch. 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Family:
    """Hypotheses about one term: its ``weight`` in the division of the level and a p-value each.

    The p-values hold for the family at once: any of them is below x with a probability of at most x where its
    hypothesis is true, whatever the others are.
    """

    weight: float
    p_values: tuple[float, ...]


def tukey_p(t: float, groups: int, df: int) -> float:
    """Adjusted p-value of a difference that is ``t`` standard errors, among all pairs of ``groups`` means."""
    from scipy import special, stats

    alone = 2 * float(special.stdtr(df, -abs(t)))
    if groups <= 2 or alone > 0.25:  # what is adjusted is larger still, and nobody claims it
        return alone if groups <= 2 else 1.0
    if math.isinf(t):
        return 0.0
    found = float(stats.studentized_range.sf(abs(t) * math.sqrt(2), groups, df))
    return min(1.0, max(alone, found))


@lru_cache(maxsize=4096)
def tukey_critical(groups: int, df: int, level: float) -> float:
    """How many standard errors a difference between two of ``groups`` means may be, for all pairs at once."""
    from scipy import special, stats

    if groups <= 2:
        return -float(special.stdtrit(df, level / 2))
    return float(stats.studentized_range.ppf(1 - level, groups, df)) / math.sqrt(2)


def holm_levels(families: Sequence[Family], level: float) -> list[float]:
    """The level at which each family is tested in the end; a hypothesis is rejected at or below that of its family.

    A family passes its part of the level on to the others once all of its hypotheses are rejected.
    """
    active = set(range(len(families)))
    levels = [0.0] * len(families)
    while active:
        total = math.fsum(families[place].weight for place in active)
        for place in active:
            levels[place] = level * families[place].weight / total
        released = {place for place in active if all(p_value <= levels[place] for p_value in families[place].p_values)}
        if not released:
            break
        active -= released
    return levels
