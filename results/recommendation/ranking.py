"""From estimates to a ranking: who is tied for best, and which of those to take."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from results.estimates.best import Comparison, compare_with_best
from results.estimates.estimate import Fit
from results.estimates.gain import Gain
from results.estimates.intervals import Estimate, estimates
from results.estimates.published import published
from results.recommendation.answer import STATISTICALLY, WITHIN_MARGIN, RankedPoint, Ranking
from results.recommendation.apply import script, tuned_script
from results.recommendation.preferences import choose, classes
from results.runs.within import Mode
from stripelab.preference import PREFERENCES
from stripelab.settings import Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PointFacts:
    """What is known of a point beside its figure."""

    point_id: str
    label: str
    settings: Mapping[str, Setting]
    substrate: str
    disk_failures_survived: int | None
    usable_bytes: int | None
    predicted: float | None
    apply_commands: tuple[str, ...]


NEAR = "settings within the margin of the best figure"


@dataclass(frozen=True)
class Terms:
    """How points are judged: which way is better, the practical margin, confidence, preferences.

    ``unreliable`` points are taken only where there is no other: most of their trials did not end well.
    """

    maximise: bool
    margin_pct: float
    confidence: float
    prefer: tuple[str, ...] = tuple(PREFERENCES)
    gains: Mapping[str, Gain] = field(default_factory=dict)
    modes: Mapping[str, tuple[Mode, Mode]] = field(default_factory=dict)
    unreliable: frozenset[str] = frozenset()


def rank(model: Fit, facts: Mapping[str, PointFacts], among: Sequence[int], *, title: str, terms: Terms) -> Ranking:
    """Rank the points at the positions ``among`` of ``model``, compared with each other alone."""
    by_point = {estimate.point_id: estimate for estimate in estimates(model, terms.confidence)}
    compared = {
        each.point_id: each
        for each in compare_with_best(model, among, maximise=terms.maximise, confidence=terms.confidence)
    }
    order = sorted(
        (by_point[model.points[index]] for index in among),
        key=lambda estimate: (-estimate.value if terms.maximise else estimate.value, estimate.point_id),
    )
    best = order[0].value
    points = tuple(
        _ranked(place, estimate, facts[estimate.point_id], compared[estimate.point_id], best, terms)
        for place, estimate in enumerate(order, start=1)
    )
    tied = [point for point in points if point.tied is not None]
    recommended, reason = _choice(points, terms)
    figure = None
    if not recommended.modes:
        picked = model.points.index(recommended.point_id)
        rule = _rule(model, among, points, terms)
        figure = published(model, among, picked, rule, maximise=terms.maximise, confidence=terms.confidence)
    return Ranking(title, points, tuple(point.point_id for point in tied), recommended.point_id, reason, figure)


def _choice(points: Sequence[RankedPoint], terms: Terms) -> tuple[RankedPoint, str]:
    """The point to recommend, and why.

    Few trials make wide intervals, in which a point of two thirds of the best figure is tied: preferences choose within
    the margin.  Beyond it they choose only where most trials of all points within it did not end well.
    """
    best = points[0].value
    near = [point for point in points if _is_near(point.value, best, terms)]
    tied = [point for point in points if point.tied is not None]
    for pool, called in ((near, NEAR), (tied, "tied settings")):
        reliable = [point for point in pool if point.point_id not in terms.unreliable]
        if reliable:
            return choose(reliable, terms.prefer, called)
    return choose(near, terms.prefer, NEAR)


def _rule(model: Fit, among: Sequence[int], points: Sequence[RankedPoint], terms: Terms) -> Callable[[Floats], int]:
    """The choice as a function of means, so that it can be made again without a block."""
    import numpy as np

    by_point = {point.point_id: place for place, point in enumerate(points)}
    keys = list(zip(*(classes(points, word) for word in terms.prefer), strict=True)) or [()] * len(points)
    wanted = [keys[by_point[model.points[index]]] for index in among]
    margin = -math.log1p(-terms.margin_pct / 100)

    def pick(means: Floats) -> int:
        near = np.flatnonzero(means >= means.max() - margin)
        return int(min(near, key=lambda place: (wanted[place], -means[place])))

    return pick


def _ranked(
    place: int, estimate: Estimate, facts: PointFacts, comparison: Comparison, best: float, terms: Terms
) -> RankedPoint:
    """One row of the ranking."""
    of_best_pct = 100 * (estimate.value / best if terms.maximise else best / estimate.value)
    near = _is_near(estimate.value, best, terms)
    tied = STATISTICALLY if comparison.tied else WITHIN_MARGIN if near else None
    row = measured(
        place,
        facts,
        estimate.value,
        estimate.trials,
        of_best_pct=of_best_pct,
        interval=(estimate.low, estimate.high),
        tied=tied,
        behind_at_most_pct=100 * (1 - comparison.low),
    )
    gain = terms.gains.get(estimate.point_id)
    return replace(
        row,
        interval_method=estimate.method,
        gain_pct=gain.gain_pct if gain else None,
        gain_at_least_pct=gain.at_least_pct if gain else None,
        modes=terms.modes.get(estimate.point_id, ()),
    )


def _is_near(value: float, best: float, terms: Terms) -> bool:
    """Whether a figure is within the practical margin of the best, as its share of the best is printed."""
    least = 1 - terms.margin_pct / 100
    return value >= best * least if terms.maximise else best >= value * least


def measured(
    place: int,
    facts: PointFacts,
    value: float,
    trials: int,
    *,
    of_best_pct: float,
    interval: tuple[float, float] | None = None,
    tied: str | None = None,
    behind_at_most_pct: float | None = None,
) -> RankedPoint:
    """A row from a point's facts and its figure; without an interval and a verdict where there is none."""
    return RankedPoint(
        rank=place,
        point_id=facts.point_id,
        label=facts.label,
        settings=facts.settings,
        value=value,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        trials=trials,
        of_best_pct=of_best_pct,
        tied=tied,
        behind_at_most_pct=behind_at_most_pct,
        substrate=facts.substrate,
        disk_failures_survived=facts.disk_failures_survived,
        usable_bytes=facts.usable_bytes,
        predicted=facts.predicted,
        deviation_pct=100 * (value / facts.predicted - 1) if facts.predicted else None,
        apply_commands=script(facts.apply_commands),
        tuned_commands=tuned_script(facts.apply_commands, facts.settings),
    )


def descriptive(
    facts: Mapping[str, PointFacts],
    values: Mapping[str, Sequence[float]],
    *,
    maximise: bool,
    by_median: bool = False,
) -> tuple[RankedPoint, ...]:
    """Geometric means, or medians, without intervals and verdict, for where the evidence does not reach."""
    means = {
        point: statistics.median(found) if by_median else math.exp(math.fsum(map(math.log, found)) / len(found))
        for point, found in values.items()
    }
    order = sorted(means, key=lambda point: (-means[point] if maximise else means[point], point))
    best = means[order[0]] if order else 1.0
    return tuple(
        measured(
            place,
            facts[point],
            means[point],
            len(values[point]),
            of_best_pct=100 * (means[point] / best if maximise else best / means[point]),
        )
        for place, point in enumerate(order, start=1)
    )
