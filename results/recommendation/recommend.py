"""Which settings to use, how sure that is, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from results.errors import ResultsError
from results.estimates import constraints, race
from results.estimates.gain import find_baseline, parse_settings
from results.estimates.objective import Objective, checked_preferences, objectives, stated_baseline
from results.estimates.settings import settings_by_point, varied
from results.estimates.untested import not_tested
from results.recommendation import notes
from results.recommendation.answer import Answer, JointAnswer, Recommendation, TrialProblem
from results.recommendation.joint import joint_answer
from results.recommendation.judging import Sweep, judge
from results.runs.cpu import cpu_per_io
from results.runs.members import slow_disks
from results.runs.within import within
from results.store.imported import comparable
from results.store.query import StoreFrames, load
from results.store.schema import VIRTUAL_SUBSTRATES, ObservationRow, TrialRow
from stripelab.metrics import RATES
from stripelab.settings import label

DEFAULT_MARGIN_PCT = 5.0
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Wishes:
    """What the reader asks for beyond the sweep file: constraints, the order of preferences, a baseline, weights.

    Forms: ``("survives >= 2", "p99 < 20 ms")``, ``("cost", "redundancy")``, ``"level=raid5 chunk_kib=512"``,
    ``{"scan": 2, "oltp": 1}``.
    """

    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    baseline: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


def recommend(
    store_path: Path | str,
    workload: str | None = None,
    margin_pct: float = DEFAULT_MARGIN_PCT,
    wishes: Wishes | None = None,
) -> Recommendation:
    """Judge what a store holds: one stack for all workloads, and one answer per objective or workload.

    ``margin_pct`` is the practical margin: points that are slower by less than this count as equally
    good.  Where the evidence does not reach, the answer is a refusal in words.  The methods are named in the
    modules that do the work, and explained in docs/methodology-recommendation.md.

    Raises:
        ResultsError: no store, nothing in it that is ok, an unknown workload, an impossible margin or wish.
    """
    return from_frames(load(store_path, tables=("observations",)), workload, margin_pct, wishes)


def from_frames(
    frames: StoreFrames,
    workload: str | None = None,
    margin_pct: float = DEFAULT_MARGIN_PCT,
    wishes: Wishes | None = None,
) -> Recommendation:
    """As :func:`recommend`, of a store that is open already."""
    if not 0 <= margin_pct < 100:
        raise ResultsError(
            f"the margin must be at least 0 and below 100 % (got {margin_pct:g})", remedy="Give for example 5."
        )
    store = frames.store.path
    every = frames.trial_rows()
    if not every:
        raise ResultsError(f"{store} holds no trial yet", remedy="`stripelab run SWEEP --store DIR` fills it.")
    trials = comparable(every)
    sweep = _sweep(trials, frames.observation_rows(histograms=True), margin_pct, wishes or Wishes(), store)
    asked = objectives(store, list(sweep.observations), workload)
    sweep = _with_telemetry(frames, sweep, asked)
    judged = [judge(sweep, objective) for objective in asked]
    joint = joint_answer(sweep, judged, (wishes or Wishes()).weights)
    return _recommendation(frames, sweep, tuple(each.answer for each in judged), joint, len(every))


def _sweep(
    trials: tuple[TrialRow, ...], rows: Sequence[ObservationRow], margin_pct: float, wishes: Wishes, store: Path
) -> Sweep:
    """Settings and labels of the points; observations in run order, so that workloads keep the sweep's order."""
    settings = settings_by_point(trials)
    named = varied(settings.values())
    order = {trial.trial_id: place for place, trial in enumerate(trials)}
    kept = sorted((row for row in rows if row.trial_id in order), key=lambda row: order[row.trial_id])
    labels = {point: label(each, named) for point, each in settings.items()}
    wanted = parse_settings(wishes.baseline) if wishes.baseline is not None else stated_baseline(store)
    return Sweep(
        trials=trials,
        judged=race.judged(trials),
        observations=tuple(kept),
        settings=settings,
        labels=labels,
        margin_pct=margin_pct,
        confidence=CONFIDENCE,
        prefer=checked_preferences(wishes.prefer),
        require=tuple(constraints.parsed(text) for text in wishes.require),
        baseline=find_baseline(wanted, settings, labels) if wanted is not None else None,
    )


def _with_telemetry(frames: StoreFrames, sweep: Sweep, asked: Sequence[Objective]) -> Sweep:
    """The sweep with what its telemetry and its seconds say of the workloads that are asked about."""
    rates = {each.workload: each.metric if each.metric in RATES else "bw_bytes_s" for each in asked}
    return replace(
        sweep,
        cpu=cpu_per_io(frames, sweep.judged, sweep.observations, list(rates)),
        within=within(frames, sweep.judged, rates.items()),
    )


def _recommendation(
    frames: StoreFrames, sweep: Sweep, answers: tuple[Answer, ...], joint: JointAnswer | None, every: int
) -> Recommendation:
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
        virtual=any(trial.substrate in VIRTUAL_SUBSTRATES for trial in trials),
        notice=notes.notice(trials),
        confidence=CONFIDENCE,
        margin_pct=sweep.margin_pct,
        trials_ok=len(by_status["ok"]),
        trials_failed=len(by_status["failed"]),
        trials_invalid=len(by_status["invalid"]),
        points=len(with_results),
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
            *notes.store_warnings(trials, described, every - len(trials), lost, aside),
        ),
        environments=tuple(described[name] for name in used if name in described),
        varied=varied(sweep.settings.values()),
        prefer=sweep.prefer,
        not_tested=not_tested(trials, sweep.observations, sweep.settings, described.values()),
        joint=joint,
    )


def _only(values: Iterable[int | None]) -> int | None:
    """The one value that is there; None where there is none or more than one."""
    seen = {value for value in values if value is not None}
    return seen.pop() if len(seen) == 1 else None


def _problem(sweep: Sweep, trial: TrialRow) -> TrialProblem:
    """A trial that failed or does not count, with the reason."""
    return TrialProblem(
        trial_id=trial.trial_id,
        label=sweep.labels[trial.point_id],
        block=trial.block,
        status=trial.status,
        reason=trial.error or "; ".join(trial.invalid_reasons) or "no reason was recorded",
        command=trial.error_command,
    )
