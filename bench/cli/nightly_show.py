"""``stripelab nightly show``: the outcome of a past night, on the terminal and in every other form."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli import nightly_options as options
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
        typer.Argument(
            metavar="OUTCOME",
            help="Result store of the nights, or file with the JSON of a night (- for standard input).",
        ),
    ],
    night: Annotated[
        str | None, typer.Option(metavar="DATE", help="Date of a night of the store.", show_default="the newest night")
    ] = None,
    junit: options.Junit = None,
    openmetrics: options.OpenMetrics = None,
    markdown: options.Markdown = None,
    code_quality: options.CodeQuality = None,
    html: options.Html = None,
    mail: options.Mail = None,
    mail_from: options.MailFrom = None,
    mail_to: options.MailTo = None,
    annotations: options.Annotations = None,
    webhook: options.Webhook = None,
    webhook_secret: options.WebhookSecret = None,
    as_json: common.Json = False,
) -> None:
    """Show, write or send the outcome of a past night.

    Nothing is measured. Exit status 1: the night has a regression; 20: every regression is acknowledged.
    """
    outputs = options.parse_outputs(
        junit, openmetrics, markdown, code_quality, html, mail, mail_from, mail_to, annotations, webhook, webhook_secret
    )
    outputs.check()
    from bench.cli import nightly_terminal

    past = _read_outcome(outcome, night)
    if as_json:
        emit_json(past.to_json())
    else:
        nightly_terminal.print_night(past)
    sys.stdout.flush()
    deliveries = options.deliver(outputs, past, as_json=as_json)
    failed = [delivery for delivery in deliveries if delivery.problem is not None]
    if failed:
        raise _OutputError(failed[0].what, failed[0].problem or "")
    if past.status:
        raise typer.Exit(past.status)


def _read_outcome(path: Path, night: str | None) -> Nightly:
    """The outcome in a file, or that of a night of a store (None: the newest)."""
    from results.nightly import kept
    from results.nightly.answer import from_json

    if not is_folder(path):
        if night is not None:
            raise typer.BadParameter(f"{path} is a single outcome; --night needs a store", param_hint="--night")
        return from_json(_read_bytes(path))
    nights = kept.nights(path)
    chosen = night if night is not None else nights[-1] if nights else None
    outcome = kept.outcome_of(path, chosen) if chosen in nights else None
    if outcome is None:
        existing = f"; it has {nights[0]} to {nights[-1]}" if nights else ""
        raise StoreError(
            f"{path} has no outcome of {'a night' if night is None else f'the night {plain(night)}'}{existing}",
            remedy="`stripelab nightly SWEEP --store STORE` runs a night, and resumes one that was interrupted.",
        )
    return outcome


class _OutputError(DeliveryError):
    """A requested output was not delivered, which is the only task of this verb."""

    answer_printed = True

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}", remedy="Fix the cause above and rerun the same command.")


def _read_bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as failure:
        raise StoreError(
            f"{path} cannot be read: {failure.strerror}",
            remedy="Give the result store of the nights, or a file with the output of `stripelab nightly … --json`.",
        ) from None
