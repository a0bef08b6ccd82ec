"""What two plans share: points, and trials, which are shared only where the same is done to the point."""

from __future__ import annotations

from dataclasses import dataclass

from permutations.design import Plan
from permutations.point import DesignPoint


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
    )
