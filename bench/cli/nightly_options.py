"""Options that several verbs of ``stripelab nightly`` share, most of them outputs of a night's outcome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import print_line, print_stderr

if TYPE_CHECKING:
    from bench.nightly.outputs import Delivery, Outputs
    from results.nightly.answer import Nightly

BUDGET_HELP = "Hours after which the night ends."

Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="JUnit XML file to write.")]
OpenMetrics = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="OpenMetrics file to write, such as stripelab.prom of a textfile collector."),
]
Markdown = Annotated[Path | None, typer.Option(metavar="FILE", help="Markdown file to write, for a merge request.")]
CodeQuality = Annotated[Path | None, typer.Option(metavar="FILE", help="GitLab code quality report (JSON) to write.")]
Html = Annotated[Path | None, typer.Option(metavar="FILE", help="HTML file to write, with the page of the mail.")]
Mail = Annotated[Path | None, typer.Option(metavar="FILE", help="Mail to write as .eml file, for sendmail -t < FILE.")]
MailFrom = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Sender of the mail.", show_default="stripelab@HOST")
]
MailTo = Annotated[list[str] | None, typer.Option(metavar="ADDRESS", help="Recipient of the mail (repeatable).")]
Annotations = Annotated[str | None, typer.Option(metavar="github", help="CI system to print annotations for.")]
Webhook = Annotated[str | None, typer.Option(metavar="URL", help="URL to send the signed outcome to.")]
WebhookSecret = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File with the secret (whsec_…) that signs it.",
        show_default="variable STRIPELAB_WEBHOOK_SECRET",
    ),
]


def parse_outputs(
    junit: Path | None,
    openmetrics: Path | None,
    markdown: Path | None,
    code_quality: Path | None,
    html: Path | None,
    mail: Path | None,
    mail_from: str | None,
    mail_to: list[str] | None,
    annotations: str | None,
    webhook: str | None,
    webhook_secret: Path | None,
) -> Outputs:
    """The outputs that the options request; the caller checks them before anything runs."""
    from bench.nightly.outputs import Outputs

    if annotations not in {None, "github"}:
        raise typer.BadParameter(
            f"must be github (got {annotations}); hint: GitLab reads a file, --code-quality FILE",
            param_hint="--annotations",
        )
    return Outputs(
        junit=junit,
        openmetrics=openmetrics,
        markdown=markdown,
        code_quality=code_quality,
        html=html,
        mail=mail,
        mail_from=mail_from,
        mail_to=tuple(mail_to or ()),
        annotations=annotations is not None,
        webhook=webhook,
        webhook_secret=webhook_secret,
    )


def deliver(outputs: Outputs, night: Nightly, *, as_json: bool) -> tuple[Delivery, ...]:
    """Deliver every output, print on stderr where each went, and return the deliveries.

    With ``--json`` stdout is for the answer alone; GitHub reads workflow commands on stderr too.
    """
    deliveries = outputs.deliver(night, print_stderr if as_json else print_line)
    for delivery in deliveries:
        if delivery.problem is not None:
            print_stderr(f"warning: {delivery.what} {delivery.where}: {delivery.problem}")
            print_stderr(f"next: {delivery.remedy}")
        elif delivery.what != "--annotations":
            print_stderr(f"{delivery.what}: {delivery.where}{f' ({delivery.note})' if delivery.note else ''}")
    return deliveries
