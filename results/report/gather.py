"""What the report shows beside the recommendation, read from the store: seconds, histograms, trials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from results.estimates.responses import merged, percentile
from results.recommendation.answer import Answer
from results.report.detail import Detail, link_text
from results.runs import seconds
from results.store.query import StoreFrames
from results.store.schema import ObservationRow, TrialRow

MAX_SECONDS = 1_000_000
"""Most figures of throughput over time that a report carries; beyond that neighbours are averaged."""

PERCENTILES = (0.5, 0.95, 0.99, 0.999)


@dataclass(frozen=True)
class Series:
    """Throughput of one trial over time; a value every ``step_s`` seconds, None where nothing is known."""

    trial_id: str
    block: int
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class PointSeries:
    """The series of a point's trials."""

    label: str
    trials: tuple[Series, ...]


@dataclass(frozen=True)
class WorkloadSeries:
    """Throughput over time of one workload; ``metric`` is iops or bw_bytes_s."""

    workload: str
    metric: str
    step_s: int
    points: tuple[PointSeries, ...]


@dataclass(frozen=True)
class LatencyRow:
    """Latency of a point from the merged histograms of its trials, ns: percentiles, then the slowest bucket."""

    label: str
    direction: str
    ios: int
    values_ns: tuple[float, ...]
    bins_ns: tuple[int, ...]
    counts: tuple[int, ...]
    trials: tuple[tuple[str, str], ...] = ()
    of_trials: int = 0


def all_series(
    frames: StoreFrames, answers: Sequence[Answer], trials: Iterable[TrialRow]
) -> tuple[WorkloadSeries, ...]:
    """Seconds of every workload, directions added up, points in the order of its first ranking.

    Seconds are streamed twice, once for how many there are and once for their values, which are thinned trial by
    trial: memory holds little more than the report will carry.
    """
    first = {answer.workload: answer for answer in reversed(answers)}
    measured = {trial.trial_id: trial for trial in trials if trial.status == "ok"}
    budget = max(1, MAX_SECONDS // max(1, len(measured) * len(first)))
    lengths = dict.fromkeys(first, 1)
    for each in seconds.series(frames, (), trial_ids=measured):
        if each.workload in lengths:
            lengths[each.workload] = max(lengths[each.workload], int(each.second[-1]) + 1)
    steps = {workload: -(-length // budget) for workload, length in lengths.items()}
    found: dict[str, dict[str, dict[str, Series]]] = {workload: defaultdict(dict) for workload in first}
    metrics = tuple(sorted({series_metric(answer) for answer in first.values()}))
    streamed = seconds.series(frames, metrics, trial_ids=measured)
    for trial_id, workload, directions in seconds.by_workload(streamed):
        if workload in first:
            values = _thinned_sum(directions, series_metric(first[workload]), steps[workload])
            trial = measured[trial_id]
            if values:
                found[workload][trial.point_id][trial_id] = Series(trial_id, trial.block, values)
    ordered = {
        workload: {
            point: [by_trial[trial_id] for trial_id in measured if trial_id in by_trial]
            for point, by_trial in points.items()
        }
        for workload, points in found.items()
    }
    return tuple(
        WorkloadSeries(answer.workload, series_metric(answer), steps[answer.workload], points)
        for answer in answers
        if first[answer.workload] is answer and (points := _point_series(answer, ordered[answer.workload]))
    )


def series_metric(answer: Answer) -> str:
    """What is drawn over time: the answer's own figure if it is a rate, else bandwidth."""
    return answer.metric if answer.metric in {"iops", "bw_bytes_s"} else "bw_bytes_s"


def _point_series(answer: Answer, found: Mapping[str, Sequence[Series]]) -> tuple[PointSeries, ...]:
    listed = answer.overall.points if answer.overall else answer.measured
    by_point = {point: own for point, own in found.items() if own}
    return tuple(
        PointSeries(point.label, tuple(by_point[point.point_id])) for point in listed if point.point_id in by_point
    )


def _thinned_sum(directions: Sequence[seconds.Series], metric: str, step_s: int) -> tuple[float | None, ...]:
    """Figure of each second, directions added up, then means of ``step_s`` neighbours; None where none is known."""
    import numpy as np

    sums, there = seconds.added(directions, metric)
    if step_s > 1 and len(sums):
        starts = np.arange(0, len(sums), step_s)
        counts = np.add.reduceat(there.astype(float), starts)
        sums, there = np.add.reduceat(sums, starts) / np.maximum(counts, 1), counts > 0
    return tuple(float(value) if is_known else None for value, is_known in zip(sums, there, strict=True))


def latency_rows(
    answer: Answer, trials: Iterable[TrialRow], observations: Sequence[ObservationRow], detail: Detail
) -> tuple[LatencyRow, ...]:
    """Latency by point and direction in the order of the ranking; none where the engine kept no histogram.

    Histograms are those of all trials, whichever are shown in ``detail``.
    """
    listed = answer.overall.points if answer.overall else answer.measured
    by_trial: dict[str, list[ObservationRow]] = defaultdict(list)
    for row in observations:
        if row.workload == answer.workload:
            by_trial[row.trial_id].append(row)
    by_point: dict[tuple[str, str], list[ObservationRow]] = defaultdict(list)
    links: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for trial in trials:
        for row in by_trial.get(trial.trial_id, ()):
            if row.lat_bins_ns:
                by_point[trial.point_id, row.direction].append(row)
                links[trial.point_id, row.direction].append((link_text(trial), trial.trial_id))
    directions = sorted({direction for _, direction in by_point})
    return tuple(
        replace(
            _latency_row(point.label, direction, by_point[point.point_id, direction]),
            trials=detail.linked(links[point.point_id, direction]),
            of_trials=len(links[point.point_id, direction]),
        )
        for direction in directions
        for point in listed
        if (point.point_id, direction) in by_point
    )


def _latency_row(label: str, direction: str, rows: Sequence[ObservationRow]) -> LatencyRow:
    """Percentiles of the merged histogram: percentiles of trials can be neither added nor averaged."""
    histogram: Mapping[int, int] = merged(rows)
    quantiles = tuple(percentile(histogram, share) or 0.0 for share in PERCENTILES)
    return LatencyRow(
        label=label,
        direction=direction,
        ios=sum(histogram.values()),
        values_ns=(*quantiles, float(max(histogram))),
        bins_ns=tuple(histogram),
        counts=tuple(histogram.values()),
    )
