"""What the folder of a store holds: found, checked byte by byte, and set aside where it does not count.

The files of a trial lie either alone (``<table>/<trial_id>.parquet``) or in a bundle with those of other
trials (``<table>/bundle+<name>.parquet``, see :mod:`results.store.bundles`).  Either way the file under ``trials``
names the digest of each companion, so a trial is whole or not there.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.store import sealed
from results.store.bundles import is_bundle, trials_in
from results.store.files import Folder, parse_json
from results.store.marker import check_version
from results.store.rows import conform, required

if TYPE_CHECKING:
    import pyarrow as pa

COMPANIONS = ("observations", "intervals", "telemetry", "summaries")
SET_ASIDE = "set-aside"
PARTS = b"stripelab_parts"
REPLACES = b"stripelab_replaces"
_SUFFIX = ".parquet"


_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_safe_id(name: str) -> bool:
    """Whether an id can be the name of a file, and of nothing elsewhere."""
    return _SAFE_ID.fullmatch(name) is not None


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


@dataclass(frozen=True)
class Part:
    """A file of one table beneath ``folder``, and those of the trials in it that count, in no particular order."""

    folder: Folder
    name: str
    trial_ids: frozenset[str]
    bundled: bool


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

    @property
    def folder(self) -> Folder:
        """The door to the files."""
        return Folder(self.path)

    def scan(self, tables: Collection[str]) -> None:
        """Find everything, and check the companions in ``tables``.

        Raises:
            MovedError: the store changed meanwhile; scan again.
            ResultsError: a newer stripelab wrote a file, or one cannot be read.
        """
        self._scan_environments()
        for name in sorted(self._listing("trials"), key=lambda name: (not is_bundle(name), name)):
            self._scan_trials(name)
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
                if not self.folder.exists(self.file("trials", group.name)):
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

    def file(self, table: str, name: str) -> str:
        """The name of a file beneath the folder."""
        return f"{table}/{name}{_SUFFIX}"

    def size(self, group: Group) -> int:
        """Bytes of the files of a group."""
        return sum(self.folder.size(self.file(table, group.name)) for table in ("trials", *group.parts))

    def _digests(self, tables: Collection[str], groups: Sequence[Group]) -> Mapping[tuple[str, Group], _Digest]:
        """Digests of all parts that were not checked yet, two files at a time: hashing lets other threads run."""
        left = [
            (table, group)
            for group in groups
            for table in tables
            if table in group.parts and (table, group) not in self._whole
        ]
        if len(left) < _FEW:
            return {}
        names = [self.file(table, group.name) for table, group in left]
        with ThreadPoolExecutor(_HASHERS) as hashers:
            return dict(zip(left, hashers.map(partial(_digest, self.folder), names), strict=True))

    def _verify_part(
        self, table: str, group: Group, digests: Mapping[tuple[str, Group], _Digest] = MappingProxyType({})
    ) -> None:
        if table not in group.parts or (table, group) in self._whole:
            return
        name = self.file(table, group.name)
        try:
            found = digests[table, group]() if (table, group) in digests else sealed.digest(self.folder, name)
        except sealed.DamagedFileError as damage:
            raise sealed.DamagedFileError(f"{name} {damage}") from damage
        if found != group.parts[table]:
            raise sealed.DamagedFileError(f"{name} is not the file written with this trial")
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
        there = [name for name in companions if self.folder.exists(name)]
        self._put_aside([self.file("trials", group.name), *there], reason)

    def _scan_environments(self) -> None:
        """Find the environments; a damaged one is set aside."""
        for name in self._listing("environments"):
            stem = name.removesuffix(_SUFFIX)
            try:
                found = self._read("environments", name)
                if found["environment_id"].to_pylist() != [stem] or stem == name:
                    raise sealed.DamagedFileError("does not hold what its name says")  # noqa: TRY301
            except sealed.DamagedFileError as damage:
                self._put_aside([f"environments/{name}"], f"{name} {damage}")
            else:
                self.environments.add(stem)

    def _scan_trials(self, name: str) -> None:
        """Find the trials of one file; files of a group that is not whole are set aside together."""
        stem = name.removesuffix(_SUFFIX)
        blamed = f"trials/{name}"
        try:
            table = self._read("trials", name)
            ids = table["trial_id"].to_pylist()
            if stem == name or ids != (trials_in(table.schema.metadata) if is_bundle(stem) else [stem]):
                raise sealed.DamagedFileError(f"does not hold what its name says: {ids[:3]}")  # noqa: TRY301
            if not all(map(is_safe_id, ids)):
                raise sealed.DamagedFileError("has a trial with an id that is no name of a file")  # noqa: TRY301
            group = _group(stem, table.schema.metadata)
            for part in sorted(group.parts):
                blamed = self.file(part, stem)
                if not self.folder.exists(blamed):
                    raise sealed.DamagedFileError("is missing")  # noqa: TRY301
        except sealed.DamagedFileError as damage:
            if not self.folder.exists(f"trials/{name}"):
                raise MovedError from damage
            if stem == name:
                self._put_aside([f"trials/{name}"], f"{blamed} {damage}")
            else:
                self._drop(Group(stem, {}), f"{blamed} {damage}")
            return
        columns = [table[column].to_pylist() for column in ("status", "environment_id", "started_at_ns")]
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

    def _read(self, table: str, name: str) -> pa.Table:
        """A file of trials or environments; raises DamagedFileError or, on a newer schema, ResultsError."""
        key = ("environment_id",) if table == "environments" else ("trial_id", "status", "environment_id")
        inside = f"{table}/{name}"
        whole = sealed.read(self.folder, inside, (*key, "started_at_ns"))
        metadata = whole.table.schema.metadata or {}
        if metadata.get(b"stripelab_table") != table.encode():
            raise sealed.DamagedFileError(f"does not belong to the table {table}")
        check_version(self.path / inside, _version(metadata.get(b"stripelab_schema", b"0")))
        missing = required(table) - set(whole.columns)
        if missing:
            raise sealed.DamagedFileError(f"lacks the columns {', '.join(sorted(missing))}")
        found = conform(table, whole.table, whole.table.column_names)
        return found.replace_schema_metadata(metadata)

    def _drop_what_bundles_hold(self) -> None:
        """Remove what lies twice, where every byte of what is to stay was checked; companions go as strays."""
        twice = list(self.shadowed.items())
        for trial_id, entry in twice:
            counted = self.trials[trial_id].group
            replaced = entry.group.name in counted.replaces
            stays = counted if replaced else entry.group
            if all((table, stays) in self._whole for table in stays.parts):
                self.folder.unlink(self.file("trials", entry.group.name if replaced else trial_id))
                del self.shadowed[trial_id]
                if not replaced:
                    self.trials[trial_id] = entry
        if twice:
            self.folder.sync("trials")

    def _scan_strays(self) -> None:
        """Set aside what is damaged or foreign among files that no trial names.

        A whole file of ours is what an append that did not come to its end leaves: it is invisible, and
        the repeated trial writes over it.  What a bundling that was interrupted leaves lies twice, and is removed.
        """
        for table in COMPANIONS:
            named = {entry.group.name for entry in (*self.trials.values(), *self.shadowed.values())}
            for name in self._listing(table):
                stem, inside = name.removesuffix(_SUFFIX), f"{table}/{name}"
                if stem in named and stem != name:
                    continue
                try:
                    self._stray(inside, stem if stem != name else "")
                except sealed.DamagedFileError as damage:
                    if self.folder.exists(inside):
                        self._put_aside([inside], f"{inside} {damage}")

    def _stray(self, name: str, stem: str) -> None:
        """Look at a file that no trial names; raises DamagedFileError where it is to be set aside."""
        if stem in self.trials:
            held: Iterable[str] = [stem]
        else:
            sealed.digest(self.folder, name)
            if not is_bundle(stem):
                return
            held = trials_in(sealed.read(self.folder, name, (), large=True).table.schema.metadata)
        if not all(trial_id in self.trials for trial_id in held):
            raise sealed.DamagedFileError("is a bundle that no file of trials names")
        if not self.read_only:
            with contextlib.suppress(OSError):
                self.folder.unlink(name)

    def _put_aside(self, names: Sequence[str], reason: str) -> None:
        """Move files out of the tables, the first one first; where that is not possible they are skipped only."""
        for name in names:
            lies_at = name
            if not self.read_only:
                with contextlib.suppress(OSError):
                    lies_at = self._moved_aside(name)
                    with contextlib.suppress(ResultsError):
                        self.folder.replace(f"{lies_at}.reason.txt", f"{reason}\n".encode("utf-8", "backslashreplace"))
            self.set_aside.append(SetAside(self.path / lies_at, reason))

    def _moved_aside(self, name: str) -> str:
        """Move one, whatever it is; returns where it lies now."""
        self.folder.make_folder(SET_ASIDE)
        taken = set(self.folder.names(SET_ASIDE))
        flat = name.replace("/", "-")
        numbered = (f"{number}-{flat}" for number in count(1))
        free = next(each for each in chain([flat], numbered) if each not in taken)
        self.folder.rename(name, f"{SET_ASIDE}/{free}")
        self.folder.sync(name.partition("/")[0])
        return f"{SET_ASIDE}/{free}"

    def _listing(self, table: str) -> list[str]:
        """Every visible name in a table, ours or not, sorted; half-written files are hidden."""
        return [name for name in self.folder.names(table) if not name.startswith(".")]


def _group(name: str, metadata: Mapping[bytes, bytes]) -> Group:
    """The group that a file under ``trials`` names; raises DamagedFileError where it names none."""
    try:
        parts, replaces = parse_json(metadata.get(PARTS, b"{}")), parse_json(metadata.get(REPLACES, b"[]"))
        words = [*parts.values(), *replaces]
    except (ValueError, TypeError, AttributeError) as error:
        raise sealed.DamagedFileError("does not say which files belong to it") from error
    if not set(parts) <= set(COMPANIONS) or not all(isinstance(word, str) for word in words):
        raise sealed.DamagedFileError("names companions that there are none of")
    return Group(name, parts, frozenset(replaces))


def _version(text: bytes) -> int:
    """Schema of a file; raises DamagedFileError where that is no number."""
    try:
        return int(text)
    except ValueError:
        raise sealed.DamagedFileError("does not say which schema it has") from None


_Digest = Callable[[], str]
_HASHERS, _FEW = 2, 16


def _digest(folder: Folder, name: str) -> _Digest:
    """The digest of a file, or what was wrong with it, when it is asked for."""
    try:
        found = sealed.digest(folder, name)
    except (sealed.DamagedFileError, ResultsError) as error:
        return partial(_again, error)
    return lambda: found


def _again(error: Exception) -> str:
    raise error


def moved(path: Path) -> ResultsError:
    """The words for a store that another process is changing."""
    return ResultsError(
        f"{path} changed while it was read: a run is merging its files", remedy="Run the same command again."
    )
