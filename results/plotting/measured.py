"""What plots by factor and by point are made from: one figure of one workload, by design point."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from results.errors import ResultsError
from results.estimates import race
from results.estimates.estimate import Fit, NoEvidenceError, fit
from results.estimates.intervals import with_intervals
from results.estimates.latencies import as_measured, why_missing
from results.estimates.objective import Objective, objectives
from results.estimates.responses import responses
from results.estimates.settings import settings_by_point, varied
from results.estimates.shape import shape
from results.store.query import StoreFrames
from results.store.schema import VIRTUAL_SUBSTRATES, ObservationRow, TrialRow
from stripelab.metrics import METRICS, RATES, listed
from stripelab.settings import Setting, label


@dataclass(frozen=True, eq=False)
class Sweep:
    """The newest sweep of a store: its trials that are ok, and settings and labels of its points."""

    frames: StoreFrames
    trials: tuple[TrialRow, ...]
    observations: tuple[ObservationRow, ...]
    settings: Mapping[str, Mapping[str, Setting]]
    labels: Mapping[str, str]

    @property
    def virtual(self) -> bool:
        """Whether any of it was measured in the virtual lab or on loop devices."""
        return any(trial.substrate in VIRTUAL_SUBSTRATES for trial in self.trials)

    @property
    def varied(self) -> tuple[str, ...]:
        """Factors with more than one value."""
        return varied(self.settings.values())


@dataclass(frozen=True, eq=False)
class Measured:
    """A figure of a workload; ``values`` are geometric means of each point's trials, in the column's unit.

    ``model`` is the fit that intervals come from; None where the evidence does not reach for one.
    """

    sweep: Sweep
    workload: str
    metric: str
    maximise: bool
    values: Mapping[str, float]
    model: Fit | None


def sweep_of(frames: StoreFrames) -> Sweep:
    """The newest sweep of a store.

    Raises:
        ResultsError: no trial of it is ok.
    """
    every = frames.trial_rows()
    ok = [trial for trial in every if trial.status == "ok"]
    if not ok:
        raise ResultsError(f"{frames.store.path} holds no trial that is ok", remedy="There is nothing to draw yet.")
    newest = max(ok, key=lambda trial: (trial.started_at_ns, trial.trial_id)).protocol_id
    trials = race.judged(tuple(trial for trial in every if trial.protocol_id == newest))
    trials = tuple(trial for trial in trials if trial.status == "ok")
    order = {trial.trial_id: place for place, trial in enumerate(trials)}
    rows = [row for row in frames.observation_rows(histograms=True) if row.trial_id in order]
    settings = settings_by_point(trials)
    named = varied(settings.values())
    return Sweep(
        frames,
        trials,
        tuple(sorted(rows, key=lambda row: order[row.trial_id])),
        settings,
        {point: label(each, named) for point, each in settings.items()},
    )


def measured(sweep: Sweep, workload: str | None, metric: str | None) -> Measured:
    """A figure of a workload of the sweep: the first objective's, unless it is named.

    Raises:
        ResultsError: no such workload or figure, or no trial has it.
    """
    objective = objectives(sweep.frames.store.path, list(sweep.observations), workload)[0]
    wanted = as_measured(metric, sweep.observations, objective.workload) if metric is not None else objective.metric
    if wanted != objective.metric:
        objective = _of_metric(objective, wanted)
    found, _ = responses(objective, sweep.trials, sweep.observations)
    if not found:
        raise ResultsError(
            why_missing(objective.metric, sweep.observations, objective.workload),
            remedy=f"Figures are: {listed(METRICS)}.",
        )
    logs: dict[str, list[float]] = defaultdict(list)
    for each in found:
        logs[each.point_id].append(math.log(each.value))
    try:
        plain = fit(found)
        model: Fit | None = with_intervals(plain, shape(plain))
    except NoEvidenceError:
        model = None
    values = {point: math.exp(math.fsum(each) / len(each)) for point, each in logs.items()}
    return Measured(sweep, objective.workload, objective.metric, objective.maximise, values, model)


def _of_metric(objective: Objective, metric: str) -> Objective:
    if metric not in METRICS:
        raise ResultsError(f"there is no figure {metric}", remedy=f"Figures are: {listed(METRICS)}.")
    return replace(objective, metric=metric, maximise=metric in RATES, stated=False)


def pick_points(sweep: Sweep, wanted: Sequence[str], ranked: Sequence[str]) -> tuple[str, ...]:
    """Points by id, the beginning of one, or label; the first of ``ranked`` where none is wanted.

    Raises:
        ResultsError: nothing, or more than one point, is called so.
    """
    if not wanted:
        return tuple(ranked)
    found = []
    for word in wanted:
        named = [point for point, text in sweep.labels.items() if text == word or point.startswith(word)]
        if len(named) != 1:
            count = "no point" if not named else f"{len(named)} points"
            raise ResultsError(
                f"{count} of the store is called {word!r}",
                remedy=f"Points: {', '.join(sorted(sweep.labels.values()))}.",
            )
        found += named
    return tuple(found)
