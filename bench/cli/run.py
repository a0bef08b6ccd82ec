"""``stripelab run``: build every stack of a sweep and measure it; resumes by itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.campaign import Summary


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(run)


def run(
    sweep: Annotated[Path, typer.Argument(help="Sweep file (TOML).")],
    store: Annotated[Path, typer.Option(help="Folder that keeps the results; the same folder resumes.")],
    lab: Annotated[
        bool, typer.Option("--lab", help="Run in the virtual lab: no disk of this machine is touched.")
    ] = False,
    disks: Annotated[
        str, typer.Option(help="Serials or WWNs of the disks to use, comma-separated: THEIR CONTENT IS DESTROYED.")
    ] = "",
    loop: Annotated[
        int, typer.Option(help="Use this many loop files in the store instead of disks.", min=0, max=256)
    ] = 0,
    loop_size: Annotated[
        str | None,
        typer.Option(help="Size of each loop file; 1GiB, or more where the data set needs it.", show_default=False),
    ] = None,
    erase: Annotated[
        str, typer.Option(help="Serials typed once more, for disks that hold something stripelab did not write.")
    ] = "",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed and invalid trials again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    events: Annotated[Path | None, typer.Option(hidden=True, help="Write progress to this file.")] = None,
    task: Annotated[Path | None, typer.Option(hidden=True, help="Trials of a night, from this file.")] = None,
    budget_s: Annotated[float | None, typer.Option(hidden=True, help="Start no trial after this time.")] = None,
) -> None:
    """Run a sweep: every planned trial that has no outcome in the store yet."""
    from bench.campaign import Conduct
    from bench.cli.usage import exactly_one, size_bytes, words
    from bench.events import EventFile, both
    from bench.lab.inside import inside
    from bench.live import view
    from bench.places import in_the_lab, on_disks, on_loop_files
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan
    from permutations.sweep import Sweep

    exactly_one({"--lab": lab, "--disks": bool(disks), "--loop": loop > 0})
    plan = make_plan(Sweep.load(sweep, vocabulary()))
    if task is not None:
        from bench.nightly.task import read_task

        plan = read_task(task, plan)
    if budget_s is not None and inside():
        budget_s -= time.clock_gettime(time.CLOCK_BOOTTIME)  # the host counts from before the guest booted
    conduct = Conduct(retry_failed, budget_s)
    with view() as shown:
        emit = shown
        if events is not None:  # the guest's console is not the user's terminal
            written = EventFile(events)
            emit = written if inside() else both(written, shown)
        if lab:
            summary = in_the_lab(plan, sweep, store, emit, retry=retry_failed)
        elif loop:
            each = plan.sweep.usual_disk_bytes if loop_size is None else size_bytes(loop_size, "--loop-size")
            summary = on_loop_files(plan, store, emit, count=loop, each_bytes=each, conduct=conduct)
        else:
            summary = on_disks(plan, store, emit, words(disks), consented=words(erase), conduct=conduct)
    conclude(summary, store, as_json=as_json)


def conclude(summary: Summary, store: Path, *, as_json: bool) -> None:
    """Say what the store holds now; trials that are not ok make the exit status tell."""
    from dataclasses import asdict

    from bench.cli.output import emit_json, say
    from bench.errors import TrialsFailedError

    if as_json:
        emit_json({"store": str(store), **asdict(summary), "complete": summary.complete})
    else:
        say(f"{summary.ok} of {summary.planned} trials ok, {summary.failed} failed, {summary.invalid} invalid: {store}")
        say(f"next: stripelab recommend {store}")
    if summary.failed or summary.invalid:
        raise TrialsFailedError(f"{summary.failed} trial(s) failed and {summary.invalid} are invalid")
