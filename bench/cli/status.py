"""``stripelab status``: what a store holds, and which trials failed and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import emit_json, note, prose, say

if TYPE_CHECKING:
    from permutations.plan import Plan
    from results.store.query import StoreFrames
    from results.store.schema import TrialRow


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status")(status)


def status(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say how far a sweep has come, and list the trials that failed or do not count."""
    from permutations.errors import SweepError
    from results.estimates.objective import SWEEP_FILE
    from results.store.query import load

    frames = load(store)
    if not frames.store.folder.exists(SWEEP_FILE):
        _without_sweep(store, frames, as_json=as_json)
        return
    try:
        plan = _plan(store)
    except SweepError as error:
        note(f"warning: the sweep in this store cannot be laid out, so what is left to run is not known: {error}")
        _without_sweep(store, frames, as_json=as_json)
        return
    _of_sweep(store, frames, plan, as_json=as_json)


def _plan(store: Path) -> Plan:
    """The plan of the sweep that a store keeps; raises SweepError where this version cannot lay it out."""
    from bench.claim import kept_sweep
    from bench.vocabulary import vocabulary
    from permutations.design import make_plan

    return make_plan(kept_sweep(store, vocabulary(strict=False)))


def _of_sweep(store: Path, frames: StoreFrames, plan: Plan, *, as_json: bool) -> None:
    """What a sweep has come to, against its plan."""
    from bench.campaign import summary
    from bench.cli.status_face import show_points

    counts = summary(plan, frames.store)
    if as_json:
        _emit(store, {**asdict(counts), "complete": counts.complete}, frames)
        return
    left = counts.planned - counts.decided
    say(f"{counts.ok} of {counts.planned} trials ok, {counts.failed} failed, {counts.invalid} invalid, {left} to run")
    if plan.sweep.racing is not None:
        from bench import race

        prose(race.standing_line(race.History(plan, frames.store)))
    _say_dropped(frames)
    show_points(frames, [] if plan.sweep.racing else [(trial.point.id, trial.block) for trial in plan.trials])
    _say_bad(frames)


def _without_sweep(store: Path, frames: StoreFrames, *, as_json: bool) -> None:
    """What a store without a sweep file holds, such as one of imports: there is no plan to hold it against."""
    from results.store.imported import is_imported

    rows = frames.trial_rows()
    counts = {status: sum(row.status == status for row in rows) for status in ("ok", "failed", "invalid")}
    imported = is_imported(rows)
    if as_json:
        _emit(store, {**counts, "imported": imported}, frames)
        return
    kind = "imported" if imported else "without a plan"
    say(f"{kind}: {counts['ok']} trials ok, {counts['failed']} failed, {counts['invalid']} invalid")
    _say_dropped(frames)
    _say_bad(frames)


def _say_dropped(frames: StoreFrames) -> None:
    """Say of which nights the raw data were dropped on purpose."""
    from results.retention.words import dropped_note

    if (note := dropped_note(frames.trial_rows())) is not None:
        prose(note)


def _bad(frames: StoreFrames) -> list[TrialRow]:
    return [row for row in frames.trial_rows() if row.status != "ok"]


def _emit(store: Path, counts: Mapping[str, object], frames: StoreFrames) -> None:
    """As JSON."""
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
                for row in _bad(frames)
            ],
            "set_aside": [{"path": str(each.path), "reason": each.reason} for each in frames.set_aside],
        }
    )


def _say_bad(frames: StoreFrames) -> None:
    """A line for each trial that is not ok, with its command, and for each file that does not count."""
    for row in _bad(frames):
        why = row.error or "; ".join(row.invalid_reasons)
        what = row.imported_from or f"{row.level} {row.filesystem} block {row.block + 1}"
        prose(f"  {row.status}: {what} ({row.trial_id}): {why}")
        if row.error_command:
            say(f"    command: {row.error_command}")
    for each in frames.set_aside:
        prose(f"  set aside: {each.path}: {each.reason}")
