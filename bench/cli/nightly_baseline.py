"""``stripelab nightly baseline``: what nights are compared with, and how that is changed on purpose."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import emit_json, say


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("baseline")(baseline)


def baseline(
    store: Annotated[Path, typer.Argument(help="Store of the nights.")],
    name: Annotated[str | None, typer.Option("--name", help="Pin a new baseline of this name.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept for ever.")] = "",
    nights: Annotated[int, typer.Option("--nights", help="Take so many nights, the latest ones.", min=5)] = 20,
    until: Annotated[str | None, typer.Option("--until", help="Last night to take; the latest.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List every baseline with its reason, or pin a new one; from then on nights are compared with that.

    Nights before the new baseline stay, with the verdicts that they got.
    """
    from bench.nightly.night import BUSY, LOCK_FILE
    from bench.store_lock import locked
    from results.nightly.baseline import read_baselines
    from results.store.folder import Store

    Store.open(store, verify=False, read_only=True)
    if name is not None:
        with locked(store, LOCK_FILE, BUSY):
            _pin(store, name, reason, nights, until)
    found = read_baselines(store)
    if as_json:
        emit_json([{**asdict(each), "current": each is found[-1]} for each in found])
        return
    if not found:
        say("no baseline yet: the first one is pinned when there are nights enough")
    for each in found:
        from stripelab.units import date

        mark = "*" if each is found[-1] else " "
        span = f"{len(each.nights)} nights, {each.nights[0]} to {each.nights[-1]}"
        say(f"{mark} {each.name}: {span}; pinned {date(each.set_at_ns)}: {each.reason}")


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
            f"{store} has {len(chosen)} nights{f' until {until}' if until else ''}, {nights} are asked for",
            remedy="Ask for fewer with --nights, or wait for more.",
        )
    pin(store, read_baselines(store), pinned_of(history, store, name, reason, chosen))
