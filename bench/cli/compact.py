"""``stripelab compact``: merge the files of a store and, on request, delete the raw data of old nights."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_stderr

if TYPE_CHECKING:
    from results.retention.compact import Compacted


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compact")(compact)


def compact(
    store: common.Store,
    keep_raw_nights: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Number of newest nights that keep their raw data.", min=1, show_default="all nights"
        ),
    ] = None,
    guarantee: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="JSON of a `stripelab guarantee` whose runs keep their raw data (repeatable)."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deleted without changing anything.")
    ] = False,
    as_json: common.Json = False,
) -> None:
    """Merge small files of a store, and delete old raw data.

    Raw data are the figures of each second, telemetry and the engine's own output. Only --keep-raw-nights deletes them,
    those of older nights, for good. Observations with their histograms, outcomes, baselines and a summary of every
    figure stay. Trials of a sweep keep their raw data.
    """
    compacted = _compact(store, keep_raw_nights, guarantee or [], dry_run=dry_run)
    if as_json:
        emit_json({**asdict(compacted), "freed_bytes": compacted.freed_bytes})
        return
    from results.retention.words import words

    lines = list(words(compacted))
    for line in lines:
        print_line(line)
    if dry_run:
        print_stderr("dry run: nothing was changed")
    elif not lines:
        print_line("nothing to do")


def _compact(store: Path, keep_raw_nights: int | None, guarantees: list[Path], *, dry_run: bool) -> Compacted:
    from bench.nightly.night import BUSY, LOCK_FILE
    from bench.nightly.retain import retain
    from bench.store_lock import locked
    from results.store.folder import Store

    Store.open(store, verify=False, read_only=True)  # a mistyped name creates no folder
    if dry_run:
        return retain(store, keep_raw_nights, guarantees, dry_run=True)
    with locked(store, LOCK_FILE, BUSY):
        return retain(store, keep_raw_nights, guarantees)
