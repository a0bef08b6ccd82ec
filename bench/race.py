"""A race between its blocks: what was measured is read from the store, and what to run next follows from it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from permutations.cost import trial_seconds
from permutations.design import Plan
from permutations.point import DesignPoint, PlannedTrial
from permutations.race import next_block, racer
from permutations.racing.race import Outcome, RaceState
from permutations.requirement import contenders, known_constraints, measured_requirements
from results.estimates.latencies import as_measured
from results.estimates.objective import Objective
from results.estimates.responses import responses
from results.runs import cpu
from results.store.folder import Store
from results.store.query import StoreFrames
from results.store.schema import ObservationRow, TrialRow
from stripelab.metrics import RATES, lower_is_better
from stripelab.units import counted


@dataclass
class History:
    """What ``store`` holds of the race of ``plan``; what was read of a trial that is ok is kept.

    A race asks after every block, so reading all of its trials each time would cost the square of their number.
    """

    plan: Plan
    store: Store
    _known: dict[str, tuple[TrialRow, Outcome | None]] = field(default_factory=dict)
    _points: tuple[DesignPoint, ...] = ()

    @property
    def points(self) -> tuple[DesignPoint, ...]:
        """The points of the race: those of the plan that can meet the requirements on the disks of the store.

        Of several sets of disks the largest counts, so that a point leaves only where it cannot stay.
        """
        if not self._points:
            rows = StoreFrames(self.store).environment_rows()
            sizes = [min(row.disk_sizes_bytes) for row in rows if row.disk_sizes_bytes]
            if not sizes:
                return self.plan.points
            self._points = contenders(self.plan.points, self.plan.sweep.objectives, max(sizes))
        return self._points

    def state(self) -> RaceState:
        """Where the race stands."""
        return racer(self.plan.sweep, self.points).state(self.outcomes())

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
        sweep = self.plan.sweep
        stated = sweep.objectives[0]
        limits = measured_requirements(sweep.objectives)
        metrics = {stated.metric, *(each.constraint.metric for each in limits)}
        frames = StoreFrames(self.store)
        trials = frames.trial_rows(trial_ids)
        observed = frames.observation_rows(histograms=any("lat_" in metric for metric in metrics), trial_ids=trial_ids)
        values = _figures(frames, trials, observed, stated.workload, stated.metric)
        slacks: dict[str, list[float | None]] = defaultdict(list)
        for each in limits:
            figures = _figures(frames, trials, observed, each.workload, each.constraint.metric)
            for row in trials:
                value = figures.get(row.trial_id)
                slacks[row.trial_id].append(None if value is None else each.constraint.slack(value))
        for row in trials:
            if row.protocol_id != sweep.protocol_id or row.phase is None:
                yield row, None
            else:
                yield (
                    row,
                    Outcome(
                        row.phase,
                        row.block,
                        row.point_id,
                        values.get(row.trial_id),
                        row.duration_s,
                        tuple(slacks[row.trial_id]),
                        self._unfit(row),
                    ),
                )

    def _unfit(self, row: TrialRow) -> bool:
        """Whether a trial shows that its point cannot meet a requirement: by a fact, such as the capacity."""
        facts = [(each, getattr(row, each.metric)) for each in known_constraints(self.plan.sweep.objectives)]
        return any(value is not None and not each.holds(value) for each, value in facts)


def _figures(
    frames: StoreFrames, trials: Sequence[TrialRow], observed: Sequence[ObservationRow], workload: str, metric: str
) -> Mapping[str, float]:
    """A figure of a workload by trial; of one that syncs a plain latency is that of its commits."""
    metric = as_measured(metric, observed, workload)
    if metric == cpu.METRIC:
        found = cpu.cpu_per_io(frames, trials, observed, [workload])[workload]
    else:
        found, _ = responses(Objective(workload, metric, metric in RATES, stated=True), trials, observed)
    return {each.trial_id: each.value for each in found}


def next_trials(told: History, *, retry: bool = False, attempted: Collection[str] = ()) -> tuple[PlannedTrial, ...]:
    """The trials that the race asks for now; none when it has ended.

    With ``retry`` a failed trial counts as not yet run, unless it is among those ``attempted`` in this run.
    """
    outcomes = told.outcomes_but_failed(attempted) if retry else told.outcomes()
    return next_block(told.plan.sweep, told.points, outcomes)


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
    state = told.state()
    verb = "misses" if len(state.missing) == 1 else "miss"
    missing = f"{len(state.missing)} {verb} a requirement, " if state.missing else ""
    if state.ask is None:
        return f"race: over{_none_left(told, state)}"
    if state.finalists:
        return f"race: {missing}{counted(len(state.finalists), 'finalist')} in fresh runs, block {state.ask.block + 1}"
    out = f"{len(state.looks[-1].eliminated)} eliminated and " if state.looks else ""
    out += f"{len(state.cut[-1])} cut for want of budget after the last block, " if state.cut else ""
    return f"race: {missing}{out}{len(state.live)} of {len(told.points)} points live, block {state.ask.block + 1}"


def _none_left(told: History, state: RaceState) -> str:
    """What to say of a race in which every point that was left misses a requirement."""
    if state.finalists or not state.missing:
        return ""
    objectives = told.plan.sweep.objectives
    wanted = [each.constraint for each in measured_requirements(objectives)]
    wanted += known_constraints(objectives) if any(each.unfit for each in told.outcomes()) else ()
    words = " and ".join(dict.fromkeys(each.text for each in wanted))
    cut = sum(map(len, state.cut))
    rest = f"; dropped out for want of budget before that: {cut}" if cut else ""
    return f": no point that was measured to the end meets {words}; {_closest(told, state.missing)}{rest}"


def _closest(told: History, missing: Collection[str]) -> str:
    """Which of the points that miss a requirement misses by least, and by how much."""
    slacks: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for each in told.outcomes():
        if each.point_id in missing and not each.unfit and None not in each.slacks:
            slacks[each.point_id].append(tuple(slack for slack in each.slacks if slack is not None))
    if not slacks:
        return "none comes close"
    worst = {
        point: [math.fsum(column) / len(column) for column in zip(*rows, strict=True)] for point, rows in slacks.items()
    }
    point = max(worst, key=lambda each: (min(worst[each]), each))
    place = worst[point].index(min(worst[point]))
    limit = measured_requirements(told.plan.sweep.objectives)[place]
    label = next(each.label() for each in told.points if each.id == point)
    ratio = math.exp(-worst[point][place] if lower_is_better(limit.constraint.metric) else worst[point][place])
    off = f"{100 * abs(ratio - 1):.3g} % {'above' if ratio > 1 else 'below'} the limit"
    return f"the closest is {label}, whose {limit.constraint.metric} of {limit.workload} is {off}"
