"""A race between its blocks: what was measured is read from the store, and what to run next follows from it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from permutations.cost import trial_seconds
from permutations.design import Plan
from permutations.point import PlannedTrial
from permutations.race import next_block, racer
from permutations.racing.race import Outcome
from results.estimates.objective import Objective
from results.estimates.responses import responses
from results.store.folder import Store
from results.store.query import StoreFrames
from results.store.schema import TrialRow


@dataclass
class History:
    """What ``store`` holds of the race of ``plan``; what was read of a trial that is ok is kept.

    A race asks after every block, so reading all of its trials each time would cost the square of their number.
    """

    plan: Plan
    store: Store
    _known: dict[str, tuple[TrialRow, Outcome | None]] = field(default_factory=dict)

    def outcomes(self) -> tuple[Outcome, ...]:
        """Every outcome of the race in the store, in run order.

        The figure is that of the sweep's first objective; a trial without one counts as failed.
        """
        return tuple(outcome for _, outcome in self._rows() if outcome is not None)

    def outcomes_but_failed(self, attempted: Collection[str]) -> tuple[Outcome, ...]:
        """As :meth:`outcomes`, without those that have no figure and are not among the trials ``attempted``."""
        return tuple(
            outcome
            for row, outcome in self._rows()
            if outcome is not None and (outcome.value is not None or row.trial_id in attempted)
        )

    def _rows(self) -> list[tuple[TrialRow, Outcome | None]]:
        """Trials of the race with their outcomes, in run order; None of a trial of another sweep."""
        there = self.store.trial_ids()
        unread = there - self._known.keys()
        if unread:
            self._known |= {row.trial_id: (row, outcome) for row, outcome in self._read(unread)}
        found = [self._known[key] for key in there if key in self._known]
        # One that failed may be run again, under the same id.
        self._known = {row.trial_id: (row, outcome) for row, outcome in found if row.status == "ok"}
        return sorted(found, key=lambda each: (each[0].run_order, each[0].started_at_ns, each[0].trial_id))

    def _read(self, trial_ids: Collection[str]) -> Iterator[tuple[TrialRow, Outcome | None]]:
        stated = self.plan.sweep.objectives[0]
        objective = Objective(stated.workload, stated.metric, stated.maximise, stated=True)
        frames = StoreFrames(self.store)
        trials = frames.trial_rows(trial_ids)
        observed = frames.observation_rows(histograms="lat_" in stated.metric, trial_ids=trial_ids)
        values = {each.trial_id: each.value for each in responses(objective, trials, observed)[0]}
        for row in trials:
            if row.protocol_id != self.plan.sweep.protocol_id or row.phase is None:
                yield row, None
            else:
                value = values.get(row.trial_id)
                yield row, Outcome(row.phase, row.block, row.point_id, value, row.duration_s)


def next_trials(told: History, *, retry: bool = False, attempted: Collection[str] = ()) -> tuple[PlannedTrial, ...]:
    """The trials that the race asks for now; none when it has ended.

    With ``retry`` a failed trial counts as not yet run, unless it is among those ``attempted`` in this run.
    """
    plan = told.plan
    if not told.store.trial_ids():
        return plan.trials
    outcomes = told.outcomes_but_failed(attempted) if retry else told.outcomes()
    return next_block(plan.sweep, plan.points, outcomes)


def asked(told: History) -> set[str]:
    """Ids of the trials that the race has asked for so far."""
    return told.store.trial_ids() | {trial.trial_id for trial in next_trials(told)}


def most_trials(plan: Plan) -> int:
    """How many trials the budget allows at most; an estimate where it is in hours."""
    spec = plan.sweep.racing
    if spec is None:
        return len(plan.trials)
    if spec.budget_trials is not None:
        return spec.budget_trials
    return max(len(plan.trials), math.floor((spec.budget_s or 0.0) / trial_seconds(plan.sweep)))


def standing_line(told: History) -> str:
    """Where the race stands, for a person."""
    plan = told.plan
    state = racer(plan.sweep, plan.points).state(told.outcomes())
    if state.ask is None:
        return "race: over"
    if state.finalists:
        return f"race: {len(state.finalists)} finalists in fresh runs, block {state.ask.block + 1}"
    out = f"{len(state.looks[-1].eliminated)} eliminated and " if state.looks else ""
    out += f"{len(state.cut[-1])} cut for want of budget after the last block, " if state.cut else ""
    return f"race: {out}{len(state.live)} of {len(plan.points)} points live, block {state.ask.block + 1}"
