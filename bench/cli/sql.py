"""``stripelab sql``: SQL over the tables of a store."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import note, say

if TYPE_CHECKING:
    import pyarrow as pa


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("sql")(sql)


def sql(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    query: Annotated[
        str,
        typer.Argument(help="One SELECT over results, trials, observations, intervals, telemetry or environments."),
    ],
    form: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File for the rows; Parquet needs one on a terminal.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Ask a store in SQL (DuckDB's); the store is only read, and a query reaches no other file.

    The view `results` has each observation with its trial's factors and its machine. docs/data-dictionary.md
    says what every column means.
    """
    from results import outfile
    from results.store.query import load
    from results.store.sql import QueryError, run

    wanted = Format.JSON if as_json else form
    if output is not None:
        outfile.check(output)
    frames = load(store, tables=())
    try:
        found = run(frames, query)
    except QueryError as wrong:
        raise typer.BadParameter(f"{wrong.message}\n{wrong.remedy}", param_hint="QUERY") from wrong
    _remarks(store, frames.set_aside, frames.arrow("trials", ["substrate"])["substrate"].unique().to_pylist())
    if wanted is Format.TABLE and output is None:
        _show(found)
        return
    _write(_content(found, wanted), wanted, output)


def _remarks(store: Path, set_aside: tuple[object, ...], substrates: list[str]) -> None:
    """What a reader of any row must know, on stderr."""
    from results.store.schema import VIRTUAL_SUBSTRATES

    if set_aside:
        note(f"warning: {len(set_aside)} files do not count; `stripelab status {store}` lists them")
    if VIRTUAL_SUBSTRATES & set(substrates):
        note("NOT REAL HARDWARE: rows with the substrate uml or loop come from the virtual lab or loop devices")


def _content(found: pa.Table, wanted: Format) -> bytes:
    from bench.cli.slides import Slide, lines
    from results.export.formats import WRITERS, cells, numeric

    if wanted is not Format.TABLE:
        return WRITERS[wanted](found)
    slide = Slide(tuple(found.column_names), tuple(map(tuple, cells(found))), numeric(found))
    return ("\n".join(lines(slide, indent="")) + "\n").encode()


def _show(found: pa.Table) -> None:
    """As a table where it fits; a block of lines for each row where a terminal is too narrow."""
    from bench.cli import slides
    from results.export.formats import cells, numeric

    slide = slides.Slide(tuple(found.column_names), tuple(map(tuple, cells(found))), numeric(found))
    widest = max((len(line) for line in slides.lines(slide)), default=0)
    if sys.stdout.isatty() and widest > slides.screen_columns():
        for line in slides.records(slide.headers, slide.rows):
            say(line)
    else:
        slides.show(slide)
    note(f"{found.num_rows:,} rows" if found.num_rows != 1 else "1 row")


def _write(content: bytes, wanted: Format, output: Path | None) -> None:
    """To a file, or on stdout; a terminal is spared binary data."""
    from results import outfile

    if output is None:
        if wanted is Format.PARQUET and sys.stdout.isatty():
            raise typer.BadParameter("Parquet is binary: give -o FILE, or redirect", param_hint="--format")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    outfile.write(output, content)
    note(f"written: {output}")
