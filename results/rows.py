"""Rows as Arrow tables, held to the schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.schema import TABLES, Row, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


def required(table: str) -> set[str]:
    """Columns without which a file of ``table`` means nothing."""
    return {spec.name for spec in dataclasses.fields(TABLES[table]) if spec.default is dataclasses.MISSING}


def to_table(table: str, rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table; raises ResultsError where a value does not fit its column."""
    import pyarrow as pa

    schema = arrow_schema(table)
    arrays = []
    for field in schema:
        try:
            array = pa.array([getattr(row, field.name) for row in rows], type=field.type)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise ResultsError(f"{table}.{field.name}: {error}") from error
        if array.null_count and not field.nullable:
            raise ResultsError(f"{table}.{field.name} may not be null")
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=schema)
