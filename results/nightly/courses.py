"""From the history to the course of each metric: the nights of the baseline, and the nights since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from results.nightly import answer
from results.nightly.answer import Nightly, Verdict
from results.nightly.baseline import Pinned
from results.nightly.evidence import YEAR_NIGHTS
from results.nightly.history import History, Key, Series
from results.nightly.judge import Course, none

FEWEST = 5
"""Nights that a metric must have had in the baseline; with fewer there is no spread to speak of."""


@dataclass(frozen=True, eq=False)
class Night:
    """What a night asks of the history: its name, its points with the baseline's point that each took the place of.

    ``not_run`` are points of which the time budget let no trial begin.
    """

    night: str
    points: Mapping[str, str | None]
    pinned: Pinned | None
    nights_wanted: int
    not_run: frozenset[str] = frozenset()


def courses(
    history: History, asked: Night, before: Sequence[Nightly]
) -> tuple[tuple[Course, ...], tuple[Verdict, ...]]:
    """The course of every metric that can be judged, and a verdict of none, with its reason, for each that cannot.

    ``before`` are the outcomes of earlier nights: a cumulative sum starts anew after a false alarm.
    """
    series = {each.key: each for each in history.all_series()}
    ready: list[Course] = []
    silent: list[Verdict] = []
    for key in sorted(series):
        if key.point_id not in asked.points:
            continue
        found = _course(series, key, asked, before)
        if isinstance(found, Course):
            ready.append(found)
        elif found is not None:
            silent.append(found)
    return tuple(ready), tuple(silent)


def _course(series: Mapping[Key, Series], key: Key, asked: Night, before: Sequence[Nightly]) -> Course | Verdict | None:
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
    return _joined(own, earlier, asked, pinned, before)


def _tonight(series: Series, asked: Night) -> float | None:
    import math

    found = series.at([asked.night])
    return math.exp(float(found[0])) if len(found) else None


def _joined(own: Series, earlier: Series, asked: Night, pinned: Pinned, before: Sequence[Nightly]) -> Course:
    """The baseline's nights, then those since: tonight's point where it was measured, else the one before it."""
    import numpy as np

    end = max(pinned.nights)
    values = dict(zip(earlier.nights, earlier.values.tolist(), strict=True))
    kept = {night: value for night, value in values.items() if night in pinned.nights}
    after = {**values, **dict(zip(own.nights, own.values.tolist(), strict=True))}
    since = {night: value for night, value in sorted(after.items()) if end < night <= asked.night}
    quiet_from = max((each.night for each in before if _false_alarm(each, own, pinned)), default=end)
    recent = [value for night, value in since.items() if night > quiet_from]
    nights = (*sorted(kept), *since)
    return Course(
        metric=own.metric,
        baseline_name=pinned.name,
        baseline=np.asarray([kept[night] for night in sorted(kept)]),
        since=np.asarray(recent),
        nights=nights,
        looks=_looks(before, own, asked.night),
        values=np.asarray([*(kept[night] for night in sorted(kept)), *since.values()]),
    )


def _looks(before: Sequence[Nightly], series: Series, night: str) -> Mapping[str, int]:
    """How often the metric was looked at, on either side, in the year before this night; baselines do not matter."""
    begin = (date.fromisoformat(night) - timedelta(days=YEAR_NIGHTS - 1)).isoformat()
    return Counter(
        each.looked
        for earlier in before
        if begin <= earlier.night < night
        for each in earlier.verdicts
        if each.looked and each.metric.name == series.metric.name and each.metric.point_id == series.metric.point_id
    )


def _false_alarm(night: Nightly, series: Series, pinned: Pinned) -> bool:
    """Whether the screen had sounded that night, against this baseline, and nothing was confirmed."""
    return any(
        each.screened and each.word == answer.UNCONFIRMED and each.baseline == pinned.name
        for each in night.verdicts
        if each.metric.name == series.metric.name and each.metric.point_id == series.metric.point_id
    )
