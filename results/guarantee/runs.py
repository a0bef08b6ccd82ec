"""The intervals of each run, whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from results.guarantee.answer import RunFigure
from results.objective import RATES
from results.query import StoreFrames
from results.schema import ObservationRow, TrialRow
from results.tolerance import run_bound

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


def read_run(
    frames: StoreFrames,
    trial: TrialRow,
    observed: Sequence[ObservationRow],
    *,
    metric: str,
    direction: str | None,
    share: float,
) -> Run:
    """The intervals of one run in one metric; ``observed`` are its observations of the workload.

    Raises:
        IncompleteError: an interval or a figure is missing, or directions cannot be put together.
    """
    rows = [row for row in observed if direction in {None, row.direction}]
    if not rows:
        raise IncompleteError(f"it has no observation of the direction {direction}")
    if len(rows) > 1 and metric not in _COMBINED:
        names = ", ".join(row.direction for row in rows)
        raise IncompleteError(f"{metric} of two directions cannot be put together; choose one of {names}")
    values = _values(frames, trial.trial_id, rows, metric)
    at_least = metric in RATES
    verdicts = {row.steady_verdict for row in observed}
    return Run(
        trial=trial,
        values=values,
        bound=float(run_bound(values, share, at_least=at_least)),
        steady_verdict=verdicts.pop() if len(verdicts) == 1 else None,
    )


def _values(frames: StoreFrames, trial_id: str, rows: Sequence[ObservationRow], metric: str) -> Floats:
    """One figure a second; a latency of a second without I/O is infinite: nothing was served."""
    import numpy as np

    columns = list(dict.fromkeys(("workload", "direction", "second", metric, "iops")))
    table = frames.of_trial("intervals", trial_id, columns)
    seconds = max((round(row.runtime_ns / 1e6) + _LATE_MS) // 1000 for row in rows)
    parts, weights = [], []
    for row in rows:
        found = _direction(table, row, metric, seconds)
        parts.append(found)
        weights.append(_direction(table, row, "iops", seconds) if metric == "lat_mean_ns" and len(rows) > 1 else found)
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


def _direction(table: Any, row: ObservationRow, metric: str, seconds: int) -> Floats:
    """The intervals of one direction, every second of the run from 0."""
    import numpy as np
    import pyarrow.compute as pc

    kept = table.filter((pc.field("workload") == row.workload) & (pc.field("direction") == row.direction))
    kept = kept.sort_by("second")
    if not kept.num_rows:
        raise IncompleteError(f"the store has no interval of {row.direction} (engine {row.engine})")
    if seconds < 1 or kept["second"].to_pylist() != list(range(seconds)):
        raise IncompleteError(
            f"it ran for {seconds} whole seconds and has {kept.num_rows} intervals of {row.direction}"
        )
    latency = metric not in RATES
    missing = kept[metric].null_count
    if missing == kept.num_rows or (missing and not latency):
        raise IncompleteError(f"{missing} of {kept.num_rows} intervals have no {metric} (engine {row.engine})")
    values = kept[metric].to_pandas().to_numpy(dtype=np.float64, na_value=math.nan)
    return np.where(np.isnan(values), math.inf, values) if latency else np.asarray(values, dtype=np.float64)
