"""A batch of files as the bytes of bundles: what one process does while others do theirs.

The bytes are made here and written by the one process that holds the store: so a batch costs it next to
nothing, and no file is half imported.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import EngineError, ImportFailedError
from bench.importing import alike, formats
from bench.importing.fio_logs import NO_LOGS, Logs
from bench.importing.pattern import Pattern
from bench.importing.reading import content_of, too_large
from bench.importing.rows import Source, TrialRows, environment, rows
from bench.importing.run import Folder, Naming, Run
from results.store.bulk import Description, Sealed, describe, seal
from results.store.imported import Spread, spreads
from results.store.schema import EnvironmentRow

_LAST_NS = (1 << 63) - 1
"""The latest time that a store can hold; some filesystems have later ones."""


@dataclass(frozen=True)
class File:
    """A file to read; ``logs`` are the names of fio's logs in its folder, ``folders`` those that tell files apart."""

    path: str
    size_bytes: int
    logs: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()


@dataclass(frozen=True)
class Remark:
    """A file from which nothing was taken, and why; or one that was read, and what is to be said of it."""

    path: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """What came of some files.

    ``known`` counts files of which every run is in the store already; ``runs`` are the trials of ``bundles``.
    """

    files: int
    trials: int
    failed: int
    observations: int
    known: int
    bundles: tuple[Sealed, ...]
    environments: tuple[Description, ...]
    skipped: tuple[Remark, ...]
    noted: tuple[Remark, ...]
    spreads: tuple[Spread, ...] = ()


def import_batch(files: Sequence[File], patterns: Sequence[Pattern], known: Collection[str]) -> Batch:
    """Read files; trials that are ``known`` already, or come twice, are left out."""
    with _without_collector():
        return _import_batch(files, patterns, known)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's search for cycles off: there are none among these values, and it would look at each again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _import_batch(files: Sequence[File], patterns: Sequence[Pattern], known: Collection[str]) -> Batch:
    seen = set(known)
    taken: list[TrialRows] = []
    environments: dict[str, EnvironmentRow] = {}
    skipped: list[Remark] = []
    noted: list[Remark] = []
    already = 0
    for file in files:
        try:
            found, machines, notes = _read(file, patterns)
        except (EngineError, ImportFailedError) as error:
            skipped.append(Remark(file.path, error.message))
            continue
        fresh = [each for each in found if each.trial.trial_id not in seen]
        already += not fresh
        seen.update(each.trial.trial_id for each in fresh)
        taken += fresh
        noted += [Remark(file.path, note) for note in notes] if fresh else []
        for each in machines:
            environments[each.environment_id] = each
    used = {each.trial.environment_id for each in taken}
    return Batch(
        files=len(files) - len(skipped) - already,
        trials=len(taken),
        failed=sum(1 for each in taken if each.trial.status != "ok"),
        observations=sum(len(each.observations) for each in taken),
        known=already,
        bundles=tuple(seal([(each.trial, each.observations, each.intervals) for each in taken])),
        environments=tuple(describe(environments[name]) for name in sorted(used)),
        skipped=tuple(skipped),
        noted=tuple(noted),
        spreads=tuple(spreads([each.trial for each in taken], [row for each in taken for row in each.observations])),
    )


def _notes(runs: Sequence[Run]) -> list[str]:
    """What is to be said of a file that was read."""
    several = [f"{len(runs)} runs in one file"] if len(runs) > 1 else []
    return [*several, *dict.fromkeys(note for run in runs for note in run.notes)]


def _read(
    file: File, patterns: Sequence[Pattern]
) -> tuple[Sequence[TrialRows], Sequence[EnvironmentRow], Sequence[str]]:
    """Trials of one file, their machines, and what is to be said of it.

    Raises EngineError or ImportFailedError with the reason why there are none.
    """
    if file.size_bytes > formats.LARGEST_BYTES:
        raise EngineError(too_large(file.size_bytes, formats.LARGEST_BYTES))
    try:
        content, changed_ns = content_of(file.path, formats.LARGEST_BYTES)
    except OSError as error:
        raise EngineError(f"it cannot be read: {error.strerror}") from error
    path = file.path if file.path.isascii() else os.fsencode(file.path).decode("utf-8", "backslashreplace")
    naming = Naming.of(path, patterns, file.folders)
    source = Source(path, min(max(changed_ns, 0), _LAST_NS), content)
    if not file.logs and formats.may_be_one_document(content):
        found = alike.trial(content, naming, source)
        if found is not None:
            return (found[0],), (found[1],), ()
    runs = formats.read(content, naming, _logs(file) if file.logs else NO_LOGS)
    return rows(runs, source), [environment(run) for run in runs], _notes(runs)


def _logs(file: File) -> Logs:
    """Logs of fio beside a file."""
    folder, name = os.path.split(file.path)
    return Logs(Path(folder), file.logs, os.path.splitext(name)[0])  # noqa: PTH122 - as above
