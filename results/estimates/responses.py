"""One figure per trial: the unit of every analysis is the run, not the second (see statistics in the docs).

Where a workload has two directions their rates are added; latency percentiles of the two come from
the merged histograms, since percentiles can be neither added nor averaged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from results.estimates.objective import Objective
from results.store.schema import ObservationRow, TrialRow
from stripelab.metrics import APART, RATES, parts

PERCENTILES = {"lat_p50_ns": 0.5, "lat_p95_ns": 0.95, "lat_p99_ns": 0.99, "lat_p999_ns": 0.999}
_WEIGHTED_MEANS = frozenset({"lat_mean_ns", "slat_mean_ns", "clat_mean_ns"})


@dataclass(frozen=True)
class Response:
    """The figure of one trial; ``plots`` are the trials that built its array and its filesystem."""

    trial_id: str
    point_id: str
    block: int
    run_order: int
    value: float
    plots: tuple[str | None, str | None] = (None, None)


def responses(
    objective: Objective, trials: Iterable[TrialRow], observations: Iterable[ObservationRow]
) -> tuple[list[Response], list[str]]:
    """Figures of the trials that are ok, in run order; and the trials whose figure is missing or not positive."""
    rows = [row for row in observations if row.workload == objective.workload]
    direction, column = parts(objective.metric)
    by_trial, there = group(rows, objective.workload, direction), {row.trial_id for row in rows}
    found, without = [], []
    for trial in trials:
        if trial.status != "ok" or trial.trial_id not in there:
            continue
        value = figure(by_trial.get(trial.trial_id, ()), column)
        if value is None or not value > 0:
            without.append(trial.trial_id)
            continue
        plots = (trial.array_built_by, trial.filesystem_built_by)
        found.append(Response(trial.trial_id, trial.point_id, trial.block, trial.run_order, value, plots))
    return found, without


def group(
    observations: Iterable[ObservationRow], workload: str, direction: str | None = None
) -> Mapping[str, list[ObservationRow]]:
    """Observations of a workload by trial: of one direction, or of all that move data (syncs and commits do not)."""
    by_trial: dict[str, list[ObservationRow]] = defaultdict(list)
    for row in observations:
        wanted = row.direction == direction if direction is not None else row.direction not in APART
        if row.workload == workload and wanted:
            by_trial[row.trial_id].append(row)
    return by_trial


def predictions(
    objective: Objective, trials: Iterable[TrialRow], observations: Iterable[ObservationRow]
) -> dict[str, float]:
    """What was predicted of each point; a prediction is made for workloads of one direction only."""
    column = {"iops": "predicted_iops", "bw_bytes_s": "predicted_bw_bytes_s"}.get(objective.metric)
    by_trial = group(observations, objective.workload)
    found: dict[str, float] = {}
    for trial in trials:
        rows = by_trial.get(trial.trial_id, [])
        if column is not None and len(rows) == 1 and getattr(rows[0], column) is not None:
            found.setdefault(trial.point_id, float(getattr(rows[0], column)))
    return found


def figure(rows: Sequence[ObservationRow], metric: str) -> float | None:
    """The figure of a trial from its directions; None where it cannot be known."""
    values = [getattr(row, metric) for row in rows]
    if not values or any(value is None for value in values):
        return None
    if len(values) == 1:
        return float(values[0])
    if metric in RATES:
        return float(sum(values))
    if metric in _WEIGHTED_MEANS:
        ios = sum(row.ios for row in rows)
        return sum(value * row.ios for value, row in zip(values, rows, strict=True)) / ios if ios else None
    if metric in PERCENTILES:
        return percentile(merged(rows), PERCENTILES[metric])
    return float(min(values)) if metric == "lat_min_ns" else float(max(values))


def merged(rows: Iterable[ObservationRow]) -> dict[int, int]:
    """The histograms of several observations as one: I/Os by latency bucket, ns, ascending."""
    counts: dict[int, int] = defaultdict(int)
    for row in rows:
        for latency_ns, ios in zip(row.lat_bins_ns, row.lat_counts, strict=False):
            if latency_ns <= 0 or ios <= 0:  # no latency, or no I/O: nobody measured that
                continue
            counts[latency_ns] += ios
    return dict(sorted(counts.items()))


def percentile(histogram: Mapping[int, int], share: float) -> float | None:
    """The smallest bucket at or below which ``share`` of the I/Os lie, ns; None of an empty histogram."""
    wanted = share * sum(histogram.values())
    below = 0
    for latency_ns, ios in histogram.items():
        below += ios
        if below >= wanted:
            return float(latency_ns)
    return None
