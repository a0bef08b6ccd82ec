"""What two plans share: points, and trials, which are shared only where the same is done to the point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from permutations.design import Plan
from permutations.point import DesignPoint
from permutations.sweep import Sweep


@dataclass(frozen=True)
class PlanDiff:
    """Points and ids of trials that only the first plan has, only the second, and both; in the order of each plan."""

    points_only_a: tuple[DesignPoint, ...]
    points_only_b: tuple[DesignPoint, ...]
    points_both: tuple[DesignPoint, ...]
    trials_only_a: tuple[str, ...]
    trials_only_b: tuple[str, ...]
    trials_both: tuple[str, ...]
    same_protocol: bool
    changes: tuple[str, ...]
    """What is done differently to every point; empty with the same protocol."""


def diff(a: Plan, b: Plan) -> PlanDiff:
    """Compare two plans by the ids of their points and trials."""
    in_a, in_b = {point.id for point in a.points}, {point.id for point in b.points}
    trials_a, trials_b = [trial.trial_id for trial in a.trials], [trial.trial_id for trial in b.trials]
    known_a, known_b = set(trials_a), set(trials_b)
    return PlanDiff(
        points_only_a=tuple(point for point in a.points if point.id not in in_b),
        points_only_b=tuple(point for point in b.points if point.id not in in_a),
        points_both=tuple(point for point in a.points if point.id in in_b),
        trials_only_a=tuple(each for each in trials_a if each not in known_b),
        trials_only_b=tuple(each for each in trials_b if each not in known_a),
        trials_both=tuple(each for each in trials_a if each in known_b),
        same_protocol=a.sweep.protocol_id == b.sweep.protocol_id,
        changes=protocol_changes(a.sweep, b.sweep),
    )


def protocol_changes(before: Sweep, after: Sweep) -> tuple[str, ...]:
    """What is done differently to every point, such as ``workload w: runtime_s 2 -> 3``; empty where nothing is."""
    found = []
    workloads = [{each.name: each for each in sweep.workloads} for sweep in (before, after)]
    for name in dict.fromkeys((*workloads[0], *workloads[1])):
        if name not in workloads[0] or name not in workloads[1]:
            found.append(f"workload {name}: {'removed' if name in workloads[0] else 'added'}")
            continue
        found += _changed(f"workload {name}: ", workloads[0][name].content, workloads[1][name].content)
    found += _changed("data set: ", asdict(before.dataset), asdict(after.dataset))
    profiles = [asdict(each.lab.profile) if each.lab.profile else {} for each in (before, after)]
    found += _changed("lab profile: ", *profiles)
    found += _changed("", {"initial_sync": before.initial_sync}, {"initial_sync": after.initial_sync})
    if before.lab.own_limits != after.lab.own_limits:
        found.append("limits of single disks of the lab")
    if list(workloads[0]) != list(workloads[1]) and set(workloads[0]) == set(workloads[1]):
        found.append("order of the workloads")
    return tuple(found)


def _changed(head: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """A line for each key whose value differs; the digest of a job file is not shown."""
    found = []
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old != new:
            found.append(f"{head}job file" if key == "job_sha256" else f"{head}{key} {_shown(old)} -> {_shown(new)}")
    return found


def _shown(value: object) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
