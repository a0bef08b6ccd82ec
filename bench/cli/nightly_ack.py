"""``stripelab nightly ack``: say of a confirmed regression that it is known, until a date."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import emit_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from results.nightly.acknowledged import Acknowledged
    from results.nightly.answer import Nightly, Verdict

_LOCK_FILE = ".acknowledged.lock"
_BUSY = "another acknowledgement is being written"


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("ack")(ack)


def ack(
    store: Annotated[Path, typer.Option(help="Store of the nights.")],
    metric: Annotated[str, typer.Argument(help="Name of the metric, as outputs print it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why the regression is accepted for now.")] = "",
    ticket: Annotated[str, typer.Option("--ticket", help="Ticket that tracks it.")] = "",
    until: Annotated[str | None, typer.Option("--until", help="Last night that is not alerted, as a date.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the acknowledgement back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """Acknowledge a confirmed regression from the next night on, take that back, or list all acknowledgements.

    A night whose regressions are all acknowledged has the verdict `known regression` and the exit status 20. The
    regression alerts again if it gets worse by more than the practical margin, or when the date has passed.
    """
    from bench.store_lock import locked
    from results.nightly.acknowledged import read_acknowledged
    from results.store.folder import Store

    Store.open(store, verify=False, read_only=True)
    _check_options(metric, reason, ticket, until, remove=remove)
    if metric:
        with locked(store, _LOCK_FILE, _BUSY):
            _change(store, metric, reason, ticket, until, remove=remove)
    found = read_acknowledged(store)
    if as_json:
        emit_json([asdict(each) for each in found])
        return
    if not found:
        say("nothing is acknowledged")
    for each in found:
        say(_line(each))


def _check_options(metric: str, reason: str, ticket: str, until: str | None, *, remove: bool) -> None:
    if not metric:
        if remove or reason or ticket or until is not None:
            raise typer.BadParameter("name the metric as outputs print it", param_hint="METRIC")
        return
    if remove:
        if reason or ticket or until is not None:
            raise typer.BadParameter("takes no --reason, --ticket or --until", param_hint="--remove")
        return
    if not reason.strip() and not ticket.strip():
        raise typer.BadParameter("give at least one of them", param_hint="--reason / --ticket")
    if until is None:
        raise typer.BadParameter("give the last night that is not alerted: --until 2026-12-31", param_hint="--until")
    try:
        date.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter(f"{until!r} is not a date such as 2026-12-31", param_hint="--until") from None


def _change(store: Path, metric: str, reason: str, ticket: str, until: str | None, *, remove: bool) -> None:
    """Add an acknowledgement in place of an older one of the same metric, or take it back."""
    from results.errors import ResultsError
    from results.nightly.acknowledged import acknowledge, keep_acknowledged, key_of, read_acknowledged
    from results.nightly.answer import Acknowledgement
    from results.nightly.kept import outcomes
    from results.text import encodable, plain

    there = read_acknowledged(store)
    if remove:
        left = [each for each in there if _folded(each.name) != _folded(metric)]
        if len(left) == len(there):
            raise ResultsError(
                f"{plain(metric)!r} is not acknowledged",
                remedy=f"`stripelab nightly ack --store {store}` lists what is.",
            )
        keep_acknowledged(store, left)
        return
    nights = outcomes(store)
    verdict = _regressed(nights, metric)
    last = date.fromisoformat(until or "").isoformat()
    if nights and last <= nights[-1].night:
        raise typer.BadParameter(f"{last} is not after the newest night, {nights[-1].night}", param_hint="--until")
    new = acknowledge(
        verdict.metric,
        verdict.baseline or "",
        _confirmed_night(nights, verdict),
        Acknowledgement(
            until=last, reason=encodable(reason.strip()), ticket=encodable(ticket.strip()), set_at_ns=time.time_ns()
        ),
    )
    keep_acknowledged(store, [*(each for each in there if each.key != key_of(verdict.metric)), new])


def _regressed(nights: Sequence[Nightly], metric: str) -> Verdict:
    """The newest verdict of the metric of this name; raises ResultsError where that is not a confirmed regression."""
    from results.errors import ResultsError
    from results.nightly.answer import KNOWN, REGRESSION
    from results.text import plain

    newest = {_folded(each.metric.name): each for night in nights for each in night.verdicts}
    accepted = [each for each in newest.values() if each.word in {REGRESSION, KNOWN}]
    names = "; ".join(plain(each.metric.name) for each in accepted) or "there is none"
    remedy = f"Name one of the regressions as outputs print it: {names}."
    verdict = newest.get(_folded(metric))
    if verdict is None:
        raise ResultsError(f"no metric is called {plain(metric)!r}", remedy=remedy)
    if verdict not in accepted:
        raise ResultsError(f"{plain(verdict.metric.name)} is not a regression: {verdict.word}", remedy=remedy)
    return verdict


def _confirmed_night(nights: Sequence[Nightly], verdict: Verdict) -> str:
    """The night on which what stands was confirmed; outcomes of older versions are read by their words."""
    from results.nightly.acknowledged import key_of
    from results.nightly.answer import LAST_NIGHT
    from results.nightly.courses import by_metric
    from results.nightly.standing import standing

    stands = standing(by_metric(nights)[key_of(verdict.metric)], verdict.baseline or "", LAST_NIGHT)
    return stands.confirmed.night if stands.confirmed is not None else nights[-1].night


def _folded(name: str) -> str:
    """A name as it is compared: as outputs print it, whatever its case and spaces."""
    from results.text import plain

    return " ".join(plain(name).casefold().split())


def _line(each: Acknowledged) -> str:
    """One acknowledgement on the terminal."""
    from results.nightly.words import acknowledged_text
    from results.text import plain

    return f"{plain(each.name)}: confirmed on {plain(each.confirmed)}; {acknowledged_text(each.acknowledgement)}"
