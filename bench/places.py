"""Where a campaign runs: on disks or loop files of this host, or on the disks of the virtual lab."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench import campaign, machine, preflight
from bench.campaign import Conduct, Summary
from bench.claim import claim_store
from bench.errors import DiskRefusedError, GuestFailedError, LabError, TrialsFailedError
from bench.events import Emit, Event, EventReader
from bench.journal import Journal
from bench.lab.inside import inside
from bench.lease import open_lease
from bench.race import History
from bench.stack.loops import loop_disks
from bench.store_lock import locked
from permutations.cost import plan_cost
from permutations.design import Plan
from results.store.files import Folder
from results.store.folder import Store

if TYPE_CHECKING:
    from bench.lab.guest import Lab

JOURNAL_FILE = "journal.jsonl"
EVENTS_FILE = ".events.jsonl"
GUEST_GRACE_S = 1800.0
GUEST_SLACK = 10.0
"""A guest that takes this many times the estimate, and half an hour more, is taken for hung."""


def on_disks(
    plan: Plan,
    path: Path,
    emit: Emit,
    disks: Sequence[str],
    *,
    consented: Sequence[str] = (),
    retry: bool = False,
    conduct: Conduct | None = None,
) -> Summary:
    """Run the campaign on these disks of this machine, which the user named one by one."""
    with prepared(plan, path, emit, disks) as (store, journal):
        return _run(plan, store, journal, emit, disks, consented, conduct or Conduct(retry), told=inside())


def on_loop_files(
    plan: Plan,
    path: Path,
    emit: Emit,
    *,
    count: int,
    each_bytes: int,
    retry: bool = False,
    conduct: Conduct | None = None,
) -> Summary:
    """Run the campaign on loop files in the store; they are gone when it ends."""
    preflight.require(plan, machine.loop_files(each_bytes), emit)
    with prepared(plan, path, emit, ()) as (store, journal), loop_disks(path, journal, count, each_bytes) as disks:
        return _run(plan, store, journal, emit, disks, (), conduct or Conduct(retry), told=True)


@contextmanager
def prepared(plan: Plan, path: Path, emit: Emit, disks: Sequence[str]) -> Iterator[tuple[Store, Journal]]:
    """The store claimed and locked, and everything cleared that an earlier run left behind."""
    if os.geteuid() != 0:
        raise DiskRefusedError(
            "building arrays and filesystems needs root", remedy="Run it with sudo, or in the virtual lab with --lab."
        )
    os.umask(0o022)  # what a run makes belongs to its user alone, whatever the caller's own habit is
    with locked(path), campaign.signals_end_the_run(), Journal(path / JOURNAL_FILE) as journal:
        store = claim_store(path, plan, emit)
        campaign.clear_leftovers(disks, path, journal, emit)
        campaign.preflight(plan)
        yield store, journal


def _run(
    plan: Plan,
    store: Store,
    journal: Journal,
    emit: Emit,
    disks: Sequence[str],
    consented: Sequence[str],
    conduct: Conduct,
    *,
    told: bool = False,
) -> Summary:
    """Run on these disks; ``told`` says that the warnings of the plan were printed before."""
    with open_lease(disks, store=store.path, journal=journal, consented=consented) as lease:
        lease.check(lease.disks)
        preflight.require(plan, machine.leased(lease.disks), None if told else emit)
        needed = max((plan.sweep.max_disks, *(trial.point.disks for trial in plan.trials)))
        if len(lease.disks) < needed:
            raise DiskRefusedError(
                f"the sweep needs {needed} disks, {len(lease.disks)} are named",
                remedy="Name more disks, or take the larger arrays out of the sweep.",
            )
        return campaign.run_campaign(plan, store, lease, emit, conduct=conduct)


def in_the_lab(
    plan: Plan,
    sweep: Path,
    path: Path,
    emit: Emit,
    *,
    retry: bool = False,
    task: Path | None = None,
    budget_s: float | None = None,
) -> Summary:
    """Run the same command inside the virtual lab, and pass its progress on.

    ``task`` is a file in the store that says which trials of a night are meant (:mod:`bench.nightly.task`), and
    ``budget_s`` the time after which none is started any more.
    """
    from bench.lab.guest import Lab

    preflight.require(plan, machine.virtual_lab(plan.sweep, installed=False), emit)
    spent = budget_s is not None and budget_s <= 0
    with campaign.signals_end_the_run(), locked(path):
        store = claim_store(path, plan, emit)
        if campaign.left_to_run(History(plan, store), retry=retry) and not spent:
            emit(Event("note", message=f"booting the virtual lab with {plan.sweep.lab.disks} disks"))
            with Lab(plan.sweep.lab, shared=[path.resolve()]) as lab:
                words = ["--retry-failed"] if retry else []
                words += ["--task", str(task.resolve())] if task is not None else []
                words += ["--budget-s", f"{budget_s:.0f}"] if budget_s is not None else []
                _run_guest(lab, plan, sweep, path.resolve(), emit, words)
    counts = campaign.summary(plan, Store.open(path, verify=False, read_only=True))
    if not counts.complete and budget_s is None:
        raise LabError(f"the guest ended with status 0, but {counts.planned - counts.decided} trials have no outcome")
    return counts


def _run_guest(lab: Lab, plan: Plan, sweep: Path, path: Path, emit: Emit, further: Sequence[str]) -> None:
    events = path / EVENTS_FILE
    Folder(path).unlink(EVENTS_FILE)
    reader = EventReader(events)

    def pass_on() -> None:
        for event in reader():
            emit(event)

    words = [sys.executable, "-m", "bench", "run", str(sweep.resolve()), "--store", str(path)]
    words += ["--disks", ",".join(lab.serials), "--events", str(events), *further]
    try:
        # A defect's traceback must not be written to a file: the guest's files vanish with it.
        told = {"STRIPELAB_TRACEBACK": "1"}
        ended = lab.run(
            words, env=told, timeout_s=GUEST_GRACE_S + GUEST_SLACK * plan_cost(plan).estimated_s, on_tick=pass_on
        )
    finally:
        pass_on()
        Folder(path).unlink(EVENTS_FILE)
    if ended.status not in {0, TrialsFailedError.status}:
        raise GuestFailedError(ended.console, ended.status)
