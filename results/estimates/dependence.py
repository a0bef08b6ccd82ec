"""On what an effect depends: the factor whose values tell apart the pairs where it matters and where not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit, t_interval
from results.estimates.settings import Setting, ordered, value_text
from results.units import signed_pct

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_EXPLAINED = 0.5
"""A factor is named where it explains at least half of how the pairs differ."""
_MATTERS_PCT = 1.0


@dataclass(frozen=True)
class Condition:
    """The change where ``factor`` has one of ``values``, with its interval (Bonferroni over the values), per cent."""

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
    model: Fit,
    settings: Mapping[str, Mapping[str, Setting]],
    factor: str,
    pairs: Sequence[tuple[list[int], list[int]]],
    contrasts: Floats,
) -> tuple[Condition, ...]:
    """The change by the values of the factor that it depends on most; none where no factor explains it.

    ``contrasts`` has a row per pair.  (The first split of a regression tree: Breiman et al., Classification and
    Regression Trees, 1984.)
    """
    changes = contrasts @ model.log_means
    total = float(((changes - changes.mean()) ** 2).sum())
    best: dict[Setting, list[int]] = {}
    best_name, most = "", _EXPLAINED * total
    for name in settings[model.points[0]]:
        groups = _grouped(model, settings, name, pairs) if name != factor else {}
        if len(groups) < 2:
            continue
        explained = sum(
            len(rows) * (float(changes[rows].mean()) - float(changes.mean())) ** 2 for rows in groups.values()
        )
        if explained > most * (1 + 1e-9):
            best, best_name, most = groups, name, explained
    confidence = 1 - 0.05 / max(1, len(best))
    found = []
    for value in ordered(best_name, best):
        mean, low, high = t_interval(model, contrasts[best[value]].mean(axis=0), confidence)
        found.append(Condition(best_name, (value,), *(100 * math.expm1(each) for each in (mean, low, high))))
    return tuple(found)


def _grouped(
    model: Fit, settings: Mapping[str, Mapping[str, Setting]], name: str, pairs: Sequence[tuple[list[int], list[int]]]
) -> dict[Setting, list[int]]:
    """Pairs by the value of a factor; none where a pair has several."""
    found: dict[Setting, list[int]] = defaultdict(list)
    for place, (ones, others) in enumerate(pairs):
        values = {settings[model.points[index]][name] for index in (*ones, *others)} - {None}
        if len(values) > 1:
            return {}
        found[values.pop() if values else None].append(place)
    return dict(found)


def said(found: Sequence[Condition]) -> str | None:
    """``it matters only where level is raid5 or raid6: +38 %``; None where there is nothing to say."""
    if not found:
        return None
    name = found[0].factor
    matter = [each for each in found if each.matters]
    if matter and len(matter) < len(found):
        changes = {signed_pct(each.change_pct) for each in matter}
        where = " or ".join(each.named for each in matter)
        if len(matter) == 1 or len(changes) == 1:
            return f"it matters only where {name} is {where}: {signed_pct(matter[0].change_pct)} there"
        listed = ", ".join(f"{signed_pct(each.change_pct)} on {each.named}" for each in matter)
        return f"it matters only where {name} is {where}: {listed}"
    listed = ", ".join(f"{signed_pct(each.change_pct)} on {each.named}" for each in found)
    return f"it depends on {name}: {listed}"
