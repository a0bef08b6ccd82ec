"""From a store and a question to a guarantee, or to the reasons why there is none.

The unit is the day: runs of one day share its temperature, fill level and neighbours, so twenty of them are not twenty
independent trials.  Each day counts with the worst of its runs (:mod:`results.guarantee.days`), X is the worst (or the
r-th worst) of the days, and the share P of future days that it covers follows from their number and from how much they
resemble each other (:mod:`results.guarantee.bounds`).  Runs of a single day bound nothing but further runs of that day;
that is stated where it is asked for.

Where the point was chosen with the very runs that make the bound, its figures are too good (the
winner's curse).  The chance of being wrong is then divided by the number of points that there were
to choose from (Bonferroni): the statement holds for all of them at once, so it holds for whichever
was chosen, however that was done.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from results.errors import ResultsError
from results.estimates import race
from results.estimates.latencies import as_measured, syncs
from results.estimates.modes import two_modes
from results.estimates.objective import Objective, objectives
from results.estimates.responses import group
from results.guarantee import bounds, checks, conditions
from results.guarantee.answer import DAY, RUN, Approximate, Bound, Guarantee, Needed, Question, Refusal, TwoModes
from results.guarantee.days import Day, by_day
from results.guarantee.runs import INTERVAL_METRICS, DroppedError, IncompleteError, Run, columns_of, make_run
from results.guarantee.wording import WATERMARK, statement
from results.recommendation import recommend
from results.recommendation.answer import Answer
from results.runs.seconds import Series, by_workload, series
from results.runs.within import inflation, lag_one
from results.statistics import kfactor, persistence, steady, two_groups
from results.store.imported import comparable
from results.store.query import StoreFrames, load
from results.store.schema import NIGHT, VIRTUAL_SUBSTRATES, ObservationRow, TrialRow
from stripelab.metrics import APART, RATES, listed, parts

_LEAST_OF_A_DAY = 3

_KNOWN = listed(INTERVAL_METRICS)

STOOD_STILL = 1e-3
"""Share of a run's median that a second counts as at least, among modes."""


def guarantee(store_path: Path | str, question: Question) -> Guarantee:
    """Judge what a store holds.

    Raises:
        ResultsError: no store, nothing in it, or a question that the store has no answer to.
    """
    return from_frames(load(store_path, tables=("observations",)), question)


def from_frames(frames: StoreFrames, question: Question, recommended: Answer | None = None) -> Guarantee:
    """As :func:`guarantee`, of a store that is open already.

    ``recommended`` is the answer that says which point to take, where it is known: it need not be found again.
    """
    _check(question)
    every = frames.trial_rows()
    if not every:
        raise ResultsError(
            f"{frames.store.path} holds no trial yet", remedy="`stripelab run SWEEP --store DIR` fills it."
        )
    trials = tuple(trial for trial in race.judged(comparable(every)) if trial.night_role in {None, NIGHT})
    known = {trial.trial_id for trial in trials}
    rows = [row for row in frames.observation_rows() if row.trial_id in known]
    objective = objectives(frames.store.path, rows, question.workload)[:1]
    if not objective:
        raise ResultsError(f"{frames.store.path} has no trial that is ok", remedy="`stripelab status STORE` says why.")
    if recommended is not None and recommended.workload != objective[0].workload:
        recommended = None
    question = _directed(question, objective[0], rows)
    chosen = _Chosen.of(frames, trials, rows, objective[0], question, recommended)
    return _judge(frames, chosen, question)


def _directed(question: Question, objective: Objective, rows: Sequence[ObservationRow]) -> Question:
    """The question with the figure's direction apart; a plain latency of a workload that syncs is of its commits."""
    metric = question.metric or objective.metric
    if question.direction is None:
        metric = as_measured(metric, rows, objective.workload)
    direction, column = parts(metric)
    return replace(question, metric=column, direction=question.direction or direction)


def _check(question: Question) -> None:
    """Refuse a question that makes no sense; shares lie strictly between 0 and 1."""
    for name, value in (
        ("--share", question.share),
        ("--coverage", question.coverage),
        ("--confidence", question.confidence),
    ):
        if value is not None and not 0 < value < 1:
            raise ResultsError(f"{name} must be between 0 and 1 (got {value:g})", remedy="Give for example 0.95.")
    if question.bound is not None and not 0 < question.bound < float("inf"):
        raise ResultsError(f"--bound must be above 0 (got {question.bound:g})", remedy="Give for example 1000.")
    if question.metric is not None and parts(question.metric)[1] not in INTERVAL_METRICS:
        raise ResultsError(f"{question.metric} is not known of every second", remedy=f"Known are: {_KNOWN}.")
    direction = parts(question.metric or "")[0]
    if direction is not None and question.direction not in {None, direction}:
        raise ResultsError(
            f"--metric {question.metric} is of {direction}s, and --direction says {question.direction}",
            remedy="Leave --direction out.",
        )


@dataclass(frozen=True)
class _Chosen:
    """What is judged: the trials of one point, their observations of one workload, and the figure."""

    trials: tuple[TrialRow, ...]
    observed: tuple[ObservationRow, ...]
    workload: str
    metric: str
    of_points: int
    left_out: int

    @classmethod
    def of(
        cls,
        frames: StoreFrames,
        trials: Sequence[TrialRow],
        rows: Sequence[ObservationRow],
        objective: Objective,
        question: Question,
        recommended: Answer | None,
    ) -> _Chosen:
        """Find point and figure; raises ResultsError where there is no such point, or no such figure."""
        metric = question.metric or objective.metric
        if metric not in INTERVAL_METRICS:
            raise ResultsError(
                f"the sweep is judged by {metric}, which is not known of every second",
                remedy=f"Choose one with --metric: {_KNOWN}.",
            )
        points = sorted({trial.point_id for trial in trials if trial.status == "ok"})
        point = _point(frames, points, objective.workload, question, recommended)
        every = tuple(trial for trial in trials if trial.point_id == point)
        mine = _with_seconds(every)
        ids = {trial.trial_id for trial in mine}
        observed = tuple(row for row in rows if row.trial_id in ids and row.workload == objective.workload)
        of_points = 1 if question.chosen_beforehand else len(points)
        return cls(mine, observed, objective.workload, metric, of_points, len(every) - len(mine))


def _with_seconds(trials: Sequence[TrialRow]) -> tuple[TrialRow, ...]:
    """The trials since the last whose seconds were dropped with its night, where they are of enough days; or all.

    Nights are dropped by their age and never for their figures, so the days since are no worse a sample.
    """
    dropped = [trial for trial in trials if trial.dropped_at_ns is not None]
    if not dropped:
        return tuple(trials)
    last = max(dropped, key=lambda trial: trial.started_at_ns)
    since = tuple(
        trial for trial in trials if trial.started_at_ns > last.started_at_ns and trial.night not in {None, last.night}
    )
    return since if len({trial.night for trial in since}) >= bounds.MIN_DAYS else tuple(trials)


def _point(
    frames: StoreFrames, points: Sequence[str], workload: str, question: Question, recommended: Answer | None
) -> str:
    """The point that was named, the only one, or the recommended one."""
    if question.point is not None:
        found = [point for point in points if point.startswith(question.point)]
        if len(found) != 1:
            raise ResultsError(
                f"{len(found) or 'no'} points with results begin with {question.point}",
                remedy="`stripelab recommend STORE --json` lists the points with their ids.",
            )
        return found[0]
    if len(points) == 1:
        return points[0]
    answer = recommended or recommend.from_frames(frames, workload).answers[0]
    if answer.unmet is not None or not answer.rankings:
        raise ResultsError(
            f"the store has {len(points)} points and no recommendation among them: {answer.unmet or answer.refusal}",
            remedy="Name the point with --point; `stripelab recommend STORE --json` lists them.",
        )
    return answer.rankings[0].recommended


def _judge(frames: StoreFrames, chosen: _Chosen, question: Question) -> Guarantee:
    """Everything about the chosen point: runs, days, bound, conditions, refusals."""
    confidence = 1 - (1 - question.confidence) / chosen.of_points
    at_least = chosen.metric in RATES
    refusals = list(checks.of_trials(chosen.trials, chosen.observed, question))
    runs, incomplete = _read(frames, chosen, question)
    refusals += incomplete
    days = by_day(runs, frames.trial_rows())
    limited = question.limit_to_day
    ok = [trial for trial in chosen.trials if trial.status == "ok"]
    course = steady.course([run.served for run in runs]) if len(runs) >= bounds.MIN_RUNS else None
    found = conditions.gather(ok, chosen.observed, frames.environment_rows(), runs, course)
    bound = _bound(days, question, chosen) if runs else None
    needed = _needed(chosen, question, confidence, bound)
    if runs or not incomplete:
        refusals += checks.of_sampling(days, question, needed, at_least=at_least)
    refusals += checks.of_conditions(found, chosen.metric)
    if bound is not None:
        refusals += checks.of_runs(runs, course)
        refusals += checks.of_order(days, at_least=at_least, limited=limited)
        refusals += checks.of_bound(bound.value, at_least, chosen.metric)
    if bound is not None and not {refusal.kind for refusal in refusals} & checks.SAMPLING:
        refusals += checks.of_coverage(bound, question, needed[0])
    two = _modes(days)
    virtual = any(trial.substrate in VIRTUAL_SUBSTRATES for trial in chosen.trials)
    given = bound if not refusals else None
    date = days[0].date if limited and len(days) == 1 else None
    return Guarantee(
        store=str(frames.store.path),
        granted=given is not None,
        demonstration=question.demonstration,
        watermark=WATERMARK if question.demonstration or virtual else None,
        statement=statement(given, chosen.metric, question.share, question.direction, date) if given else None,
        refusals=tuple(refusals),
        workload=chosen.workload,
        metric=chosen.metric,
        direction=question.direction,
        at_least=at_least,
        share=question.share,
        confidence=question.confidence,
        asked_coverage=question.coverage,
        asked_bound=question.bound,
        met=_met(bound, question.bound, at_least=at_least),
        misses=_misses(runs, question.bound, at_least),
        bound=None if checks.dependent_day(days, question, at_least=at_least) else bound,
        approximate=_approximate(runs, question, confidence, two, at_least, bool(refusals)) if date else None,
        modes=two,
        conditions=found,
        runs=tuple(run.figure for run in runs),
        days=tuple(day.figure(at_least=at_least) for day in days),
        limited_to=date,
        left_out=chosen.left_out,
        needed=needed,
    )


def _read(frames: StoreFrames, chosen: _Chosen, question: Question) -> tuple[list[Run], list[Refusal]]:
    """The runs that are whole, and a refusal for those that are not."""
    observed = group(chosen.observed, chosen.workload, question.direction)
    ok = {trial.trial_id: trial for trial in chosen.trials if trial.status == "ok"}
    streamed = series(frames, columns_of(chosen.metric), trial_ids=ok, workload=chosen.workload)
    found: dict[str, Run | IncompleteError] = {}

    def keep(trial_id: str, intervals: Sequence[Series]) -> None:
        rows = observed.get(trial_id, ())
        try:
            found[trial_id] = make_run(
                ok[trial_id], rows, intervals, chosen.metric, direction=question.direction, share=question.share
            )
        except IncompleteError as gap:
            found[trial_id] = gap

    for trial_id, _, directions in by_workload(streamed):
        keep(trial_id, directions)
    for trial_id in ok.keys() - found.keys():
        keep(trial_id, ())
    in_order = [(trial_id, found[trial_id]) for trial_id in ok]
    runs = [run for _, run in in_order if isinstance(run, Run)]
    dropped = [f"{trial_id}: {gap}" for trial_id, gap in in_order if isinstance(gap, DroppedError)]
    if dropped:
        reason = f"{len(dropped)} run(s) have no seconds any more ({dropped[0]})"
        remedy = "Judge a store whose seconds are kept: a sweep of its own, or nights with a larger --keep-raw-nights."
        return runs, [Refusal("seconds-dropped", reason, remedy)]
    missing = [f"{trial_id}: {gap}" for trial_id, gap in in_order if isinstance(gap, IncompleteError)]
    if not missing:
        return runs, []
    reason = f"{len(missing)} run(s) cannot be judged second by second ({missing[0]})"
    engine = "the native engine" if question.direction in APART else "fio"
    remedy = f"Drive the workload with {engine}, choose another --metric or --direction, and run what is missing again."
    if question.direction in APART and not syncs(chosen.observed, chosen.workload):
        remedy = f"{chosen.workload} does not sync: choose another --metric or --direction."
    return runs, [Refusal("intervals-missing", reason, remedy)]


def _bound(days: Sequence[Day], question: Question, chosen: _Chosen) -> Bound:
    """What the days support; of a single day, what its runs support of further runs on it."""
    at_least = chosen.metric in RATES
    if len(days) == 1:
        return bounds.of_runs(
            [run.bound for run in days[0].runs],
            at_least=at_least,
            coverage=question.coverage,
            confidence=question.confidence,
            of_points=chosen.of_points,
        )
    return bounds.of_days(
        [day.worst(at_least=at_least) for day in days],
        [len(day.runs) for day in days],
        at_least=at_least,
        coverage=question.coverage,
        confidence=question.confidence,
        of_points=chosen.of_points,
    )


def _needed(chosen: _Chosen, question: Question, confidence: float, bound: Bound | None) -> tuple[Needed, ...]:
    """How many days, or runs of the one day, what is asked needs."""
    if question.limit_to_day and (bound is None or bound.unit == RUN):
        each_s = statistics.median(trial.duration_s for trial in chosen.trials)
        return bounds.needed_runs(question.coverage, confidence, bound.runs if bound else 0, each_s)
    if bound is None or bound.unit != DAY:
        return bounds.needed_days(question.coverage, confidence, 1 if bound else 0, persistence.ASSUMED)
    return bounds.needed_days(question.coverage, confidence, bound.units, bound.correlation)


def _modes(days: Sequence[Day]) -> tuple[TwoModes, ...]:
    """Two modes over the runs' means, and over the seconds within them.

    Where days have enough runs these are held against the mean of their day: days that differ are not a second mode.
    """
    import numpy as np

    runs = [run for day in days for run in day.runs]
    if not runs:
        return ()
    means = np.array([run.mean for run in runs])
    if len(days) > 1 and min(len(day.runs) for day in days) >= _LEAST_OF_A_DAY:
        means = means * float(means.mean()) / np.repeat([day.mean for day in days], [len(day.runs) for day in days])
    found = []
    over = two_groups.of_runs(means)
    if over is not None:
        slowest_first = [runs[place].trial.trial_id for place in np.argsort(means)]
        smaller = slowest_first[: over.members] if over.smaller == "low" else slowest_first[-over.members :]
        found.append(
            TwoModes(
                "runs", over.low, over.high, over.low_share, over.high_share, over.apart, over.members, tuple(smaller)
            )
        )
    inside = _of_seconds(runs)
    return (*found, inside) if inside is not None else tuple(found)


def _of_seconds(runs: Sequence[Run]) -> TwoModes | None:
    """Two modes of the seconds within runs, each taken against the median of its run."""
    import numpy as np

    relative = np.concatenate([run.relative for run in runs])
    if not np.isfinite(relative).all():
        return None
    # A second without any I/O has no logarithm; as slow as a thousandth it is a mode of its own all the same.
    logs = np.log(np.maximum(relative, STOOD_STILL))
    worth = 1 / inflation(statistics.median(lag_one(run.served) for run in runs))
    found = two_modes(logs, worth)
    if found is None:
        return None
    centres = sorted(((found.major, found.share), (found.minor_centre, 1 - found.share)))
    (low, low_share), (high, high_share) = ((math.exp(centre), share) for centre, share in centres)
    return TwoModes("seconds", low, high, low_share, high_share, found.apart, int(found.minor.sum()), ())


def _approximate(
    runs: Sequence[Run],
    question: Question,
    confidence: float,
    two: Sequence[TwoModes],
    at_least: bool,
    refused: bool,
) -> Approximate | None:
    """The normal bound where its gate is open and nothing else speaks against a guarantee; None without runs."""
    import numpy as np

    if not runs:
        return None
    share = question.coverage if question.coverage is not None else bounds.USUAL_COVERAGES[1]
    figures = np.array([run.bound for run in runs])
    if refused:
        why: str | None = "no bound is given at all"
    elif two:
        why = "two modes were found: a mean of the two is the speed of neither"
    else:
        why = kfactor.gate(figures, [run.served for run in runs])
    value = None if why is not None else kfactor.normal_bound(figures, share, confidence, at_least=at_least)
    return Approximate(share, question.confidence, value, why)


def _misses(runs: Sequence[Run], asked: float | None, at_least: bool) -> int | None:
    """How many runs fall short of an asked bound."""
    if asked is None:
        return None
    return sum(1 for run in runs if (run.bound < asked if at_least else run.bound > asked))


def _met(bound: Bound | None, asked: float | None, *, at_least: bool) -> bool | None:
    """Whether the bound that the runs support is as good as the asked one."""
    if asked is None:
        return None
    if bound is None:
        return False
    return bool(bound.value >= asked if at_least else bound.value <= asked)
