"""A race between its blocks: what was measured is read from the store, and what to run next follows from it."""

from __future__ import annotations

import math
from collections.abc import Collection

from permutations.cost import trial_seconds
from permutations.design import Plan
from permutations.point import PlannedTrial
from permutations.race import next_block, racer
from permutations.racing import Outcome
from results.objective import Objective
from results.query import load
from results.responses import responses
from results.schema import TrialRow
from results.store import Store


def history(plan: Plan, store: Store) -> tuple[Outcome, ...]:
    """Every outcome of the race in the store, in run order.

    The figure is that of the sweep's first objective; a trial without one counts as failed.
    """
    stated = plan.sweep.objectives[0]
    objective = Objective(stated.workload, stated.metric, stated.maximise, stated=True)
    frames = load(store.path, verify=False)
    trials = [row for row in frames.trial_rows() if row.protocol_id == plan.sweep.protocol_id]
    found, _ = responses(objective, trials, frames.observation_rows(histograms=stated.metric.startswith("lat_")))
    values = {each.trial_id: each.value for each in found}
    return tuple(
        Outcome(row.phase, row.block, row.point_id, values.get(row.trial_id), row.duration_s)
        for row in trials
        if row.phase is not None
    )


def next_trials(
    plan: Plan, store: Store, *, retry: bool = False, attempted: Collection[str] = ()
) -> tuple[PlannedTrial, ...]:
    """The trials that the race asks for now; none when it has ended.

    With ``retry`` a failed trial counts as not yet run, unless it is among those ``attempted`` in this run.
    """
    if not store.trial_ids():
        return plan.trials
    told = history(plan, store)
    if retry:
        known = {(trial.phase, trial.block, trial.point_id) for trial in _rows(store) if trial.trial_id in attempted}
        told = tuple(
            each for each in told if each.value is not None or (each.phase, each.block, each.point_id) in known
        )
    return next_block(plan.sweep, plan.points, told)


def _rows(store: Store) -> list[TrialRow]:
    return load(store.path, verify=False).trial_rows()


def asked(plan: Plan, store: Store) -> set[str]:
    """Ids of the trials that the race has asked for so far."""
    return store.trial_ids() | {trial.trial_id for trial in next_trials(plan, store)}


def most_trials(plan: Plan) -> int:
    """How many trials the budget allows at most; an estimate where it is in hours."""
    spec = plan.sweep.racing
    if spec is None:
        return len(plan.trials)
    if spec.budget_trials is not None:
        return spec.budget_trials
    return max(len(plan.trials), math.floor((spec.budget_s or 0.0) / trial_seconds(plan.sweep)))


def standing_line(plan: Plan, store: Store) -> str:
    """Where the race stands, for a person."""
    state = racer(plan.sweep, plan.points).state(history(plan, store))
    if state.ask is None:
        return "race: over"
    if state.finalists:
        return f"race: {len(state.finalists)} finalists in fresh runs, block {state.ask.block + 1}"
    out = f"{len(state.looks[-1].eliminated)} eliminated after the last block, " if state.looks else ""
    return f"race: {out}{len(state.live)} of {len(plan.points)} points live, block {state.ask.block + 1}"
