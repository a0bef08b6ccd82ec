"""Reading a table piece by piece: whole trials, a row group at a time, and of that only what is asked for.

Columns that are not named and row groups without a wanted trial are not decoded (projection and predicate
push-down), so memory holds one row group, or one trial where that is larger, whatever the store's size.
Every file is checked against its digest before its first row is handed out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.store import sealed
from results.store.bundles import rows_of_trials
from results.store.contents import COMPANIONS
from results.store.folder import Part, Store
from results.store.rows import conform
from results.store.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


@dataclass(frozen=True)
class Place:
    """Where the rows of a trial lie in a piece."""

    trial_id: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows of a table; those of the trials that were asked for lie at ``places``, in the order of the rows."""

    places: tuple[Place, ...]
    table: pa.Table

    def of(self, place: Place) -> pa.Table:
        """The rows of one trial, not copied."""
        return self.table.slice(place.start, place.stop - place.start)

    def wanted(self) -> pa.Table:
        """The rows of all trials that were asked for."""
        import pyarrow as pa

        if sum(place.stop - place.start for place in self.places) == self.table.num_rows:
            return self.table
        return pa.concat_tables([self.of(place) for place in self.places])


def pieces(
    store: Store,
    table: str,
    columns: Sequence[str],
    trial_ids: Collection[str] | None = None,
    dictionaries: Sequence[str] = (),
) -> Iterator[Piece]:
    """Rows of ``table`` of these trials (of all if None), each trial once and whole, in the order of the files.

    ``dictionaries`` are columns of words to hand out as dictionary arrays, which take little memory.

    Raises:
        ResultsError: an unknown column, a damaged file, or one that cannot be read.
    """
    check_columns(table, columns)
    if table in COMPANIONS:
        store.verify([table], trial_ids)
    for part in store.parts(table, trial_ids):
        yield from _of_part(part, table, columns, dictionaries)


def by_trial(
    store: Store, table: str, columns: Sequence[str], trial_ids: Collection[str]
) -> Iterator[tuple[str, pa.Table]]:
    """Trial and rows, not copied, of each of these trials that has any, in the order of the files.

    Raises:
        ResultsError: as :func:`pieces`.
    """
    for piece in pieces(store, table, columns, trial_ids):
        for place in piece.places:
            yield place.trial_id, piece.of(place)


def piece_with(store: Store, table: str, columns: Sequence[str], trial_id: str) -> Piece | None:
    """The piece with a trial's rows, and those of its neighbours; None where the trial has no rows.

    Raises:
        ResultsError: as :func:`pieces`.
    """
    check_columns(table, columns)
    store.verified(table, trial_id)
    for part in store.parts(table, [trial_id]):
        with _reading(table), sealed.parquet_file(part.folder, part.name) as file:
            for number, places in _groups(part, file):
                if any(place.trial_id == trial_id for place in places):
                    return Piece(places, _rows(file, number, table, columns))
    return None


def check_columns(table: str, columns: Sequence[str]) -> None:
    """Raise ResultsError on a column that the table does not have."""
    names = arrow_schema(table).names
    unknown = [name for name in columns if name not in names]
    if unknown:
        raise ResultsError(f"{table} has no column {', '.join(unknown)}", remedy=f"It has: {', '.join(names)}.")


def _of_part(part: Part, table: str, columns: Sequence[str], dictionaries: Sequence[str]) -> Iterator[Piece]:
    """Pieces of one file with a wanted trial."""
    with _reading(table), sealed.parquet_file(part.folder, part.name, dictionaries) as file:
        for number, places in _groups(part, file):
            wanted = tuple(place for place in places if place.trial_id in part.trial_ids)
            if wanted:
                yield Piece(wanted, _rows(file, number, table, columns))


def _groups(part: Part, file: pq.ParquetFile) -> Iterator[tuple[int | None, tuple[Place, ...]]]:
    """Row groups of a file with the trials in them; a trial's own file is read whole, which None stands for."""
    if not part.bundled:
        (trial_id,) = part.trial_ids
        yield None, (Place(trial_id, 0, file.metadata.num_rows),)
        return
    listed = rows_of_trials(file.metadata.metadata)
    if sum(rows for _, rows in listed) != file.metadata.num_rows:
        raise sealed.DamagedFileError("does not list the trials that it holds")
    trials = iter(listed)
    for number in range(file.num_row_groups):
        left = file.metadata.row_group(number).num_rows
        places, start = [], 0
        while start < left:
            trial_id, rows = next(trials)
            places.append(Place(trial_id, start, start + rows))
            start += rows
        yield number, tuple(places)


def _rows(file: pq.ParquetFile, number: int | None, table: str, columns: Sequence[str]) -> pa.Table:
    """Columns of a row group, or of the whole file."""
    known = set(file.schema_arrow.names)
    there = [name for name in columns if name in known]
    # In this thread alone: a pool gains little here, and can abort the process at its end.
    if number is None:
        found = file.read(columns=there, use_threads=False)
    else:
        found = file.read_row_group(number, columns=there, use_threads=False)
    return conform(table, found, columns)


@contextmanager
def _reading(table: str) -> Iterator[None]:
    """The words for a file that cannot be read."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, sealed.DamagedFileError) as error:
        raise ResultsError(
            f"cannot read {table}: {error}",
            remedy="Run the same command again; if it fails again, look at `dmesg` for errors of the disk.",
        ) from error
