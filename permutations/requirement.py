"""Whether a point can meet a requirement, judged from facts that are known before any run.

Used by the race (which points start), by ``plan`` and ``run`` (:mod:`bench.preflight`), and for the reports of points
that cannot be recommended.  The known facts come from :mod:`stripelab.raid`, as do the facts that a trial records
and that the recommendation judges.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from permutations.objective import Objective
from permutations.point import DesignPoint
from stripelab.constraint import Constraint, parse
from stripelab.metrics import FACTS


class Answer(enum.Enum):
    """Whether a point can meet a requirement."""

    YES = "yes"
    NO = "no"
    MEASURE = "only measuring tells"


@dataclass(frozen=True)
class Requirement:
    """A constraint of a workload; facts such as the capacity are the same for all workloads."""

    workload: str
    constraint: Constraint


def requirements(objectives: Iterable[Objective]) -> tuple[Requirement, ...]:
    """The requirements of a sweep, in the order of its file, without duplicates."""
    listed = [Requirement(objective.workload, parse(text)) for objective in objectives for text in objective.require]
    return tuple(dict.fromkeys(listed))


def measured_requirements(objectives: Iterable[Objective]) -> tuple[Requirement, ...]:
    """The requirements on figures that are measured."""
    return tuple(requirement for requirement in requirements(objectives) if requirement.constraint.metric not in FACTS)


def known_constraints(objectives: Iterable[Objective]) -> tuple[Constraint, ...]:
    """The constraints on figures that are known before the runs."""
    constraints = (requirement.constraint for requirement in requirements(objectives))
    return tuple(dict.fromkeys(constraint for constraint in constraints if constraint.metric in FACTS))


def known_range(point: DesignPoint, metric: str, disk_bytes: int | None) -> tuple[float, float] | None:
    """Lower and upper bound of a figure of a point; None if it is not known before a run."""
    if metric == "disk_failures_survived":
        survived = point.raid.disk_failures_survived(point.disks)
        return survived, survived
    if metric == "usable_bytes" and disk_bytes is not None:
        level = point.raid
        return level.least_usable_bytes(point.disks, disk_bytes), level.usable_bytes(point.disks, disk_bytes)
    return None


def can_meet(point: DesignPoint, constraint: Constraint, disk_bytes: int | None) -> Answer:
    """Whether a point can meet a constraint, on disks of ``disk_bytes`` (None: not known)."""
    ends = known_range(point, constraint.metric, disk_bytes)
    if ends is None:
        return Answer.MEASURE
    answers = {constraint.holds(end) for end in ends}
    return Answer.MEASURE if len(answers) > 1 else Answer.YES if True in answers else Answer.NO


def can_meet_all(point: DesignPoint, constraints: Iterable[Constraint], disk_bytes: int | None) -> bool:
    """Whether no known fact rules a point out."""
    return all(can_meet(point, constraint, disk_bytes) is not Answer.NO for constraint in constraints)


def contenders(
    points: Sequence[DesignPoint], objectives: Iterable[Objective], disk_bytes: int | None
) -> tuple[DesignPoint, ...]:
    """The points that can meet the requirements of all objectives; every point if none can."""
    constraints = known_constraints(objectives)
    eligible = tuple(point for point in points if can_meet_all(point, constraints, disk_bytes))
    return eligible or tuple(points)
