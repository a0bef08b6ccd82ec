"""What the folder of a store holds: found, checked byte by byte, and set aside where it does not count.

The files of a trial lie either alone (``<table>/<trial_id>.parquet``) or in a bundle with those of other
trials (``<table>/bundle+<name>.parquet``, see :mod:`results.store.bundles`).  Either way the file under ``trials``
names the digest of each companion, so a trial is whole or not there.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.store import sealed
from results.store.bundles import is_bundle, trials_in
from results.store.marker import check_version
from results.store.rows import required

if TYPE_CHECKING:
    import pyarrow as pa

COMPANIONS = ("observations", "intervals", "telemetry", "summaries")
SET_ASIDE = "set-aside"
PARTS = b"stripelab_parts"
REPLACES = b"stripelab_replaces"


class MovedError(Exception):
    """A file that was there is not there any more, and neither is what named it: another process bundled it."""


@dataclass(frozen=True)
class SetAside:
    """A file that does not count, and why; ``path`` is where it lies now."""

    path: Path
    reason: str


@dataclass(frozen=True, eq=False)
class Group:
    """Files that were written together: one under ``trials``, and companions with their digests by table.

    ``replaces`` are groups whose trials it was made of to take their place: where one of them is still there, it
    does not count.
    """

    name: str
    parts: Mapping[str, str]
    replaces: frozenset[str] = frozenset()

    @property
    def bundled(self) -> bool:
        """Whether the files hold several trials."""
        return is_bundle(self.name)


@dataclass(frozen=True)
class Entry:
    """What is remembered of a trial."""

    status: str
    environment_id: str
    started_at_ns: int
    group: Group


@dataclass
class Contents:
    """Trials and environments of the store at ``path``.

    ``shadowed`` are trials that lie twice, as what was interrupted leaves them: in a bundle whose trials still have
    their own files, which count, or in a group that another one replaces (:mod:`results.retention`), which counts.
    """

    path: Path
    read_only: bool
    trials: dict[str, Entry] = field(default_factory=dict)
    environments: set[str] = field(default_factory=set)
    set_aside: list[SetAside] = field(default_factory=list)
    shadowed: dict[str, Entry] = field(default_factory=dict)
    _whole: set[tuple[str, Group]] = field(default_factory=set)

    def scan(self, tables: Collection[str]) -> None:
        """Find everything, and check the companions in ``tables``.

        Raises:
            MovedError: the store changed meanwhile; scan again.
            ResultsError: a newer stripelab wrote a file, or one cannot be read.
        """
        self._scan_environments()
        for path in sorted(self._listing("trials"), key=lambda path: (not is_bundle(path.stem), path.name)):
            self._scan_trials(path)
        self.verify(tables)
        if not self.read_only:
            self._drop_what_bundles_hold()
        self._scan_strays()

    def verify(self, tables: Collection[str], trial_ids: Collection[str] | None = None) -> None:
        """Check every byte of the companions in ``tables`` that were not checked yet, against the digest of each.

        With ``trial_ids``: of the files with a row of these trials.

        Trials with a damaged companion do not count from then on, and their files are set aside.

        Raises:
            MovedError: the store changed meanwhile.
        """
        places = (self.trials, self.shadowed)
        entries = (
            [entry for place in places for entry in place.values()]
            if trial_ids is None
            else [place[trial_id] for place in places for trial_id in trial_ids if trial_id in place]
        )
        groups = tuple(dict.fromkeys(entry.group for entry in entries))
        digests = self._digests(tables, groups)
        for group in groups:
            try:
                for table in tables:
                    self._verify_part(table, group, digests)
            except sealed.DamagedFileError as damage:
                if not self.file("trials", group.name).exists():
                    raise MovedError from damage
                self._drop(group, str(damage))

    def verify_group(self, table: str, group: Group) -> None:
        """Check one companion; raises ResultsError where it is damaged."""
        try:
            self._verify_part(table, group)
        except sealed.DamagedFileError as damage:
            raise ResultsError(
                f"{damage}", remedy="Run the same command again: the trial is then left out, and named."
            ) from damage

    def file(self, table: str, name: str) -> Path:
        """Where a file lies."""
        return self.path / table / f"{name}.parquet"

    def _digests(self, tables: Collection[str], groups: Sequence[Group]) -> Mapping[tuple[str, Group], _Digest]:
        """Digests of all parts that were not checked yet, two files at a time: hashing lets other threads run."""
        left = [
            (table, group)
            for group in groups
            for table in tables
            if table in group.parts and (table, group) not in self._whole
        ]
        paths = [self.file(table, group.name) for table, group in left]
        if len(paths) < _FEW:
            return {}
        with ThreadPoolExecutor(_HASHERS) as hashers:
            return dict(zip(left, hashers.map(_digest, paths), strict=True))

    def _verify_part(
        self, table: str, group: Group, digests: Mapping[tuple[str, Group], _Digest] = MappingProxyType({})
    ) -> None:
        if table not in group.parts or (table, group) in self._whole:
            return
        path = self.file(table, group.name)
        try:
            found = digests[table, group]() if (table, group) in digests else sealed.digest(path)
        except sealed.DamagedFileError as damage:
            raise sealed.DamagedFileError(f"{table}/{path.name} {damage}") from damage
        if found != group.parts[table]:
            raise sealed.DamagedFileError(f"{table}/{path.name} is not the file written with this trial")
        self._whole.add((table, group))

    def _drop(self, group: Group, reason: str) -> None:
        """Forget the trials of a group and set its files aside; where a trial lies twice, the other one counts."""
        self.trials = {key: entry for key, entry in self.trials.items() if entry.group is not group}
        for key, entry in list(self.shadowed.items()):
            if key not in self.trials or entry.group is group:
                del self.shadowed[key]
                if entry.group is not group:
                    self.trials[key] = entry
        companions = [self.file(table, group.name) for table in COMPANIONS]
        self._put_aside([self.file("trials", group.name), *(part for part in companions if part.exists())], reason)

    def _scan_environments(self) -> None:
        """Find the environments; a damaged one is set aside."""
        for path in self._listing("environments"):
            try:
                found = self._read("environments", path)
                if found["environment_id"].to_pylist() != [path.stem]:
                    raise sealed.DamagedFileError("does not hold what its name says")  # noqa: TRY301
            except sealed.DamagedFileError as damage:
                self._put_aside([path], f"{path.name} {damage}")
            else:
                self.environments.add(path.stem)

    def _scan_trials(self, path: Path) -> None:
        """Find the trials of one file; files of a group that is not whole are set aside together."""
        try:
            table = self._read("trials", path)
            ids = table["trial_id"].to_pylist()
            if ids != (trials_in(table.schema.metadata) if is_bundle(path.stem) else [path.stem]):
                raise sealed.DamagedFileError(f"does not hold what its name says: {ids[:3]}")  # noqa: TRY301
            told = table.schema.metadata
            replaces = frozenset(json.loads(told.get(REPLACES, b"[]")))
            group = Group(path.stem, json.loads(told.get(PARTS, b"{}")), replaces)
            for name in sorted(group.parts):
                if not self.file(name, path.stem).exists():
                    raise sealed.DamagedFileError("is missing", name)  # noqa: TRY301
        except sealed.DamagedFileError as damage:
            if not path.exists():
                raise MovedError from damage
            named = "/".join((damage.args[1] if len(damage.args) > 1 else "trials", path.name))
            self._drop(Group(path.stem, {}), f"{named} {damage.args[0]}")
            return
        columns = [table[name].to_pylist() for name in ("status", "environment_id", "started_at_ns")]
        for trial_id, status, environment_id, started_at_ns in zip(ids, *columns, strict=True):
            self._count(trial_id, Entry(status, environment_id, started_at_ns, group))

    def _count(self, trial_id: str, found: Entry) -> None:
        """Add a trial; where it lies twice, what was replaced is shadowed, else what was found before."""
        other = self.trials.get(trial_id)
        if other is not None and found.group.name in other.group.replaces:
            self.shadowed[trial_id] = found
            return
        if other is not None:
            self.shadowed[trial_id] = other
        self.trials[trial_id] = found

    def _read(self, table: str, path: Path) -> pa.Table:
        """A file of trials or environments; raises DamagedFileError or, on a newer schema, ResultsError."""
        key = ("environment_id",) if table == "environments" else ("trial_id", "status", "environment_id")
        whole = sealed.read(path, (*key, "started_at_ns"))
        metadata = whole.table.schema.metadata or {}
        if metadata.get(b"stripelab_table") != table.encode():
            raise sealed.DamagedFileError(f"does not belong to the table {table}")
        check_version(path, int(metadata.get(b"stripelab_schema", b"0")))
        missing = required(table) - set(whole.columns)
        if missing:
            raise sealed.DamagedFileError(f"lacks the columns {', '.join(sorted(missing))}")
        return whole.table

    def _drop_what_bundles_hold(self) -> None:
        """Remove what lies twice, where every byte of what is to stay was checked; companions go as strays."""
        twice = list(self.shadowed.items())
        for trial_id, entry in twice:
            counted = self.trials[trial_id].group
            replaced = entry.group.name in counted.replaces
            stays = counted if replaced else entry.group
            if all((table, stays) in self._whole for table in stays.parts):
                self.file("trials", entry.group.name if replaced else trial_id).unlink(missing_ok=True)
                del self.shadowed[trial_id]
                if not replaced:
                    self.trials[trial_id] = entry
        if twice:
            sealed.sync_folder(self.path / "trials")

    def _scan_strays(self) -> None:
        """Set aside what is damaged or foreign among files that no trial names.

        A whole file of ours is what an append that did not come to its end leaves: it is invisible, and
        the repeated trial writes over it.  What a bundling that was interrupted leaves lies twice, and is removed.
        """
        for table in COMPANIONS:
            named = {entry.group.name for entry in (*self.trials.values(), *self.shadowed.values())}
            for path in self._listing(table):
                if path.stem in named and path.suffix == ".parquet":
                    continue
                try:
                    self._stray(path)
                except sealed.DamagedFileError as damage:
                    if path.exists():
                        self._put_aside([path], f"{table}/{path.name} {damage}")

    def _stray(self, path: Path) -> None:
        """Look at a file that no trial names; raises DamagedFileError where it is to be set aside."""
        if path.stem in self.trials and path.suffix == ".parquet":
            held: Iterable[str] = [path.stem]
        else:
            sealed.digest(path)
            if not is_bundle(path.stem):
                return
            held = trials_in(sealed.read(path, ()).table.schema.metadata)
        if not all(trial_id in self.trials for trial_id in held):
            raise sealed.DamagedFileError("is a bundle that no file of trials names")
        if not self.read_only:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

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
            self.set_aside.append(SetAside(lies_at, reason))

    def _listing(self, table: str) -> list[Path]:
        """Every visible file of a table, ours or not, in the order of the names; half-written ones are hidden."""
        folder = self.path / table
        if not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _free_name(target: Path) -> Path:
    """``target``, or the first name after it that is not taken."""
    candidate, number = target, 1
    while candidate.exists():
        candidate, number = target.with_name(f"{number}-{target.name}"), number + 1
    return candidate


_Digest = Callable[[], str]
_HASHERS, _FEW = 2, 16


def _digest(path: Path) -> _Digest:
    """The digest of a file, or what was wrong with it, when it is asked for."""
    try:
        found = sealed.digest(path)
    except (sealed.DamagedFileError, ResultsError) as error:
        return partial(_again, error)
    return lambda: found


def _again(error: Exception) -> str:
    raise error
