"""``stripelab nightly SWEEP``: the night itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import nightly_options as to
from bench.cli.output import emit_json
from bench.cli.usage import budget_s
from bench.errors import IncompleteNightError

if TYPE_CHECKING:
    from bench.nightly.night import Asked
    from bench.nightly.where import Where
    from results.nightly.answer import Nightly


Margin = Annotated[float, typer.Option("--margin", help="Practical margin, per cent.", min=0, max=99)]
BaselineNights = Annotated[int, typer.Option("--baseline-nights", help="Nights that the first baseline takes.", min=5)]
KeepRaw = Annotated[
    int | None,
    typer.Option("--keep-raw", help="Then compact: raw data of so many nights stay, summaries for ever.", min=1),
]
RestoreBaseline = Annotated[
    str | None, typer.Option("--restore-baseline", help="Command that puts this machine into the baseline's state.")
]
RestoreTonight = Annotated[
    str | None, typer.Option("--restore-tonight", help="Command that puts it back into tonight's.")
]
Guarantee = Annotated[
    list[Path] | None,
    typer.Option("--guarantee", help="Watch a bound: JSON of `stripelab guarantee`; may be given again."),
]


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("run")(run)


def run(
    sweep: Annotated[Path, typer.Argument(help="Sweep file (TOML).")],
    store: Annotated[Path, typer.Option(help="Folder that keeps the results of all nights.")],
    lab: Annotated[bool, typer.Option("--lab", help="Run in the virtual lab.")] = False,
    disks: Annotated[
        str, typer.Option(help="Serials or WWNs of the disks to use, comma-separated: THEIR CONTENT IS DESTROYED.")
    ] = "",
    loop: Annotated[int, typer.Option(help="Use this many loop files in the store instead of disks.", min=0)] = 0,
    loop_size: Annotated[str, typer.Option(help="Size of each loop file.")] = "1GiB",
    erase: Annotated[
        str, typer.Option(help="Serials typed once more, for disks that hold something stripelab did not write.")
    ] = "",
    night: Annotated[str | None, typer.Option("--night", help="Date of the night; today, UTC.")] = None,
    budget: Annotated[float | None, typer.Option("--budget", help="Hours after which the night ends.")] = None,
    margin: Margin = 5.0,
    baseline_nights: BaselineNights = 20,
    restore_baseline: RestoreBaseline = None,
    restore_tonight: RestoreTonight = None,
    guarantee: Guarantee = None,
    keep_raw: KeepRaw = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Run a night: measure, screen every metric against the baseline, confirm what is suspicious, and say a verdict.

    Exit status 1: a regression is confirmed; 18: none is, and the night is incomplete; 20: all are acknowledged.
    """
    outputs = to.outputs(
        junit, openmetrics, markdown, code_quality, html, mail, mail_from, mail_to, annotations, webhook, webhook_secret
    )
    outputs.check(store)
    from bench.nightly.confirm import Hooks
    from bench.nightly.night import Asked
    from results.nightly.watch import read_promise

    where = _where(sweep, store, disks, erase, loop_size, lab=lab, loop=loop)
    hooks = _hooks(restore_baseline, restore_tonight, lab=lab)
    asked = Asked(
        where=where,
        night=night,
        budget_s=None if budget is None else budget_s(budget),
        margin=margin / 100,
        baseline_nights=baseline_nights,
        hooks=Hooks(*hooks),
        promises=tuple(read_promise(path) for path in guarantee or ()),
        keep_raw=keep_raw,
        guarantees=tuple(guarantee or ()),
    )
    outcome = _measured(asked)
    from bench.cli import nightly_terminal

    if as_json:
        emit_json(outcome.to_json())
    else:
        nightly_terminal.show(outcome)
    sys.stdout.flush()
    to.deliver(outputs, outcome, as_json=as_json)
    _conclude(outcome)


def _conclude(outcome: Nightly) -> None:
    """The exit status: a regression is told before what is missing, and what is known last."""
    if outcome.regressions:
        raise typer.Exit(outcome.status)
    if not outcome.complete:
        raise IncompleteNightError(f"the night {outcome.night} is incomplete: {outcome.problems[0]}")
    if outcome.status:
        raise typer.Exit(outcome.status)


def _measured(asked: Asked) -> Nightly:
    from bench.live import view
    from bench.nightly.night import run_night
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    plan = make_plan(Sweep.load(asked.where.sweep, vocabulary()))
    with view() as emit:
        return run_night(plan, asked, emit)


def _where(sweep: Path, store: Path, disks: str, erase: str, loop_size: str, *, lab: bool, loop: int) -> Where:
    from bench.cli.usage import exactly_one, size_bytes, words
    from bench.nightly.where import Where

    exactly_one({"--lab": lab, "--disks": bool(disks), "--loop": loop > 0})
    return Where(
        sweep=sweep,
        store=store,
        lab=lab,
        disks=tuple(words(disks)),
        consented=tuple(words(erase)),
        loop=loop,
        loop_bytes=size_bytes(loop_size, "--loop-size"),
    )


def _hooks(baseline: str | None, tonight: str | None, *, lab: bool) -> tuple[str | None, str | None]:
    """Both commands or none; the lab is made anew for every campaign, so nothing of it can be switched."""
    if (baseline is None) != (tonight is None):
        raise typer.BadParameter("give both or none", param_hint="--restore-baseline / --restore-tonight")
    if baseline is not None and lab:
        raise typer.BadParameter("these commands act on this machine, not on the lab", param_hint="--restore-baseline")
    return baseline, tonight
