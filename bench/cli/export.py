"""``stripelab export``: the observations of a store, for other programs."""

from __future__ import annotations

import io
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import data_stream, emit_json, print_stderr

if TYPE_CHECKING:
    from results.store.query import StoreFrames


class Format(StrEnum):
    """An export format."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    OPENMETRICS = "openmetrics"
    FIO_JSON = "fio-json"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


def export(
    store: common.Store,
    kind: Annotated[Format, typer.Option("--format", help="Format to write.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="File to write, or folder for fio-json.",
            show_default="stdout for csv, jsonl and openmetrics",
        ),
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Export observations, or the original output of fio.

    csv, parquet and jsonl have one row per trial, workload and direction, with the settings of the trial and units in
    the column names. openmetrics has the newest figures of each, for Prometheus. fio-json has one file per output of
    fio in the store. --json needs -o.
    """
    from results import outfile
    from results.store.query import load

    if output is None and (as_json or kind in {Format.PARQUET, Format.FIO_JSON}):
        raise typer.BadParameter(f"{'--json' if as_json else kind} needs a file or folder to write to", param_hint="-o")
    if output is not None and kind is not Format.FIO_JSON:
        outfile.check(output)
    frames = load(store, tables=("observations",))
    for file in frames.set_aside:
        print_stderr(f"warning: set aside and not used: {file.path}: {file.reason}")
    count = _write(frames, kind, output)
    if as_json:
        emit_json({"store": str(store), "format": str(kind), "output": str(output), "written": count})
    else:
        print_stderr(f"{count:,} {_UNITS[kind]} written{f' to {output}' if output else ''}")


_UNITS = {
    Format.CSV: "rows",
    Format.PARQUET: "rows",
    Format.JSONL: "rows",
    Format.OPENMETRICS: "samples",
    Format.FIO_JSON: "files",
}


def _write(frames: StoreFrames, kind: Format, output: Path | None) -> int:
    """Write in one format; returns the number of rows, samples or files."""
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
        out.detach()  # flushes without closing the stream, which belongs to the caller
        return count
