"""Reading a store: typed rows for the analysis, pandas frames for people.

Only whole trials are seen: the store lists the files that count, and nothing else is opened.  Frames and
rows are as large as what they hold; seconds are many, so the analysis reads them with
:mod:`results.runs.seconds`, in bounded memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from results.errors import ResultsError
from results.store import sealed
from results.store.arrays import plain
from results.store.folder import COMPANIONS, SetAside, Store
from results.store.imported import in_order
from results.store.pieces import Piece, check_columns, piece_with, pieces
from results.store.rows import conform
from results.store.schema import EnvironmentRow, ObservationRow, Row, TrialRow, arrow_schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True)
class StoreFrames:
    """A store opened for reading."""

    store: Store
    _recent: dict[tuple[str, tuple[str, ...]], Piece] = field(default_factory=dict, repr=False, compare=False)

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """Files that do not count, with the reason."""
        return self.store.set_aside

    def trials(self, statuses: Collection[str] | None = None) -> pd.DataFrame:
        """One row per trial, failed and invalid ones too unless ``statuses`` says otherwise."""
        return self._frame("trials", None, statuses)

    def observations(
        self, columns: Sequence[str] | None = None, statuses: Collection[str] | None = ("ok",)
    ) -> pd.DataFrame:
        """One row per trial, workload and direction; of trials that are ok unless ``statuses`` says otherwise."""
        return self._frame("observations", columns, statuses)

    def intervals(
        self, columns: Sequence[str] | None = None, statuses: Collection[str] | None = ("ok",)
    ) -> pd.DataFrame:
        """One row per trial, workload, direction and second."""
        return self._frame("intervals", columns, statuses)

    def telemetry(
        self, columns: Sequence[str] | None = None, statuses: Collection[str] | None = ("ok",)
    ) -> pd.DataFrame:
        """One row per trial, workload, sample and device."""
        return self._frame("telemetry", columns, statuses)

    def environments(self) -> pd.DataFrame:
        """One row per machine."""
        return self._frame("environments", None, None)

    def arrow(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        statuses: Collection[str] | None = None,
        trial_ids: Collection[str] | None = None,
    ) -> pa.Table:
        """A table as Arrow, of these trials where they are named; nothing of other files is read.

        Columns that an older store lacks are null (an empty list where lists are kept).
        """
        import pyarrow as pa

        wanted = tuple(columns) if columns is not None else tuple(arrow_schema(table).names)
        check_columns(table, wanted)
        if table == "environments":
            found = [self._environment(name, wanted) for name in self.store.names(table)]
        else:
            there = None if statuses is None else self.store.trial_ids(statuses)
            if trial_ids is not None:
                there = set(trial_ids) & (self.store.trial_ids() if there is None else there)
            found = [piece.wanted() for piece in pieces(self.store, table, wanted, there)]
        schema = arrow_schema(table)
        empty = pa.Table.from_batches([], schema=pa.schema([schema.field(name) for name in wanted], schema.metadata))
        return pa.concat_tables(found) if found else empty

    def _environment(self, name: str, columns: Sequence[str]) -> pa.Table:
        """Columns of one machine; raises ResultsError where its file was changed since it was checked."""
        try:
            return conform("environments", sealed.read(self.store.folder, name, columns).table, columns)
        except sealed.DamagedFileError as damage:
            raise ResultsError(f"{self.store.path / name} {damage}") from damage

    def of_trial(self, table: str, trial_id: str, columns: Sequence[str]) -> pa.Table:
        """Rows of one trial; empty where it has none.

        Trials of a bundle are quickest in the order of their start: neighbours are kept for the next call.
        """
        key = (table, tuple(columns))
        kept = self._recent.get(key)
        if kept is None or all(place.trial_id != trial_id for place in kept.places):
            kept = piece_with(self.store, table, columns, trial_id)
        if kept is None:
            return arrow_schema(table).empty_table().select(list(columns))
        self._recent[key] = kept
        return kept.of(next(place for place in kept.places if place.trial_id == trial_id))

    def trial_rows(self, trial_ids: Collection[str] | None = None) -> list[TrialRow]:
        """Every trial, or those that are named, in run order."""
        return in_order(_rows(TrialRow, self.arrow("trials", trial_ids=trial_ids)))

    def observation_rows(
        self,
        *,
        histograms: bool = False,
        statuses: Collection[str] = ("ok",),
        trial_ids: Collection[str] | None = None,
    ) -> list[ObservationRow]:
        """Observations of the trials that ended so, of all or of those that are named.

        Without the engine's raw output; ``histograms`` adds the latency histograms.
        """
        left_out = {"raw_zlib"} | (set() if histograms else {"lat_bins_ns", "lat_counts"})
        names = [name for name in arrow_schema("observations").names if name not in left_out]
        return _rows(ObservationRow, self.arrow("observations", names, statuses, trial_ids))

    def environment_rows(self) -> list[EnvironmentRow]:
        """Every environment, in the order of their ids."""
        return _rows(EnvironmentRow, self.arrow("environments"))

    def _frame(self, table: str, columns: Sequence[str] | None, statuses: Collection[str] | None) -> pd.DataFrame:
        """A table as a frame; whole numbers that may be missing stay whole numbers."""
        import pandas as pd
        import pyarrow as pa

        kinds = {pa.int64(): pd.Int64Dtype()}
        frame: pd.DataFrame = self.arrow(table, columns, statuses).to_pandas(types_mapper=kinds.get)
        return frame


@dataclass(frozen=True)
class RememberedFrames(StoreFrames):
    """A store whose rows are made once, for a document: its parts ask for the same rows one after another.

    Observations carry their histograms whether they were asked for or not.
    """

    _rows_of: dict[str, list[Any]] = field(default_factory=dict, repr=False, compare=False)

    def trial_rows(self, trial_ids: Collection[str] | None = None) -> list[TrialRow]:
        """As of :class:`StoreFrames`."""
        if trial_ids is not None:
            return super().trial_rows(trial_ids)
        if "trials" not in self._rows_of:
            self._rows_of["trials"] = super().trial_rows()
        return list(self._rows_of["trials"])

    def observation_rows(
        self,
        *,
        histograms: bool = False,
        statuses: Collection[str] = ("ok",),
        trial_ids: Collection[str] | None = None,
    ) -> list[ObservationRow]:
        """As of :class:`StoreFrames`."""
        if trial_ids is not None or tuple(statuses) != ("ok",):
            return super().observation_rows(histograms=histograms, statuses=statuses, trial_ids=trial_ids)
        if "observations" not in self._rows_of:
            self._rows_of["observations"] = super().observation_rows(histograms=True)
        return list(self._rows_of["observations"])


def load(path: Path | str, *, verify: bool = True, tables: Collection[str] = COMPANIONS) -> StoreFrames:
    """Open the store at ``path`` to read; nothing in it is changed.

    Every byte of the trials, the environments and of ``tables`` is checked now, so that a trial with damage
    in any of these does not count; other tables are checked before their first row is read.  With ``verify``
    false that holds for all tables.

    Raises:
        ResultsError: there is no store, it cannot be read, or a newer stripelab wrote it.
    """
    return StoreFrames(Store.open(Path(path), verify, read_only=True, tables=tables))


def _rows(kind: type[AnyRow], table: pa.Table) -> list[AnyRow]:
    """Rows of an Arrow table as frozen values; columns that were not read have their defaults.

    Years of nights have a hundred thousand rows of sixty columns: a row is filled at once, and not field by field
    as the generated ``__init__`` of a frozen class does it.
    """
    names = table.column_names
    rest = {field.name: field.default for field in dataclasses.fields(kind) if field.name not in names}
    missing = [name for name, value in rest.items() if value is dataclasses.MISSING]
    if missing:
        raise TypeError(f"a {kind.__name__} has no value for {', '.join(missing)}")
    found = []
    for values in zip(*(plain(table[name]) for name in names), strict=True):
        row = object.__new__(kind)
        row.__dict__.update(rest)
        row.__dict__.update(zip(names, values, strict=True))
        found.append(row)
    return found
