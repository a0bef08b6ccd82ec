"""A night from its first trial to its outcome: measure, screen, confirm, judge, keep.

At every moment the store is whole.  Trials are there or not; the outcome is written once, at the end.  A night that was
killed goes on where it was: what is measured is not measured again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.campaign import Conduct, Summary
from bench.errors import StoreError, StripelabError, SweepFileError
from bench.events import Emit, Event
from bench.nightly import state
from bench.nightly.confirm import Confirming, Hooks, confirm
from bench.nightly.matching import matched
from bench.nightly.retain import retain
from bench.nightly.where import Where
from bench.store_lock import locked
from bench.version import stripelab_version
from permutations.night import Pair, night_plan, watched_plan
from permutations.plan import Plan
from results.errors import ResultsError
from results.nightly.acknowledged import read_acknowledged
from results.nightly.answer import Baseline, Nightly, Verdict
from results.nightly.baseline import FEWEST_NIGHTS, FIRST, Pinned, pin, read_baselines
from results.nightly.course import Course, Fresh
from results.nightly.courses import Night, courses
from results.nightly.evidence import CHECK_PAIRS, Screen
from results.nightly.health import health_changes, health_of
from results.nightly.history import History, read_history
from results.nightly.judge import verdict
from results.nightly.kept import outcome_of, outcomes
from results.nightly.watch import Promise, watched_bounds
from results.recommendation.notes import notice_of
from results.retention.words import words
from results.runs.changes import Change, environment_changes, settings_changes
from results.store.marker import MARKER
from results.store.query import StoreFrames, load

LOCK_FILE = ".night.lock"
BUSY = "a night is still running here"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a night; ``margin`` is the practical one, a share.

    With ``keep_raw`` the store is compacted after the night: raw data stay of so many nights, and of the runs that a
    guarantee in ``guarantees`` counts.
    """

    where: Where
    night: str | None = None
    budget_s: float | None = None
    margin: float = 0.05
    baseline_nights: int = FEWEST_NIGHTS
    hooks: Hooks = field(default_factory=Hooks)
    promises: tuple[Promise, ...] = ()
    keep_raw: int | None = None
    guarantees: tuple[Path, ...] = ()


def run_night(plan: Plan, asked: Asked, emit: Emit) -> Nightly:
    """Run a night, or go on with one; a night that is over is answered from what was kept.

    Raises:
        BusyError: a night runs on this store already; nothing was done.
        StripelabError: as a campaign; what was measured is kept, and the same call goes on.
    """
    if plan.sweep.racing is not None:
        raise SweepFileError(
            "a race measures fewer and fewer points, a night always the same ones",
            remedy='Take design = "racing" out of the sweep file.',
        )
    store = asked.where.store
    began_s = time.monotonic()
    with locked(store, LOCK_FILE, BUSY):
        night = state.name_of(store, asked.night)
        kept = outcome_of(store, night)
        if kept is not None:
            state.ended(store, night)
            emit(Event("note", message=f"the night {night} is over: this is its outcome; nothing was measured"))
            return kept
        _no_later_night(store, night)
        began_ns = state.begin(store, night)
        outcome = _Run(watched_plan(plan), asked, night, began_ns, began_s, emit).outcome()
        state.keep(store, outcome)
        if asked.keep_raw is not None:
            _compacted(asked, asked.keep_raw, emit)
    return outcome


def _compacted(asked: Asked, keep_raw: int, emit: Emit) -> None:
    """Compact the store, under the lock of the night; what fails here is said, and the night is over all the same."""
    try:
        done = retain(asked.where.store, keep_raw, asked.guarantees)
    except (ResultsError, StripelabError) as failure:
        message = failure.message if isinstance(failure, StripelabError) else str(failure)
        emit(Event("note", message=f"WARNING: the store was not compacted: {message}"))
        return
    for line in words(done):
        emit(Event("note", message=line))


def _no_later_night(store: os.PathLike[str], night: str) -> None:
    """Nights come one after the other: a verdict never looks at what came after it."""
    later = [each.night for each in outcomes(store) if each.night > night]  # type: ignore[arg-type]
    if later:
        raise StoreError(
            f"the night {night} is before {later[-1]}, which is over",
            remedy="Leave --night out, or give a later date.",
        )


@dataclass(frozen=True)
class _Run:
    """A night on its way."""

    plan: Plan
    asked: Asked
    night: str
    began_ns: int
    began_s: float
    emit: Emit

    def outcome(self) -> Nightly:
        pinned = self._pinned()
        tonight = night_plan(self.plan, self.night)
        summary = self.asked.where.run(tonight, self.emit, Conduct(budget_s=self._left_s()))
        frames = load(self.asked.where.store, verify=False)
        history = read_history(frames)
        pairs = self._pairs(pinned)
        verdicts, problems = self._verdicts(history, pinned, pairs)
        verdicts = watched_bounds(frames, history, self.night, self.asked.promises, verdicts)
        problems = (*_failures(summary, history, self.plan, self.night), *problems)
        return self._made(frames, history, pinned, verdicts, problems, complete=summary.complete and not problems)

    def _left_s(self) -> float | None:
        """What is left of the time budget."""
        return None if self.asked.budget_s is None else self.asked.budget_s - (time.monotonic() - self.began_s)

    def _pinned(self) -> Pinned | None:
        """The baseline that counts; the first one is pinned from the first nights, and that is said."""
        store = self.asked.where.store
        pinned = read_baselines(store)
        if pinned or not (store / MARKER).exists():
            return pinned[-1] if pinned else None
        history = read_history(load(store, verify=False))
        nights = [night for night in history.nights if night < self.night]
        if len(nights) < self.asked.baseline_nights:
            return None
        first = nights[: self.asked.baseline_nights]
        new = pinned_of(history, store, FIRST, f"the first {len(first)} nights of this store", first)
        pin(store, pinned, new)
        self.emit(Event("note", message=f"baseline {FIRST!r} is pinned: {first[0]} to {first[-1]}"))
        return new

    def _pairs(self, pinned: Pinned | None) -> Mapping[str, Pair]:
        if pinned is None:
            return {}
        return matched(self.plan, pinned.sweep_text, self.asked.where.sweep)

    def _verdicts(
        self, history: History, pinned: Pinned | None, pairs: Mapping[str, Pair]
    ) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
        before = outcomes(self.asked.where.store)
        took = {point.id: pairs[point.id].baseline.id if point.id in pairs else None for point in self.plan.points}
        night = Night(
            self.night,
            took,
            pinned,
            self.asked.baseline_nights,
            _not_run(history, self.plan, self.night),
            read_acknowledged(self.asked.where.store),
        )
        ready, silent = courses(history, night, before)
        margin = self.asked.margin
        seen = {course.metric.name: course.screened(margin) for course in ready}
        wanted = [(course, _pairs_of(course, seen[course.metric.name])) for course in ready]
        wanted = [(course, count) for course, count in wanted if count]
        evidence: Mapping[str, Fresh] = {}
        problems: tuple[str, ...] = ()
        if wanted and pinned is not None:
            asked = Confirming(
                plan=self.plan,
                night=self.night,
                pairs=pairs,
                pinned=pinned,
                hooks=self.asked.hooks,
                margin=margin,
                disks=_disks_of(history, self.night),
                budget_s=self._left_s,
            )
            evidence, problems = confirm(wanted, asked, self.asked.where, self.emit)
        made = [verdict(course, seen[course.metric.name], evidence.get(course.metric.name), margin) for course in ready]
        return (*made, *silent), problems

    def _made(
        self,
        frames: StoreFrames,
        history: History,
        pinned: Pinned | None,
        verdicts: Sequence[Verdict],
        problems: Sequence[str],
        *,
        complete: bool,
    ) -> Nightly:
        substrates = history.substrates(self.night)
        health = health_of(frames, history.trial_ids(self.night))
        of_baseline = (outcome_of(self.asked.where.store, night) for night in (pinned.nights if pinned else ()))
        before = [each for each in of_baseline if each is not None]
        changes = _changes(frames, history, pinned, self.night, self._pairs(pinned))
        return Nightly(
            night=self.night,
            sweep=self.plan.sweep.name,
            store=str(self.asked.where.store),
            hostname=os.uname().nodename,
            started_at_ns=self.began_ns,
            duration_s=max(0.0, (time.time_ns() - self.began_ns) / 1e9),
            verdicts=tuple(verdicts),
            baseline=_baseline(pinned),
            changes=(*changes, *health_changes(before, health)),
            health=health,
            substrates=substrates,
            sweep_file=str(self.asked.where.sweep),
            notice=notice_of(substrates),
            complete=complete,
            problems=tuple(problems),
            stripelab_version=stripelab_version(),
        )


def _pairs_of(course: Course, seen: Screen) -> int:
    """Pairs that tonight takes: a few for a change that stands, those of a look where the screen sounds, else none."""
    if course.confirmed is not None:
        return CHECK_PAIRS
    return course.look(seen).pairs if seen.alarmed else 0


def pinned_of(history: History, store: os.PathLike[str], name: str, reason: str, nights: Sequence[str]) -> Pinned:
    """A baseline of these nights, with the sweep as the store has it and the machine of the last of them."""
    from bench.claim import sweep_text

    return Pinned(
        name=name,
        set_at_ns=time.time_ns(),
        reason=reason,
        nights=tuple(nights),
        sweep_text=sweep_text(Path(store)),
        environment_id=history.environment_of(nights[-1]) or "",
        previous=None,
    )


def _baseline(pinned: Pinned | None) -> Baseline | None:
    if pinned is None:
        return None
    return Baseline(name=pinned.name, set_at_ns=pinned.set_at_ns, reason=pinned.reason, nights=len(pinned.nights))


def _failures(summary: Summary, history: History, plan: Plan, night: str) -> tuple[str, ...]:
    """Trials of the night that were not run, or are not ok."""
    found = [f"{label}: {why}" for label, why in history.failures(night)]
    left = summary.planned - summary.decided
    if left:
        found.append(f"{left} of {summary.planned} trials were not run: the time budget was spent")
        missing = _not_run(history, plan, night)
        found += [f"{point.label()}: not measured at all" for point in plan.points if point.id in missing]
    return tuple(found)


def _not_run(history: History, plan: Plan, night: str) -> frozenset[str]:
    """Points of which no trial was run in a night: only a time budget leaves any out."""
    return frozenset(point.id for point in plan.points) - {row.point_id for row in history.details(night)}


def _disks_of(history: History, night: str) -> int:
    """Most members of a point of tonight: the disks that are read beside each other are at least those."""
    return max((len(each) for each in history.all_members(night)), default=0)


def _changes(
    frames: StoreFrames, history: History, pinned: Pinned | None, night: str, pairs: Mapping[str, Pair]
) -> tuple[Change, ...]:
    """Everything that is known to be different from the baseline."""
    if pinned is None:
        return ()
    rows = {row.environment_id: row for row in frames.environment_rows()}
    before, after = rows.get(pinned.environment_id), rows.get(history.environment_of(night) or "")
    machine = environment_changes(before, after) if before is not None and after is not None else ()
    settings = [
        change
        for pair in pairs.values()
        for change in settings_changes(pair.tonight.label(), pair.baseline.settings, pair.tonight.settings)
    ]
    return (*machine, *settings)
