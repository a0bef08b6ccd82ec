"""``stripelab export``: what a store holds, for other programs."""

from __future__ import annotations

import io
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from bench.cli.output import data_stream, emit_json, note

if TYPE_CHECKING:
    from results.store.query import StoreFrames


class Format(StrEnum):
    """What can be written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    OPENMETRICS = "openmetrics"
    FIO_JSON = "fio-json"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


def export(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    kind: Annotated[Format, typer.Option("--format", help="What to write.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write; for fio-json the folder. Text goes to stdout without it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON; needs -o.")] = False,
) -> None:
    """Write every observation with the settings of its trial, units in the names, or fio's own output as it was.

    csv, parquet and jsonl have a row for each trial, workload and direction; openmetrics has the newest figures of
    each, for Prometheus; fio-json has a file for each output of fio that the store kept.
    """
    from results import outfile
    from results.store.query import load

    if output is None and (as_json or kind in {Format.PARQUET, Format.FIO_JSON}):
        raise typer.BadParameter("it needs a place to write to", param_hint="-o")
    if output is not None and kind is not Format.FIO_JSON:
        outfile.check(output)
    frames = load(store, tables=("observations",))
    for each in frames.set_aside:
        note(f"warning: set aside and not used: {each.path}: {each.reason}")
    count = _write(frames, kind, output)
    if as_json:
        emit_json({"store": str(store), "format": str(kind), "output": str(output), "written": count})
    else:
        note(f"{count:,} {_UNITS[kind]} written{f' to {output}' if output else ''}")


_UNITS = {
    Format.CSV: "rows",
    Format.PARQUET: "rows",
    Format.JSONL: "rows",
    Format.OPENMETRICS: "samples",
    Format.FIO_JSON: "files",
}


def _write(frames: StoreFrames, kind: Format, output: Path | None) -> int:
    """Write in one format; returns how much."""
    from results import outfile
    from results.export import openmetrics, raw, tables

    if output is not None and kind is Format.PARQUET:
        with outfile.writing(output) as stream:
            return tables.write_parquet(frames, stream)
    if output is not None and kind is Format.FIO_JSON:
        return raw.write_raw(frames, output)
    text: dict[Format, Callable[[StoreFrames, IO[str]], int]] = {
        Format.CSV: tables.write_csv,
        Format.JSONL: tables.write_jsonl,
        Format.OPENMETRICS: openmetrics.write_openmetrics,
    }
    if output is None:
        with data_stream() as out:
            return text[kind](frames, out)
    with outfile.writing(output) as stream:
        out = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        count = text[kind](frames, out)
        out.detach()  # it flushes, and the stream is not its to close
        return count
