"""``stripelab status``: what a store holds, and which trials failed and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status")(status)


def status(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say how far a sweep has come, and list the trials that failed or do not count."""
    from dataclasses import asdict

    from bench.campaign import SWEEP_FILE, summary
    from bench.cli.output import emit_json, say
    from bench.cli.status_face import show_points
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan
    from permutations.sweep import Sweep
    from results.query import load
    from results.store import Store

    opened = Store.open(store, read_only=True)
    plan = make_plan(Sweep.load(store / SWEEP_FILE, vocabulary()))
    counts = summary(plan, opened)
    frames = load(store)
    bad = [row for row in frames.trial_rows() if row.status != "ok"]
    if as_json:
        emit_json(
            {
                "store": str(store),
                **asdict(counts),
                "complete": counts.complete,
                "not_ok": [
                    {
                        "trial_id": row.trial_id,
                        "status": row.status,
                        "level": row.level,
                        "filesystem": row.filesystem,
                        "block": row.block,
                        "error": row.error,
                        "command": row.error_command,
                        "invalid_reasons": list(row.invalid_reasons),
                    }
                    for row in bad
                ],
                "set_aside": [{"path": str(each.path), "reason": each.reason} for each in opened.set_aside],
            }
        )
        return
    left = counts.planned - counts.decided
    say(f"{counts.ok} of {counts.planned} trials ok, {counts.failed} failed, {counts.invalid} invalid, {left} to run")
    show_points(frames, [] if plan.sweep.racing else [(trial.point.id, trial.block) for trial in plan.trials])
    for row in bad:
        why = row.error or "; ".join(row.invalid_reasons)
        say(f"  {row.status}: {row.level} {row.filesystem} block {row.block + 1} ({row.trial_id}): {why}")
        if row.error_command:
            say(f"    command: {row.error_command}")
    for each in opened.set_aside:
        say(f"  set aside: {each.path}: {each.reason}")
