"""``stripelab run``: build and measure every stack of a sweep, or resume an interrupted run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common

if TYPE_CHECKING:
    from bench.campaign import Summary


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(run)


def run(
    sweep: common.SweepFile,
    store: common.OutputStore,
    lab: common.Lab = False,
    disks: common.Disks = "",
    loop: Annotated[int, typer.Option(help=common.LOOP_HELP, min=0, max=256)] = 0,
    loop_size: Annotated[
        str | None, typer.Option(help=common.LOOP_SIZE_HELP, show_default="1GiB, or more if the data set needs it")
    ] = None,
    erase: common.Erase = "",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Rerun failed and invalid trials.")] = False,
    as_json: common.Json = False,
    events: Annotated[Path | None, typer.Option(hidden=True, help="File to write progress to.")] = None,
    task: Annotated[Path | None, typer.Option(hidden=True, help="File with the trials of a night.")] = None,
    budget_s: Annotated[
        float | None, typer.Option(hidden=True, help="Seconds after which no further trial starts.")
    ] = None,
) -> None:
    """Run every planned trial that has no outcome in the store yet.

    The same command resumes an interrupted run.
    """
    from bench.campaign import Conduct
    from bench.cli.option_checks import parse_bytes, require_exactly_one, split_list
    from bench.events import EventFile, both
    from bench.lab.inside import inside
    from bench.live import view
    from bench.places import in_the_lab, on_disks, on_loop_files
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    require_exactly_one({"--lab": lab, "--disks": bool(disks), "--loop": loop > 0})
    plan = make_plan(Sweep.load(sweep, vocabulary()))
    if task is not None:
        from bench.nightly.task import read_task

        plan = read_task(task, plan)
    if budget_s is not None and inside():
        budget_s -= time.clock_gettime(time.CLOCK_BOOTTIME)  # the host counts from before the boot of the guest
    conduct = Conduct(retry_failed, budget_s)
    with view() as show_event:
        emit = show_event
        if events is not None:  # the guest's console is not the user's terminal
            event_file = EventFile(events)
            emit = event_file if inside() else both(event_file, show_event)
        if lab:
            summary = in_the_lab(plan, sweep, store, emit, retry=retry_failed)
        elif loop:
            size = plan.sweep.default_disk_bytes if loop_size is None else parse_bytes(loop_size, "--loop-size")
            summary = on_loop_files(plan, store, emit, count=loop, each_bytes=size, conduct=conduct)
        else:
            summary = on_disks(plan, store, emit, split_list(disks), consented=split_list(erase), conduct=conduct)
    _print_summary(summary, store, as_json=as_json)


def _print_summary(summary: Summary, store: Path, *, as_json: bool) -> None:
    """Print how many trials the store has; raises TrialsFailedError where some are not ok."""
    from dataclasses import asdict

    from bench.cli.output import emit_json, print_line
    from bench.errors import TrialsFailedError

    if as_json:
        emit_json({"store": str(store), **asdict(summary), "complete": summary.complete})
    else:
        print_line(
            f"{summary.ok} of {summary.planned} trials ok, {summary.failed} failed, {summary.invalid} invalid: {store}"
        )
        print_line(f"next: stripelab recommend {store}")
    if summary.failed or summary.invalid:
        raise TrialsFailedError(f"{summary.failed} trial(s) failed and {summary.invalid} are invalid")
