"""Where a campaign runs: on disks or loop files of this host, or on the disks of the virtual lab."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench import campaign
from bench.campaign import Summary
from bench.errors import DiskRefusedError, GuestFailedError, LabError, TrialsFailedError
from bench.events import Emit, Event, EventReader
from bench.journal import Journal
from bench.lease import open_lease
from bench.stack.loops import loop_disks
from bench.store_lock import locked
from permutations.cost import plan_cost
from permutations.design import Plan
from results.store import Store

if TYPE_CHECKING:
    from bench.lab.guest import Lab

JOURNAL_FILE = "journal.jsonl"
EVENTS_FILE = ".events.jsonl"
GUEST_GRACE_S = 1800.0
GUEST_SLACK = 10.0
"""A guest that takes this many times the estimate, and half an hour more, is taken for hung."""


def on_disks(
    plan: Plan, path: Path, emit: Emit, disks: Sequence[str], *, consented: Sequence[str] = (), retry: bool = False
) -> Summary:
    """Run the campaign on these disks of this machine, which the user named one by one."""
    with prepared(plan, path, emit, disks) as (store, journal):
        return _run(plan, store, journal, emit, disks, consented, retry=retry)


def on_loop_files(plan: Plan, path: Path, emit: Emit, *, count: int, each_bytes: int, retry: bool = False) -> Summary:
    """Run the campaign on loop files in the store; they are gone when it ends."""
    with prepared(plan, path, emit, ()) as (store, journal), loop_disks(path, journal, count, each_bytes) as disks:
        return _run(plan, store, journal, emit, disks, (), retry=retry)


@contextmanager
def prepared(plan: Plan, path: Path, emit: Emit, disks: Sequence[str]) -> Iterator[tuple[Store, Journal]]:
    """The store claimed and locked, and everything cleared that an earlier run left behind."""
    if os.geteuid() != 0:
        raise DiskRefusedError(
            "building arrays and filesystems needs root", remedy="Run it with sudo, or in the virtual lab with --lab."
        )
    with locked(path), campaign.signals_end_the_run(), Journal(path / JOURNAL_FILE) as journal:
        store = campaign.claim_store(path, plan)
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
    *,
    retry: bool,
) -> Summary:
    with open_lease(disks, store=store.path, journal=journal, consented=consented) as lease:
        lease.check(lease.disks)
        if len(lease.disks) < plan.sweep.max_disks:
            raise DiskRefusedError(
                f"the sweep needs {plan.sweep.max_disks} disks, {len(lease.disks)} are named",
                remedy="Name more disks, or take the larger arrays out of the sweep.",
            )
        return campaign.run_campaign(plan, store, lease, emit, retry=retry)


def in_the_lab(plan: Plan, sweep: Path, path: Path, emit: Emit, *, retry: bool = False) -> Summary:
    """Run the same command inside the virtual lab, and pass its progress on."""
    from bench.lab.guest import Lab

    with campaign.signals_end_the_run(), locked(path):
        store = campaign.claim_store(path, plan)
        if campaign.left_to_run(plan, store, retry=retry):
            emit(Event("note", message=f"booting the virtual lab with {plan.sweep.lab.disks} disks"))
            with Lab(plan.sweep.lab, shared=[path.resolve()]) as lab:
                _run_guest(lab, plan, sweep, path.resolve(), emit, retry=retry)
    counts = campaign.summary(plan, Store.open(path, verify=False))
    if not counts.complete:
        raise LabError(f"the guest ended with status 0, but {counts.planned - counts.decided} trials have no outcome")
    return counts


def _run_guest(lab: Lab, plan: Plan, sweep: Path, path: Path, emit: Emit, *, retry: bool) -> None:
    events = path / EVENTS_FILE
    events.unlink(missing_ok=True)
    reader = EventReader(events)

    def pass_on() -> None:
        for event in reader():
            emit(event)

    words = [sys.executable, "-m", "bench", "run", str(sweep.resolve()), "--store", str(path)]
    words += ["--disks", ",".join(lab.serials), "--events", str(events), *(["--retry-failed"] if retry else [])]
    try:
        # A defect's traceback must not be written to a file: the guest's files vanish with it.
        told = {"STRIPELAB_TRACEBACK": "1"}
        ended = lab.run(
            words, env=told, timeout_s=GUEST_GRACE_S + GUEST_SLACK * plan_cost(plan).estimated_s, on_tick=pass_on
        )
    finally:
        pass_on()
        events.unlink(missing_ok=True)
    if ended.status not in {0, TrialsFailedError.status}:
        raise GuestFailedError(ended.console, ended.status)
