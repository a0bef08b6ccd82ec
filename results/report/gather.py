"""What the report shows beside the recommendation, read from the store: seconds, histograms, trials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.answer import Answer
from results.query import StoreFrames
from results.responses import group, merged, percentile
from results.schema import ObservationRow, TrialRow

if TYPE_CHECKING:
    import pyarrow as pa

MAX_SECONDS = 250_000
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


def all_series(
    frames: StoreFrames, answers: Sequence[Answer], trials: Iterable[TrialRow]
) -> tuple[WorkloadSeries, ...]:
    """Seconds of every workload, directions added up, points in the order of its first ranking.

    Each trial's file is read once and on its own, and what is kept is thinned at once, so memory holds
    little more than the report will carry.
    """
    first = {answer.workload: answer for answer in reversed(answers)}
    measured = [trial for trial in trials if trial.status == "ok"]
    budget = max(1, MAX_SECONDS // max(1, len(measured) * len(first)))
    found: dict[str, dict[str, list[Series]]] = {workload: defaultdict(list) for workload in first}
    steps = dict.fromkeys(first, 1)
    for trial in measured:
        rows = _rows_of(frames, trial.trial_id)
        for workload, answer in first.items():
            values = _seconds(rows, workload, series_metric(answer))
            steps[workload] = max(steps[workload], -(-len(values) // budget))
            if values:
                found[workload][trial.point_id].append(Series(trial.trial_id, trial.block, values))
    return tuple(
        WorkloadSeries(answer.workload, series_metric(answer), steps[answer.workload], points)
        for answer in answers
        if first[answer.workload] is answer
        and (points := _point_series(answer, found[answer.workload], steps[answer.workload]))
    )


def series_metric(answer: Answer) -> str:
    """What is drawn over time: the answer's own figure if it is a rate, else bandwidth."""
    return answer.metric if answer.metric in {"iops", "bw_bytes_s"} else "bw_bytes_s"


def _point_series(answer: Answer, found: Mapping[str, Sequence[Series]], step_s: int) -> tuple[PointSeries, ...]:
    listed = answer.overall.points if answer.overall else answer.measured
    return tuple(
        PointSeries(point.label, tuple(_thinned(each, step_s) for each in found[point.point_id]))
        for point in listed
        if point.point_id in found
    )


def _rows_of(frames: StoreFrames, trial_id: str) -> list[tuple[str, int, float | None, float | None]]:
    """Workload, second, IOPS and bandwidth of each interval of a trial."""
    table: pa.Table = frames.of_trial("intervals", trial_id, ("workload", "second", "iops", "bw_bytes_s"))
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _seconds(
    rows: Iterable[tuple[str, int, float | None, float | None]], workload: str, metric: str
) -> tuple[float | None, ...]:
    """Figure of each second, directions added up; None where there is no row."""
    column = 2 if metric == "iops" else 3
    known: dict[int, float] = defaultdict(float)
    for row in rows:
        value = row[column]
        if row[0] == workload and isinstance(value, (int, float)):
            known[row[1]] += value
    return tuple(known.get(second) for second in range(max(known, default=-1) + 1))


def _thinned(series: Series, step_s: int) -> Series:
    """Means of ``step_s`` neighbours."""
    if step_s == 1:
        return series
    means: list[float | None] = []
    for start in range(0, len(series.values), step_s):
        known = [value for value in series.values[start : start + step_s] if value is not None]
        means.append(sum(known) / len(known) if known else None)
    return Series(series.trial_id, series.block, tuple(means))


def latency_rows(
    answer: Answer, trials: Iterable[TrialRow], observations: Sequence[ObservationRow]
) -> tuple[LatencyRow, ...]:
    """Latency by point and direction in the order of the ranking; none where the engine kept no histogram."""
    listed = answer.overall.points if answer.overall else answer.measured
    by_trial = group(observations, answer.workload)
    by_point: dict[tuple[str, str], list[ObservationRow]] = defaultdict(list)
    for trial in trials:
        for row in by_trial.get(trial.trial_id, ()):
            if row.lat_bins_ns:
                by_point[trial.point_id, row.direction].append(row)
    directions = sorted({direction for _, direction in by_point})
    return tuple(
        _latency_row(point.label, direction, by_point[point.point_id, direction])
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


def series_json(every: Sequence[WorkloadSeries], names: Mapping[str, str]) -> list[object]:
    """The series as plain values, four significant digits each, for the page's script."""
    return [
        {
            "workload": series.workload,
            "metric": names[series.metric],
            "binary": series.metric == "bw_bytes_s",
            "step_s": series.step_s,
            "points": [
                {
                    "label": point.label,
                    "trials": [
                        {"id": each.trial_id, "block": each.block + 1, "values": [_short(v) for v in each.values]}
                        for each in point.trials
                    ],
                }
                for point in series.points
            ],
        }
        for series in every
    ]


def _short(value: float | None) -> float | int | None:
    if value is None:
        return None
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() else rounded
