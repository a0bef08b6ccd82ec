"""The loop: every planned trial that has no outcome yet is run, and its outcome is kept at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from bench import disk_check, disk_health, engines, environment, proc, race
from bench.acts import FolderAct
from bench.errors import InterruptedRunError
from bench.events import Emit, Event
from bench.journal import Journal, recover
from bench.lease import Lease, open_lease
from bench.stack import arrays, filesystems, loops
from bench.stack.build import undo_table
from bench.stack.modules import ensure_filesystem, load_scheduler
from bench.stack.standing import Standing
from bench.telemetry import Sample
from bench.trial import Bench, run_trial, undo_folder
from permutations.cost import plan_cost
from permutations.design import Plan
from permutations.point import PlannedTrial
from results.store.folder import Store
from stripelab.raid import LEVELS


@dataclass(frozen=True)
class Summary:
    """What a store holds of a plan."""

    planned: int
    ok: int
    failed: int
    invalid: int

    @property
    def decided(self) -> int:
        """Trials with an outcome."""
        return self.ok + self.failed + self.invalid

    @property
    def complete(self) -> bool:
        """Whether every planned trial has an outcome."""
        return self.decided == self.planned


@dataclass(frozen=True)
class Conduct:
    """How a campaign is run: whether what is not ok is tried again, how long, and what happens before each trial.

    After ``budget_s`` no trial is started any more, and none that is expected to last longer than that: as long as the
    estimate says, or as the longest so far did.
    """

    retry: bool = False
    budget_s: float | None = None
    before: Callable[[PlannedTrial], None] | None = None


def run_campaign(
    plan: Plan, store: Store, lease: Lease, emit: Emit, *, retry: bool = False, conduct: Conduct | None = None
) -> Summary:
    """Run what is still to be run; ``retry`` alone where there is no ``conduct``.

    A trial that fails is a row and the campaign goes on.  What is a danger to disks, to the host
    or to the results (a refusal, a tainted host, a full store) ends it, with all rows kept.
    """
    conduct = conduct or Conduct(retry)
    until_s = None if conduct.budget_s is None else time.monotonic() + conduct.budget_s
    programs = preflight(plan)
    described = environment.describe(lease.disks, lease.substrate, programs)
    store.put_environment(described)
    bench = Bench(plan.sweep, lease, lease.journal, described.environment_id, emit)
    attempted: set[str] = set()
    checked: set[int] = set()
    told = race.History(plan, store)
    batch = left_to_run(told, retry=conduct.retry)
    emit(_started(plan, store, len(batch)))
    expected_s = plan_cost(plan).estimated_s / max(1, len(plan.trials))
    with signals_end_the_run(), Standing(lease, lease.journal) as standing:
        while batch:
            for planned in batch:
                if until_s is not None and time.monotonic() + expected_s > until_s:
                    emit(Event("note", message="the time budget is spent: what is left was not run"))
                    return summary(plan, store)
                if conduct.before is not None:
                    conduct.before(planned)
                attempted.add(planned.trial_id)
                started_s = time.monotonic()
                first = planned.block not in checked
                _run_one(bench, planned, standing, store, checks=_checks(planned, checked), wear=first)
                expected_s = max(expected_s, time.monotonic() - started_s)
                checked.add(planned.block)
            batch = left_to_run(told, retry=conduct.retry, attempted=attempted)
            if batch or plan.sweep.racing is not None:
                emit(Event("note", message=race.standing_line(told)))
    return summary(plan, store)


def _checks(planned: PlannedTrial, checked: Collection[int]) -> int:
    """How often every disk is read on its own before a trial: as planned, else once a block."""
    return planned.disk_checks if planned.disk_checks is not None else int(planned.block not in checked)


def _run_one(bench: Bench, planned: PlannedTrial, standing: Standing, store: Store, *, checks: int, wear: bool) -> None:
    """Run a trial and keep its outcome; before it every disk is read on its own, ``checks`` times.

    After it the disks are asked for their temperature, and with ``wear`` for that too: once a block.
    """
    label = planned.point.label()
    bench.emit(Event("trial", label=label, block=planned.block))
    samples = _checked(bench, checks)
    started_s = time.monotonic()
    record = run_trial(bench, planned, standing)
    record.checked(samples)
    record.health(disk_health.read(bench.lease.disks, second=time.monotonic() - started_s, wear=wear))
    store.append(record.trial, record.observations, record.intervals, record.telemetry)
    trial = record.trial
    why = trial.error or "; ".join(trial.invalid_reasons)
    spent_s = time.monotonic() - started_s
    bench.emit(Event("ended", label=label, block=planned.block, status=trial.status, message=why, duration_s=spent_s))


def _checked(bench: Bench, checks: int) -> list[Sample]:
    """What each leased disk reads on its own, under the limits of the lab; one disk has no peers."""
    disks = bench.lease.disks
    if len(disks) < 2 or checks == 0:
        return []
    bench.emit(Event("workload", workload="disk check"))
    with bench.throttled(disks):
        return [sample for number in range(checks) for sample in disk_check.check(disks, number)]


def _started(plan: Plan, store: Store, pending: int) -> Event:
    """What is ahead; of a race, at most what its budget allows."""
    expected_s = plan_cost(plan).estimated_s
    if plan.sweep.racing is None:
        total = len(plan.trials)
        return Event("started", done=total - pending, total=total, expected_s=expected_s * pending / total)
    done = len(store.trial_ids())
    total = max(race.most_trials(plan), done + pending)
    return Event("started", done=done, total=total, expected_s=expected_s * (total - done) / total)


def left_to_run(told: race.History, *, retry: bool, attempted: Collection[str] = ()) -> Sequence[PlannedTrial]:
    """Planned trials without an outcome; with ``retry``, those that failed or are invalid as well.

    Of a race these are the trials of its next block.  ``attempted`` are those that this run has run.
    """
    planned = told.plan.trials
    if told.plan.sweep.racing is not None:
        planned = race.next_trials(told, retry=retry, attempted=attempted)
    decided = told.store.trial_ids({"ok"} if retry else None) | set(attempted)
    return [trial for trial in planned if trial.trial_id not in decided]


def summary(plan: Plan, store: Store) -> Summary:
    """Count the outcomes of the planned trials; of a race, of those it has asked for so far."""
    planned = {trial.trial_id for trial in plan.trials}
    if plan.sweep.racing is not None:
        planned = race.asked(race.History(plan, store))
    ok, failed, invalid = (len(planned & store.trial_ids({status})) for status in ("ok", "failed", "invalid"))
    return Summary(len(planned), ok, failed, invalid)


def preflight(plan: Plan) -> Sequence[str]:
    """Everything that can be known to be missing before a disk is touched; returns the programs used."""
    settings = [point.settings for point in plan.points]
    for workload in plan.sweep.workloads:
        driver = engines.by_name(workload.engine)
        driver.version()
        driver.check_workload(workload)
    programs = {workload.engine for workload in plan.sweep.workloads} - {"native"}  # that one is no program
    for level in sorted({str(each["level"]) for each in settings}):
        array = arrays.of_level(level)
        for program in array.programs:
            programs.add(program)
            proc.require(program)
        array.require(LEVELS[level])
    for name in sorted({str(each["scheduler"]) for each in settings if each["scheduler"] is not None}):
        load_scheduler(name)
    for name in sorted({str(each["filesystem"]) for each in settings} - {"raw"}):
        kind = filesystems.by_name(name)
        proc.require(kind.program, kind.package)
        ensure_filesystem(kind)
        programs.add(kind.program)
    proc.require("wipefs")
    return sorted(programs)


def clear_leftovers(wanted: Sequence[str], store: Path, journal: Journal, emit: Emit) -> None:
    """Take back what an earlier run that died left on the host; its disks must be named again."""
    if not journal.pending:
        return
    with open_lease([*wanted, *loops.attached(store)], store=store, journal=journal) as lease:
        undo = {**undo_table(lease), FolderAct: lambda entry: undo_folder(entry, store)}
        for line in recover(journal, undo):
            emit(Event("note", message=line))


@contextmanager
def signals_end_the_run() -> Iterator[None]:
    """Ctrl-C, a hang-up and a polite kill end the run in order: the stack is taken down first."""

    def end(number: int, _: FrameType | None) -> None:
        raise InterruptedRunError(f"stopped by {signal.Signals(number).name}")

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
