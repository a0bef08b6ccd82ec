"""Observations with the settings of their trials, one row each, as CSV, Parquet or JSON lines.

Every column is one of the schema, under its own name and with its unit last; the labels of an import become
columns ``label_NAME``.  Trials that are not ok and have no observation are rows too, without figures: an export
has no holes.  Rows are written a piece at a time, so memory is bounded whatever the store's size.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from results.export.csv_text import csv_cell
from results.store.pieces import pieces
from results.store.query import StoreFrames
from results.store.schema import TrialRow, arrow_schema
from results.text import json_text
from stripelab.settings import FACTOR_NAMES

if TYPE_CHECKING:
    import pyarrow as pa

TRIAL_COLUMNS = (
    "trial_id",
    "point_id",
    "environment_id",
    "sweep",
    "block",
    "run_order",
    "status",
    "substrate",
    "imported_from",
    "started_at_ns",
    "duration_s",
    *FACTOR_NAMES,
    "stripe_width_kib",
    "usable_bytes",
    "dataset_bytes",
    "error",
)
"""What is joined to an observation from its trial."""

NESTED = ("lat_bins_ns", "lat_counts")
"""Columns of lists that are wide; CSV has no place for them."""

_LEFT_OUT = ("trial_id", "raw_zlib")
_LABEL = "label_"
Row = Mapping[str, Any]


def observation_columns(*, histograms: bool) -> list[str]:
    """Columns of an observation that are exported, in the order of the schema."""
    left_out = set(_LEFT_OUT) | (set() if histograms else set(NESTED))
    return [name for name in arrow_schema("observations").names if name not in left_out]


def labels_of(trials: Iterable[TrialRow]) -> list[str]:
    """Names of all labels, in the order of their first appearance."""
    return list(dict.fromkeys(label.partition("=")[0] for trial in trials for label in trial.labels))


def joined(frames: StoreFrames, columns: Sequence[str]) -> Iterator[list[Row]]:
    """Rows a piece at a time: trial, labels, then the columns of the observation that are asked for."""
    trials = {trial.trial_id: trial for trial in frames.trial_rows()}
    labels = labels_of(trials.values())
    heads = {trial_id: _head(trial, labels) for trial_id, trial in trials.items()}
    left = set(trials)
    for piece in pieces(frames.store, "observations", ("trial_id", *columns), trials):
        rows = piece.wanted().to_pylist()
        left.difference_update(row["trial_id"] for row in rows)
        yield [{**heads[row["trial_id"]], **{name: row[name] for name in columns}} for row in rows]
    nothing = dict.fromkeys(columns)
    for name in columns:
        if name in {"warnings", *NESTED, "steady_rounds"}:
            nothing[name] = []
    if left:
        yield [{**heads[trial.trial_id], **nothing} for trial in trials.values() if trial.trial_id in left]


def _head(trial: TrialRow, labels: Sequence[str]) -> dict[str, Any]:
    known = dict(label.partition("=")[::2] for label in trial.labels)
    return {name: getattr(trial, name) for name in TRIAL_COLUMNS} | {
        f"{_LABEL}{name}": known.get(name) for name in labels
    }


def write_csv(frames: StoreFrames, out: IO[str]) -> int:
    """RFC 4180, with a header; a list is JSON in its cell, a missing figure an empty cell.  Returns the rows.

    Text that a spreadsheet could take for a formula has an apostrophe before it (:mod:`results.export.csv_text`).
    """
    names = observation_columns(histograms=False)
    writer: Any = None
    count = 0
    for rows in joined(frames, names):
        if writer is None:
            writer = csv.writer(out, lineterminator="\r\n")
            writer.writerow(map(csv_cell, rows[0]))
        for row in rows:
            writer.writerow([csv_cell(_cell(value)) for value in row.values()])
        count += len(rows)
    return count


def write_jsonl(frames: StoreFrames, out: IO[str]) -> int:
    """An object a line, histograms included; what is not a number in JSON is null.  Returns the rows."""
    count = 0
    for rows in joined(frames, observation_columns(histograms=True)):
        for row in rows:
            out.write(f"{json_text(row)}\n")
        count += len(rows)
    return count


def write_parquet(frames: StoreFrames, out: BinaryIO) -> int:
    """A Parquet file with the types and the documentation of the schema, histograms included.  Returns the rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = observation_columns(histograms=True)
    labels = labels_of(frames.trial_rows())
    schema = export_schema(names, labels)
    count = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in joined(frames, names):
            writer.write_table(pa.Table.from_pylist(list(rows), schema=schema))
            count += len(rows)
    return count


def export_schema(names: Sequence[str], labels: Sequence[str]) -> pa.Schema:
    """Arrow schema of an export: fields of the store's schema; figures may be null, since a trial may have none."""
    import pyarrow as pa

    trials, observations = arrow_schema("trials"), arrow_schema("observations")
    fields = [trials.field(name) for name in TRIAL_COLUMNS]
    fields += [pa.field(f"{_LABEL}{name}", pa.string(), metadata={"doc": f"{name}, from an import"}) for name in labels]
    fields += [observations.field(name).with_nullable(True) for name in names]
    return pa.schema(fields)


def _cell(value: Any) -> Any:
    """A value as a cell of CSV."""
    if isinstance(value, (list, tuple)):
        return json_text(value) if value else ""
    return value
