"""From estimates to a ranking: who is tied for best, and which of those to take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.answer import STATISTICALLY, WITHIN_MARGIN, RankedPoint, Ranking
from results.best import Comparison, compare_with_best
from results.estimate import Fit
from results.intervals import Estimate, estimates
from results.settings import Setting, complexity
from results.units import capacity

TIE_RULE = "more disk failures survived, then more usable capacity, then the simpler setup, then the better figure"


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


def rank(
    model: Fit,
    facts: Mapping[str, PointFacts],
    among: Sequence[int],
    *,
    title: str,
    maximise: bool,
    margin_pct: float,
    confidence: float,
) -> Ranking:
    """Rank the points at the positions ``among`` of ``model``, compared with each other alone."""
    by_point = {estimate.point_id: estimate for estimate in estimates(model, confidence)}
    compared = {
        each.point_id: each for each in compare_with_best(model, among, maximise=maximise, confidence=confidence)
    }
    order = sorted(
        (by_point[model.points[index]] for index in among),
        key=lambda estimate: (-estimate.value if maximise else estimate.value, estimate.point_id),
    )
    best = order[0].value
    points = tuple(
        _ranked(place, estimate, facts[estimate.point_id], compared[estimate.point_id], best, maximise, margin_pct)
        for place, estimate in enumerate(order, start=1)
    )
    tied = [point for point in points if point.tied is not None]
    recommended, reason = choose(tied)
    return Ranking(title, points, tuple(point.point_id for point in tied), recommended.point_id, reason)


def _ranked(
    place: int,
    estimate: Estimate,
    facts: PointFacts,
    comparison: Comparison,
    best: float,
    maximise: bool,
    margin_pct: float,
) -> RankedPoint:
    """One row of the ranking."""
    of_best_pct = 100 * (estimate.value / best if maximise else best / estimate.value)
    near = of_best_pct >= 100 - margin_pct if maximise else estimate.value <= best * (1 + margin_pct / 100)
    tied = STATISTICALLY if comparison.tied else WITHIN_MARGIN if near else None
    return measured(
        place,
        facts,
        estimate.value,
        estimate.trials,
        of_best_pct=of_best_pct,
        interval=(estimate.low, estimate.high),
        tied=tied,
        behind_at_most_pct=100 * (1 - comparison.low),
    )


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
        apply_commands=facts.apply_commands,
    )


def descriptive(
    facts: Mapping[str, PointFacts], values: Mapping[str, Sequence[float]], *, maximise: bool
) -> tuple[RankedPoint, ...]:
    """Geometric means without intervals and verdict, for where the evidence does not reach."""
    means = {point: math.exp(math.fsum(map(math.log, found)) / len(found)) for point, found in values.items()}
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


def choose(tied: Sequence[RankedPoint]) -> tuple[RankedPoint, str]:
    """The point to take from the fastest set, by :data:`TIE_RULE`, and why.

    A point with a single trial is taken only where there is no other.  Capacities within 1 % are
    equal: md rounds the size of an array to whole chunks.
    """
    if len(tied) == 1:
        return tied[0], "it is the only one in the fastest set"
    left = [point for point in tied if point.trials > 1] or list(tied)
    reasons = []
    safest = max(_survived(point) for point in left)
    left, narrowed = _keep(left, [_survived(point) == safest for point in left])
    if narrowed:
        reasons.append(f"survives the most disk failures ({safest})")
    largest = max(_capacity(point) for point in left)
    left, narrowed = _keep(left, [_capacity(point) >= 0.99 * largest for point in left])
    if narrowed:
        reasons.append(f"keeps the most usable capacity ({capacity(largest)})")
    simplest = min(complexity(point.settings) for point in left)
    left, narrowed = _keep(left, [complexity(point.settings) == simplest for point in left])
    if narrowed:
        reasons.append("is the simplest to set up")
    chosen = min(left, key=lambda point: point.rank)
    if len(left) > 1:
        reasons.append("measured best of those that are equal in that" if reasons else "measured best")
    return chosen, f"of the {len(tied)} in the fastest set it {' and '.join(reasons)}"


def _keep(points: Sequence[RankedPoint], wanted: Sequence[bool]) -> tuple[list[RankedPoint], bool]:
    """The points that are wanted, and whether that leaves any out."""
    kept = [point for point, keep in zip(points, wanted, strict=True) if keep]
    return kept, len(kept) < len(points)


def _survived(point: RankedPoint) -> int:
    return -1 if point.disk_failures_survived is None else point.disk_failures_survived


def _capacity(point: RankedPoint) -> int:
    return -1 if point.usable_bytes is None else point.usable_bytes
