"""A store that a sweep claims: what it keeps of the sweep, and what an edited sweep would mix.

A store holds the trials of one protocol (workloads, data set, lab profile).  It keeps the sweep file and the job files
that its workloads name, so that the sweep can be read again wherever the store is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.errors import StoreError
from bench.events import Emit, Event
from permutations.compare import diff, protocol_changes
from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.plan import Plan
from permutations.point import DesignPoint
from permutations.sweep import Sweep
from permutations.vocabulary import Vocabulary
from results.estimates.objective import JOB_FILES, SWEEP_FILE
from results.store.files import Folder
from results.store.folder import Store

PROTOCOL_FILE = "protocol"
MOST_LABELS = 6


def claim_store(path: Path, plan: Plan, emit: Emit | None = None) -> Store:
    """Open or make the store for a plan, and keep the sweep in it.

    What an edited sweep mixes with trials that are there goes to ``emit``.  Raises :class:`StoreError` where the trials
    in the store are of another protocol; without trials a corrected sweep takes the place of the earlier one.
    """
    store = Store.open_or_create(path)
    try:
        protocol = store.folder.read_there(PROTOCOL_FILE)
        _check_protocol(store, protocol, plan)
        if emit is not None:
            for line in _mixed(store, plan):
                emit(Event("note", message=line))
        for name, text in _job_files(plan.sweep):
            store.folder.make_folder(JOB_FILES)
            _keep(store.folder, name, text)
        _keep(store.folder, PROTOCOL_FILE, f"{plan.sweep.protocol_id}\n".encode("ascii"))
        _keep(store.folder, SWEEP_FILE, plan.sweep.text.encode())
    except OSError as failure:
        raise StoreError(
            f"{failure.filename}: {failure.strerror}",
            remedy="Look at what lies there; a store has regular files of its own and no links.",
        ) from failure
    return store


def kept_sweep(path: Path, vocabulary: Vocabulary) -> Sweep:
    """The sweep that the store at ``path`` keeps, with its job files.

    Raises:
        StoreError: the sweep file cannot be read.
        SweepError: this version cannot make a sweep of it.
    """
    folder = Folder(path)
    text = sweep_text(path)
    try:
        names = folder.regular_names(JOB_FILES, ".fio") if folder.exists(JOB_FILES) else []
        jobs = {name.removesuffix(".fio"): folder.read(f"{JOB_FILES}/{name}") for name in names}
    except OSError as failure:
        raise StoreError(f"{path / JOB_FILES}: {failure.strerror}", remedy="Put the job files back.") from failure
    return Sweep.parse(text, path / SWEEP_FILE, vocabulary, jobs)


def sweep_text(path: Path) -> str:
    """The sweep file that the store at ``path`` keeps; raises StoreError where it has none that can be read."""
    remedy = "Put the sweep file back as it was run."
    try:
        return Folder(path).read(SWEEP_FILE).decode()
    except OSError as failure:
        raise StoreError(f"{path / SWEEP_FILE}: {failure.strerror}", remedy=remedy) from failure
    except UnicodeDecodeError as failure:
        raise StoreError(f"{path / SWEEP_FILE} is not UTF-8 text", remedy=remedy) from failure


def _check_protocol(store: Store, protocol: bytes | None, plan: Plan) -> None:
    """Raise StoreError where a store holds trials of something else."""
    if not store.trial_ids():
        return
    path = store.path
    if protocol is None:
        raise StoreError(
            f"{path} holds trials of no sweep, such as imported ones",
            remedy="Use another folder for --store: what was imported is not mixed with what is measured.",
        )
    if protocol.strip() != plan.sweep.protocol_id.encode():
        changes = _protocol_changes(store, plan)
        raise StoreError(
            f"{path} holds trials of other workloads, data set or lab profile: they cannot be compared"
            + (f" (changed: {'; '.join(changes)})" if changes else ""),
            remedy="Use another folder for --store, or take the workloads back to what they were.",
        )


def _protocol_changes(store: Store, plan: Plan) -> tuple[str, ...]:
    """What of the protocol differs from the sweep in the store; empty where that cannot be read."""
    before = _earlier(store)
    return () if before is None else protocol_changes(before, plan.sweep)


def _earlier(store: Store) -> Sweep | None:
    """The sweep that the store keeps; None where it has none that this version can read."""
    from bench.vocabulary import vocabulary

    if not store.folder.exists(SWEEP_FILE):
        return None
    try:
        return kept_sweep(store.path, vocabulary(strict=False))
    except (StoreError, SweepError):
        return None


def _mixed(store: Store, plan: Plan) -> Iterable[str]:
    """What an edited sweep mixes with the trials that the store holds; nothing of a night, whose trials are its own."""
    there = store.trial_ids()
    text = store.folder.read_there(SWEEP_FILE)
    if not there or text in {None, plan.sweep.text.encode()} or any(trial.night for trial in plan.trials):
        return
    before = _earlier(store)
    if before is None:
        yield "the sweep file was edited since the trials in the store ran, and the earlier one cannot be read"
        return
    try:
        found = diff(make_plan(before), plan)
    except SweepError:
        yield "the sweep file was edited since the trials in the store ran, and the earlier one cannot be laid out"
        return
    used, unused = (len(there & set(trials)) for trials in (found.trials_both, found.trials_only_a))
    if plan.sweep.racing is not None or before.racing is not None:  # which trials are run shows as a race goes on
        if found.points_only_a or found.points_only_b:
            yield (
                f"the sweep file was edited{_listed('; new points: ', found.points_only_b)}"
                + _listed("; points that it no longer has, whose trials stay: ", found.points_only_a)
            )
    elif found.points_only_a or found.points_only_b or unused:
        yield (
            f"the sweep file was edited: of {len(there)} trials in the store {used} are planned by the new file "
            f"too and are not run again{_listed('; new points: ', found.points_only_b)}"
            + _listed(
                "; points that it no longer has, whose trials stay and are judged with the others: ",
                found.points_only_a,
            )
        )


def _listed(head: str, points: Iterable[DesignPoint]) -> str:
    labels = [point.label() for point in points]
    more = f" and {len(labels) - MOST_LABELS} more" if len(labels) > MOST_LABELS else ""
    return f"{head}{', '.join(labels[:MOST_LABELS])}{more}" if labels else ""


def _job_files(sweep: Sweep) -> Iterable[tuple[str, bytes]]:
    for workload in sweep.workloads:
        if workload.job_text is not None:
            yield f"{JOB_FILES}/{workload.name}.fio", workload.job_text.encode()


def _keep(folder: Folder, name: str, content: bytes) -> None:
    """Write a file whole or not at all: a run that is killed here must not leave a store that nobody may open."""
    inside, _, base = name.rpartition("/")
    folder.clear_temporaries(inside, base)
    if folder.read_there(name) != content:
        folder.replace(name, content)
