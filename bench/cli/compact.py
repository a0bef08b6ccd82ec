"""``stripelab compact``: merge the files of a store, and drop the raw data of old nights where that is asked for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import emit_json, note, say

if TYPE_CHECKING:
    from results.retention.compact import Compacted


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compact")(compact)


def compact(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    keep_raw_nights: Annotated[
        int | None,
        typer.Option("--keep-raw-nights", help="Drop the raw data of nights older than the newest N.", min=1),
    ] = None,
    guarantee: Annotated[
        list[Path] | None,
        typer.Option("--guarantee", help="Keep the raw data of its runs: JSON of `stripelab guarantee`; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Merge small files; with --keep-raw-nights drop seconds, telemetry and raw output of older nights for good.

    Observations with their histograms, outcomes, baselines and a summary of every figure stay. Sweeps lose nothing.
    """
    done = _carried_out(store, keep_raw_nights, guarantee or [], dry_run=dry_run)
    if as_json:
        emit_json({**asdict(done), "freed_bytes": done.freed_bytes})
        return
    from results.retention.words import words

    lines = list(words(done))
    for line in lines:
        say(line)
    if dry_run:
        note("a dry run: nothing was changed")
    elif not lines:
        say("nothing to do")


def _carried_out(store: Path, keep_raw_nights: int | None, guarantee: list[Path], *, dry_run: bool) -> Compacted:
    from bench.nightly.night import BUSY, LOCK_FILE
    from bench.nightly.retain import retain
    from bench.store_lock import locked
    from results.store.folder import Store

    Store.open(store, verify=False, read_only=True)  # a mistyped name makes no folder
    if dry_run:
        return retain(store, keep_raw_nights, guarantee, dry_run=True)
    with locked(store, LOCK_FILE, BUSY):
        return retain(store, keep_raw_nights, guarantee)
