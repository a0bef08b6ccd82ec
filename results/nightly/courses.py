"""From the history to the course of each metric: the nights of the baseline, and the nights since."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from results.nightly.acknowledged import Acknowledged, key_of
from results.nightly.answer import Metric, Nightly, Verdict
from results.nightly.baseline import Pinned
from results.nightly.course import Course
from results.nightly.evidence import followed
from results.nightly.history import History, Key, Series
from results.nightly.judge import none
from results.nightly.standing import Past, standing

if TYPE_CHECKING:
    from results.nightly.evidence import Floats

FEWEST = 5
"""Nights that a metric must have had in the baseline; with fewer there is no spread to speak of."""


@dataclass(frozen=True, eq=False)
class Night:
    """What a night asks of the history: its name, its points with the baseline's point that each took the place of.

    ``not_run`` are points of which the time budget let no trial begin; ``acknowledged`` are regressions that somebody
    knows about.
    """

    night: str
    points: Mapping[str, str | None]
    pinned: Pinned | None
    nights_wanted: int
    not_run: frozenset[str] = frozenset()
    acknowledged: Sequence[Acknowledged] = field(default_factory=tuple)


def courses(
    history: History, asked: Night, before: Sequence[Nightly]
) -> tuple[tuple[Course, ...], tuple[Verdict, ...]]:
    """The course of every metric that can be judged, and a verdict of none, with its reason, for each that cannot.

    ``before`` are the outcomes of earlier nights, which say what stands (:mod:`results.nightly.standing`).
    """
    past = by_metric(before)
    series = {each.key: each for each in history.all_series()}
    ready: list[Course] = []
    silent: list[Verdict] = []
    for key in sorted(series):
        if key.point_id not in asked.points:
            continue
        found = _course(series, key, asked, past.get(key, ()))
        if isinstance(found, Course):
            ready.append(found)
        elif found is not None:
            silent.append(found)
    return tuple(ready), tuple(silent)


def _course(series: Mapping[Key, Series], key: Key, asked: Night, past: Past) -> Course | Verdict | None:
    own = series[key]
    pinned = asked.pinned
    if key.point_id in asked.not_run:
        baseline = pinned.name if pinned is not None else None
        return none(own.metric, "the time budget was spent before a trial of it could begin", baseline=baseline)
    if pinned is None:
        nights = len([night for night in own.nights if night < asked.night])
        return none(
            own.metric, f"the baseline has {nights} of {asked.nights_wanted} nights", value=_tonight(own, asked)
        )
    if asked.night in pinned.nights:
        return none(own.metric, "the night is part of the baseline", baseline=pinned.name, value=_tonight(own, asked))
    point = asked.points[key.point_id]
    if point is None:
        return none(own.metric, "the baseline has no point that this one took the place of", baseline=pinned.name)
    earlier = series.get(replace(key, point_id=point))
    figures = len(earlier.at(pinned.nights)) if earlier is not None else 0
    if earlier is None or figures < FEWEST:
        reason = f"the baseline's nights have {figures} figures of it, {FEWEST} are needed"
        return none(own.metric, reason, baseline=pinned.name, value=_tonight(own, asked))
    if asked.night not in own.nights:
        return none(own.metric, "no trial of tonight is ok", baseline=pinned.name)
    return _joined(own, earlier, asked, pinned, past)


def _tonight(series: Series, asked: Night) -> float | None:
    import math

    found = series.at([asked.night])
    return math.exp(float(found[0])) if len(found) else None


def by_metric(before: Sequence[Nightly]) -> Mapping[Key, Past]:
    """The verdicts of each metric with their nights."""
    found: dict[Key, list[tuple[str, Verdict]]] = defaultdict(list)
    for night in before:
        for verdict in night.verdicts:
            found[key_of(verdict.metric)].append((night.night, verdict))
    return found


def _joined(own: Series, earlier: Series, asked: Night, pinned: Pinned, past: Past) -> Course:
    """The baseline's nights, then those since: tonight's point where it was measured, else the one before it."""
    import numpy as np

    end = max(pinned.nights)
    values = dict(zip(earlier.nights, earlier.values.tolist(), strict=True))
    kept = {night: value for night, value in sorted(values.items()) if night in pinned.nights}
    after = {**values, **dict(zip(own.nights, own.values.tolist(), strict=True))}
    since = {night: value for night, value in sorted(after.items()) if end < night <= asked.night}
    return course_of(
        own.metric,
        pinned.name,
        (*kept, *since),
        np.asarray([*kept.values(), *since.values()]),
        len(kept),
        past,
        asked.acknowledged,
    )


def course_of(
    metric: Metric,
    baseline: str,
    nights: Sequence[str],
    values: Floats,
    pinned: int,
    past: Past,
    acknowledged: Sequence[Acknowledged] = (),
) -> Course:
    """The course from its nights in the order of time, of which the first ``pinned`` are the baseline's.

    ``values`` are logarithms, (n,), tonight's last; ``past`` are the metric's earlier verdicts.
    """
    stands = standing(past, baseline, nights[-1])
    begin = _after(nights, stands.restart, pinned)
    level = None
    if stands.cleared is not None:
        level = followed(values[: _after(nights, stands.cleared, pinned)])
    return Course(
        metric=metric,
        baseline_name=baseline,
        baseline=values[:pinned],
        since=values[min(begin, len(values) - 1) :],
        nights=tuple(nights),
        values=values,
        looks=stands.looks,
        level=level,
        confirmed=stands.confirmed,
        acknowledged=next((each for each in reversed(acknowledged) if each.covers(metric, baseline, stands)), None),
    )


def _after(nights: Sequence[str], night: str | None, pinned: int) -> int:
    """Place of the first night after this one, of those after the baseline; the first of those where there is none."""
    return pinned if night is None else max(pinned, bisect_right(nights, night))
