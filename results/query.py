"""Reading a store: typed rows for the analysis, pandas frames for people.

Only whole trials are seen: the store lists the files that count, and nothing else is opened.
"""

from __future__ import annotations

import typing
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from results.errors import ResultsError
from results.schema import EnvironmentRow, ObservationRow, Row, TrialRow, arrow_schema
from results.store import SetAside, Store

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True)
class StoreFrames:
    """A store opened for reading.  ``set_aside`` lists the files that do not count, with the reason."""

    store: Store
    set_aside: tuple[SetAside, ...]

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
        self, table: str, columns: Sequence[str] | None = None, statuses: Collection[str] | None = None
    ) -> pa.Table:
        """A table as Arrow; columns that an older store lacks are null (an empty list where lists are kept)."""
        files = self.store.files(table)
        if statuses is not None and table != "environments":
            names = self.store.trial_ids(statuses)
            files = [path for path in files if path.stem in names]
        return _read(table, columns, files)

    def of_trial(self, table: str, trial_id: str, columns: Sequence[str]) -> pa.Table:
        """Rows of one trial; empty where it has none."""
        return _read(table, columns, self.store.files_of(table, trial_id))

    def trial_rows(self) -> list[TrialRow]:
        """Every trial, in run order."""
        rows = _rows(TrialRow, self.arrow("trials"))
        return sorted(rows, key=lambda row: (row.run_order, row.started_at_ns, row.trial_id))

    def observation_rows(self, *, histograms: bool = False) -> list[ObservationRow]:
        """Observations of the trials that are ok, without the engine's raw output; ``histograms`` adds those."""
        left_out = {"raw_zlib"} | (set() if histograms else {"lat_bins_ns", "lat_counts"})
        names = [name for name in arrow_schema("observations").names if name not in left_out]
        return _rows(ObservationRow, self.arrow("observations", names, ("ok",)))

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


def load(path: Path | str, *, verify: bool = True) -> StoreFrames:
    """Open the store at ``path`` to read; nothing in it is changed.

    Raises:
        ResultsError: there is no store, it cannot be read, or a newer stripelab wrote it.
    """
    store = Store.open(Path(path), verify, read_only=True)
    return StoreFrames(store, store.set_aside)


def _read(table: str, columns: Sequence[str] | None, files: Sequence[Path]) -> pa.Table:
    """Rows of whole files, page checksums verified once more as the bytes are read."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    schema = arrow_schema(table)
    wanted = list(columns) if columns is not None else schema.names
    unknown = [name for name in wanted if name not in schema.names]
    if unknown:
        raise ResultsError(f"{table} has no column {', '.join(unknown)}", remedy=f"It has: {', '.join(schema.names)}.")
    if not files:
        return pa.Table.from_batches([], schema=pa.schema([schema.field(name) for name in wanted]))
    options = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    try:
        dataset = ds.dataset(
            [str(path) for path in files],
            schema=pa.schema([field.with_nullable(True) for field in schema]),
            format=ds.ParquetFileFormat(default_fragment_scan_options=options),
        )
        return _without_null_lists(dataset.to_table(columns=wanted))
    except (pa.ArrowException, OSError) as error:
        raise ResultsError(
            f"cannot read {table}: {error}",
            remedy="Run the same command again; if it fails again, look at `dmesg` for errors of the disk.",
        ) from error


def _without_null_lists(table: pa.Table) -> pa.Table:
    """Empty lists where an older store has no such column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for position, name in enumerate(table.column_names):
        kind = table.schema.field(name).type
        if pa.types.is_list(kind) and table[name].null_count:
            table = table.set_column(position, name, pc.fill_null(table[name], pa.scalar([], type=kind)))
    return table


def _rows(kind: type[AnyRow], table: pa.Table) -> list[AnyRow]:
    """Rows of an Arrow table as frozen values."""
    lists = _list_columns(kind)
    return [kind(**{name: _frozen(value, name in lists) for name, value in row.items()}) for row in table.to_pylist()]


def _frozen(value: Any, is_list: bool) -> Any:
    return tuple(value) if is_list else value


def _list_columns(kind: type[Any]) -> frozenset[str]:
    """Columns of a row class that hold lists."""
    hints = typing.get_type_hints(kind)
    return frozenset(name for name, hint in hints.items() if typing.get_origin(hint) is tuple)
