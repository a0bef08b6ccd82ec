"""The result store: a folder of sealed Parquet files that is whole at every moment.

``STORE/<table>/<trial_id>.parquet`` holds a trial's rows, ``STORE/environments/<environment_id>.parquet``
a machine, ``STORE/stripelab.json`` the version of the schema.  The file under ``trials`` is written last
and is the commit point; it names the digest of each companion file, so a trial is either whole or
not there.  One process writes to a store at a time (the caller holds the lock); any number may read.

Only pyarrow is needed here, and it is imported late: the store is written inside a slow virtual machine.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from results import sealed
from results.errors import ResultsError
from results.rows import required, to_table
from results.schema import (
    SCHEMA_VERSION,
    TABLES,
    EnvironmentRow,
    IntervalRow,
    ObservationRow,
    Row,
    TelemetryRow,
    TrialRow,
)

if TYPE_CHECKING:
    import pyarrow as pa

STATUSES = frozenset({"ok", "failed", "invalid"})
COMPANIONS = ("observations", "intervals", "telemetry")
MARKER = "stripelab.json"
SET_ASIDE = "set-aside"
_PARTS = b"stripelab_parts"
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class SetAside:
    """A file that does not count, and why; ``path`` is where it lies now."""

    path: Path
    reason: str


@dataclass(frozen=True)
class _Entry:
    """What the store remembers of a trial."""

    status: str
    environment_id: str
    parts: Mapping[str, str]


class Store:
    """A result store on disk; make one with :meth:`create`, :meth:`open` or :meth:`open_or_create`."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._trials: dict[str, _Entry] = {}
        self._environments: set[str] = set()
        self._set_aside: list[SetAside] = []

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make an empty store at ``path``; the folder may exist, a store in it may not.

        Raises:
            ResultsError: there is a store already, or the folder cannot be written.
        """
        if (path / MARKER).exists():
            raise ResultsError(f"{path} is a result store already", remedy="Open it, or name another folder.")
        try:
            for table in TABLES:
                (path / table).mkdir(parents=True, exist_ok=True)
            sealed.sync_folder(path.absolute().parent)
        except OSError as error:
            raise sealed.cannot_write(path, error) from error
        # The marker comes last: a folder without it is not yet a store, and create may be called again.
        sealed.replace_durable(path / MARKER, json.dumps({"schema": SCHEMA_VERSION}).encode() + b"\n")
        return cls(path, read_only=False)

    @classmethod
    def open(cls, path: Path, verify: bool = True, *, read_only: bool = False) -> Store:
        """Open the store at ``path``; torn or foreign files are set aside, which :attr:`set_aside` lists.

        ``verify`` checks every byte of every file against its seal; without it only the trial files
        are checked.  ``read_only`` moves nothing: files that do not count are skipped and listed.  The
        same happens where the store cannot be written.

        Raises:
            ResultsError: there is no store, it cannot be read, or a newer stripelab wrote it.
        """
        _check_marker(path)
        store = cls(path, read_only=read_only)
        try:
            store._scan_environments()
            store._scan_trials(verify=verify)
            store._scan_strays()
        except OSError as error:
            raise ResultsError(f"cannot read the store {path}: {error.strerror}") from error
        return store

    @classmethod
    def open_or_create(cls, path: Path) -> Store:
        """Open the store at ``path``, or make it where there is none."""
        return cls.open(path) if (path / MARKER).exists() else cls.create(path)

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Files that opening the store found torn, changed, foreign or incomplete."""
        return tuple(self._set_aside)

    @property
    def environment_ids(self) -> set[str]:
        """Environments that the store describes."""
        return set(self._environments)

    def trial_ids(self, statuses: Collection[str] | None = None) -> set[str]:
        """Trials in the store: all, or those whose status is one of ``statuses``."""
        return {key for key, entry in self._trials.items() if statuses is None or entry.status in statuses}

    def files(self, table: str) -> list[Path]:
        """Files of ``table`` that count, in the order of their names."""
        if table == "environments":
            names: Collection[str] = self._environments
        elif table == "trials":
            names = self._trials
        else:
            names = [key for key, entry in self._trials.items() if table in entry.parts]
        return [self._file(table, name) for name in sorted(names)]

    def files_of(self, table: str, trial_id: str) -> list[Path]:
        """The file of ``table`` that holds a trial's rows; none where it has no such rows."""
        entry = self._trials.get(trial_id)
        here = entry is not None and (table == "trials" or table in entry.parts)
        return [self._file(table, trial_id)] if here else []

    def put_environment(self, environment: EnvironmentRow) -> None:
        """Describe a machine; a description that is there already is left alone.

        Raises:
            ResultsError: the store is full or cannot be written.
        """
        name = environment.environment_id
        _check_id(name)
        if name in self._environments:
            return
        content, _ = sealed.encode(to_table("environments", [environment]))
        sealed.replace_durable(self._file("environments", name), content)
        self._environments.add(name)

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
        rows: dict[str, Sequence[Row]] = dict(zip(COMPANIONS, (observations, intervals, telemetry), strict=True))
        self._check_append(trial, rows)
        contents: dict[str, bytes] = {}
        parts: dict[str, str] = {}
        for table in (name for name in COMPANIONS if rows[name]):
            contents[table], parts[table] = sealed.encode(to_table(table, rows[table]))
        committed = to_table("trials", [trial])
        metadata = {**committed.schema.metadata, _PARTS: json.dumps(parts, sort_keys=True).encode()}
        contents["trials"], _ = sealed.encode(committed.replace_schema_metadata(metadata))
        self._write_parts(trial.trial_id, contents)
        try:
            self._commit(trial.trial_id, contents)
        except OSError as error:
            raise sealed.cannot_write(self._file("trials", trial.trial_id), error) from error
        self._trials[trial.trial_id] = _Entry(trial.status, trial.environment_id, parts)

    def _write_parts(self, trial_id: str, contents: Mapping[str, bytes]) -> None:
        """Write every file beside its place; where one does not fit, take all of them away again."""
        try:
            for table, content in contents.items():
                sealed.write_durable(self._temporary(table, trial_id), content)
        except ResultsError:
            for table in contents:
                with contextlib.suppress(OSError):
                    self._temporary(table, trial_id).unlink(missing_ok=True)
            raise

    def _commit(self, trial_id: str, contents: Mapping[str, bytes]) -> None:
        """Rename the files into place, the trial's own last.

        A trial file of an earlier outcome goes first: whatever moment the power fails at, an old trial
        row never stands beside new observations.
        """
        if trial_id in self._trials:
            self._file("trials", trial_id).unlink(missing_ok=True)
            sealed.sync_folder(self.path / "trials")
            del self._trials[trial_id]
        for table in COMPANIONS:
            if table in contents:
                self._temporary(table, trial_id).replace(self._file(table, trial_id))
                sealed.sync_folder(self.path / table)
            else:
                self._file(table, trial_id).unlink(missing_ok=True)
                self._temporary(table, trial_id).unlink(missing_ok=True)
        self._temporary("trials", trial_id).replace(self._file("trials", trial_id))
        sealed.sync_folder(self.path / "trials")

    def _check_append(self, trial: TrialRow, rows: Mapping[str, Sequence[Row]]) -> None:
        """Raise ResultsError where the rows may not be added."""
        _check_id(trial.trial_id)
        if self.read_only:
            raise ResultsError(f"{self.path} was opened to read only", remedy="Open it to write.")
        if trial.status not in STATUSES:
            raise ResultsError(f"trial {trial.trial_id}: {trial.status!r} is no status; one of {sorted(STATUSES)} is")
        if trial.environment_id not in self._environments:
            raise ResultsError(
                f"trial {trial.trial_id}: the store does not describe its environment {trial.environment_id}",
                remedy="Without a known environment a figure means nothing: put_environment comes first.",
            )
        known = self._trials.get(trial.trial_id)
        if known is not None and known.status == "ok":
            raise ResultsError(
                f"trial {trial.trial_id} is in the store with status ok and is not overwritten",
                remedy="Use another store, or a sweep with more replicates.",
            )
        if trial.status == "ok" and not rows["observations"]:
            raise ResultsError(f"trial {trial.trial_id} is called ok, but has no observation")
        strangers = {row.trial_id for group in rows.values() for row in group if not isinstance(row, EnvironmentRow)}
        if strangers - {trial.trial_id}:
            raise ResultsError(f"trial {trial.trial_id} comes with rows of other trials: {sorted(strangers)}")

    def _scan_environments(self) -> None:
        """Find the environments; a damaged one is set aside."""
        for path in self._listing("environments"):
            try:
                self._read("environments", path)
            except sealed.DamagedFileError as damage:
                self._put_aside([path], f"{path.name} {damage}")
            else:
                self._environments.add(path.stem)

    def _scan_trials(self, *, verify: bool) -> None:
        """Find the trials that are whole; the files of one that is not are set aside together."""
        for path in self._listing("trials"):
            try:
                entry = self._read_trial(path, verify=verify)
            except sealed.DamagedFileError as damage:
                companions = [self._file(table, path.stem) for table in COMPANIONS]
                self._put_aside([path, *(part for part in companions if part.exists())], str(damage))
            else:
                self._trials[path.stem] = entry

    def _scan_strays(self) -> None:
        """Set aside what is damaged or foreign among files that no trial names.

        A whole file of ours is what an append that did not come to its end leaves: it is invisible, and
        the repeated trial writes over it.
        """
        for table in COMPANIONS:
            named = set(self.files(table))
            for path in self._listing(table):
                if path in named:
                    continue
                try:
                    sealed.read(path)
                except sealed.DamagedFileError as damage:
                    if path.exists():
                        self._put_aside([path], f"{table}/{path.name} {damage}")

    def _read_trial(self, path: Path, *, verify: bool) -> _Entry:
        """A trial's entry; raises DamagedFileError where its own file or a companion is not as it was written."""
        try:
            table = self._read("trials", path)
        except sealed.DamagedFileError as damage:
            raise sealed.DamagedFileError(f"trials/{path.name} {damage}") from damage
        parts: dict[str, str] = json.loads(table.schema.metadata.get(_PARTS, b"{}"))
        for name, digest in sorted(parts.items()):
            companion = self._file(name, path.stem)
            if not verify and companion.exists():
                continue
            try:
                found = sealed.read(companion).digest
            except sealed.DamagedFileError as damage:
                raise sealed.DamagedFileError(f"{name}/{companion.name} {damage}") from damage
            if found != digest:
                raise sealed.DamagedFileError(f"{name}/{companion.name} is not the file written with this trial")
        return _Entry(table["status"][0].as_py(), table["environment_id"][0].as_py(), parts)

    def _read(self, table: str, path: Path) -> pa.Table:
        """The single row of a trial or an environment; raises DamagedFileError or, on a newer schema, ResultsError."""
        found = sealed.read(path).table
        metadata = found.schema.metadata or {}
        if metadata.get(b"stripelab_table") != table.encode():
            raise sealed.DamagedFileError(f"does not belong to the table {table}")
        _check_version(path, int(metadata.get(b"stripelab_schema", b"0")))
        key = "environment_id" if table == "environments" else "trial_id"
        missing = required(table) - set(found.column_names)
        if missing:
            raise sealed.DamagedFileError(f"lacks the columns {', '.join(sorted(missing))}")
        if found[key].to_pylist() != [path.stem]:
            raise sealed.DamagedFileError(f"does not hold what its name says: {found[key].to_pylist()[:3]}")
        return found

    def _put_aside(self, paths: Sequence[Path], reason: str) -> None:
        """Move files out of the tables, the first one first; where that is not possible they are skipped only."""
        for path in paths:
            target = self.path / SET_ASIDE / f"{path.parent.name}-{path.name}"
            lies_at = path
            if not self.read_only:
                with contextlib.suppress(OSError):
                    target.parent.mkdir(exist_ok=True)
                    target = _free_name(target)
                    path.replace(target)
                    target.with_name(f"{target.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")
                    sealed.sync_folder(path.parent)
                    sealed.sync_folder(target.parent)
                lies_at = target if not path.exists() else path
            self._set_aside.append(SetAside(lies_at, reason))

    def _listing(self, table: str) -> list[Path]:
        """Every visible file of a table, ours or not, in the order of the names; half-written ones are hidden."""
        folder = self.path / table
        if not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))

    def _file(self, table: str, name: str) -> Path:
        return self.path / table / f"{name}.parquet"

    def _temporary(self, table: str, name: str) -> Path:
        # The same name each time: what a killed run leaves behind, the repeated trial writes over.
        return self.path / table / f".{name}.parquet.tmp"


def _check_marker(path: Path) -> None:
    """Raise ResultsError unless ``path`` holds a store that this version can read."""
    try:
        marker = json.loads((path / MARKER).read_bytes())
        version = int(marker["schema"])
    except (FileNotFoundError, NotADirectoryError):
        raise ResultsError(
            f"{path} is no result store: it has no {MARKER}",
            remedy="Name the folder that was given to `stripelab run … --store`.",
        ) from None
    except OSError as error:
        raise ResultsError(f"cannot read {path / MARKER}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            f"{path / MARKER} does not say which schema the store has",
            remedy=f'Its content should be {{"schema": {SCHEMA_VERSION}}}; put that back.',
        ) from error
    _check_version(path, version)


def _check_version(path: Path, version: int) -> None:
    """Raise ResultsError on a schema that is newer than this program."""
    if version > SCHEMA_VERSION:
        raise ResultsError(
            f"{path} has schema {version}; this stripelab knows schemas up to {SCHEMA_VERSION}",
            remedy="Use the version of stripelab that wrote it, or a newer one.",
        )


def _check_id(name: str) -> None:
    """Raise ResultsError on an id that is no safe file name."""
    if not _SAFE_ID.fullmatch(name):
        raise ResultsError(f"{name!r} is no id: letters, digits, dot, dash and underscore, at most 128")


def _free_name(target: Path) -> Path:
    """``target``, or the first name after it that is not taken."""
    candidate, number = target, 1
    while candidate.exists():
        candidate, number = target.with_name(f"{number}-{target.name}"), number + 1
    return candidate
