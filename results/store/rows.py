"""Rows as Arrow tables, held to the schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.store.arrays import arrow_array, empty_lists
from results.store.schema import TABLES, Row, arrow_schema
from results.store.sealed import DamagedFileError

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
    columns = zip(*map(attrgetter(*schema.names), rows), strict=True) if rows else repeat(())
    for field, values in zip(schema, columns, strict=bool(rows)):
        try:
            array = arrow_array(values, field.type)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise ResultsError(f"{table}.{field.name}: {error}") from error
        if array.null_count and not field.nullable:
            raise ResultsError(f"{table}.{field.name} may not be null")
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=schema)


def conform(table: str, found: pa.Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Columns of ``found``, a file of ``table``, as the schema has them; those that an older file lacks are empty.

    Empty is null, and an empty list where lists are kept.  Columns that keep their dictionary stay so.

    Raises:
        DamagedFileError: a column is of another type, or lacks values that every row has.
    """
    import pyarrow as pa

    schema = arrow_schema(table)
    arrays, fields, there = [], [], set(found.column_names)
    if len(there) != len(found.column_names):
        raise DamagedFileError("has two columns of one name")
    for name in schema.names if columns is None else columns:
        field = schema.field(name)
        if name in there:
            array = found[name]
        elif pa.types.is_list(field.type):
            array = empty_lists(found.num_rows, field.type)
        else:
            array = pa.nulls(found.num_rows, field.type)
        if not pa.types.is_dictionary(array.type) and array.type != field.type:
            try:
                array = array.cast(field.type)
            except pa.ArrowException as error:
                raise DamagedFileError(f"has no {field.type} in the column {name}") from error
        if name in there and array.null_count and not (field.nullable or pa.types.is_list(field.type)):
            raise DamagedFileError(f"has nothing in the column {name}, which is never empty")
        arrays.append(array)
        fields.append(field.with_type(array.type))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=schema.metadata))
