"""The intervals of each run, whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.guarantee.answer import RunFigure
from results.retention.words import gone
from results.runs.seconds import Series
from results.statistics.tolerance import run_bound
from results.store.schema import ObservationRow, TrialRow
from stripelab.metrics import APART, RATES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

INTERVAL_METRICS = (*RATES, "lat_mean_ns", "lat_p50_ns", "lat_p99_ns", "lat_p999_ns", "lat_max_ns")
"""Figures that are known of every second."""

_COMBINED = (*RATES, "lat_mean_ns", "lat_max_ns")
"""Those that two directions have together: percentiles of two can be neither added nor averaged."""

_LATE_MS = 10
"""How much a run may end early by its clock and still have its last second (as in the engine's own reckoning)."""


class IncompleteError(Exception):
    """The intervals of a run are not what the run lasted; the text says what is missing."""


class DroppedError(IncompleteError):
    """The intervals of a run were dropped on purpose, when its night was old enough."""


@dataclass(frozen=True, eq=False)
class Run:
    """One run; ``values`` are its 1-second intervals in their order, all directions together."""

    trial: TrialRow
    values: Floats
    bound: float
    steady_verdict: str | None

    @property
    def served(self) -> Floats:
        """The intervals, those without I/O (an infinite latency) as slow as the slowest that had some."""
        import numpy as np

        finite = self.values[np.isfinite(self.values)]
        return np.where(np.isfinite(self.values), self.values, finite.max() if finite.size else math.nan)

    @property
    def mean(self) -> float:
        """Mean over the intervals that had I/O, or were as slow."""
        return float(self.served.mean())

    @property
    def relative(self) -> Floats:
        """The intervals as shares of their median; as they are where that is not positive."""
        import numpy as np

        middle = float(np.median(self.served))
        return self.served / middle if middle > 0 else self.served

    @property
    def figure(self) -> RunFigure:
        """As it is reported."""
        trial = self.trial
        return RunFigure(
            trial_id=trial.trial_id,
            block=trial.block,
            run_order=trial.run_order,
            started_at_ns=trial.started_at_ns,
            intervals=len(self.values),
            bound=self.bound,
            mean=self.mean,
            steady_verdict=self.steady_verdict,
        )


def columns_of(metric: str) -> tuple[str, ...]:
    """Columns of the intervals that :func:`make_run` needs for a metric."""
    return tuple(dict.fromkeys((metric, "iops")))


def make_run(
    trial: TrialRow,
    observed: Sequence[ObservationRow],
    intervals: Sequence[Series],
    metric: str,
    *,
    direction: str | None,
    share: float,
) -> Run:
    """One run in one metric; ``observed`` are its observations of the workload, ``intervals`` its series.

    Raises:
        IncompleteError: an interval or a figure is missing, or directions cannot be put together.
    """
    rows = [
        row for row in observed if (row.direction not in APART if direction is None else row.direction == direction)
    ]
    if not rows:
        raise IncompleteError(f"it has no observation of the direction {direction}")
    if len(rows) > 1 and metric not in _COMBINED:
        names = ", ".join(row.direction for row in rows)
        raise IncompleteError(f"{metric} of two directions cannot be put together; choose one of {names}")
    if trial.dropped_at_ns is not None:
        raise DroppedError(f"{gone(trial)}, and a bound needs every second")
    values = _values(intervals, rows, metric)
    at_least = metric in RATES
    verdicts = {row.steady_verdict for row in observed}
    return Run(
        trial=trial,
        values=values,
        bound=float(run_bound(values, share, at_least=at_least)),
        steady_verdict=verdicts.pop() if len(verdicts) == 1 else None,
    )


def _values(intervals: Sequence[Series], rows: Sequence[ObservationRow], metric: str) -> Floats:
    """One figure a second; a latency of a second without I/O is infinite: nothing was served."""
    import numpy as np

    seconds = max((round(row.runtime_ns / 1e6) + _LATE_MS) // 1000 for row in rows)
    parts, weights = [], []
    for row in rows:
        found = _direction(intervals, row, metric, seconds)
        parts.append(found)
        weights.append(
            _direction(intervals, row, "iops", seconds) if metric == "lat_mean_ns" and len(rows) > 1 else found
        )
    if len(parts) == 1:
        return parts[0]
    if metric in RATES:
        return np.asarray(np.sum(parts, axis=0), dtype=np.float64)
    if metric == "lat_max_ns":
        present = np.where(np.isfinite(parts), parts, -math.inf).max(axis=0)
        return np.where(np.isfinite(present), present, math.inf)
    total = np.sum(weights, axis=0)
    served = np.where(np.isfinite(parts), parts, 0.0)
    summed = np.sum(served * np.array(weights), axis=0)
    return np.asarray(np.divide(summed, total, out=np.full(seconds, math.inf), where=total > 0), dtype=np.float64)


def _direction(intervals: Sequence[Series], row: ObservationRow, metric: str, seconds: int) -> Floats:
    """The intervals of one direction, every second of the run from 0."""
    import numpy as np

    kept = next((each for each in intervals if each.direction == row.direction), None)
    if kept is None:
        raise IncompleteError(f"the store has no interval of {row.direction} (engine {row.engine})")
    if seconds < 1 or not np.array_equal(kept.second, np.arange(seconds)):
        raise IncompleteError(
            f"it ran for {seconds} whole seconds and has {len(kept.second)} intervals of {row.direction}"
        )
    values = kept.figures[metric]
    missing = int(np.isnan(values).sum())
    if missing == seconds or (missing and metric in RATES):
        raise IncompleteError(f"{missing} of {seconds} intervals have no {metric} (engine {row.engine})")
    return np.where(np.isnan(values), math.inf, values)
