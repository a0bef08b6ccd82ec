"""SQL over a store, by DuckDB (https://duckdb.org/docs/stable/sql/introduction): its tables as views, read only.

Each table is a view of its columns, whatever files and bundles its rows lie in; ``results`` joins observations
with the factors of their trial and with its machine.  Files are opened by Arrow and checked against
their seals first; DuckDB itself may open nothing: neither a query nor a function in it can read or write a
file, load an extension, or change that (https://duckdb.org/docs/stable/operations_manual/securing_duckdb).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.store import sealed
from results.store.bundles import trials_in
from results.store.folder import COMPANIONS, Part
from results.store.pieces import pieces
from results.store.query import StoreFrames
from results.store.schema import TABLES, arrow_schema
from results.text import encodable
from stripelab.settings import FACTOR_NAMES

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

RESULTS_VIEW = "results"
"""The view that joins observations with trials and environments."""

OF_TRIALS = (
    "point_id",
    "environment_id",
    "sweep",
    "block",
    "night",
    "run_order",
    "status",
    "substrate",
    *FACTOR_NAMES,
)
"""Columns of ``trials`` in the view ``results``."""

OF_ENVIRONMENTS = ("hostname", "kernel", "cpu_model", "cpus", "memory_bytes", "disk_models")
"""Columns of ``environments`` in the view ``results``."""

_LEFT_OUT = frozenset({"raw_zlib"})  # of the view ``results``: a reader of figures has no use for it


class QueryError(ResultsError):
    """A query that cannot be answered: what DuckDB says of it, and the tables and columns that there are."""


def run(frames: StoreFrames, text: str) -> pa.Table:
    """The rows of one SELECT (or DESCRIBE, SUMMARIZE, EXPLAIN) over the store.

    Columns of the same name get a number behind it.  A damaged file is set aside, as everywhere: ask for
    ``frames.set_aside`` afterwards.

    Raises:
        QueryError: the query is no such statement, or DuckDB cannot carry it out.
        ResultsError: the store cannot be read.
    """
    import duckdb
    import pyarrow as pa

    with _connected(frames, text) as connection:
        try:
            found = connection.sql(text).to_arrow_table()
        except (duckdb.Error, RuntimeError) as error:
            raise _refused(text, error) from error
        columns = [_within_the_calendar(text, column) for column in found.columns]
    return pa.table(columns, names=_unique(found.column_names))


def _within_the_calendar(text: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column, as text where it has a time that Python's calendar has not: before year 1, or after 9999."""
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_string(column.type):
        return column
    try:
        column.to_pylist()
    except (OverflowError, ValueError, OSError, pa.ArrowException):
        try:
            return column.cast(pa.string())
        except pa.ArrowException as error:
            raise _refused(text, error) from error
    return column


def columns_of(view: str) -> tuple[str, ...]:
    """Columns of a table, or of the view ``results``, in order."""
    if view != RESULTS_VIEW:
        return tuple(arrow_schema(view).names)
    own = tuple(name for name in arrow_schema("observations").names if name not in _LEFT_OUT)
    return ("trial_id", *OF_TRIALS, *(name for name in own if name != "trial_id"), *OF_ENVIRONMENTS)


@contextmanager
def _connected(frames: StoreFrames, text: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with the views that a query names, locked up."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="stripelab-sql-") as folder, duckdb.connect(":memory:") as connection:
        connection.execute("SET python_enable_replacements = false")  # names of Python variables are no tables
        connection.execute("SET temp_directory = $folder", {"folder": folder})
        named = _named(connection, text)
        frames.store.verify([table for table in COMPANIONS if table in named])
        for table in TABLES:
            if table in named:
                _make_view(connection, frames, table)
            else:  # it is there to be listed, and nobody reads it
                connection.register(table, arrow_schema(table).empty_table())
        connection.execute(_results_view())
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _named(connection: duckdb.DuckDBPyConnection, text: str) -> frozenset[str]:
    """Tables that a query needs: only these are checked byte by byte; raises QueryError on what is no query."""
    import duckdb

    allowed = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise _refused(text, error) from error
    if len(statements) != 1 or statements[0].type not in allowed:
        raise QueryError(
            "a store is only read: give one statement, SELECT, DESCRIBE, SUMMARIZE or EXPLAIN", remedy=_hint(text)
        )
    lowered = text.lower()
    # By the word alone: what is named in a comment costs a check and no more.
    named = {table for table in (*TABLES, RESULTS_VIEW) if table in lowered}
    if RESULTS_VIEW in named:
        named |= {"observations", "trials", "environments"}
    return frozenset(named)


def _make_view(connection: duckdb.DuckDBPyConnection, frames: StoreFrames, table: str) -> None:
    """One table as a view over its files; rows of a trial that do not count are not in it."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    schema = arrow_schema(table)
    if table == "environments":
        connection.register(table, frames.arrow(table))
        return
    whole: list[str] = []
    partial: set[str] = set()
    for part in frames.store.parts(table):  # Arrow's data sets take no name that is not UTF-8: these are read here
        path = str(part.folder.path / part.name)
        if encodable(path) == path and _counts_whole(part):
            whole.append(path)
        else:
            partial |= part.trial_ids
    connection.register(f"{table}_files", ds.dataset(whole, schema=_all_nullable(schema), format="parquet"))
    lists = _lists_of(schema)
    columns = f"* REPLACE ({lists})" if lists else "*"
    query = f"SELECT {columns} FROM {table}_files"  # noqa: S608 - names of ours, as below
    if partial:
        rows = [piece.wanted() for piece in pieces(frames.store, table, schema.names, partial)]
        connection.register(f"{table}_rest", pa.concat_tables(rows))
        query += f" UNION ALL SELECT * FROM {table}_rest"  # noqa: S608
    connection.execute(f"CREATE VIEW {table} AS {query}")


def _all_nullable(schema: pa.Schema) -> pa.Schema:
    """The schema for files that may be older, and lack columns."""
    import pyarrow as pa

    return pa.schema([field.with_nullable(True) for field in schema])


def _lists_of(schema: pa.Schema) -> str:
    """Columns with lists, empty where an older file has none."""
    import pyarrow as pa

    names = [field.name for field in schema if pa.types.is_list(field.type)]
    return ", ".join(f"coalesce({name}, []) AS {name}" for name in names)


def _counts_whole(part: Part) -> bool:
    """Whether every trial in a file counts; in a bundle that was interrupted some lie twice."""
    if not part.bundled:
        return True
    with sealed.parquet_file(part.folder, part.name) as file:
        return part.trial_ids >= set(trials_in(file.metadata.metadata))


def _results_view() -> str:
    sources = dict.fromkeys(OF_TRIALS, "t") | dict.fromkeys(OF_ENVIRONMENTS, "e")
    columns = ", ".join(f'{sources.get(name, "o")}."{name}"' for name in columns_of(RESULTS_VIEW))
    return (
        f"CREATE VIEW {RESULTS_VIEW} AS SELECT {columns} FROM observations o "  # noqa: S608 - names of ours
        "JOIN trials t USING (trial_id) LEFT JOIN environments e ON e.environment_id = t.environment_id"
    )


def _refused(text: str, error: Exception) -> QueryError:
    """DuckDB's own words in one line, and what there is."""
    words = " ".join(str(error).split("\n\n")[0].split())
    return QueryError(f"DuckDB: {words}", remedy=_hint(text))


def _hint(text: str) -> str:
    """The columns of the tables that a query names; the tables where it names none."""
    lowered = text.lower()
    named = [view for view in (RESULTS_VIEW, *TABLES) if view in lowered]
    if not named:
        return f"The tables are {', '.join((RESULTS_VIEW, *TABLES))}; `DESCRIBE trials` lists the columns of one."
    return " ".join(f"{view} has: {', '.join(columns_of(view))}." for view in named)


def _unique(names: list[str]) -> list[str]:
    """Names of columns, each once: a row object has no place for a second."""
    found: list[str] = []
    for name in names:
        unique, number = name, 1
        while unique in found:
            unique, number = f"{name}_{number}", number + 1
        found.append(unique)
    return found
