"""``stripelab import``: results of other tools and of earlier runs, into a store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_progress, print_stderr
from results.text import plain

NOTHING_READ = 1


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("import")(import_files)


def import_files(
    paths: Annotated[
        list[Path], typer.Argument(help="Files to import, and folders to search for files.", metavar="FILES")
    ],
    store: common.OutputStore,
    factors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Factors in the path, such as '{controller}/{level}-{chunk_kib}K/{rw}-{iodepth}-{numjobs}.json', or "
            "in a job option, such as 'filename=/mnt/{level}/{}' (repeatable).",
        ),
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Import results of other tools into a store.

    Read are fio's JSON with its logs, bench-fio's folders, dd's figures, gpcheckperf's output and elbencho's CSV. A
    file without usable results is skipped and named with the reason. Results that are in the store already are not
    added again. Exit status 1: no file could be read.
    """
    from bench.importing.campaign import import_files as import_into
    from bench.importing.pattern import compile_pattern

    terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        if terminal:
            print_progress(f"{done:,} of {total:,} files", last=done == total)

    imported = import_into(paths, store, [compile_pattern(text) for text in factors or ()], progress=progress)
    for remark in imported.noted:
        print_stderr(f"note: {plain(str(remark.path))}: {plain(remark.reason)}")
    for remark in imported.skipped:
        print_stderr(f"skipped: {plain(str(remark.path))}: {plain(remark.reason)}")
    if as_json:
        emit_json(
            {
                "store": str(store),
                "files": imported.files,
                "trials": imported.trials,
                "trials_failed": imported.failed,
                "observations": imported.observations,
                "files_known": imported.known,
                "noted": [{"path": remark.path, "reason": remark.reason} for remark in imported.noted],
                "skipped": [{"path": remark.path, "reason": remark.reason} for remark in imported.skipped],
            }
        )
    else:
        print_line(f"{store}: {imported.trials:,} trials from {imported.files:,} files, {imported.failed:,} failed")
        if imported.known:
            print_line(f"{imported.known:,} {_files_were(imported.known)} in the store already")
        if imported.skipped:
            skipped = len(imported.skipped)
            print_line(f"{skipped:,} {_files_were(skipped)} skipped, for the reasons above")
    if not imported.files and not imported.known:
        raise typer.Exit(NOTHING_READ)


def _files_were(count: int) -> str:
    return "file was" if count == 1 else "files were"
