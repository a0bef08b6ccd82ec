"""The result store: a folder of sealed Parquet files that is whole at every moment.

``STORE/<table>/<trial_id>.parquet`` holds a trial's rows, ``STORE/environments/<environment_id>.parquet``
a machine, ``STORE/stripelab.json`` the version of the schema.  The file under ``trials`` is written last
and is the commit point; it names the digest of each companion file, so a trial is either whole or
not there.  When trials become many their files are merged into bundles (:mod:`results.store.bundles`).  One
process writes to a store at a time (the caller holds the lock); any number may read.

Only pyarrow is needed here, and it is imported late: the store is written inside a slow virtual machine.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from results.errors import ResultsError
from results.store import bulk, sealed
from results.store.bundles import bundle_name, merge
from results.store.contents import (
    COMPANIONS,
    PARTS,
    SET_ASIDE,
    Contents,
    Entry,
    Group,
    MovedError,
    Part,
    SetAside,
    is_safe_id,
    moved,
)
from results.store.files import Folder, cannot_read, cannot_write
from results.store.marker import check_marker, is_store, write_marker
from results.store.rows import to_table
from results.store.schema import (
    TABLES,
    EnvironmentRow,
    IntervalRow,
    ObservationRow,
    Row,
    TelemetryRow,
    TrialRow,
)

__all__ = ["COMPANIONS", "SET_ASIDE", "STATUSES", "Part", "SetAside", "Store"]

STATUSES = frozenset({"ok", "failed", "invalid"})
BUNDLE_TRIALS = 256
"""Trials with files of their own from which on they are merged into bundles, and most trials of a bundle."""

BUNDLE_BYTES = 32 << 20
"""Files of a bundle, together: what is lost with one damaged byte, and what is held while it is written."""

_APPENDED = ("observations", "intervals", "telemetry")
_RESCANS = 5


class Store:
    """A result store on disk; make one with :meth:`create`, :meth:`open` or :meth:`open_or_create`."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self.contents = Contents(path, read_only)
        self._bundle_at = BUNDLE_TRIALS

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make an empty store at ``path``; the folder may exist, a store in it may not.

        Raises:
            ResultsError: there is a store already, or the folder cannot be written.
        """
        if is_store(path):
            raise ResultsError(f"{path} is a result store already", remedy="Open it, or name another folder.")
        try:
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
            for table in TABLES:
                Folder(path).make_folder(table)
            Folder(path.absolute().parent).sync()
        except OSError as error:
            raise cannot_write(path, error) from error
        # The marker comes last: a folder without it is not yet a store, and create may be called again.
        write_marker(path)
        return cls(path, read_only=False)

    @classmethod
    def open(
        cls, path: Path, verify: bool = True, *, read_only: bool = False, tables: Collection[str] = COMPANIONS
    ) -> Store:
        """Open the store at ``path``; torn or foreign files are set aside, which :attr:`set_aside` lists.

        Trials and environments are checked byte by byte against their seals, and with ``verify`` so are their
        companions in ``tables``.  What is left out is checked when :meth:`verify` is called, and by every
        reader of :mod:`results.store.query` before it reads.  ``read_only`` moves nothing: files that do not count
        are skipped and listed.  The same happens where the store cannot be written.

        Raises:
            ResultsError: there is no store, it cannot be read, or a newer stripelab wrote it.
        """
        check_marker(path)
        for _ in range(_RESCANS):
            store = cls(path, read_only=read_only)
            try:
                store.contents.scan(tables if verify else ())
            except MovedError:
                continue
            except OSError as error:
                raise cannot_read(path, error) from error
            return store
        raise moved(path)

    @classmethod
    def open_or_create(cls, path: Path) -> Store:
        """Open the store at ``path`` to write, or make it where there is none; the caller holds its lock.

        What a writer that was killed left half-written is removed.
        """
        if not is_store(path):
            return cls.create(path)
        found = cls.open(path)
        found.clear_leftovers()
        return found

    @property
    def folder(self) -> Folder:
        """The door to the store's files."""
        return self.contents.folder

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Files that opening the store found torn, changed, foreign or incomplete."""
        return tuple(self.contents.set_aside)

    @property
    def environment_ids(self) -> set[str]:
        """Environments that the store describes."""
        return set(self.contents.environments)

    def verify(self, tables: Collection[str] = COMPANIONS, trial_ids: Collection[str] | None = None) -> None:
        """Check every byte of the companions in ``tables`` that were not checked yet; with ``trial_ids`` of theirs.

        Trials with a damaged one do not count from then on, and are listed in :attr:`set_aside`.

        Raises:
            ResultsError: a file cannot be read, or another process changes the store.
        """
        try:
            self.contents.verify(tables, trial_ids)
        except MovedError as error:
            raise moved(self.path) from error
        except OSError as error:
            raise cannot_read(self.path, error) from error

    def trial_ids(self, statuses: Collection[str] | None = None) -> set[str]:
        """Trials in the store: all, or those whose status is one of ``statuses``."""
        return {key for key, entry in self.contents.trials.items() if statuses is None or entry.status in statuses}

    def files(self, table: str) -> list[Path]:
        """Files of ``table`` that count, in the order of their names."""
        return [self.path / name for name in self.names(table)]

    def names(self, table: str) -> list[str]:
        """As :meth:`files`, beneath the store's folder."""
        if table == "environments":
            return [self.contents.file(table, name) for name in sorted(self.contents.environments)]
        return [part.name for part in self.parts(table)]

    def parts(self, table: str, trial_ids: Collection[str] | None = None) -> list[Part]:
        """Files of ``table`` with rows of ``trial_ids`` (of all trials if None), in the order of their names."""
        wanted = self.contents.trials.keys() if trial_ids is None else trial_ids
        members: dict[Group, set[str]] = {}
        for trial_id in wanted:
            entry = self.contents.trials.get(trial_id)
            if entry is not None and (table == "trials" or table in entry.group.parts):
                members.setdefault(entry.group, set()).add(trial_id)
        return [
            Part(self.folder, self.contents.file(table, group.name), frozenset(members[group]), group.bundled)
            for group in sorted(members, key=lambda group: group.name)
        ]

    def verified(self, table: str, trial_id: str) -> None:
        """Check the file of ``table`` with a trial's rows, if it was not checked yet.

        Raises:
            ResultsError: it is not as it was written.
        """
        if table in COMPANIONS and trial_id in self.contents.trials:
            self.contents.verify_group(table, self.contents.trials[trial_id].group)

    def put_environment(self, environment: EnvironmentRow | bulk.Description) -> None:
        """Describe a machine; a description that is there already is left alone.

        Raises:
            ResultsError: the store is full or cannot be written.
        """
        name = environment.environment_id
        _check_id(name)
        if name in self.contents.environments:
            return
        made = environment if isinstance(environment, bulk.Description) else bulk.describe(environment)
        self.folder.replace(self.contents.file("environments", name), made.content)
        self.contents.environments.add(name)

    def append(
        self,
        trial: TrialRow,
        observations: Sequence[ObservationRow] = (),
        intervals: Sequence[IntervalRow] = (),
        telemetry: Sequence[TelemetryRow] = (),
    ) -> None:
        """Add a trial with all its rows: after this returns it survives a power cut, before that it is not there.

        A trial that failed or was invalid is replaced by a new outcome; one that is ok never is.  All
        files are written beside their place first, so a full store changes nothing.

        Raises:
            ResultsError: the rows do not belong together, the trial is there and ok, the environment is
                not described, or the store is full or cannot be written.
        """
        rows: dict[str, Sequence[Row]] = dict(zip(_APPENDED, (observations, intervals, telemetry), strict=True))
        self._check_append(trial, rows)
        contents: dict[str, bytes] = {}
        parts: dict[str, str] = {}
        for table in (name for name in _APPENDED if rows[name]):
            contents[table], parts[table] = sealed.encode(to_table(table, rows[table]))
        committed = to_table("trials", [trial])
        metadata = {**committed.schema.metadata, PARTS: json.dumps(parts, sort_keys=True).encode()}
        contents["trials"], _ = sealed.encode(committed.replace_schema_metadata(metadata))
        written = self._write_parts(trial.trial_id, contents)
        try:
            self._commit(trial.trial_id, written)
        except OSError as error:
            raise cannot_write(self.path / self.contents.file("trials", trial.trial_id), error) from error
        group = Group(trial.trial_id, parts)
        entry = Entry(trial.status, trial.environment_id, trial.started_at_ns, group)
        self.contents.trials[trial.trial_id] = entry
        self._bundle_when_many()

    def _write_parts(self, trial_id: str, contents: Mapping[str, bytes]) -> Mapping[str, str]:
        """Write every file beside its place, under names by table; where one does not fit, remove all of them."""
        written = {table: self.folder.temporary(self.contents.file(table, trial_id)) for table in contents}
        try:
            for table, content in contents.items():
                self.folder.create(written[table], content)
        except ResultsError:
            for name in written.values():
                with contextlib.suppress(OSError):
                    self.folder.unlink(name)
            raise
        return written

    def _commit(self, trial_id: str, written: Mapping[str, str]) -> None:
        """Rename the files into place, the trial's own last.

        A trial file of an earlier outcome goes first: whatever moment the power fails at, an old trial
        row never stands beside new observations.
        """
        if trial_id in self.contents.trials:
            self.folder.unlink(self.contents.file("trials", trial_id))
            self.folder.sync("trials")
            del self.contents.trials[trial_id]
        for table in COMPANIONS:
            if table in written:
                self.folder.rename(written[table], self.contents.file(table, trial_id))
                self.folder.sync(table)
            else:
                self.folder.unlink(self.contents.file(table, trial_id))
        self.folder.rename(written["trials"], self.contents.file("trials", trial_id))
        self.folder.sync("trials")

    def _check_append(self, trial: TrialRow, rows: Mapping[str, Sequence[Row]]) -> None:
        """Raise ResultsError where the rows may not be added."""
        _check_id(trial.trial_id)
        if self.read_only:
            raise ResultsError(f"{self.path} was opened to read only", remedy="Open it to write.")
        if trial.status not in STATUSES:
            raise ResultsError(f"trial {trial.trial_id}: {trial.status!r} is no status; one of {sorted(STATUSES)} is")
        if trial.environment_id not in self.contents.environments:
            raise ResultsError(
                f"trial {trial.trial_id}: the store does not describe its environment {trial.environment_id}",
                remedy="Without a known environment a figure means nothing: put_environment comes first.",
            )
        known = self.contents.trials.get(trial.trial_id)
        if known is not None and (known.status == "ok" or known.group.bundled):
            raise ResultsError(
                f"trial {trial.trial_id} is in the store with status {known.status} and is not overwritten",
                remedy="Use another store, or a sweep with more replicates.",
            )
        if trial.status == "ok" and not rows["observations"]:
            raise ResultsError(f"trial {trial.trial_id} is called ok, but has no observation")
        strangers = {row.trial_id for group in rows.values() for row in group if not isinstance(row, EnvironmentRow)}
        if strangers - {trial.trial_id}:
            raise ResultsError(f"trial {trial.trial_id} comes with rows of other trials: {sorted(strangers)}")

    def bundle(self) -> int:
        """Merge the files of trials that are ok into bundles; returns how many trials were merged.

        Nothing changes for readers but speed.  Whatever moment this is interrupted at, every trial is there:
        a bundle is complete before the file that names it, and that before the merged files are removed.

        Raises:
            ResultsError: the store is full or cannot be written, or a file is not whole any more.
        """
        if self.read_only:
            raise ResultsError(f"{self.path} was opened to read only", remedy="Open it to write.")
        self.verify()
        self.clear_leftovers()
        merged = 0
        for trial_ids in self._unbundled():
            self._bundle(trial_ids)
            merged += len(trial_ids)
        return merged

    def clear_leftovers(self) -> None:
        """Remove what writers that were killed left half-written; the caller holds the lock.

        Raises:
            ResultsError: the store cannot be written.
        """
        try:
            for place in (*TABLES, SET_ASIDE):
                self.folder.clear_temporaries(place)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def put_bundle(self, bundle: bulk.Sealed) -> None:
        """Add many trials at once, all of them or none; raises ResultsError as :func:`results.store.bulk.put` does."""
        bulk.put(self.contents, bundle)

    def _bundle_when_many(self) -> None:
        """Bundle now and then; where there is no room for it the trials stay as they are, and that is no failure."""
        self._bundle_at -= 1
        if self._bundle_at > 0:
            return
        self._bundle_at = BUNDLE_TRIALS
        with contextlib.suppress(ResultsError):
            self.bundle()

    def _unbundled(self) -> Iterator[list[str]]:
        """Trials that are ok and have files of their own, oldest first, in groups of the size of a bundle."""
        loose = [
            (entry.started_at_ns, key, entry)
            for key, entry in self.contents.trials.items()
            if entry.status == "ok" and not entry.group.bundled
        ]
        group: list[str] = []
        size = 0
        for _, trial_id, entry in sorted(loose, key=lambda each: each[:2]):
            own = self.contents.size(entry.group)
            if group and (len(group) == BUNDLE_TRIALS or size + own > BUNDLE_BYTES):
                yield group
                group, size = [], 0
            group.append(trial_id)
            size += own
        if len(group) > 1:
            yield group

    def _bundle(self, trial_ids: Sequence[str]) -> None:
        """Merge the files of these trials; the bundle under ``trials`` is the commit point."""
        entries = self.contents.trials
        name = bundle_name(trial_ids)
        parts: dict[str, str] = {}
        try:
            for table in COMPANIONS:
                with_rows = [key for key in trial_ids if table in entries[key].group.parts]
                if with_rows:
                    parts[table] = self._write_bundle(table, name, with_rows, {})
            self._write_bundle("trials", name, trial_ids, {PARTS: json.dumps(parts, sort_keys=True).encode()})
        except sealed.DamagedFileError as damage:
            raise ResultsError(
                f"a file of {self.path} {damage}", remedy="Open the store again: the file is then set aside."
            ) from damage
        group = Group(name, parts)
        for table in ("trials", *COMPANIONS):
            for trial_id in trial_ids:
                with contextlib.suppress(OSError):
                    self.folder.unlink(self.contents.file(table, trial_id))
            with contextlib.suppress(FileNotFoundError):  # an older store has no folder for every table
                self.folder.sync(table)
        for trial_id in trial_ids:
            old = entries[trial_id]
            entries[trial_id] = Entry(old.status, old.environment_id, old.started_at_ns, group)

    def _write_bundle(self, table: str, name: str, trial_ids: Iterable[str], metadata: Mapping[bytes, bytes]) -> str:
        """Write one table of a bundle, durably; returns its digest."""
        files = [(key, self.contents.file(table, key)) for key in trial_ids]
        content, digest = merge(self.folder, table, files, metadata)
        self.folder.replace(self.contents.file(table, name), content)
        return digest


def _check_id(name: str) -> None:
    """Raise ResultsError on an id that is no safe file name."""
    if not is_safe_id(name):
        raise ResultsError(f"{name!r} is no id: letters, digits, dot, dash and underscore, at most 128")
