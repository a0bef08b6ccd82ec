"""The options that say where the outcome of a night goes; the same for a night, for showing one, and for a timer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import note, say

if TYPE_CHECKING:
    from bench.nightly.outputs import Delivery, Outputs
    from results.nightly.answer import Nightly

Junit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file.")]
OpenMetrics = Annotated[
    Path | None,
    typer.Option("--openmetrics", help="Write OpenMetrics text to this file, such as stripelab.prom of a collector."),
]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="Write Markdown for a merge request to this file.")]
CodeQuality = Annotated[
    Path | None, typer.Option("--code-quality", help="Write GitLab's code quality report (JSON) to this file.")
]
Html = Annotated[Path | None, typer.Option("--html", help="Write the page of the mail alone to this file.")]
Mail = Annotated[Path | None, typer.Option("--mail", help="Write a mail to this file, .eml: sendmail -t < FILE.")]
MailFrom = Annotated[str | None, typer.Option("--mail-from", help="Its sender; stripelab@HOST.")]
MailTo = Annotated[list[str] | None, typer.Option("--mail-to", help="A recipient; may be given again.")]
Annotations = Annotated[
    str | None, typer.Option("--annotations", help="github: print workflow commands that GitHub shows as annotations.")
]
Webhook = Annotated[str | None, typer.Option("--webhook", help="Send the outcome to this URL, signed.")]
WebhookSecret = Annotated[
    Path | None,
    typer.Option("--webhook-secret", help="File with the secret (whsec_…); else STRIPELAB_WEBHOOK_SECRET has it."),
]


def outputs(
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
    """What was asked for, which is to be checked before anything runs."""
    from bench.nightly.outputs import Outputs

    if annotations not in {None, "github"}:
        raise typer.BadParameter(
            f"{annotations} is not github; GitLab reads a file: --code-quality FILE", param_hint="--annotations"
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


def deliver(asked: Outputs, night: Nightly, *, as_json: bool) -> tuple[Delivery, ...]:
    """Deliver everything that was asked for, say on stderr what went where, and return what became of each.

    With ``--json`` stdout is the answer's alone, and GitHub reads commands on stderr just as well.
    """
    done = asked.deliver(night, note if as_json else say)
    for each in done:
        if each.problem is not None:
            note(f"warning: {each.what} {each.where}: {each.problem}")
            note(f"next: {each.remedy}")
        elif each.what != "--annotations":
            note(f"{each.what}: {each.where}{f' ({each.note})' if each.note else ''}")
    return done
