"""On what an effect depends: the change between two values of a factor, by the values of another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from results.estimates.cells import cell_weights
from results.estimates.factor_model import FactorModel, PairTest, standard_error
from results.statistics.multiplicity import tukey_critical
from stripelab.settings import Setting, ordered, value_text
from stripelab.units import signed_pct

_MATTERS_PCT = 1.0
_MOST_LISTED = 4


@dataclass(frozen=True)
class Condition:
    """The change where ``factor`` has one of ``values``, with its interval, per cent.

    The intervals hold for all values at once (Bonferroni), at the part of the level that the interaction has.
    """

    factor: str
    values: tuple[Setting, ...]
    change_pct: float
    low_pct: float
    high_pct: float

    @property
    def matters(self) -> bool:
        """Whether the interval excludes no change, and the change is more than 1 %."""
        return not self.low_pct <= 0 <= self.high_pct and abs(self.change_pct) >= _MATTERS_PCT

    @property
    def named(self) -> str:
        """``raid5 or raid6``."""
        return " or ".join(value_text(self.factor, value) for value in self.values)


def conditions(
    found: FactorModel, factor: str, other: str, levels: tuple[Setting, Setting], test: PairTest
) -> tuple[Condition, ...]:
    """The change of the figure from the first of ``levels`` to the second, by the values of ``other``."""
    cells = cell_weights(found.coding, factor, other, found.fit)
    place = {key: at for at, key in enumerate(cells.keys)}
    changes = []
    for value in ordered(other, (key[1] for key in cells.keys if key[1] is not None)):
        ends = [place.get((level, value)) for level in levels]
        if ends[0] is not None and ends[1] is not None and cells.comparable(ends[0], ends[1]):
            changes.append((value, cells.weights[ends[1]] - cells.weights[ends[0]]))
    listed = []
    for value, weights in changes:
        change = float(weights @ found.fit.log_means)
        error, df = standard_error(found.fit, weights)
        half = error * tukey_critical(2, df, 0.05 * test.weight / len(changes))
        listed.append(Condition(other, (value,), *map(_pct, (change, change - half, change + half))))
    return tuple(listed)


def wording(listed: Sequence[Condition]) -> str:
    """``depends on level: +38 % with raid5, no significant change with raid0``."""
    name = listed[0].factor
    matter = [each for each in listed if each.matters]
    words = [f"{signed_pct(each.change_pct)} with {each.named}" for each in matter[:_MOST_LISTED]]
    if len(matter) > _MOST_LISTED:
        words.append(f"{len(matter) - _MOST_LISTED} more")
    rest = [each for each in listed if not each.matters]
    if rest:
        where = " or ".join(each.named for each in rest) if len(rest) <= _MOST_LISTED else f"{len(rest)} other values"
        words.append(f"no significant change with {where}")
    return f"depends on {name}: {', '.join(words)}"


def _pct(log_ratio: float) -> float:
    return 100 * math.expm1(log_ratio)
