"""What the seconds inside runs show: how much one is worth, a warm-up left in, two modes, stalls.

Nothing here makes an interval narrower: the unit stays the run.  It says whether a run's figure means
what it seems to mean.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.modes import two_modes
from results.runs import seconds
from results.store.query import StoreFrames
from results.store.sampling import evenly
from results.store.schema import TrialRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVEL = 0.01
_LEAST_SECONDS = 20
_LEAST_RUNS = 6
_LEAST_WARM_UP_PCT = 1.0
_LEAST_STALLED_SHARE = 0.01


@dataclass(frozen=True)
class Mode:
    """A mode of a point's seconds: its figure and the share of seconds in it, per cent."""

    value: float
    share_pct: float


@dataclass(frozen=True)
class WarmUp:
    """A warm-up left in the measured phase: what the first tenth of a run is off the second half, per cent.

    ``bias_pct`` is what it changes of a run's figure; ``ramp_time_s`` is how long it lasts.
    """

    first_tenth_pct: float
    p_value: float
    bias_pct: float
    ramp_time_s: int

    @property
    def found(self) -> bool:
        """Whether it is there, and matters."""
        return self.p_value < LEVEL and abs(self.bias_pct) >= _LEAST_WARM_UP_PCT


@dataclass(frozen=True)
class Within:
    """The seconds of one workload.

    ``runs`` of ``all_runs`` were read.  ``autocorrelation`` is that of neighbouring seconds, and a run of
    ``seconds`` is worth ``independent`` of them (medians over the runs; None of runs under 20 s).
    ``modes`` are those of the points whose seconds fall into two; ``stalled`` are trials with seconds
    without any I/O.
    """

    runs: int
    all_runs: int
    seconds: float
    autocorrelation: float | None
    independent: float | None
    warm_up: WarmUp | None
    modes: Mapping[str, tuple[Mode, Mode]]
    stalled: tuple[str, ...]


@dataclass(frozen=True)
class _Run:
    """Throughput of each second of a run."""

    trial: TrialRow
    values: Floats


def within(frames: StoreFrames, trials: Sequence[TrialRow], workloads: Iterable[tuple[str, str]]) -> dict[str, Within]:
    """Judge the seconds of each workload; ``workloads`` are names with the rate that is looked at.

    A row group of seconds is in memory at a time, and of the trials that are looked at a figure a second.
    """
    measured = [trial for trial in trials if trial.status == "ok"]
    asked = dict(workloads)
    if not asked:
        return {}
    sample = {trial.trial_id: trial for trial in evenly(frames, "intervals", measured)}
    runs: dict[str, dict[str, _Run]] = {name: {} for name in asked}
    streamed = seconds.series(frames, sorted(set(asked.values())), trial_ids=sample)
    for trial_id, name, directions in seconds.by_workload(streamed):
        if name in asked:
            values, known = seconds.added(directions, asked[name])
            if known.any():
                runs[name][trial_id] = _Run(sample[trial_id], values)
    in_order = {name: [found[key] for key in sample if key in found] for name, found in runs.items()}
    return {name: _judged(found, len(measured)) for name, found in in_order.items() if found}


def _judged(runs: Sequence[_Run], every: int) -> Within:
    """What all runs of a workload show together."""
    long = [run for run in runs if len(run.values) >= _LEAST_SECONDS and (run.values > 0).all()]
    lags = [lag_one(run.values) for run in long]
    worth = [len(run.values) / inflation(lag) for run, lag in zip(long, lags, strict=True)]
    return Within(
        runs=len(runs),
        all_runs=every,
        seconds=statistics.median(len(run.values) for run in runs),
        autocorrelation=statistics.median(lags) if lags else None,
        independent=statistics.median(worth) if worth else None,
        warm_up=_warm_up([run.values for run in long]),
        modes=_modes(long, statistics.median(lags) if lags else 0.0),
        stalled=tuple(run.trial.trial_id for run in runs if (run.values == 0).mean() > _LEAST_STALLED_SHARE),
    )


def lag_one(values: Floats) -> float:
    """Autocorrelation of neighbouring seconds, the mean taken out (Box and Jenkins, Time Series Analysis, ch. 2)."""
    import numpy as np

    left = values - values.mean()
    scale = float(left @ left)
    return float(left[1:] @ left[:-1]) / scale if scale > 1e-12 * float(np.abs(values).max()) ** 2 else 0.0


def inflation(lag: float) -> float:
    """How many seconds are worth one independent one: (1 + r) / (1 - r), of a first-order process.

    (Bayley and Hammersley, JRSS Supplement 8, 1946.)  At least 1: negative correlation earns nothing.
    """
    return max(1.0, (1 + lag) / (1 - min(lag, 0.999)))


def truncation(values: Floats) -> int:
    """Seconds to leave out at the beginning by MSER: those without which the mean's standard error is least.

    (White, Simulation 69, 1997.)  At most half of the run.
    """
    import numpy as np

    ends = values[::-1]
    counts = np.arange(1, len(values) + 1)
    sums, squares = np.cumsum(ends - values.mean()), np.cumsum((ends - values.mean()) ** 2)
    errors = (squares - sums**2 / counts) / counts**2
    kept = np.arange((len(values) + 1) // 2, len(values) + 1)
    return int(len(values) - kept[::-1][int(np.argmin(errors[kept - 1][::-1]))])


def _warm_up(runs: Sequence[Floats]) -> WarmUp | None:
    """A t test over runs on the logarithm of first tenth over second half; None of too few runs."""
    import numpy as np
    from scipy import special

    if len(runs) < _LEAST_RUNS:
        return None
    tenths = [max(3, len(run) // 10) for run in runs]
    logs = np.array(
        [math.log(run[:tenth].mean() / run[len(run) // 2 :].mean()) for run, tenth in zip(runs, tenths, strict=True)]
    )
    error = float(logs.std(ddof=1)) / math.sqrt(len(logs))
    p_value = 2 * float(special.stdtr(len(logs) - 1, -abs(float(logs.mean())) / error)) if error > 0 else 1.0
    cut = round(statistics.median(truncation(run) for run in runs))
    after = [run[max(cut, tenth) :] for run, tenth in zip(runs, tenths, strict=True)]
    bias = statistics.median(float(run.mean() / rest.mean()) - 1 for run, rest in zip(runs, after, strict=True))
    return WarmUp(100 * math.expm1(float(logs.mean())), p_value, 100 * bias, max(cut, min(tenths)))


def _modes(runs: Sequence[_Run], lag: float) -> dict[str, tuple[Mode, Mode]]:
    """Points whose seconds fall into two modes, each run taken relative to its median."""
    import numpy as np

    by_point: dict[str, list[Floats]] = defaultdict(list)
    for run in runs:
        by_point[run.trial.point_id].append(run.values)
    found = {}
    for point, values in by_point.items():
        levels = [float(np.median(each)) for each in values]
        logs = np.concatenate([np.log(each / level) for each, level in zip(values, levels, strict=True)])
        modes = two_modes(logs, 1 / inflation(lag))
        if modes is not None:
            level = math.exp(math.fsum(map(math.log, levels)) / len(levels))
            major = Mode(level * math.exp(modes.major), 100 * modes.share)
            found[point] = (major, Mode(level * math.exp(modes.minor_centre), 100 * (1 - modes.share)))
    return found
