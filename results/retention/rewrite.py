"""Some files of a store replaced by one bundle of the same trials, at no moment counted twice or not at all.

The new files are written beside the old ones, each whole (a temporary file, fsync, rename, fsync of the folder).  The
one under ``trials`` comes last and is the commit point: it names the groups that it replaces, and from then on these
do not count (:mod:`results.store.contents`).  Only then are they removed, the file under ``trials`` first.  What an
interruption leaves behind is removed when the store is next opened to write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.retention.summarise import summaries
from results.store import sealed
from results.store.bundles import bundle_name, encode
from results.store.contents import COMPANIONS, PARTS, REPLACES, Contents, Entry, Group
from results.store.files import cannot_write
from results.store.folder import Store
from results.store.pieces import by_trial
from results.store.rows import to_table
from results.store.schema import DISK_CHECK, DISK_HEALTH, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

_EARLIER = "-"  # in the name: before any digit, so that a listing has it before what it may replace


@dataclass(frozen=True)
class Rewritten:
    """A bundle that is not in the store yet: bytes of each table, what it replaces, and how many bytes that has."""

    group: Group
    trials: Mapping[str, Entry]
    content: Mapping[str, bytes]
    replaced: tuple[Group, ...]
    bytes_before: int

    @property
    def bytes_after(self) -> int:
        """Bytes of the new files."""
        return sum(len(each) for each in self.content.values())


def rewritten(store: Store, groups: Sequence[Group], drop: Collection[str], now_ns: int) -> Rewritten:
    """The trials of these groups as one bundle, in the order given; the raw data of ``drop`` are summed up.

    Raises:
        ResultsError: a file is damaged or cannot be read.
    """
    members = _members(store.contents)
    reading = _Reading(store, tuple(members[group.name] for group in groups), frozenset(drop), now_ns)
    name = _name(groups, drop)
    content: dict[str, bytes] = {}
    digests: dict[str, str] = {}
    for table in COMPANIONS:
        found = list(reading.summaries() if table == "summaries" else reading.rows(table))
        if found:
            content[table], digests[table] = encode(table, found, {})
    replaces = [group.name for group in groups]
    told = {PARTS: json.dumps(digests, sort_keys=True).encode(), REPLACES: json.dumps(replaces).encode()}
    content["trials"], digest = encode("trials", reading.rows("trials"), told)
    new = Group(name, digests, frozenset(replaces))
    trials = {
        trial_id: Entry(old.status, old.environment_id, old.started_at_ns, new)
        for ids in reading.members
        for trial_id in ids
        for old in (store.contents.trials[trial_id],)
    }
    _check(store, reading, content, digest)
    return Rewritten(new, trials, content, tuple(groups), sum(map(store.contents.size, groups)))


def put(contents: Contents, new: Rewritten) -> None:
    """Put a bundle into the folder and take away what it replaces; a crash leaves the old state or the new one.

    Raises:
        ResultsError: the store is full, cannot be written, or gives back other bytes than were written.
    """
    for table in (*COMPANIONS, "trials"):
        if table not in new.content:
            continue
        if table == "trials":
            _read_back(contents, new)
        name = contents.file(table, new.group.name)
        try:
            contents.folder.make_folder(table)  # an older store has no folder for every table
        except OSError as error:
            raise cannot_write(contents.path / name, error) from error
        contents.folder.replace(name, new.content[table])
    contents.trials.update(new.trials)
    for table in ("trials", *COMPANIONS):
        try:
            for group in new.replaced:
                contents.folder.unlink(contents.file(table, group.name))
            with suppress(FileNotFoundError):  # as above
                contents.folder.sync(table)
        except OSError as error:
            raise cannot_write(contents.path / table, error) from error


def groups_of(contents: Contents) -> list[Group]:
    """Every group that counts, in the order of its first trial."""
    first: dict[Group, tuple[int, str]] = {}
    for trial_id, entry in contents.trials.items():
        began = (entry.started_at_ns, trial_id)
        first[entry.group] = min(first.get(entry.group, began), began)
    return sorted(first, key=first.__getitem__)


def _members(contents: Contents) -> dict[str, list[str]]:
    """Trials of every group by its name."""
    found: dict[str, list[str]] = {}
    for trial_id, entry in contents.trials.items():
        found.setdefault(entry.group.name, []).append(trial_id)
    return found


def _name(groups: Sequence[Group], drop: Collection[str]) -> str:
    """A name that follows from what is replaced and what is dropped: a repeated attempt writes over its own files."""
    parts = (*(group.name for group in groups), hashlib.sha256("\n".join(sorted(drop)).encode()).hexdigest())
    prefix, plus, rest = bundle_name(parts).partition("+")
    return f"{prefix}{plus}{_EARLIER}{rest}"


@dataclass(frozen=True)
class _Reading:
    """The rows of some groups as they are to be; ``members`` are the trials of each."""

    store: Store
    members: tuple[list[str], ...]
    drop: frozenset[str]
    now_ns: int

    def rows(self, table: str) -> Iterator[tuple[str, pa.Table]]:
        """Trial and what is kept of its rows in a table."""
        for trial_id, found in self.every(table):
            kept = self._kept(table, found) if trial_id in self.drop else found
            if kept.num_rows:
                yield trial_id, kept

    def summaries(self) -> Iterator[tuple[str, pa.Table]]:
        """Summaries that are there, and those of what is dropped now."""
        yield from self.every("summaries")
        made: dict[str, list[object]] = {}
        for source in ("intervals", "telemetry"):
            for trial_id, found in self.every(source):
                if trial_id in self.drop:
                    made.setdefault(trial_id, []).extend(summaries(trial_id, source, found))
        for trial_id, rows in made.items():
            if rows:
                yield trial_id, to_table("summaries", rows)  # type: ignore[arg-type]

    def every(self, table: str) -> Iterator[tuple[str, pa.Table]]:
        """Trial and all its rows in a table, as they are in the store."""
        columns = arrow_schema(table).names
        for ids in self.members:
            yield from by_trial(self.store, table, columns, ids)

    def _kept(self, table: str, found: pa.Table) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        if table == "intervals":
            return found.slice(0, 0)
        if (
            table == "telemetry"
        ):  # what each disk reads on its own is what later nights are compared with; its health is a row
            return found.filter(pc.or_(*(pc.equal(found["workload"], each) for each in (DISK_CHECK, DISK_HEALTH))))
        name = "raw_zlib" if table == "observations" else "dropped_at_ns"
        kind = arrow_schema(table).field(name)
        values = (
            pa.nulls(found.num_rows, kind.type)
            if name == "raw_zlib"
            else pa.array([self.now_ns] * found.num_rows, kind.type)
        )
        return found.set_column(found.schema.get_field_index(name), kind, values)


def _check(store: Store, reading: _Reading, content: Mapping[str, bytes], digest: str) -> None:
    """Look into the bytes that are to replace others: as many trials and observations, or nothing is done."""
    wanted = [trial_id for ids in reading.members for trial_id in ids]
    held = 0
    for table in ("trials", "observations"):
        before = sum(found.num_rows for _, found in reading.every(table))
        after = 0
        if table in content:
            after = sealed.rows_in(content[table])
        held += before == after and (table != "trials" or after == len(wanted))
    if held != 2 or sealed.check(content["trials"]) != digest:
        raise ResultsError(
            f"what would replace {len(wanted)} trials of {store.path} does not hold all of them: nothing was changed",
            remedy="This is a defect of stripelab: please report it.",
        )


def _read_back(contents: Contents, new: Rewritten) -> None:
    """Companions as the disk gives them back; raises ResultsError where one is not what was written."""
    for table, expected in new.group.parts.items():
        name = contents.file(table, new.group.name)
        try:
            found = sealed.digest(contents.folder, name)
        except sealed.DamagedFileError as damage:
            found = str(damage)
        if found != expected:
            raise ResultsError(
                f"{contents.path / name} is not what was written into it: nothing was dropped",
                remedy="Look at `dmesg` for errors of the disk.",
            )
