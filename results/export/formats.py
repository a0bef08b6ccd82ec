"""Arrow tables as text and bytes for other programs: CSV, JSON, Parquet, and cells for people."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from results.export.csv_text import csv_cell
from results.text import json_text

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_LIST = 6
_LONGEST_TEXT = 60


def plain(value: Any) -> Any:
    """A value as JSON knows it: what is no number (NaN, infinity) is null, bytes are hexadecimal digits."""
    match value:
        case bool() | int() | str() | None:
            return value
        case float() | Decimal():
            return _finite(value)
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return _word(value)


def _finite(value: float | Decimal) -> float | None:
    """A number, or null of what is none; decimals without a fraction (sums of whole numbers) stay exact."""
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _word(value: Any) -> Any:
    """What JSON has no type for."""
    match value:
        case bytes():
            return value.hex()
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case _:
            return str(value)


def row_objects(table: pa.Table) -> list[dict[str, Any]]:
    """Each row as an object of plain values, columns in order."""
    return [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]


def to_json(table: pa.Table) -> bytes:
    """A list of row objects (RFC 8259: there is no NaN)."""
    return json_text(row_objects(table), indent=2).encode() + b"\n"


def to_csv(table: pa.Table) -> bytes:
    """A header and a line a row (RFC 4180, but lines end as on Unix); null is empty, lists are JSON.

    Text that a spreadsheet could take for a formula has an apostrophe before it (:mod:`results.export.csv_text`).
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(map(csv_cell, table.column_names))
    for batch in table.to_batches():
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            writer.writerow([csv_cell(_field(value)) for value in row])
    return sink.getvalue().encode()


def to_parquet(table: pa.Table) -> bytes:
    """A Parquet file with checksums of its pages."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    content: bytes = sink.getvalue().to_pybytes()
    return content


WRITERS: Mapping[str, Callable[[pa.Table], bytes]] = {"csv": to_csv, "json": to_json, "parquet": to_parquet}


def cells(table: pa.Table) -> list[list[str]]:
    """Each row as text for people: null is a dash, long lists and bytes say how long they are."""
    return [[cell(value) for value in row.values()] for row in table.to_pylist()]


def cell(value: Any) -> str:
    """One value as text for people."""
    match value:
        case None:
            return "-"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.10g}" if abs(value) < 1e15 else f"{value:g}"
        case bytes():
            return f"<{len(value):,} bytes>"
        case list() if len(value) > _LONGEST_LIST:
            return f"[{', '.join(str(plain(each)) for each in value[:3])}, … {len(value):,} values]"
        case list() | tuple() | dict():
            return json_text(plain(value))
        case str() if len(value) > _LONGEST_TEXT:
            return f"{value[: _LONGEST_TEXT - 1]}…"
        case _:
            return str(plain(value))


def numeric(table: pa.Table) -> tuple[bool, ...]:
    """Which columns hold numbers, and are set to the right."""
    import pyarrow as pa

    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return tuple(any(is_kind(field.type) for is_kind in kinds) for field in table.schema)


def _field(value: Any) -> Any:
    found = plain(value)
    return json_text(found) if isinstance(found, (list, dict)) else found
