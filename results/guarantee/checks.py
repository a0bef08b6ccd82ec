"""What a guarantee refuses, each in words with what to do about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from results.estimates.race import CONFIRMATION, SCREENING
from results.guarantee.answer import DAY, RUN, Bound, Conditions, Needed, Question, Refusal
from results.guarantee.bounds import MIN_DAYS, MIN_RUNS
from results.guarantee.days import Day
from results.guarantee.runs import Run
from results.guarantee.wording import shown_share
from results.statistics import persistence, steady
from results.statistics.exchange import LEVEL, drift_over_runs, trend_over_days
from results.store.imported import is_imported
from results.store.schema import VIRTUAL_SUBSTRATES, ObservationRow, TrialRow
from stripelab.metrics import RATES
from stripelab.units import counted

SAMPLING = frozenset({"one-day", "several-days", "too-few-days", "too-few-runs"})
"""Kinds of refusal that concern how many days and runs there are."""

_AGAIN = "Run the sweep again into a new store with this version of stripelab."
_NAMED = 5


def of_trials(trials: Sequence[TrialRow], observed: Sequence[ObservationRow], question: Question) -> Iterator[Refusal]:
    """What speaks against the trials of the point as such: where they ran and how they ended."""
    yield from _substrate(trials, question)
    yield from _outcomes(trials)
    ok = [trial for trial in trials if trial.status == "ok"]
    if any(trial.phase == SCREENING for trial in ok) and not any(trial.phase == CONFIRMATION for trial in ok):
        yield Refusal(
            "race-not-ended",
            "these are screening trials of a race, in which points dropped out for their figures: what is left is too "
            "good",
            "Run the sweep to its end: the finalists' fresh runs count.",
        )
    if len({trial.environment_id for trial in ok}) > 1 or len({trial.disk_ids for trial in ok}) > 1:
        yield Refusal(
            "several-environments",
            f"the runs were made in {len({trial.environment_id for trial in ok})} environments, on "
            f"{len({trial.disk_ids for trial in ok})} sets of disks: a guarantee names one",
            "Run all of them again on one machine that does not change on the way.",
        )
    built = [trial.array_built_by for trial in ok if trial.array_built_by is not None]
    if len(set(built)) < len(built):
        yield Refusal(
            "shared-array",
            f"{len(built)} runs shared {len(set(built))} arrays: a run counts where its array was built anew",
            'Use order = "blocked", where every run builds its own.',
        )
    broken = sorted({row.trial_id for row in observed if row.errors})
    if broken:
        yield Refusal(
            "io-errors",
            f"the engine counted I/O errors in {len(broken)} run(s): {_names(broken)}",
            "Find and replace the failing disk or cable, then run all of them again.",
        )


def _substrate(trials: Sequence[TrialRow], question: Question) -> Iterator[Refusal]:
    virtual = sorted({trial.substrate for trial in trials} & VIRTUAL_SUBSTRATES)
    if virtual and not question.demonstration:
        yield Refusal(
            "virtual-substrate",
            f"the runs were made on {' and '.join(virtual)}, not on real disks: nothing measured there can become a "
            "guarantee",
            "Run the sweep on the disks in question; --demonstration shows how the method works, marked as such.",
        )
    if is_imported(trials):
        yield Refusal(
            "imported",
            "the runs were read from files and not made by stripelab: hardware, data set, state of the array and run "
            "order are not known, so there are no conditions to state",
            "Run the sweep with stripelab on the disks in question.",
        )


def _outcomes(trials: Sequence[TrialRow]) -> Iterator[Refusal]:
    """Runs that failed or do not count: leaving them out would promise what only the others did."""
    for status in ("failed", "invalid"):
        names = [trial.trial_id for trial in trials if trial.status == status]
        if names:
            yield Refusal(
                f"{status}-trials",
                f"{len(names)} of {len(trials)} runs {'failed' if status == 'failed' else 'are invalid'} "
                f"({_names(names)}): a bound from the others would promise what these did not deliver",
                "`stripelab status STORE` says why; mend it, then run all of them again into a new store.",
            )


def of_sampling(
    days: Sequence[Day], question: Question, needed: Sequence[Needed], *, at_least: bool
) -> Iterator[Refusal]:
    """Fewer days than any statement needs, or fewer runs where it is limited to a day."""
    runs, wanted = sum(len(day.runs) for day in days), needed[0]
    if question.limit_to_day and len(days) > 1:
        yield Refusal(
            "several-days",
            f"the runs were made on {len(days)} days, so a statement limited to one would leave the others out",
            "Leave --limit-to-day out: the statement is then made from all days.",
        )
    elif runs == 0 or (question.limit_to_day and runs < MIN_RUNS):
        at_once = ", all of one day, in a new store if that day is over" if question.limit_to_day else ""
        yield Refusal(
            "too-few-runs",
            f"{MIN_RUNS} runs are the least, and there {'is' if runs == 1 else 'are'} {runs or 'none'}",
            f"Raise replicates in the sweep file: P = {wanted.coverage:g} needs "
            f"{counted(wanted.count, wanted.unit)}{at_once}.",
        )
    elif not question.limit_to_day and len(days) == 1:
        alone = "; --limit-to-day states what holds on that day alone"
        possible = runs >= MIN_RUNS and not dependent_day(days, question, at_least=at_least)
        yield Refusal(
            "one-day",
            f"{f'all {runs} runs were' if runs > 1 else 'the only run was'} made on one day, {days[0].date} (UTC), "
            "which does not show how days differ",
            f"Measure on {counted(wanted.count, 'day')} for P = {wanted.coverage:g}, {MIN_DAYS} at the least "
            "(`stripelab nightly`, or higher replicates and the same command on other days)"
            f"{alone if possible else ''}.",
        )
    elif not question.limit_to_day and len(days) < MIN_DAYS:
        yield Refusal(
            "too-few-days",
            f"the runs were made on {len(days)} days, and {MIN_DAYS} are the least",
            f"Measure on {counted(MIN_DAYS - len(days), 'more day')} at the least, {wanted.more} for P = "
            f"{wanted.coverage:g} (`stripelab nightly`, or higher replicates and the same command on other days).",
        )


def of_conditions(found: Conditions, metric: str) -> Iterator[Refusal]:
    """A guarantee whose conditions are not known is none."""
    if found.environment is None:
        yield Refusal("environment-unknown", "the description of the machine is lost", _AGAIN)
    missing = [
        name
        for name, value in (
            ("the workload", found.workload_asked),
            ("the bytes of the data set", found.dataset_bytes),
            ("the usable capacity", found.usable_bytes),
        )
        if value is None
    ]
    if missing:
        yield Refusal(
            "conditions-unknown",
            f"the store does not say {' and '.join(missing)}, so the conditions cannot be spelt out",
            _AGAIN,
        )
    if metric not in RATES and found.disk_iops_limit is not None:
        yield Refusal(
            "throttled-latency",
            "the disks were throttled: latencies are those of the throttle, not of any storage",
            "Ask for iops or bw_bytes_s, or measure on disks that are not throttled.",
        )


def of_runs(runs: Sequence[Run], course: steady.Course | None) -> Iterator[Refusal]:
    """What speaks against runs that were read: their length and their course."""
    lengths = sorted({len(run.values) for run in runs})
    if len(lengths) > 1 and lengths[-1] - lengths[0] > max(1, lengths[-1] // 100):
        yield Refusal(
            "unequal-runs",
            f"the runs last from {lengths[0]} to {lengths[-1]} seconds: only runs of one length can stand for each "
            "other",
            "Give the workload a runtime_s instead of a size, and run all of them again.",
        )
    yield from _steadiness(runs, course)


def of_order(days: Sequence[Day], *, at_least: bool, limited: bool) -> Iterator[Refusal]:
    """A trend from day to day; of the runs of one day, whether they depend on when they ran."""
    if limited and len(days) == 1:
        runs = days[0].runs
        figures_of = {"what they deliver": [run.bound for run in runs], "their means": [run.mean for run in runs]}
    elif limited:
        return
    else:
        worst = [day.worst(at_least=at_least) for day in days]
        figures_of = {"their worst runs": worst, "their means": [day.mean for day in days]}
    unit, level = RUN if limited else DAY, LEVEL / len(figures_of)
    for what, figures in figures_of.items():
        said = drift_over_runs(figures, level) if limited else trend_over_days(figures, level, persistence.ASSUMED)
        if said is not None:
            yield Refusal(
                "order-drift",
                f"the {unit}s ({what}) depend on when they were: {said}; then the next {unit}s are not like these",
                f"Find the cause (filling up, temperature, wear, another load), then sample all {unit}s again into a "
                "new store.",
            )
            return


def dependent_day(days: Sequence[Day], question: Question, *, at_least: bool) -> bool:
    """Whether all runs are of one day and depend on their order, so that they support nothing on that day either."""
    return not question.limit_to_day and len(days) == 1 and any(of_order(days, at_least=at_least, limited=True))


def _steadiness(runs: Sequence[Run], course: steady.Course | None) -> Iterator[Refusal]:
    """Not steady before the measured runs, or within them, or unknown."""
    longer = (
        "Ask for steady_state (and precondition) in the workload, or raise its round_s and rounds_max; then run again."
    )
    unsettled = [
        run.trial.trial_id for run in runs if run.steady_verdict is not None and run.steady_verdict != steady.STEADY
    ]
    if unsettled:
        yield Refusal(
            "not-steady",
            f"{len(unsettled)} of {len(runs)} runs were not found steady before being measured ({_names(unsettled)})",
            longer,
        )
    if course is None:
        if len(runs) >= MIN_RUNS:
            yield Refusal(
                "steady-unknown",
                f"the runs are too short to say whether they were steady: {2 * steady.WINDOW} seconds are the least",
                "Raise runtime_s.",
            )
    elif course.verdict != steady.STEADY:
        kind = "not-steady" if course.verdict == steady.NOT_STEADY else "steady-unknown"
        yield Refusal(kind, f"while they were measured the runs were {course.words}", longer)


def of_bound(value: float, at_least: bool, metric: str) -> Iterator[Refusal]:
    """A bound that says nothing."""
    if not math.isfinite(value) or (at_least and value <= 0):
        yield Refusal(
            "no-bound",
            f"a run stood still for more intervals than the share allows, so nothing better than {metric} = "
            f"{'0' if at_least else 'endless'} is delivered",
            "Look at that run's throughput over time in the report; find the stall before you promise anything.",
        )


def of_coverage(bound: Bound, question: Question, wanted: Needed) -> Iterator[Refusal]:
    """The share that was asked for is more than the days, or the runs of the one day, give."""
    if question.coverage is None or bound.coverage >= question.coverage:
        return
    if bound.unit == DAY:
        yield Refusal(
            "coverage-not-reached",
            f"{bound.units} days bound a share of {shown_share(bound.coverage)} of future days, and "
            f"{question.coverage:g} was asked for: that needs {counted(wanted.count, 'day')}",
            f"Measure on {counted(wanted.more, 'more day')}, or ask for a smaller --coverage.",
        )
        return
    yield Refusal(
        "coverage-not-reached",
        f"{bound.units} runs bound a share of {shown_share(bound.coverage)} of further runs on that day, and "
        f"{question.coverage:g} was asked for: that needs {counted(wanted.count, 'run')}",
        "Ask for a smaller --coverage, or measure on more days.",
    )


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more
