"""``stripelab status``: the progress of a sweep, and which trials failed and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_paragraph, print_stderr

if TYPE_CHECKING:
    from permutations.plan import Plan
    from results.store.query import StoreFrames
    from results.store.schema import TrialRow


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status")(status)


def status(store: common.Store, as_json: common.Json = False) -> None:
    """Show the progress of a sweep and its failed trials.

    Invalid trials, and files that are set aside, are listed too.
    """
    from permutations.errors import SweepError
    from results.estimates.objective import SWEEP_FILE
    from results.store.query import load

    frames = load(store)
    if not frames.store.folder.exists(SWEEP_FILE):
        _print_without_plan(store, frames, as_json=as_json)
        return
    try:
        plan = _plan(store)
    except SweepError as error:
        print_stderr(
            f"warning: cannot plan the sweep of this store, so the number of trials to run is unknown: {error}"
        )
        _print_without_plan(store, frames, as_json=as_json)
        return
    _print_progress(store, frames, plan, as_json=as_json)


def _plan(store: Path) -> Plan:
    """The plan of the sweep in a store; raises SweepError where this version cannot plan it."""
    from bench.claim import kept_sweep
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan

    return make_plan(kept_sweep(store, vocabulary(strict=False)))


def _print_progress(store: Path, frames: StoreFrames, plan: Plan, *, as_json: bool) -> None:
    """Print the trials of a store against the plan of its sweep."""
    from bench.campaign import summary
    from bench.cli.status_table import print_points

    counts = summary(plan, frames.store)
    if as_json:
        _emit_json(store, {**asdict(counts), "complete": counts.complete}, frames)
        return
    to_run = counts.planned - counts.decided
    print_line(
        f"{counts.ok} of {counts.planned} trials ok, {counts.failed} failed, {counts.invalid} invalid, {to_run} to run"
    )
    if plan.sweep.racing is not None:
        from bench import race

        print_paragraph(race.standing_line(race.History(plan, frames.store)))
    _print_dropped(frames)
    print_points(frames, [] if plan.sweep.racing else [(trial.point.id, trial.block) for trial in plan.trials])
    _print_not_ok(frames)


def _print_without_plan(store: Path, frames: StoreFrames, *, as_json: bool) -> None:
    """Print the trials of a store without a sweep file, such as one of imported results."""
    from results.store.imported import is_imported

    rows = frames.trial_rows()
    counts = {status: sum(row.status == status for row in rows) for status in ("ok", "failed", "invalid")}
    imported = is_imported(rows)
    if as_json:
        _emit_json(store, {**counts, "imported": imported}, frames)
        return
    kind = "imported" if imported else "without a plan"
    print_line(f"{kind}: {counts['ok']} trials ok, {counts['failed']} failed, {counts['invalid']} invalid")
    _print_dropped(frames)
    _print_not_ok(frames)


def _print_dropped(frames: StoreFrames) -> None:
    """Print the nights whose raw data were deleted by `compact`."""
    from results.retention.words import dropped_note

    if (text := dropped_note(frames.trial_rows())) is not None:
        print_paragraph(text)


def _not_ok(frames: StoreFrames) -> list[TrialRow]:
    return [row for row in frames.trial_rows() if row.status != "ok"]


def _emit_json(store: Path, counts: Mapping[str, object], frames: StoreFrames) -> None:
    """Print as JSON."""
    emit_json(
        {
            "store": str(store),
            **counts,
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
                for row in _not_ok(frames)
            ],
            "set_aside": [{"path": str(file.path), "reason": file.reason} for file in frames.set_aside],
        }
    )


def _print_not_ok(frames: StoreFrames) -> None:
    """Print each trial that is not ok, with its command, and each file that is set aside."""
    for row in _not_ok(frames):
        reason = row.error or "; ".join(row.invalid_reasons)
        name = row.imported_from or f"{row.level} {row.filesystem} block {row.block + 1}"
        print_paragraph(f"  {row.status}: {name} ({row.trial_id}): {reason}")
        if row.error_command:
            print_line(f"    command: {row.error_command}")
    for file in frames.set_aside:
        print_paragraph(f"  set aside: {file.path}: {file.reason}")
