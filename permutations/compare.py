"""What two plans share: points, and trials, which are shared only if both plans have the same protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from permutations.design import Plan
from permutations.point import DesignPoint
from permutations.sweep import Sweep


@dataclass(frozen=True)
class PlanDiff:
    """Points and trial ids of only the first plan, only the second, and both, in the order of the plans."""

    points_only_a: tuple[DesignPoint, ...]
    points_only_b: tuple[DesignPoint, ...]
    points_both: tuple[DesignPoint, ...]
    trials_only_a: tuple[str, ...]
    trials_only_b: tuple[str, ...]
    trials_both: tuple[str, ...]
    same_protocol: bool
    changes: tuple[str, ...]
    """Differences of the protocol; empty if both plans have the same one."""


def diff(a: Plan, b: Plan) -> PlanDiff:
    """Compare two plans by the ids of their points and trials."""
    in_a, in_b = {point.id for point in a.points}, {point.id for point in b.points}
    trials_a, trials_b = [trial.trial_id for trial in a.trials], [trial.trial_id for trial in b.trials]
    known_a, known_b = set(trials_a), set(trials_b)
    return PlanDiff(
        points_only_a=tuple(point for point in a.points if point.id not in in_b),
        points_only_b=tuple(point for point in b.points if point.id not in in_a),
        points_both=tuple(point for point in a.points if point.id in in_b),
        trials_only_a=tuple(trial for trial in trials_a if trial not in known_b),
        trials_only_b=tuple(trial for trial in trials_b if trial not in known_a),
        trials_both=tuple(trial for trial in trials_a if trial in known_b),
        same_protocol=a.sweep.protocol_id == b.sweep.protocol_id,
        changes=protocol_changes(a.sweep, b.sweep),
    )


def protocol_changes(before: Sweep, after: Sweep) -> tuple[str, ...]:
    """Differences of the protocol, such as ``workload w: runtime_s 2 -> 3``; empty if there are none."""
    changes = []
    workloads = [{workload.name: workload for workload in sweep.workloads} for sweep in (before, after)]
    for name in dict.fromkeys((*workloads[0], *workloads[1])):
        if name not in workloads[0] or name not in workloads[1]:
            changes.append(f"workload {name}: {'removed' if name in workloads[0] else 'added'}")
            continue
        changes += _changed(f"workload {name}: ", workloads[0][name].content, workloads[1][name].content)
    changes += _changed("data set: ", asdict(before.dataset), asdict(after.dataset))
    profiles = [asdict(sweep.lab.profile) if sweep.lab.profile else {} for sweep in (before, after)]
    changes += _changed("lab profile: ", *profiles)
    changes += _changed("", {"initial_sync": before.initial_sync}, {"initial_sync": after.initial_sync})
    if before.lab.own_limits != after.lab.own_limits:
        changes.append("limits of single disks of the lab")
    if list(workloads[0]) != list(workloads[1]) and set(workloads[0]) == set(workloads[1]):
        changes.append("order of the workloads")
    return tuple(changes)


def _changed(head: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """One line for each key whose value differs, without the digest of a job file."""
    changes = []
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old != new:
            changes.append(f"{head}job file" if key == "job_sha256" else f"{head}{key} {_text(old)} -> {_text(new)}")
    return changes


def _text(value: object) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
