"""Many trials at once: their rows as the bytes of bundles, ready to be put into a store.

A store that is filled trial by trial writes a file per trial and table and merges them later; what is known all
at once is sealed into bundles directly.  That needs no store, so several processes can do it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.store import sealed
from results.store.bundles import ROW_GROUP_BYTES, ROW_GROUP_ROWS, bundle_name, index_metadata
from results.store.contents import COMPANIONS, PARTS, Contents, Entry, Group
from results.store.rows import to_table
from results.store.schema import EnvironmentRow, IntervalRow, ObservationRow, Row, TrialRow

if TYPE_CHECKING:
    import pyarrow as pa

TRIALS = 1024
"""Most trials of a bundle."""
RAW_BYTES = 32 << 20
"""Raw output in a bundle from which on another one is begun."""

Rows = tuple[TrialRow, Sequence[ObservationRow], Sequence[IntervalRow]]


@dataclass(frozen=True)
class Committed:
    """What a store remembers of a trial in a bundle."""

    trial_id: str
    status: str
    environment_id: str
    started_at_ns: int


@dataclass(frozen=True)
class Sealed:
    """A bundle that no store has yet: bytes of each table, digests of the companions of ``trials``."""

    name: str
    trials: tuple[Committed, ...]
    content: Mapping[str, bytes]
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Description:
    """A machine as the bytes of its file."""

    environment_id: str
    content: bytes


def describe(environment: EnvironmentRow) -> Description:
    """A machine, ready to be put into a store."""
    content, _ = sealed.encode(to_table("environments", [environment]))
    return Description(environment.environment_id, content)


def seal(trials: Sequence[Rows]) -> Iterator[Sealed]:
    """Bundles of these trials, in the order given.

    Raises:
        ResultsError: a value does not fit its column.
    """
    for group in _groups(trials):
        yield _sealed(group)


def put(contents: Contents, bundle: Sealed) -> None:
    """Write a bundle into the folder of a store: after this returns its trials survive a power cut, before not.

    Raises:
        ResultsError: a trial is there already, an environment is not described, or the store is full or cannot
            be written.
    """
    if contents.read_only:
        raise ResultsError(f"{contents.path} was opened to read only", remedy="Open it to write.")
    for trial in bundle.trials:
        if trial.trial_id in contents.trials:
            raise ResultsError(f"trial {trial.trial_id} is in the store already", remedy="Import it once.")
        if trial.environment_id not in contents.environments:
            raise ResultsError(
                f"trial {trial.trial_id}: the store does not describe its environment {trial.environment_id}",
                remedy="Without a known environment a figure means nothing: put_environment comes first.",
            )
    for table in (*COMPANIONS, "trials"):  # the trials last: they name the others
        if table in bundle.content:
            contents.folder.replace(contents.file(table, bundle.name), bundle.content[table])
    group = Group(bundle.name, dict(bundle.digests))
    for trial in bundle.trials:
        entry = Entry(trial.status, trial.environment_id, trial.started_at_ns, group)
        contents.trials[trial.trial_id] = entry


def _groups(trials: Sequence[Rows]) -> Iterator[list[Rows]]:
    """Trials by bundle."""
    group: list[Rows] = []
    size = 0
    for each in trials:
        own = sum(len(row.raw_zlib or b"") for row in each[1])
        if group and (len(group) == TRIALS or size + own > RAW_BYTES):
            yield group
            group, size = [], 0
        group.append(each)
        size += own
    if group:
        yield group


def _sealed(group: Sequence[Rows]) -> Sealed:
    """One bundle."""
    name = bundle_name(trial.trial_id for trial, _, _ in group)
    content: dict[str, bytes] = {}
    digests: dict[str, str] = {}
    companions: Mapping[str, list[tuple[str, Sequence[Row]]]] = {
        "observations": [(trial.trial_id, rows) for trial, rows, _ in group if rows],
        "intervals": [(trial.trial_id, rows) for trial, _, rows in group if rows],
    }
    for table, members in companions.items():
        if members:
            content[table], digests[table] = _encode(table, members, {})
    parts = {PARTS: json.dumps(digests, sort_keys=True).encode()}
    content["trials"], _ = _encode("trials", [(trial.trial_id, [trial]) for trial, _, _ in group], parts)
    known = tuple(
        Committed(trial.trial_id, trial.status, trial.environment_id, trial.started_at_ns) for trial, _, _ in group
    )
    return Sealed(name, known, content, digests)


def _encode(
    table: str, members: Sequence[tuple[str, Sequence[Row]]], metadata: Mapping[bytes, bytes]
) -> tuple[bytes, str]:
    """Bytes and digest of one table of a bundle; a row group ends where a trial does."""
    index = [(trial_id, len(rows)) for trial_id, rows in members]

    def tables() -> Iterator[pa.Table]:
        waiting: list[Row] = []
        size = 0
        for _, rows in members:
            waiting += rows
            size += sum(len(row.raw_zlib or b"") for row in rows if isinstance(row, ObservationRow))
            if len(waiting) >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
                yield to_table(table, waiting)
                waiting, size = [], 0
        if waiting:
            yield to_table(table, waiting)

    return sealed.encode_groups(table, tables(), lambda: {**metadata, **index_metadata(index)})
