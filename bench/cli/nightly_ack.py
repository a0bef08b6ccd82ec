"""``stripelab nightly ack``: acknowledge a confirmed regression until a date."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line

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
    store: Annotated[Path, typer.Option(metavar="STORE", help="Result store of the nights.")],
    metric: Annotated[
        str,
        typer.Argument(
            metavar="METRIC",
            help="Metric to acknowledge, named as in the outputs of a night.",
            show_default="list all acknowledgements",
        ),
    ] = "",
    reason: Annotated[str, typer.Option(help="Reason why the regression is accepted for now.")] = "",
    ticket: Annotated[str, typer.Option(help="Ticket that tracks the regression.")] = "",
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last night without an alert for the regression.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the acknowledgement of the metric.")] = False,
    as_json: common.Json = False,
) -> None:
    """Acknowledge a regression, or list the acknowledgements.

    A confirmed regression is acknowledged from the next night on. A night whose regressions are all acknowledged has
    the verdict `known regression` and the exit status 20. The regression alerts again if it gets worse by more than the
    practical margin, or when the date has passed.
    """
    from bench.store_lock import locked
    from results.nightly.acknowledged import read_acknowledged
    from results.store.folder import Store

    Store.open(store, verify=False, read_only=True)
    _check_options(metric, reason, ticket, until, remove=remove)
    if metric:
        with locked(store, _LOCK_FILE, _BUSY):
            _change(store, metric, reason, ticket, until, remove=remove)
    acknowledged = read_acknowledged(store)
    if as_json:
        emit_json([asdict(entry) for entry in acknowledged])
        return
    if not acknowledged:
        print_line("no acknowledgements")
    for entry in acknowledged:
        print_line(_line(entry))


def _check_options(metric: str, reason: str, ticket: str, until: str | None, *, remove: bool) -> None:
    if not metric:
        if remove or reason or ticket or until is not None:
            raise typer.BadParameter("missing; name the metric as in the outputs of a night", param_hint="METRIC")
        return
    if remove:
        if reason or ticket or until is not None:
            raise typer.BadParameter("cannot be combined with --reason, --ticket or --until", param_hint="--remove")
        return
    if not reason.strip() and not ticket.strip():
        raise typer.BadParameter("give at least one of them", param_hint="--reason / --ticket")
    if until is None:
        raise typer.BadParameter("give the last night without an alert: --until 2026-12-31", param_hint="--until")
    try:
        date.fromisoformat(until)
    except ValueError:
        raise typer.BadParameter(f"{until!r} is not a date such as 2026-12-31", param_hint="--until") from None


def _change(store: Path, metric: str, reason: str, ticket: str, until: str | None, *, remove: bool) -> None:
    """Add an acknowledgement, in place of an older one of the same metric, or remove it."""
    from results.errors import ResultsError
    from results.nightly.acknowledged import acknowledge, keep_acknowledged, key_of, read_acknowledged
    from results.nightly.answer import Acknowledgement
    from results.nightly.kept import outcomes
    from results.text import encodable, plain

    current = read_acknowledged(store)
    if remove:
        others = [entry for entry in current if _normalised(entry.name) != _normalised(metric)]
        if len(others) == len(current):
            raise ResultsError(
                f"{plain(metric)!r} is not acknowledged",
                remedy=f"`stripelab nightly ack --store {store}` lists the acknowledgements.",
            )
        keep_acknowledged(store, others)
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
    keep_acknowledged(store, [*(entry for entry in current if entry.key != key_of(verdict.metric)), new])


def _regressed(nights: Sequence[Nightly], metric: str) -> Verdict:
    """The newest verdict of the metric of this name; raises ResultsError unless it is a confirmed regression."""
    from results.errors import ResultsError
    from results.nightly.answer import KNOWN, REGRESSION
    from results.text import plain

    newest = {_normalised(verdict.metric.name): verdict for night in nights for verdict in night.verdicts}
    regressions = [verdict for verdict in newest.values() if verdict.word in {REGRESSION, KNOWN}]
    names = "; ".join(plain(verdict.metric.name) for verdict in regressions)
    remedy = f"Name one of the regressions: {names}." if names else "No regression is confirmed at present."
    verdict = newest.get(_normalised(metric))
    if verdict is None:
        raise ResultsError(f"no metric is called {plain(metric)!r}", remedy=remedy)
    if verdict not in regressions:
        raise ResultsError(f"{plain(verdict.metric.name)} is not a regression: {verdict.word}", remedy=remedy)
    return verdict


def _confirmed_night(nights: Sequence[Nightly], verdict: Verdict) -> str:
    """The night on which the present change was confirmed; outcomes of older versions are read by their words."""
    from results.nightly.acknowledged import key_of
    from results.nightly.answer import LAST_NIGHT
    from results.nightly.courses import by_metric
    from results.nightly.standing import standing

    change = standing(by_metric(nights)[key_of(verdict.metric)], verdict.baseline or "", LAST_NIGHT).confirmed
    return change.night if change is not None else nights[-1].night


def _normalised(name: str) -> str:
    """A name for comparisons: as outputs print it, regardless of case and spaces."""
    from results.text import plain

    return " ".join(plain(name).casefold().split())


def _line(entry: Acknowledged) -> str:
    """One acknowledgement on the terminal."""
    from results.nightly.words import acknowledged_text
    from results.text import plain

    return f"{plain(entry.name)}: confirmed on {plain(entry.confirmed)}; {acknowledged_text(entry.acknowledgement)}"
