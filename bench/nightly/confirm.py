"""Confirmation, the same night: interleaved pairs where the baseline can be restored, fresh trials where it cannot.

stripelab itself can restore what a sweep sets: where tonight's point has other settings than the baseline's, the two
are built and measured in turn.  Kernel, driver, firmware or a mount of the host are restored by two commands that the
user gives.  Where neither applies there is nothing to alternate with: the point is measured again, and every disk is
read on its own beside its peers, which are a control that needs nothing to be restored (:mod:`results.nightly.disks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from bench import proc
from bench.campaign import Conduct
from bench.errors import StackError
from bench.events import Emit, Event
from bench.nightly.where import Where
from permutations.night import PAIR_BASELINE, Pair, fresh_plan, pair_plan
from permutations.plan import Plan
from permutations.point import PlannedTrial
from results.nightly.baseline import Pinned
from results.nightly.course import Course, Fresh
from results.nightly.disks import CHECKS, NIGHTS_IN_A_ROW, Shares, SlowMember, lost_shares, shares, slow_members
from results.nightly.evidence import PAIRS
from results.nightly.history import History, read_history
from results.nightly.standing_change import needs_more_pairs
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


Wanted = Sequence[tuple[Course, int]]
"""What is to be confirmed or checked, with the pairs that it takes."""


def confirm(wanted: Wanted, asked: Confirming, where: Where, emit: Emit) -> tuple[Mapping[str, Fresh], tuple[str, ...]]:
    """Measure again what the screen found suspicious, and check the changes that stand; by the name of the metric.

    What fails here is a problem that is said, and leaves a metric unconfirmed: the night itself is measured already.
    """
    problems = [*_measured(wanted, asked, where, emit)]
    found = _evidence(wanted, asked, where, problems)
    open_ = [
        (course, PAIRS)
        for course, _ in wanted
        if (pairs := found[course.metric.name].differences) is not None
        and needs_more_pairs(course, pairs, asked.margin)
    ]
    if open_:
        problems += _paired(open_, asked, where, emit)
        found = _evidence(wanted, asked, where, problems)
    return found, tuple(problems)


def _measured(wanted: Wanted, asked: Confirming, where: Where, emit: Emit) -> list[str]:
    """Pairs of what can be restored, fresh trials of the rest; a change that stands needs no fresh trials."""
    problems = _paired([each for each in wanted if _restorable(each[0], asked)], asked, where, emit)
    points = dict.fromkeys(
        course.metric.point_id for course, _ in wanted if course.confirmed is None and not _restorable(course, asked)
    )
    if points:
        alone = [asked.pairs[point_id].tonight for point_id in points]
        checks = CHECKS if asked.disks >= _FEWEST_DISKS else 0
        plan = fresh_plan(asked.plan, asked.night, alone, count=FRESH_TRIALS, disk_checks=checks)
        problems += _attempt(where, plan, emit, Conduct(budget_s=asked.budget_s()))
    return problems


def _restorable(course: Course, asked: Confirming) -> bool:
    """Whether the baseline of a metric can be measured tonight."""
    pair = asked.pairs[course.metric.point_id]
    return asked.hooks.given or pair.baseline.id != pair.tonight.id


def _paired(wanted: Wanted, asked: Confirming, where: Where, emit: Emit) -> list[str]:
    """Interleaved pairs, as many of each point as the metric of it takes that takes most."""
    counts: dict[str, int] = {}
    for course, count in wanted:
        counts[course.metric.point_id] = max(count, counts.get(course.metric.point_id, 0))
    if not counts:
        return []
    problems: list[str] = []
    plan = pair_plan(asked.plan, asked.night, [(asked.pairs[point_id], count) for point_id, count in counts.items()])
    with _switched(asked.hooks, emit, problems) as before:
        problems += _attempt(where, plan, emit, Conduct(budget_s=asked.budget_s(), before=before))
    return problems


def _attempt(where: Where, plan: Plan, emit: Emit, conduct: Conduct) -> list[str]:
    if conduct.budget_s is not None and conduct.budget_s <= 0:
        return ["the time budget was spent before what the screen found could be confirmed"]
    emit(Event("note", message=f"up to {len(plan.trials)} trials to confirm what the screen found or what stands"))
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


def _evidence(wanted: Wanted, asked: Confirming, where: Where, problems: Sequence[str]) -> Mapping[str, Fresh]:
    """What the store now holds for each metric."""
    frames = load(where.store, verify=False)
    disks = _Disks(frames, read_history(frames), asked)
    return {course.metric.name: _of_metric(course, disks, problems) for course, _ in wanted}


def _of_metric(course: Course, disks: _Disks, problems: Sequence[str]) -> Fresh:
    import numpy as np

    from results.nightly.history import Key

    asked, history = disks.asked, disks.history
    metric, pair = course.metric, asked.pairs[course.metric.point_id]
    key = Key(metric.point_id, metric.workload, metric.direction or "", metric.figure)
    why_not = "; ".join(problems) or None
    if _restorable(course, asked):
        tonight = history.by_block(key, asked.night, PAIR_TONIGHT)
        before_key = Key(pair.baseline.id, key.workload, key.direction, key.figure)
        before = history.by_block(before_key, asked.night, PAIR_BASELINE)
        both = sorted(tonight.keys() & before.keys())
        return Fresh(differences=np.asarray([tonight[each] - before[each] for each in both]), why_not=why_not)
    members = set(history.members(metric.point_id, asked.night))
    if course.confirmed is not None:
        return Fresh(shares=disks.lost(members & {*course.confirmed.disks}), why_not=why_not)
    again = history.by_block(key, asked.night, FRESH)
    mine = tuple(each for each in disks.slow if each.disk_id in members)
    return Fresh(again=np.asarray([again[each] for each in sorted(again)]), slow=mine, why_not=why_not)


@dataclass(frozen=True, eq=False)
class _Disks:
    """Readings of the disks beside each other, of the baseline's nights and the latest; read where they are needed."""

    frames: StoreFrames
    history: History
    asked: Confirming

    @cached_property
    def slow(self) -> tuple[SlowMember, ...]:
        """Disks that are slower than their peers tonight, by the readings of the confirmation."""
        fresh = self.history.trial_ids(self.asked.night, (FRESH,), ("ok", "failed", "invalid"))
        if not fresh or self.asked.disks < _FEWEST_DISKS:
            return ()
        tonight = shares(self.frames, fresh)
        return slow_members(self._baseline, tonight, self.asked.margin, self._of(self._latest[:-1]))

    def lost(self, disk_ids: Iterable[str]) -> Mapping[str, tuple[float, ...]]:
        """What each of these disks lost of its share in the latest nights, by the readings of the nights themselves."""
        wanted = tuple(sorted(disk_ids))
        return lost_shares(self._baseline, self._of(self._latest), wanted) if wanted else {}

    @cached_property
    def _latest(self) -> tuple[str, ...]:
        nights = [night for night in self.history.nights if night < self.asked.night]
        return (*nights[1 - NIGHTS_IN_A_ROW :], self.asked.night)

    @cached_property
    def _baseline(self) -> Mapping[str, Shares]:
        return {night: self._night(night) for night in self.asked.pinned.nights}

    def _of(self, nights: Sequence[str]) -> tuple[Shares, ...]:
        return tuple(map(self._night, nights))

    def _night(self, night: str) -> Shares:
        return shares(self.frames, self.history.trial_ids(night, (NIGHT,)))
