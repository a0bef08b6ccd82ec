"""What each factor does: its share of the variance, and the ratio between its values in matched points.

Only like is compared with like: two points are matched where every other factor that applies to both
values is equal.  So a factor that was varied at some points only, or that applies to some RAID levels
only, is not credited with what other factors do.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from results.estimates.dependence import Condition, conditions, said
from results.estimates.estimate import Fit, t_interval
from results.estimates.settings import Setting, ordered, varied
from results.estimates.shares import Share, between, share_of
from results.units import metric_name, signed_pct

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_INTERACTION_LEVEL = 0.01


@dataclass(frozen=True)
class LevelComparison:
    """What changing a factor from ``reference`` to ``level`` does, all else equal, in per cent.

    ``low_pct`` to ``high_pct`` is the 95 % interval of the mean change over the ``pairs`` matched
    pairs; ``least_pct`` and ``most_pct`` are the smallest and largest change of a pair, and
    ``depends`` says that they differ by more than noise explains.  ``conditions`` then has the change by
    the values of the factor that it depends on most.
    """

    level: Setting
    reference: Setting
    change_pct: float
    low_pct: float
    high_pct: float
    pairs: int
    least_pct: float
    most_pct: float
    depends: bool
    conditions: tuple[Condition, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether the interval excludes no change."""
        return not self.low_pct <= 0 <= self.high_pct


@dataclass(frozen=True)
class Effect:
    """A factor's effect on one figure.

    ``share_pct`` is Var(E[Y | factor]) / Var(Y) of log figures, among the ``points`` that can be
    matched (Saltelli et al., Global Sensitivity Analysis, 2008, first-order index), with noise taken out,
    and ``share`` its interval; both None where nothing varies.
    ``comparisons`` has each pair of values, the better one as ``level``; the largest change first.
    """

    factor: str
    points: int
    share_pct: float | None
    comparisons: tuple[LevelComparison, ...]
    sentence: str
    share: Share | None = None


@dataclass(frozen=True)
class Cell:
    """Geometric mean over the ``points`` that have these two values."""

    row: Setting
    column: Setting
    value: float
    points: int


@dataclass(frozen=True)
class Interaction:
    """Means by two factors, for a heat map."""

    row_factor: str
    column_factor: str
    rows: tuple[Setting, ...]
    columns: tuple[Setting, ...]
    cells: tuple[Cell, ...]


def effects(
    model: Fit, settings: Mapping[str, Mapping[str, Setting]], metric: str, *, maximise: bool
) -> tuple[Effect, ...]:
    """Effects of the factors that vary among the points of ``model``, the largest share first."""
    names = varied(settings[point] for point in model.points)
    found = [_effect(model, settings, name, metric, maximise=maximise) for name in names]
    return tuple(sorted(found, key=lambda effect: (-(effect.share_pct or 0.0), effect.factor)))


def _effect(
    model: Fit, settings: Mapping[str, Mapping[str, Setting]], factor: str, metric: str, *, maximise: bool
) -> Effect:
    """Effect of one factor."""
    by_level: dict[Setting, list[int]] = defaultdict(list)
    for index, point in enumerate(model.points):
        if settings[point][factor] is not None:
            by_level[settings[point][factor]].append(index)
    comparisons, matched = [], set()
    for one, other in combinations(ordered(factor, by_level), 2):
        pairs = _matched(model.points, settings, factor, by_level[one], by_level[other])
        if pairs:
            comparisons.append(_compare(model, settings, factor, (one, other), pairs, maximise=maximise))
            matched |= {index for pair in pairs for side in pair for index in side}
    comparisons.sort(key=lambda each: -abs(math.log1p(each.change_pct / 100)))
    levels = [[index for index in indices if index in matched] for indices in by_level.values()]
    share = _share(model, [level for level in levels if level])
    return Effect(
        factor=factor,
        points=len(matched),
        share_pct=share.pct if share else None,
        comparisons=tuple(comparisons),
        sentence=_sentence(factor, metric, comparisons),
        share=share,
    )


def _share(model: Fit, levels: Sequence[Sequence[int]]) -> Share | None:
    """Share of the variance between the groups; None where nothing varies."""
    if len(levels) < 2:
        return None
    return share_of(model, [index for level in levels for index in level], between(levels))


def _matched(
    points: Sequence[str],
    settings: Mapping[str, Mapping[str, Setting]],
    factor: str,
    ones: Sequence[int],
    others: Sequence[int],
) -> list[tuple[list[int], list[int]]]:
    """Groups of points that are equal in each other factor that applies to both, as (ones, others).

    A mirror has no chunk, so it is matched with a striped array of either chunk: such points make one group.
    """
    patterns: tuple[dict[frozenset[str], list[int]], ...] = ({}, {})
    for side, indices in enumerate((ones, others)):
        for index in indices:
            applying = frozenset(name for name, value in settings[points[index]].items() if value is not None)
            patterns[side].setdefault(applying - {factor}, []).append(index)
    joined = _Groups()
    for one, left in patterns[0].items():
        for other, right in patterns[1].items():
            shared = sorted(one & other)
            meeting: dict[tuple[Setting, ...], tuple[list[int], list[int]]] = {}
            for side, indices in enumerate((left, right)):
                for index in indices:
                    key = tuple(settings[points[index]][name] for name in shared)
                    meeting.setdefault(key, ([], []))[side].append(index)
            for met in meeting.values():
                if met[0] and met[1]:
                    joined.join([*met[0], *met[1]])
    first = set(ones)
    return [
        ([index for index in group if index in first], [index for index in group if index not in first])
        for group in joined.groups()
    ]


class _Groups:
    """Sets that grow together wherever they share a member."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {}

    def join(self, members: Sequence[int]) -> None:
        """Put ``members``, and all that any of them was joined with, into one group."""
        whole: list[int] = []
        for known in {id(group): group for group in (self._of.get(member, [member]) for member in members)}.values():
            whole += known
        for member in set(whole):
            self._of[member] = whole

    def groups(self) -> list[list[int]]:
        """Every group, sorted."""
        found = {id(group): sorted(set(group)) for group in self._of.values()}
        return sorted(found.values())


def _compare(
    model: Fit,
    settings: Mapping[str, Mapping[str, Setting]],
    factor: str,
    levels: tuple[Setting, Setting],
    pairs: list[tuple[list[int], list[int]]],
    *,
    maximise: bool,
) -> LevelComparison:
    """The mean change over matched pairs, oriented so that ``level`` is the better value."""
    import numpy as np

    contrasts = np.zeros((len(pairs), len(model.points)))
    for row, (ones, others) in enumerate(pairs):
        contrasts[row, ones] -= 1 / len(ones)
        contrasts[row, others] += 1 / len(others)
    reference, level = levels
    if (float(contrasts.mean(axis=0) @ model.log_means) < 0) == maximise:
        contrasts, reference, level = -contrasts, level, reference
    mean, low, high = t_interval(model, contrasts.mean(axis=0))
    changes = contrasts @ model.log_means
    depends = _depends(model, contrasts, changes)
    return LevelComparison(
        level=level,
        reference=reference,
        change_pct=_pct(mean),
        low_pct=_pct(low),
        high_pct=_pct(high),
        pairs=len(pairs),
        least_pct=_pct(float(changes.min())),
        most_pct=_pct(float(changes.max())),
        depends=depends,
        conditions=conditions(model, settings, factor, pairs, contrasts) if depends else (),
    )


def _depends(model: Fit, contrasts: Floats, changes: Floats) -> bool:
    """F test of whether the changes of the pairs differ by more than noise (each pair weighs its variance)."""
    from scipy import special

    if len(changes) < 2 or model.sd < 1e-9:
        return False
    variances = (contrasts**2) @ model.inverse_counts
    if model.components:
        variances += ((contrasts @ model.low_rank) ** 2).sum(axis=1)
    weights = 1 / variances
    centre = (weights @ changes) / weights.sum()
    ratio = float(weights @ (changes - centre) ** 2) / (len(changes) - 1) / model.sd**2
    return bool(special.fdtrc(len(changes) - 1, model.df, ratio) < _INTERACTION_LEVEL)


def _sentence(factor: str, metric: str, comparisons: Sequence[LevelComparison]) -> str:
    """The largest effect of a factor in plain words."""
    if not comparisons:
        return f"{factor}: no two points differ in it alone, so its effect cannot be told from that of others."
    first = comparisons[0]
    level, reference = first.level, first.reference
    numbers = f"95 % interval {signed_pct(first.low_pct)} to {signed_pct(first.high_pct)}"
    over = f"over {first.pairs} matched pair{'s' if first.pairs != 1 else ''}"
    where = said(first.conditions)
    if not first.certain and where is not None:
        return f"{factor}: {level} instead of {reference}: {where} (changes of {metric_name(metric)})."
    if not first.certain:
        return (
            f"{factor}: no difference that these trials can show; {level} against {reference} is "
            f"{signed_pct(first.change_pct)} in {metric_name(metric)} ({numbers}) {over}."
        )
    depends = ""
    if first.depends:
        depends = (
            f"; it depends on the other factors: from {signed_pct(first.least_pct)} to {signed_pct(first.most_pct)}"
        )
        if where is not None:
            depends += f"; {where}"
    return (
        f"{factor}: {level} instead of {reference} changes {metric_name(metric)} by {signed_pct(first.change_pct)} "
        f"({numbers}) {over}{depends}."
    )


def interactions(model: Fit, settings: Mapping[str, Mapping[str, Setting]]) -> tuple[Interaction, ...]:
    """Geometric means by each pair of factors that vary."""
    names = varied(settings[point] for point in model.points)
    return tuple(_interaction(model, settings, one, other) for one, other in combinations(names, 2))


def _interaction(model: Fit, settings: Mapping[str, Mapping[str, Setting]], one: str, other: str) -> Interaction:
    """Means by two factors; the unweighted mean over the points of a cell."""
    import numpy as np

    members: dict[tuple[Setting, Setting], list[int]] = defaultdict(list)
    for index, point in enumerate(model.points):
        members[settings[point][one], settings[point][other]].append(index)
    rows = ordered(one, (row for row, _ in members))
    columns = ordered(other, (column for _, column in members))
    cells = tuple(
        Cell(row, column, float(np.exp(model.log_means[members[row, column]].mean())), len(members[row, column]))
        for row in rows
        for column in columns
        if (row, column) in members
    )
    return Interaction(one, other, tuple(rows), tuple(columns), cells)


def _pct(log_ratio: float) -> float:
    return 100 * math.expm1(log_ratio)
