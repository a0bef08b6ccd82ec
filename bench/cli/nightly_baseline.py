"""``stripelab nightly baseline``: the baselines that nights are compared with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("baseline")(baseline)


def baseline(
    store: common.NightStore,
    name: Annotated[
        str | None, typer.Option(help="Name of a new baseline to pin.", show_default="list the baselines")
    ] = None,
    reason: Annotated[str, typer.Option(help="Reason for the new baseline, which is kept permanently.")] = "",
    nights: Annotated[int, typer.Option(help="Number of nights in the new baseline.", min=5)] = 20,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Last night in the new baseline.", show_default="the newest night"),
    ] = None,
    as_json: common.Json = False,
) -> None:
    """List the baselines, or pin a new one.

    The nights that follow are compared with the new one. Earlier nights keep their verdicts.
    """
    from bench.nightly.night import BUSY, LOCK_FILE
    from bench.store_lock import locked
    from results.nightly.baseline import read_baselines
    from results.store.folder import Store

    Store.open(store, verify=False, read_only=True)
    if name is not None:
        with locked(store, LOCK_FILE, BUSY):
            _pin(store, name, reason, nights, until)
    baselines = read_baselines(store)
    if as_json:
        emit_json([{**asdict(pinned), "current": pinned is baselines[-1]} for pinned in baselines])
        return
    if not baselines:
        print_line("no baseline yet: the first one is pinned when there are enough nights")
    for pinned in baselines:
        from stripelab.units import date

        mark = "*" if pinned is baselines[-1] else " "
        span = f"{len(pinned.nights)} nights, {pinned.nights[0]} to {pinned.nights[-1]}"
        print_line(f"{mark} {pinned.name}: {span}; pinned {date(pinned.set_at_ns)}: {pinned.reason}")


def _pin(store: Path, name: str, reason: str, nights: int, until: str | None) -> None:
    """Pin the latest nights; raises ResultsError where there are too few."""
    from bench.nightly.night import pinned_of
    from results.errors import ResultsError
    from results.nightly.baseline import pin, read_baselines
    from results.nightly.history import read_history
    from results.store.query import load

    history = read_history(load(store, verify=False))
    chosen = [night for night in history.nights if until is None or night <= until][-nights:]
    if len(chosen) < nights:
        raise ResultsError(
            f"a baseline of {nights} nights needs more than the {len(chosen)} of {store}"
            f"{f' until {until}' if until else ''}",
            remedy="Give a smaller --nights, or wait for more nights.",
        )
    pin(store, read_baselines(store), pinned_of(history, store, name, reason, chosen))
