"""Which trials a campaign of a night is to run, as a file: the virtual lab's guest reads it and runs the same ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import StoreError
from permutations.factors import FACTORS
from permutations.night import watched_plan
from permutations.plan import Plan
from permutations.point import DesignPoint, PlannedTrial
from results.store.contents import is_safe_id
from results.store.files import MEDIUM_BYTES, Folder, file_at
from stripelab.settings import Setting

TASK_FILE = ".night-task.json"
_AGAIN = "Run `stripelab nightly` again."


@dataclass(frozen=True)
class _Trial:
    """A planned trial in a form that JSON can hold; ``settings`` has every factor."""

    trial_id: str
    settings: dict[str, Setting]
    block: int
    run_order: int
    whole_plot: int | None
    sub_plot: int | None
    night: str
    role: str
    disk_checks: int | None


@dataclass(frozen=True)
class _Task:
    """What the file holds."""

    protocol_id: str
    trials: tuple[_Trial, ...]


def write_task(store: Path, plan: Plan) -> Path:
    """Write the trials of a plan of a night into the store's folder; returns the file."""
    import msgspec

    trials = tuple(
        _Trial(
            trial.trial_id,
            dict(trial.point.settings),
            trial.block,
            trial.run_order,
            trial.whole_plot,
            trial.sub_plot,
            trial.night or "",
            trial.role or "",
            trial.disk_checks,
        )
        for trial in plan.trials
    )
    folder = Folder(store)
    folder.clear_temporaries(name=TASK_FILE)
    folder.replace(TASK_FILE, msgspec.json.encode(_Task(plan.sweep.protocol_id, trials)))
    return store / TASK_FILE


def read_task(path: Path, plan: Plan) -> Plan:
    """The plan of a sweep with the trials of the file in place of its own.

    Raises:
        StoreError: the file cannot be read, or was made for another protocol.
    """
    import msgspec

    plan = watched_plan(plan)
    try:
        folder, name = file_at(path)
        task = msgspec.json.decode(folder.read(name, MEDIUM_BYTES), type=_Task)
    except (OSError, ValueError, RecursionError) as error:  # msgspec's own error is a ValueError
        raise StoreError(f"{path} cannot be read: {error}", remedy=_AGAIN) from None
    if task.protocol_id != plan.sweep.protocol_id:
        raise StoreError(f"{path} was made for another sweep", remedy=_AGAIN)
    try:
        trials = tuple(_planned(trial, plan.sweep.space.varied) for trial in task.trials)
        if not all(is_safe_id(trial.trial_id) for trial in trials):
            raise ValueError("its id is no name of a file")  # noqa: TRY301
    except (KeyError, ValueError) as error:
        raise StoreError(f"{path} has a trial that is none: {error}", remedy=_AGAIN) from None
    points = tuple({trial.point.id: trial.point for trial in trials}.values())
    return replace(plan, points=points, trials=trials)


def _planned(trial: _Trial, varied: frozenset[str]) -> PlannedTrial:
    point = DesignPoint(tuple(trial.settings[name] for name in FACTORS), varied)
    return PlannedTrial(
        trial.trial_id,
        point,
        trial.block,
        trial.run_order,
        trial.whole_plot,
        trial.sub_plot,
        night=trial.night,
        role=trial.role,
        disk_checks=trial.disk_checks,
    )
