"""``stripelab import``: results of other tools and earlier runs, into a store of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import emit_json, note, overwrite, say
from results.text import plain

NOTHING = 1


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("import")(import_files)


def import_files(
    places: Annotated[
        list[Path], typer.Argument(help="Files, or folders with everything below them.", metavar="FILES")
    ],
    store: Annotated[Path, typer.Option("--store", help="Result store; made where there is none.")],
    factors: Annotated[
        list[str] | None,
        typer.Option(
            "--factors",
            metavar="PATTERN",
            help="Factors in the path, as in '{controller}/{level}-{chunk_kib}K/{rw}-{iodepth}-{numjobs}.json', or "
            "in a job option, as in 'filename=/mnt/{level}/{}'; may be given again.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Read fio's JSON with its logs, bench-fio's folders, dd's figures, gpcheckperf's output and elbencho's CSV.

    A file from which nothing can be taken is named with the reason and skipped. What is in the store already is not
    added again. Exit status 1 means that nothing could be read at all.
    """
    from bench.importing.campaign import import_files as read
    from bench.importing.pattern import compile_pattern

    shown = sys.stderr.isatty()

    def progress(done: int, of: int) -> None:
        if shown:
            overwrite(f"{done:,} of {of:,} files", last=done == of)

    found = read(places, store, [compile_pattern(text) for text in factors or ()], progress=progress)
    for each in found.noted:
        note(f"note: {plain(str(each.path))}: {plain(each.reason)}")
    for each in found.skipped:
        note(f"skipped: {plain(str(each.path))}: {plain(each.reason)}")
    if as_json:
        emit_json(
            {
                "store": str(store),
                "files": found.files,
                "trials": found.trials,
                "trials_failed": found.failed,
                "observations": found.observations,
                "files_known": found.known,
                "noted": [{"path": each.path, "reason": each.reason} for each in found.noted],
                "skipped": [{"path": each.path, "reason": each.reason} for each in found.skipped],
            }
        )
    else:
        say(f"{store}: {found.trials:,} trials from {found.files:,} files, {found.failed:,} of them failed")
        if found.known:
            say(f"{found.known:,} files were in the store already")
        if found.skipped:
            files = "file was" if len(found.skipped) == 1 else "files were"
            say(f"{len(found.skipped):,} {files} skipped, each with its reason above")
    if not found.files and not found.known:
        raise typer.Exit(NOTHING)
