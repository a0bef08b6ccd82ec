"""Which settings to use, how sure that is, and what it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from results import notes, race
from results.answer import Answer, Evidence, RankedPoint, Ranking, Recommendation, StratumEvidence, TrialProblem
from results.best import dunnett_critical
from results.diagnostics import refuse_grouped
from results.effects import effects, interactions
from results.errors import ResultsError
from results.estimate import Fit, NoEvidenceError, fit
from results.members import slow_disks
from results.objective import Objective, objectives
from results.query import StoreFrames, load
from results.ranking import PointFacts, descriptive, rank
from results.responses import Response, group, responses
from results.schema import ObservationRow, TrialRow
from results.settings import label, settings_of, varied

if TYPE_CHECKING:
    from results.settings import Setting

DEFAULT_MARGIN_PCT = 5.0
CONFIDENCE = 0.95


@dataclass(frozen=True)
class _Sweep:
    """What the answers share; ``judged`` are the trials that estimates are made from."""

    trials: tuple[TrialRow, ...]
    judged: tuple[TrialRow, ...]
    observations: tuple[ObservationRow, ...]
    settings: Mapping[str, Mapping[str, Setting]]
    labels: Mapping[str, str]
    margin_pct: float


def recommend(
    store_path: Path | str, workload: str | None = None, margin_pct: float = DEFAULT_MARGIN_PCT
) -> Recommendation:
    """Judge what a store holds: one answer per objective of the sweep, and per workload that has none.

    ``margin_pct`` is the practical margin: points that are slower by less than this count as equally
    good.  Where the evidence does not reach, the answer is a refusal in words.

    Raises:
        ResultsError: no store, nothing in it that is ok, an unknown workload, an impossible margin.
    """
    return from_frames(load(store_path), workload, margin_pct)


def from_frames(
    frames: StoreFrames, workload: str | None = None, margin_pct: float = DEFAULT_MARGIN_PCT
) -> Recommendation:
    """As :func:`recommend`, of a store that is open already."""
    if not 0 <= margin_pct < 100:
        raise ResultsError(f"a margin of {margin_pct} % makes no sense", remedy="Give 0 or more, and less than 100.")
    store = frames.store.path
    every = frames.trial_rows()
    if not every:
        raise ResultsError(f"{store} holds no trial yet", remedy="`stripelab run SWEEP --store DIR` fills it.")
    newest = max(every, key=lambda trial: (trial.started_at_ns, trial.trial_id)).protocol_id
    trials = tuple(trial for trial in every if trial.protocol_id == newest)
    sweep = _sweep(trials, frames.observation_rows(), margin_pct)
    asked = objectives(store, list(sweep.observations), workload)
    return _recommendation(frames, sweep, tuple(_answer(sweep, objective) for objective in asked), len(every))


def _sweep(trials: tuple[TrialRow, ...], rows: Sequence[ObservationRow], margin_pct: float) -> _Sweep:
    """Settings and labels of the points; observations in run order, so that workloads keep the sweep's order."""
    settings: dict[str, Mapping[str, Setting]] = {}
    for trial in trials:
        settings.setdefault(trial.point_id, settings_of(trial))
    named = varied(settings.values())
    order = {trial.trial_id: place for place, trial in enumerate(trials)}
    kept = sorted((row for row in rows if row.trial_id in order), key=lambda row: order[row.trial_id])
    labels = {point: label(each, named) for point, each in settings.items()}
    return _Sweep(trials, race.judged(trials), tuple(kept), settings, labels, margin_pct)


def _answer(sweep: _Sweep, objective: Objective) -> Answer:
    """The answer for one objective, or the refusal."""
    measured, without = responses(objective, sweep.judged, sweep.observations)
    if without and not measured:
        return _refused(
            sweep, objective, [], f"no trial has the figure {objective.metric}, or it is zero in all of them"
        )
    try:
        refuse_grouped(measured)
        return _judged(sweep, objective, fit(measured), without)
    except NoEvidenceError as refusal:
        return _refused(sweep, objective, measured, str(refusal))


def _judged(sweep: _Sweep, objective: Objective, model: Fit, without: Sequence[str]) -> Answer:
    """The answer where the evidence reaches."""
    import math

    facts = _facts(sweep, objective, model.points)
    everywhere = range(len(model.points))
    overall = _ranking(sweep, objective, model, facts, everywhere, "Fastest of all")
    safe = [index for index in everywhere if (facts[model.points[index]].disk_failures_survived or 0) >= 1]
    surviving = None
    if safe and len(safe) < len(model.points):
        surviving = _ranking(sweep, objective, model, facts, safe, "Fastest that survives one disk failure")
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
        evidence=Evidence(
            trials=len(model.responses),
            blocks=model.blocks,
            noise_pct=100 * math.sqrt(math.expm1(model.sd**2)),
            df=model.df,
            critical_value=dunnett_critical(len(model.points) - 1, model.df, CONFIDENCE),
            strata=tuple(
                StratumEvidence(each.name, each.plots, 100 * math.sqrt(math.expm1(each.sd**2)), each.df)
                for each in model.components
            ),
        ),
        effects=effects(model, sweep.settings, objective.metric, maximise=objective.maximise),
        interactions=interactions(model, sweep.settings),
        notes=notes.answer_notes(objective, model, overall, sweep.trials, sweep.observations, without),
    )


def _ranking(
    sweep: _Sweep, objective: Objective, model: Fit, facts: Mapping[str, PointFacts], among: Sequence[int], title: str
) -> Ranking:
    return rank(
        model,
        facts,
        among,
        title=title,
        maximise=objective.maximise,
        margin_pct=sweep.margin_pct,
        confidence=CONFIDENCE,
    )


def _refused(sweep: _Sweep, objective: Objective, measured: Sequence[Response], reason: str) -> Answer:
    """What was measured, without a verdict."""
    values: dict[str, list[float]] = defaultdict(list)
    for response in measured:
        values[response.point_id].append(response.value)
    facts = _facts(sweep, objective, tuple(values))
    listed: tuple[RankedPoint, ...] = descriptive(facts, values, maximise=objective.maximise)
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
    )


def _engine(sweep: _Sweep, objective: Objective) -> str:
    """Engine and version that drove a workload."""
    rows = [row for row in sweep.observations if row.workload == objective.workload]
    named = {
        (row.engine_version if row.engine in row.engine_version else f"{row.engine} {row.engine_version}")
        for row in rows
    }
    return ", ".join(sorted(named))


def _facts(sweep: _Sweep, objective: Objective, points: Iterable[str]) -> dict[str, PointFacts]:
    """What is known of each point beside its figure, from its first trial that is ok."""
    first: dict[str, TrialRow] = {}
    for trial in sweep.trials:
        if trial.status == "ok":
            first.setdefault(trial.point_id, trial)
    predicted = _predictions(sweep, objective)
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


def _predictions(sweep: _Sweep, objective: Objective) -> dict[str, float]:
    """What was predicted of each point; a prediction is made for workloads of one direction only."""
    column = {"iops": "predicted_iops", "bw_bytes_s": "predicted_bw_bytes_s"}.get(objective.metric)
    by_trial = group(sweep.observations, objective.workload)
    found: dict[str, float] = {}
    for trial in sweep.trials:
        rows = by_trial.get(trial.trial_id, [])
        if column is not None and len(rows) == 1 and getattr(rows[0], column) is not None:
            found.setdefault(trial.point_id, float(getattr(rows[0], column)))
    return found


def _recommendation(frames: StoreFrames, sweep: _Sweep, answers: tuple[Answer, ...], every: int) -> Recommendation:
    """The answers with everything that they rest on."""
    trials = sweep.trials
    by_status = {name: [trial for trial in trials if trial.status == name] for name in ("ok", "failed", "invalid")}
    described = {row.environment_id: row for row in frames.environment_rows()}
    used = sorted({trial.environment_id for trial in trials})
    lost = sum(1 for trial in trials if trial.environment_id not in described)
    aside = [(str(each.path), each.reason) for each in frames.set_aside]
    with_results = {trial.point_id for trial in by_status["ok"]}
    return Recommendation(
        store=str(frames.store.path),
        sweep=", ".join(sorted({trial.sweep for trial in trials})),
        substrates=tuple(sorted({trial.substrate for trial in trials})),
        virtual=notes.notice(trials) is not None,
        notice=notes.notice(trials),
        confidence=CONFIDENCE,
        margin_pct=sweep.margin_pct,
        trials_ok=len(by_status["ok"]),
        trials_failed=len(by_status["failed"]),
        trials_invalid=len(by_status["invalid"]),
        points=len(sweep.settings),
        blocks=max(trial.block for trial in trials) + 1,
        first_trial_ns=min(trial.started_at_ns for trial in trials),
        last_trial_ns=max(trial.started_at_ns + int(trial.duration_s * 1e9) for trial in trials),
        busy_s=sum(trial.duration_s for trial in trials),
        disk_iops_limit=_only(trial.disk_iops_limit for trial in trials),
        disk_bw_bytes_s_limit=_only(trial.disk_bw_bytes_s_limit for trial in trials),
        initial_sync=tuple(sorted({trial.initial_sync for trial in trials if trial.initial_sync is not None})),
        stripelab_versions=tuple(sorted({trial.stripelab_version for trial in trials})),
        answers=answers,
        problems=tuple(_problem(sweep, trial) for trial in trials if trial.status != "ok"),
        without_results=tuple(sorted(sweep.labels[point] for point in sweep.labels.keys() - with_results)),
        warnings=(
            *(disk.sentence for disk in slow_disks(frames, trials, described.values())),
            *race.warnings(trials),
            *notes.store_warnings(trials, every - len(trials), lost, aside),
        ),
        environments=tuple(described[name] for name in used if name in described),
        varied=varied(sweep.settings.values()),
    )


def _only(values: Iterable[int | None]) -> int | None:
    """The one value that is there; None where there is none or more than one."""
    seen = {value for value in values if value is not None}
    return seen.pop() if len(seen) == 1 else None


def _problem(sweep: _Sweep, trial: TrialRow) -> TrialProblem:
    """A trial that failed or does not count, with the reason."""
    return TrialProblem(
        trial_id=trial.trial_id,
        label=sweep.labels[trial.point_id],
        block=trial.block,
        status=trial.status,
        reason=trial.error or "; ".join(trial.invalid_reasons) or "no reason was recorded",
        command=trial.error_command,
    )
