"""One answer: from the trials of a sweep to a ranking with everything that belongs to it, or a refusal."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from results.estimates import constraints, pareto, race
from results.estimates.anova import anova
from results.estimates.best import dunnett_critical
from results.estimates.cells import interactions
from results.estimates.defaults import over_default
from results.estimates.diagnostics import refuse_systematic
from results.estimates.effects import effects
from results.estimates.estimate import Fit, NoEvidenceError, fit
from results.estimates.factor_model import factor_model
from results.estimates.gain import gains
from results.estimates.intervals import estimates, with_intervals
from results.estimates.latencies import as_measured, why_missing
from results.estimates.modes import modes_of_runs
from results.estimates.objective import Objective
from results.estimates.responses import Response, predictions, responses
from results.estimates.shape import Shape, shape
from results.estimates.shares import pair_effects
from results.recommendation import next_runs, notes
from results.recommendation.answer import Answer, Evidence, RankedPoint, Ranking, StratumEvidence
from results.recommendation.ranking import PointFacts, Terms, descriptive, rank
from results.runs import cpu
from results.runs.within import Within
from results.store.imported import is_imported
from results.store.schema import ObservationRow, TrialRow
from stripelab.constraint import INCONCLUSIVE, UNMEASURED, Constraint
from stripelab.metrics import FACTS, RATES
from stripelab.settings import Setting

_MOST_FAILED = 0.5


@dataclass(frozen=True)
class Sweep:
    """What the answers share; ``judged`` are the trials that estimates are made from.

    ``baseline`` is the point that gains are counted from.  ``cpu`` and ``within`` are by workload.
    """

    trials: tuple[TrialRow, ...]
    judged: tuple[TrialRow, ...]
    observations: tuple[ObservationRow, ...]
    settings: Mapping[str, Mapping[str, Setting]]
    labels: Mapping[str, str]
    margin_pct: float
    confidence: float
    prefer: tuple[str, ...] = ()
    require: tuple[Constraint, ...] = ()
    baseline: str | None = None
    cpu: Mapping[str, list[Response]] = field(default_factory=dict)
    within: Mapping[str, Within] = field(default_factory=dict)

    @property
    def throttled(self) -> bool:
        """Whether the lab limited the disks, so that latencies mean nothing."""
        return any(trial.disk_iops_limit is not None for trial in self.trials)

    @property
    def trial_s(self) -> float:
        """Mean duration of a trial."""
        return math.fsum(trial.duration_s for trial in self.trials) / len(self.trials)

    @property
    def blocks(self) -> int:
        """Blocks of which there is any trial."""
        return max(trial.block for trial in self.trials) + 1

    @property
    def unreliable(self) -> frozenset[str]:
        """Points with at least as many trials that failed or are invalid as are ok."""
        balance: dict[str, int] = defaultdict(int)
        for trial in self.judged:
            balance[trial.point_id] += 1 if trial.status == "ok" else -1
        return frozenset(point for point, left in balance.items() if left <= 0)


@dataclass(frozen=True)
class _Case:
    """One objective of a sweep with its model."""

    sweep: Sweep
    objective: Objective
    model: Fit
    shape: Shape
    facts: Mapping[str, PointFacts]

    @property
    def terms(self) -> Terms:
        """How its points are judged."""
        sweep, within = self.sweep, self.sweep.within.get(self.objective.workload)
        gained = {}
        if sweep.baseline is not None:
            gained = gains(self.model, sweep.baseline, maximise=self.objective.maximise, confidence=sweep.confidence)
        shown = within.modes if within is not None and self.objective.metric in RATES else {}
        return Terms(
            self.objective.maximise,
            sweep.margin_pct,
            sweep.confidence,
            self.objective.prefer or sweep.prefer,
            gained,
            shown,
            sweep.unreliable,
        )

    def ranking(self, among: Sequence[int], title: str) -> Ranking:
        """Points compared with each other alone."""
        found = rank(self.model, self.facts, among, title=title, terms=self.terms)
        default = over_default(
            self.model,
            found.recommended,
            self.sweep.settings,
            self.sweep.labels,
            maximise=self.objective.maximise,
            confidence=self.sweep.confidence,
        )
        return replace(found, over_default=default)


@dataclass(frozen=True)
class Judgement:
    """The answer for one objective with the model behind it; without one where the answer is a refusal."""

    objective: Objective
    answer: Answer
    model: Fit | None


def judge(sweep: Sweep, objective: Objective) -> Judgement:
    """The answer for one objective, or the refusal."""
    measured, without = responses(objective, sweep.judged, sweep.observations)
    if without and not measured:
        reason = why_missing(objective.metric, sweep.observations, objective.workload)
        return Judgement(objective, _refused(sweep, objective, [], reason), None)
    try:
        _refuse_failed(sweep.judged)
        race.refuse_unfinished(sweep.trials, measured, sweep.labels)
        refuse_systematic(measured)
        plain = fit(measured)
        _refuse_modes(plain)
        noise = shape(plain)
        model = with_intervals(plain, noise)
        case = _Case(sweep, objective, model, noise, _facts(sweep, objective, model.points))
        return Judgement(objective, _judged(case, without), model)
    except NoEvidenceError as refusal:
        return Judgement(objective, _refused(sweep, objective, measured, str(refusal)), None)


def _refuse_modes(model: Fit) -> None:
    """Raise NoEvidenceError where the runs fall into two modes: no mean describes both."""
    modes = modes_of_runs(model)
    if modes is not None:
        raise NoEvidenceError(modes.sentence)


def _refuse_failed(trials: Sequence[TrialRow]) -> None:
    """Raise NoEvidenceError where most trials did not end well."""
    bad = sum(1 for trial in trials if trial.status != "ok")
    if bad > _MOST_FAILED * len(trials):
        raise NoEvidenceError(
            f"{bad} of {len(trials)} trials failed or are invalid, and what is left says little of the points that "
            "they were to measure; the reasons are listed below"
        )


def _judged(case: _Case, without: Sequence[str]) -> Answer:
    """The answer where the evidence reaches."""
    sweep, objective, model = case.sweep, case.objective, case.model
    everywhere = range(len(model.points))
    overall = case.ranking(everywhere, "Recommended")
    safe = [index for index in everywhere if (case.facts[model.points[index]].disk_failures_survived or 0) >= 1]
    surviving = None
    if safe and len(safe) < len(model.points):
        surviving = case.ranking(safe, "Recommended among those that survive a disk failure")
    judged, meeting, unmet = _constrained(case)
    if judged:
        overall = replace(overall, title="Regardless of the requirements")
    within = sweep.within.get(objective.workload)
    factors = factor_model(model, sweep.settings)
    return Answer(
        workload=objective.workload,
        engine=_engine(sweep, objective),
        metric=objective.metric,
        maximise=objective.maximise,
        objective_stated=objective.stated,
        refusal=None,
        measured=(),
        overall=overall,
        surviving=surviving,
        evidence=_evidence(case),
        effects=effects(
            factors,
            objective.metric,
            maximise=objective.maximise,
            recommended=(meeting or overall).chosen.settings,
            best=overall.lone_best.settings if overall.lone_best else None,
        ),
        interactions=interactions(model, sweep.settings),
        notes=(
            *notes.answer_notes(objective, model, overall, sweep.trials, sweep.observations, without),
            *factors.notes,
            *notes.of_shape(model, case.shape),
            *notes.of_seconds(within, overall, objective.metric),
            *notes.of_baseline(sweep.baseline, model, sweep.labels),
        ),
        meeting=meeting,
        constraints=judged,
        unmet=unmet,
        baseline=sweep.labels[sweep.baseline] if sweep.baseline in model.points else None,
        pairs=pair_effects(factors),
        anova=anova(model, sweep.settings),
        front=_front(case),
        within=within,
        next_runs=next_runs.next_runs(
            model,
            meeting or overall,
            margin_pct=sweep.margin_pct,
            confidence=sweep.confidence,
            trial_s=sweep.trial_s,
            run_s=_run_s(sweep, objective),
        ),
    )


def _evidence(case: _Case) -> Evidence:
    """What the answer rests on."""
    model = case.model
    return Evidence(
        trials=len(model.responses),
        blocks=model.blocks,
        noise_pct=100 * math.sqrt(math.expm1(model.sd**2)),
        df=model.df,
        critical_value=dunnett_critical(len(model.points) - 1, model.df, case.sweep.confidence),
        strata=tuple(
            StratumEvidence(each.name, each.plots, 100 * math.sqrt(math.expm1(each.sd**2)), each.df)
            for each in model.components
        ),
        intervals=model.intervals,
        shape=case.shape,
    )


def _run_s(sweep: Sweep, objective: Objective) -> float:
    """Longest measured phase of a workload."""
    return max((row.runtime_ns for row in sweep.observations if row.workload == objective.workload), default=0) / 1e9


def _constrained(case: _Case) -> tuple[tuple[constraints.Judged, ...], Ranking | None, str | None]:
    """How the points meet the constraints, the ranking of those that meet all, and why there is none."""
    wanted = constraints.of_workload(
        case.objective.require, case.sweep.require, case.sweep.observations, case.objective.workload
    )
    if not wanted:
        return (), None, None
    verdicts = [_verdicts(case, each) for each in wanted]
    judged = tuple(
        constraints.summarise(each, found, case.sweep.labels) for each, found in zip(wanted, verdicts, strict=True)
    )
    kept = set(constraints.meeting(verdicts, case.model.points))
    words = " and ".join(each.words for each in wanted)
    if not kept:
        missing = [_why_unmeasured(case, each.metric) for each in wanted if each.metric not in FACTS]
        why = next(filter(None, missing), f"no point is shown to meet {words}")
        return judged, None, f"No recommendation for {case.objective.workload}: {why}."
    among = [index for index, point in enumerate(case.model.points) if point in kept]
    return judged, case.ranking(among, f"Recommended with {words}"), None


def _verdicts(case: _Case, constraint: Constraint) -> dict[str, str]:
    """Whether each point meets a constraint, or has no figure for it."""
    points = case.model.points
    if constraint.metric in FACTS:
        values = {point: getattr(case.facts[point], constraint.metric) for point in points}
        return {
            point: UNMEASURED if value is None else constraint.judge(value, value) for point, value in values.items()
        }
    model = case.model if constraint.metric == case.objective.metric else _model_of(case, constraint.metric)
    measured = {each.point_id for each in _figures_of(case, constraint.metric)}
    found = {point: INCONCLUSIVE if point in measured else UNMEASURED for point in points}
    if model is not None:
        known = estimates(model, case.sweep.confidence)
        found |= {each.point_id: constraint.judge(each.low, each.high) for each in known if each.point_id in found}
    return found


def _figures_of(case: _Case, metric: str) -> Sequence[Response]:
    """Another figure of the same workload."""
    sweep, workload = case.sweep, case.objective.workload
    if metric == cpu.METRIC:
        return sweep.cpu.get(workload, [])
    other = Objective(workload, metric, metric in RATES, stated=False)
    return responses(other, sweep.judged, sweep.observations)[0]


def _why_unmeasured(case: _Case, metric: str) -> str | None:
    """Why no trial has a figure; None where one has."""
    return None if _figures_of(case, metric) else why_missing(metric, case.sweep.observations, case.objective.workload)


def _model_of(case: _Case, metric: str) -> Fit | None:
    """The model of another figure of the same workload; None where the evidence does not reach."""
    try:
        return fit(_figures_of(case, metric))
    except NoEvidenceError:
        return None


def _front(case: _Case) -> pareto.Front:
    """The points that no other beats in throughput, latency, capacity, redundancy and CPU time together."""
    points = case.model.points
    rate = case.objective.metric if case.objective.metric in RATES else "bw_bytes_s"
    axes, left_out = [], []
    tail = as_measured("lat_p99_ns", case.sweep.observations, case.objective.workload)
    for metric in (rate, tail, cpu.METRIC):
        if metric == tail and case.sweep.throttled:
            left_out.append(f"{metric}: under the lab's throttle latencies mean nothing")
            continue
        model = case.model if metric == case.objective.metric else _model_of(case, metric)
        axis = pareto.measured_axis(metric, model, points, maximise=metric in RATES) if model is not None else None
        if axis is None:
            left_out.append(f"{metric}: not measured often enough at every point")
        else:
            axes.append(axis)
    for metric in FACTS[::-1]:
        values = {point: getattr(case.facts[point], metric) for point in points}
        if None in values.values():
            left_out.append(f"{metric}: not known of every point")
        else:
            axes.append(pareto.Axis(metric, maximise=True, values=values))
    return pareto.front(axes, points, case.sweep.labels, left_out)


def _refused(sweep: Sweep, objective: Objective, measured: Sequence[Response], reason: str) -> Answer:
    """What was measured, without a verdict."""
    values: dict[str, list[float]] = defaultdict(list)
    for response in measured:
        values[response.point_id].append(response.value)
    facts = _facts(sweep, objective, tuple(values))
    listed: tuple[RankedPoint, ...] = descriptive(
        facts, values, maximise=objective.maximise, by_median="two modes" in reason
    )
    return Answer(
        workload=objective.workload,
        engine=_engine(sweep, objective),
        metric=objective.metric,
        maximise=objective.maximise,
        objective_stated=objective.stated,
        refusal=f"No recommendation for {objective.workload}: {reason}.",
        measured=listed,
        overall=None,
        surviving=None,
        evidence=None,
        effects=(),
        interactions=(),
        notes=(),
        next_runs=(
            next_runs.after_refusal(
                reason, tuple(sweep.settings), sweep.trial_s, sweep.blocks, imported=is_imported(sweep.trials)
            ),
        ),
    )


def _engine(sweep: Sweep, objective: Objective) -> str:
    """Engine and version that drove a workload."""
    rows = [row for row in sweep.observations if row.workload == objective.workload]
    named = {
        (row.engine_version if row.engine in row.engine_version else f"{row.engine} {row.engine_version}")
        for row in rows
    }
    return ", ".join(sorted(named))


def _facts(sweep: Sweep, objective: Objective, points: Iterable[str]) -> dict[str, PointFacts]:
    """What is known of each point beside its figure, from its first trial that is ok."""
    first: dict[str, TrialRow] = {}
    for trial in sweep.trials:
        if trial.status == "ok":
            first.setdefault(trial.point_id, trial)
    predicted = predictions(objective, sweep.trials, sweep.observations)
    return {
        point: PointFacts(
            point_id=point,
            label=sweep.labels[point],
            settings=sweep.settings[point],
            substrate=first[point].substrate,
            disk_failures_survived=first[point].disk_failures_survived,
            usable_bytes=first[point].usable_bytes,
            predicted=predicted.get(point),
            apply_commands=first[point].apply_commands,
        )
        for point in points
    }
