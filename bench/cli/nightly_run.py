"""``stripelab nightly run``: one night, from the first trial to the outcome."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli import nightly_options as options
from bench.cli.option_checks import hours_to_seconds
from bench.cli.output import emit_json
from bench.errors import IncompleteNightError

if TYPE_CHECKING:
    from bench.nightly.night import Asked
    from bench.nightly.where import Where
    from results.nightly.answer import Nightly


Loop = Annotated[int, typer.Option(help=common.LOOP_HELP, min=0)]
LoopSize = Annotated[str, typer.Option(help=common.LOOP_SIZE_HELP)]
Night = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Date of the night.",
        show_default="interrupted night of the last 12 hours, else today in UTC",
    ),
]
Budget = Annotated[float | None, typer.Option(metavar="HOURS", help=options.BUDGET_HELP, show_default="no limit")]
Margin = Annotated[
    float,
    typer.Option(help="Practical margin, the largest difference that does not matter, in per cent.", min=0, max=99),
]
BaselineNights = Annotated[int, typer.Option(help="Number of nights in the first baseline.", min=5)]
RestoreBaseline = Annotated[
    str | None, typer.Option(metavar="COMMAND", help="Command that puts this machine into the state of the baseline.")
]
RestoreTonight = Annotated[
    str | None, typer.Option(metavar="COMMAND", help="Command that puts this machine back into its state of tonight.")
]
Guarantee = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="JSON of a `stripelab guarantee` whose bound to watch (repeatable)."),
]
KeepRaw = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Number of newest nights that keep their raw data when the store is compacted after the night.",
        min=1,
        show_default="no compaction",
    ),
]


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("run")(run)


def run(
    sweep: common.SweepFile,
    store: common.OutputStore,
    lab: common.Lab = False,
    disks: common.Disks = "",
    loop: Loop = 0,
    loop_size: LoopSize = "1GiB",
    erase: common.Erase = "",
    night: Night = None,
    budget: Budget = None,
    margin: Margin = 5.0,
    baseline_nights: BaselineNights = 20,
    restore_baseline: RestoreBaseline = None,
    restore_tonight: RestoreTonight = None,
    guarantee: Guarantee = None,
    keep_raw: KeepRaw = None,
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
    """Run a night: measure, confirm regressions and give verdicts.

    Every metric is compared with the baseline, and what looks worse is measured again. The same command resumes an
    interrupted night. Exit status 1: a regression is confirmed; 18: no regression, but the night is incomplete; 20:
    every regression is acknowledged.
    """
    outputs = options.parse_outputs(
        junit, openmetrics, markdown, code_quality, html, mail, mail_from, mail_to, annotations, webhook, webhook_secret
    )
    outputs.check(store)
    from bench.nightly.confirm import Hooks
    from bench.nightly.night import Asked
    from results.nightly.watch import read_promise

    where = _where(sweep, store, disks, erase, loop_size, lab=lab, loop=loop)
    hooks = _check_hooks(restore_baseline, restore_tonight, lab=lab)
    request = Asked(
        where=where,
        night=night,
        budget_s=None if budget is None else hours_to_seconds(budget),
        margin=margin / 100,
        baseline_nights=baseline_nights,
        hooks=Hooks(*hooks),
        promises=tuple(read_promise(path) for path in guarantee or ()),
        keep_raw=keep_raw,
        guarantees=tuple(guarantee or ()),
    )
    outcome = _run(request)
    from bench.cli import nightly_terminal

    if as_json:
        emit_json(outcome.to_json())
    else:
        nightly_terminal.print_night(outcome)
    sys.stdout.flush()
    options.deliver(outputs, outcome, as_json=as_json)
    _exit(outcome)


def _exit(outcome: Nightly) -> None:
    """Exit with the status of the outcome: regressions first, then incomplete, then known regressions."""
    if outcome.regressions:
        raise typer.Exit(outcome.status)
    if not outcome.complete:
        raise IncompleteNightError(f"the night {outcome.night} is incomplete: {outcome.problems[0]}")
    if outcome.status:
        raise typer.Exit(outcome.status)


def _run(request: Asked) -> Nightly:
    from bench.live import view
    from bench.nightly.night import run_night
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    plan = make_plan(Sweep.load(request.where.sweep, vocabulary()))
    with view() as emit:
        return run_night(plan, request, emit)


def _where(sweep: Path, store: Path, disks: str, erase: str, loop_size: str, *, lab: bool, loop: int) -> Where:
    from bench.cli.option_checks import parse_bytes, require_exactly_one, split_list
    from bench.nightly.where import Where

    require_exactly_one({"--lab": lab, "--disks": bool(disks), "--loop": loop > 0})
    return Where(
        sweep=sweep,
        store=store,
        lab=lab,
        disks=tuple(split_list(disks)),
        consented=tuple(split_list(erase)),
        loop=loop,
        loop_bytes=parse_bytes(loop_size, "--loop-size"),
    )


def _check_hooks(baseline: str | None, tonight: str | None, *, lab: bool) -> tuple[str | None, str | None]:
    """Both commands or neither; none for the lab, which is created anew for every campaign."""
    if (baseline is None) != (tonight is None):
        raise typer.BadParameter("give both or neither", param_hint="--restore-baseline / --restore-tonight")
    if baseline is not None and lab:
        raise typer.BadParameter(
            "cannot be combined with --lab: it acts on this machine", param_hint="--restore-baseline"
        )
    return baseline, tonight
