"""``stripelab sql``: SQL over the tables of a store."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import print_line, print_stderr

if TYPE_CHECKING:
    import pyarrow as pa


class Format(StrEnum):
    """A format of rows."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("sql")(sql)


def sql(
    store: common.Store,
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY", help="SELECT over results, trials, observations, intervals, telemetry or environments."
        ),
    ],
    row_format: Annotated[Format, typer.Option("--format", help="Format of the rows.")] = Format.TABLE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="File to write.", show_default="stdout")
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Query a store with SQL.

    The dialect is that of DuckDB. The store is only read, and a query has no access to other files. The view `results`
    has each observation with the factors of its trial and its machine; docs/data-dictionary.md describes every column.
    --json is short for --format json.
    """
    from results import outfile
    from results.store.query import load
    from results.store.sql import QueryError, run

    if as_json:
        row_format = Format.JSON
    if output is not None:
        outfile.check(output)
    frames = load(store, tables=())
    try:
        rows = run(frames, query)
    except QueryError as error:
        raise typer.BadParameter(f"{error.message}\n{error.remedy}", param_hint="QUERY") from error
    _print_warnings(store, frames.set_aside, frames.arrow("trials", ["substrate"])["substrate"].unique().to_pylist())
    if row_format is Format.TABLE and output is None:
        _print_table(rows)
        return
    _write(_encode(rows, row_format), row_format, output)


def _print_warnings(store: Path, set_aside: tuple[object, ...], substrates: list[str]) -> None:
    """Print on stderr what a reader of any row must know."""
    from results.store.schema import VIRTUAL_SUBSTRATES

    if set_aside:
        print_stderr(
            f"warning: {len(set_aside)} files are set aside and not used; `stripelab status {store}` lists them"
        )
    if VIRTUAL_SUBSTRATES & set(substrates):
        print_stderr("NOT REAL HARDWARE: rows with the substrate uml or loop come from the virtual lab or loop devices")


def _encode(rows: pa.Table, row_format: Format) -> bytes:
    from bench.cli.terminal_table import TerminalTable, table_lines
    from results.export.formats import WRITERS, cells, numeric

    if row_format is not Format.TABLE:
        return WRITERS[row_format](rows)
    table = TerminalTable(tuple(rows.column_names), tuple(map(tuple, cells(rows))), numeric(rows))
    return ("\n".join(table_lines(table, indent="")) + "\n").encode()


def _print_table(rows: pa.Table) -> None:
    """Print a table where it fits, a block of lines per row where the terminal is too narrow."""
    from bench.cli import terminal_table
    from results.export.formats import cells, numeric

    table = terminal_table.TerminalTable(tuple(rows.column_names), tuple(map(tuple, cells(rows))), numeric(rows))
    widest = max((len(line) for line in terminal_table.table_lines(table)), default=0)
    if sys.stdout.isatty() and widest > terminal_table.terminal_columns():
        for line in terminal_table.record_lines(table.headers, table.rows):
            print_line(line)
    else:
        terminal_table.print_table(table)
    print_stderr(f"{rows.num_rows:,} rows" if rows.num_rows != 1 else "1 row")


def _write(content: bytes, row_format: Format, output: Path | None) -> None:
    """Write to a file or to stdout, but no binary data to a terminal."""
    from results import outfile

    if output is None:
        if row_format is Format.PARQUET and sys.stdout.isatty():
            raise typer.BadParameter("parquet is binary; give -o FILE, or redirect stdout", param_hint="--format")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    outfile.write(output, content)
    print_stderr(f"written: {output}")
