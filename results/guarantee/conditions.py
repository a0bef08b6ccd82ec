"""The conditions of a guarantee, from the rows of its runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from results.estimates.settings import settings_of
from results.guarantee.answer import Conditions
from results.guarantee.runs import Run
from results.statistics import steady
from results.store.files import object_of
from results.store.schema import EnvironmentRow, ObservationRow, TrialRow
from stripelab.settings import label


def gather(
    trials: Sequence[TrialRow],
    observed: Sequence[ObservationRow],
    environments: Iterable[EnvironmentRow],
    runs: Sequence[Run],
    course: steady.Course | None,
) -> Conditions:
    """Everything that was the same in all runs (``trials`` that are ok, one or more), and their dates."""
    first = trials[0]
    of_first = [row for row in observed if row.trial_id == first.trial_id] or list(observed[:1])
    row = of_first[0] if of_first else None
    asked: Mapping[str, Any] | None = object_of(row.workload_json) if row is not None and row.workload_json else None
    settings = settings_of(first)
    fill = 100 * first.dataset_bytes / first.usable_bytes if first.dataset_bytes and first.usable_bytes else None
    return Conditions(
        point_id=first.point_id,
        label=label(settings, [name for name, value in settings.items() if value not in {None, "default"}]),
        settings=settings,
        environment=next((each for each in environments if each.environment_id == first.environment_id), None),
        disk_ids=first.disk_ids,
        build_commands=first.build_commands,
        apply_commands=first.apply_commands,
        initial_sync=first.initial_sync,
        array_state=array_state(trials),
        workload_asked=asked,
        engine=_engine(row),
        command=row.command if row is not None else "",
        precondition_command=row.precondition_command if row is not None else None,
        warm_up=warm_up(asked),
        steady_rule=steady.RULE,
        steady_verdict=steady_verdict(runs, course),
        course=course,
        usable_bytes=first.usable_bytes,
        dataset_bytes=first.dataset_bytes,
        fill_pct=fill,
        disk_iops_limit=first.disk_iops_limit,
        protocol_id=first.protocol_id,
        first_run_ns=min(trial.started_at_ns for trial in trials),
        last_run_ns=max(trial.started_at_ns + int(trial.duration_s * 1e9) for trial in trials),
        stripelab_versions=tuple(sorted({trial.stripelab_version for trial in trials})),
        warnings=tuple(sorted({line for trial in trials for line in trial.warnings})),
    )


def _engine(row: ObservationRow | None) -> str:
    if row is None:
        return ""
    return row.engine_version if row.engine in row.engine_version else f"{row.engine} {row.engine_version}"


def array_state(trials: Sequence[TrialRow]) -> str:
    """State of the array before and after the workloads, in words, over all runs."""
    states = {
        (trial.array_state_before, trial.sync_action_before, trial.array_state_after, trial.sync_action_after)
        for trial in trials
    }
    if all(part is None for state in states for part in state):
        return "no md array"
    degraded = max((trial.degraded_before or 0) + (trial.degraded_after or 0) for trial in trials)
    before = sorted({f"{state[0]}/{state[1] or 'no sync'}" for state in states})
    after = sorted({f"{state[2]}/{state[3] or 'no sync'}" for state in states})
    missing = "no member missing" if degraded == 0 else f"up to {degraded} members missing"
    return f"{', '.join(before)} before and {', '.join(after)} after each run (state/sync action), {missing}"


def warm_up(asked: Mapping[str, Any] | None) -> str:
    """What was run and left out before a run was measured; the rule is part of the sweep, and of its protocol id."""
    if asked is None:
        return "not recorded"
    parts = []
    before, rounds = asked.get("precondition"), asked.get("steady_state")
    if before:
        parts.append(
            f"preconditioned by {before['rw']} of {before['bs_bytes']} bytes at queue depth {before['iodepth']}, "
            f"{before['passes']:g} times the data set"
        )
    if rounds:
        parts.append(
            f"rounds of {rounds['round_s']:g} s, at most {rounds['rounds_max']}, until {rounds['metric']} was steady"
        )
    if asked.get("ramp_time_s"):
        parts.append(f"the first {asked['ramp_time_s']:g} s of each run (ramp_time_s)")
    if not parts:
        return "nothing: a run is measured from its first second, caches dropped before"
    return "; then ".join(parts) + "; all of it left out, by a rule that the sweep file fixed before any run"


def steady_verdict(runs: Sequence[Run], course: steady.Course | None) -> str:
    """What the rule said before each run, and what it says of the measured runs."""
    asked = [run.steady_verdict for run in runs if run.steady_verdict is not None]
    if asked:
        online = f"before it was measured, {asked.count(steady.STEADY)} of {len(runs)} runs were found steady"
    else:
        online = "no rounds were asked for before the measured runs"
    return f"{online}; while measured: {course.words if course is not None else 'unknown'}"
