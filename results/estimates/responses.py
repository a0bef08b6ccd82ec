"""One figure per trial: the unit of every analysis is the run, not the second (see statistics in the docs).

Where a workload has two directions their rates are added; latency percentiles of the two come from
the merged histograms, since percentiles can be neither added nor averaged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from results.estimates.objective import RATES, Objective
from results.store.schema import ObservationRow, TrialRow

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
    by_trial = group(observations, objective.workload)
    found, without = [], []
    for trial in trials:
        if trial.status != "ok" or trial.trial_id not in by_trial:
            continue
        value = figure(by_trial[trial.trial_id], objective.metric)
        if value is None or not value > 0:
            without.append(trial.trial_id)
            continue
        plots = (trial.array_built_by, trial.filesystem_built_by)
        found.append(Response(trial.trial_id, trial.point_id, trial.block, trial.run_order, value, plots))
    return found, without


def group(observations: Iterable[ObservationRow], workload: str) -> Mapping[str, list[ObservationRow]]:
    """Observations of a workload by trial; the latency of syncs is no direction of the data."""
    by_trial: dict[str, list[ObservationRow]] = defaultdict(list)
    for row in observations:
        if row.workload == workload and row.direction != "sync":
            by_trial[row.trial_id].append(row)
    return by_trial


def figure(rows: Sequence[ObservationRow], metric: str) -> float | None:
    """The figure of a trial from its directions; None where it cannot be known."""
    values = [getattr(row, metric) for row in rows]
    if any(value is None for value in values):
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
