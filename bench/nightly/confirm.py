"""Confirmation, the same night: interleaved pairs where the baseline can be restored, fresh trials where it cannot.

stripelab itself can restore what a sweep sets: where tonight's point has other settings than the baseline's, the two
are built and measured in turn.  Kernel, driver, firmware or a mount of the host are restored by two commands that the
user gives.  Where neither applies there is nothing to alternate with: the point is measured again, and every disk is
read on its own beside its peers, which are a control that needs nothing to be restored (:mod:`results.nightly.disks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench import proc
from bench.campaign import Conduct
from bench.errors import StackError
from bench.events import Emit, Event
from bench.nightly.where import Where
from permutations.night import PAIR_BASELINE, Pair, fresh_plan, pair_plan
from permutations.plan import Plan
from permutations.point import PlannedTrial
from results.nightly.baseline import Pinned
from results.nightly.disks import SlowMember, checks_needed, shares, slow_members
from results.nightly.evidence import Look
from results.nightly.history import History, read_history
from results.nightly.judge import Course, Fresh
from results.store.query import StoreFrames, load
from results.store.schema import FRESH, NIGHT, PAIR_TONIGHT

FRESH_TRIALS = 4
"""Further trials of a point: enough that one that fails or stalls does not decide."""

_HOOK_TIMEOUT_S = 1800.0
_FEWEST_DISKS = 3


@dataclass(frozen=True)
class Hooks:
    """Commands that put the machine into the baseline's state, and back into tonight's; both or none."""

    baseline: str | None = None
    tonight: str | None = None

    @property
    def given(self) -> bool:
        """Whether the machine can be put back."""
        return self.baseline is not None and self.tonight is not None


@dataclass(frozen=True, kw_only=True)
class Confirming:
    """What confirmation needs to know of a night."""

    plan: Plan
    night: str
    pairs: Mapping[str, Pair]
    pinned: Pinned
    hooks: Hooks
    margin: float
    disks: int
    budget_s: Callable[[], float | None]


def confirm(
    suspicious: Sequence[tuple[Course, Look]], asked: Confirming, where: Where, emit: Emit
) -> tuple[Mapping[str, Fresh], tuple[str, ...]]:
    """Measure again what the screen found suspicious; returns the evidence by the name of the metric, and problems.

    What fails here is a problem that is said, and leaves a metric unconfirmed: the night itself is measured already.
    """
    points = dict.fromkeys(course.metric.point_id for course, _ in suspicious)
    count = max(look.pairs for _, look in suspicious)
    chosen = [asked.pairs[point_id] for point_id in points]
    paired = [pair for pair in chosen if asked.hooks.given or pair.baseline.id != pair.tonight.id]
    alone = [pair for pair in chosen if pair not in paired]
    problems: list[str] = []
    if paired:
        plan = pair_plan(asked.plan, asked.night, paired, count=count)
        with _switched(asked.hooks, emit, problems) as before:
            problems += _attempt(where, plan, emit, Conduct(budget_s=asked.budget_s(), before=before))
    if alone:
        checks = (
            checks_needed(asked.disks, count, min(look.level for _, look in suspicious))
            if asked.disks >= _FEWEST_DISKS
            else 0
        )
        points_alone = [pair.tonight for pair in alone]
        plan = fresh_plan(asked.plan, asked.night, points_alone, count=FRESH_TRIALS, disk_checks=checks)
        problems += _attempt(where, plan, emit, Conduct(budget_s=asked.budget_s()))
    return _evidence([course for course, _ in suspicious], asked, where, problems), tuple(problems)


def _attempt(where: Where, plan: Plan, emit: Emit, conduct: Conduct) -> list[str]:
    if conduct.budget_s is not None and conduct.budget_s <= 0:
        return ["the time budget was spent before what the screen found could be confirmed"]
    emit(Event("note", message=f"the screen found something: {len(plan.trials)} trials to confirm it"))
    try:
        summary = where.run(plan, emit, conduct)
    except StackError as failure:
        return [f"confirmation failed: {failure.message}"]
    if summary.complete:
        return []
    return [f"{summary.planned - summary.decided} of {summary.planned} confirmation trials were not run: time budget"]


@contextmanager
def _switched(hooks: Hooks, emit: Emit, problems: list[str]) -> Iterator[Callable[[PlannedTrial], None] | None]:
    """A call that puts the machine into the state that a trial is of; at the end it is in tonight's again."""
    if not hooks.given:
        yield None
        return
    state = ["tonight"]

    def switch(wanted: str) -> None:
        if state[0] == wanted:
            return
        command = hooks.baseline if wanted == "baseline" else hooks.tonight
        emit(Event("note", message=f"restoring {wanted}: {command}"))
        state[0] = "unknown"
        proc.run(["sh", "-c", command or ":"], timeout_s=_HOOK_TIMEOUT_S, error=StackError)
        state[0] = wanted

    try:
        yield lambda planned: switch("baseline" if planned.role == PAIR_BASELINE else "tonight")
    finally:
        try:
            switch("tonight")
        except StackError as failure:
            problems.append(f"THE MACHINE MAY NOT BE IN TONIGHT'S STATE: {failure.message}: {failure.command}")


def _evidence(
    suspicious: Sequence[Course], asked: Confirming, where: Where, problems: Sequence[str]
) -> Mapping[str, Fresh]:
    """What the store now holds for each metric."""
    frames = load(where.store, verify=False)
    history = read_history(frames)
    slow = _slow(frames, history, asked)
    return {course.metric.name: _of_metric(course, history, asked, slow, problems) for course in suspicious}


def _of_metric(
    course: Course, history: History, asked: Confirming, slow: Sequence[SlowMember], problems: Sequence[str]
) -> Fresh:
    import numpy as np

    from results.nightly.history import Key

    metric, pair = course.metric, asked.pairs[course.metric.point_id]
    key = Key(metric.point_id, metric.workload, metric.direction or "", metric.figure)
    why_not = "; ".join(problems) or None
    tonight = history.by_block(key, asked.night, PAIR_TONIGHT)
    if tonight:
        before_key = Key(pair.baseline.id, key.workload, key.direction, key.figure)
        before = history.by_block(before_key, asked.night, PAIR_BASELINE)
        both = sorted(tonight.keys() & before.keys())
        return Fresh(differences=np.asarray([tonight[each] - before[each] for each in both]), why_not=why_not)
    again = history.by_block(key, asked.night, FRESH)
    members = set(history.members(metric.point_id, asked.night))
    mine = tuple(each for each in slow if each.disk_id in members)
    return Fresh(again=np.asarray([again[each] for each in sorted(again)]), slow=mine, why_not=why_not)


def _slow(frames: StoreFrames, history: History, asked: Confirming) -> tuple[SlowMember, ...]:
    fresh = history.trial_ids(asked.night, (FRESH,), ("ok", "failed", "invalid"))
    if not fresh or asked.disks < _FEWEST_DISKS:
        return ()
    before = {night: shares(frames, history.trial_ids(night, (NIGHT,))) for night in asked.pinned.nights}
    return slow_members(before, shares(frames, fresh), asked.margin)
