"""An import: files in batches to as many processes as there are CPUs, and what comes back into the store.

At most two batches a process are under way, so memory is bounded whatever the number of files.  What is stored
stays stored: an import that is interrupted is begun again and adds the rest.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench import proc
from bench.errors import ImportFailedError
from bench.importing.batch import Batch, File, Remark, import_batch
from bench.importing.collect import collect
from bench.importing.folders import with_folders
from bench.importing.pattern import Pattern
from bench.store_lock import locked
from results.estimates.objective import SWEEP_FILE
from results.paths import is_folder
from results.store.folder import Store
from results.store.imported import Spread, joined
from results.store.query import load
from results.store.schema import IMPORTED

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

BATCH_FILES = 1024
BATCH_BYTES = 16 << 20
ALONE_FILES, ALONE_BYTES = 1024, 8 << 20
"""Up to so much one process is quicker than starting others, each of which has Arrow to load."""


@dataclass(frozen=True)
class Imported:
    """What an import did; ``files`` are those that something was taken from."""

    files: int
    trials: int
    failed: int
    observations: int
    known: int
    skipped: tuple[Remark, ...]
    noted: tuple[Remark, ...] = ()
    spreads: tuple[Spread, ...] = ()

    def plus(self, batch: Batch) -> Imported:
        """With another batch."""
        return Imported(
            self.files + batch.files,
            self.trials + batch.trials,
            self.failed + batch.failed,
            self.observations + batch.observations,
            self.known + batch.known,
            (*self.skipped, *batch.skipped),
            (*self.noted, *batch.noted),
            tuple(joined((*self.spreads, *batch.spreads))),
        )


def import_files(
    places: Sequence[Path],
    path: Path,
    patterns: Sequence[Pattern],
    *,
    processes: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Imported:
    """Read what lies at ``places`` into the store at ``path``, which is made where there is none.

    ``progress`` is told how many files of how many have been dealt with.

    Raises:
        ImportFailedError: a place is not there, or the store holds trials that stripelab measured.
        ResultsError: the store cannot be read or written.
    """
    count = processes or _cpus()
    if count > 1 and any(is_folder(place) for place in places):
        proc.expect_workers(["bench.importing.batch", "pyarrow.parquet"])  # while the files are looked for
    files, unseen = collect(places)
    by_folder = None
    if all(pattern.option is not None for pattern in patterns):
        files, by_folder = with_folders(files)
    with locked(path), _workers(files, count) as pool:
        store = claimed(path)
        done = Imported(0, 0, 0, 0, 0, tuple(unseen))
        dealt = 0
        for asked, batch in _batches(files, patterns, store.trial_ids(), pool, 2 * count):
            done = done.plus(_stored(store, asked, batch, patterns))
            dealt += len(asked)
            progress(dealt, len(files))
    wide = (Remark(str(path), each.words) for each in done.spreads if each.wide)
    return replace(
        done,
        skipped=tuple(sorted(done.skipped, key=lambda each: each.path)),
        noted=(*([by_folder] if by_folder is not None and done.trials else []), *done.noted, *wide),
    )


def claimed(path: Path) -> Store:
    """The store, which holds imports and nothing else: what stripelab measured has another worth.

    Raises:
        ImportFailedError: it holds trials that stripelab measured, or a sweep.
        ResultsError: it cannot be opened.
    """
    store = Store.open_or_create(path)
    machines = load(path, verify=False).environment_rows() if store.environment_ids else []
    if store.folder.exists(SWEEP_FILE) or any(each.substrate != IMPORTED for each in machines):
        raise ImportFailedError(
            f"{path} is the store of a sweep: imported trials would stand beside measured ones",
            remedy="Import into a store of its own: name another folder with --store.",
        )
    return store


def _cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def _split(files: Sequence[File]) -> Iterator[tuple[File, ...]]:
    """Files by batch, neighbours together."""
    group: list[File] = []
    size = 0
    for file in files:
        if group and (len(group) == BATCH_FILES or size + file.size_bytes > BATCH_BYTES):
            yield tuple(group)
            group, size = [], 0
        group.append(file)
        size += file.size_bytes
    if group:
        yield tuple(group)


@contextmanager
def _workers(files: Sequence[File], processes: int) -> Iterator[Executor | None]:
    """Processes for these files; None where this one will do."""
    alone = len(files) <= ALONE_FILES and sum(file.size_bytes for file in files) <= ALONE_BYTES
    if processes == 1 or alone:
        yield None
        return
    with proc.workers(processes) as pool:
        yield pool


def _batches(
    files: Sequence[File], patterns: Sequence[Pattern], known: Collection[str], pool: Executor | None, under_way: int
) -> Iterator[tuple[tuple[File, ...], Batch]]:
    """Batches in the order of the files, each with what was asked."""
    if pool is not None:
        yield from _by_pool(pool, files, patterns, frozenset(known), under_way)
        return
    for group in _split(files):
        yield group, import_batch(group, patterns, known)


def _by_pool(
    pool: Executor, files: Sequence[File], patterns: Sequence[Pattern], known: frozenset[str], under_way: int
) -> Iterator[tuple[tuple[File, ...], Batch]]:
    """Batches from other processes, no more than ``under_way`` at a time."""
    waiting: deque[tuple[tuple[File, ...], Future[Batch]]] = deque()
    for group in _split(files):
        waiting.append((group, pool.submit(import_batch, group, tuple(patterns), known)))
        if len(waiting) == under_way:
            asked, future = waiting.popleft()
            yield asked, future.result()
    for asked, future in waiting:
        yield asked, future.result()


def _stored(store: Store, asked: Sequence[File], batch: Batch, patterns: Sequence[Pattern]) -> Batch:
    """Put a batch into the store; where a trial of it came in meanwhile (a copy elsewhere), it is read once more."""
    here = store.trial_ids()
    if any(trial.trial_id in here for bundle in batch.bundles for trial in bundle.trials):
        batch = import_batch(asked, patterns, here)
    for machine in batch.environments:
        store.put_environment(machine)
    for bundle in batch.bundles:
        store.put_bundle(bundle)
    return batch
