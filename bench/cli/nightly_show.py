"""``stripelab nightly show``: an outcome that was kept, on the terminal and in every other form."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import nightly_options as to
from bench.cli.output import emit_json
from bench.errors import DeliveryError, StoreError
from results.paths import is_folder
from results.text import plain

if TYPE_CHECKING:
    from results.nightly.answer import Nightly


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("show")(show)


def show(
    outcome: Annotated[
        Path,
        typer.Argument(help="Store of the nights, or what `stripelab nightly … --json` printed; - is standard input."),
    ],
    night: Annotated[str | None, typer.Option("--night", help="Date of a night of the store; the newest.")] = None,
    junit: to.Junit = None,
    openmetrics: to.OpenMetrics = None,
    markdown: to.Markdown = None,
    code_quality: to.CodeQuality = None,
    html: to.Html = None,
    mail: to.Mail = None,
    mail_from: to.MailFrom = None,
    mail_to: to.MailTo = None,
    annotations: to.Annotations = None,
    webhook: to.Webhook = None,
    webhook_secret: to.WebhookSecret = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show the outcome of a night again, and write or send it in any form; nothing is measured.

    Exit status 1: that night has a regression; 20: every one of them is acknowledged.
    """
    asked = to.outputs(
        junit,
        openmetrics,
        markdown,
        code_quality,
        html,
        mail,
        mail_from,
        mail_to,
        annotations,
        webhook,
        webhook_secret,
    )
    asked.check()
    from bench.cli import nightly_terminal

    found = _found(outcome, night)
    if as_json:
        emit_json(found.to_json())
    else:
        nightly_terminal.show(found)
    sys.stdout.flush()
    failed = [each for each in to.deliver(asked, found, as_json=as_json) if each.problem is not None]
    if failed:
        raise _OutputError(failed[0].what, failed[0].problem or "")
    if found.status:
        raise typer.Exit(found.status)


def _found(path: Path, night: str | None) -> Nightly:
    """The outcome: from a store the one that is asked for, or the newest."""
    from results.nightly import kept
    from results.nightly.answer import from_json

    if not is_folder(path):
        if night is not None:
            raise typer.BadParameter(f"{path} is one outcome, no store", param_hint="--night")
        return from_json(_read(path))
    nights = kept.nights(path)
    chosen = night if night is not None else nights[-1] if nights else None
    outcome = kept.outcome_of(path, chosen) if chosen in nights else None
    if outcome is None:
        there = f"it has {nights[0]} to {nights[-1]}" if nights else "it has none yet"
        raise StoreError(
            f"{path} has no outcome of {'a night' if night is None else f'the night {plain(night)}'}: {there}",
            remedy="`stripelab nightly SWEEP --store STORE` runs one, and goes on with one that was interrupted.",
        )
    return outcome


class _OutputError(DeliveryError):
    """An output that was asked for was not made; here that is the failure, since nothing else was to be done."""

    answered = True

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}", remedy="Mend that, then run the same command again.")


def _read(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as failure:
        raise StoreError(
            f"{path} cannot be read: {failure.strerror}",
            remedy="Give the store of the nights, or a file that `stripelab nightly … --json` wrote.",
        ) from None
