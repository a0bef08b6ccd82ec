"""Whether a point can meet a requirement, from what is known before any run.

Asked by the race (whose points start), by ``plan`` and ``run`` (:mod:`bench.preflight`), and by every design for what
it says of points that cannot be recommended.  What is known comes from :mod:`stripelab.raid`, as do the facts
that a trial records and that the recommendation judges.
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
    """A constraint of a workload; facts such as the capacity are the same for all of them."""

    workload: str
    constraint: Constraint


def requirements(objectives: Iterable[Objective]) -> tuple[Requirement, ...]:
    """The requirements of a sweep, in the order of its file, each once."""
    found = [Requirement(each.workload, parse(text)) for each in objectives for text in each.require]
    return tuple(dict.fromkeys(found))


def measured(objectives: Iterable[Objective]) -> tuple[Requirement, ...]:
    """Those on figures that are measured."""
    return tuple(each for each in requirements(objectives) if each.constraint.metric not in FACTS)


def known(objectives: Iterable[Objective]) -> tuple[Constraint, ...]:
    """Those on figures that are known beforehand."""
    found = [each.constraint for each in requirements(objectives) if each.constraint.metric in FACTS]
    return tuple(dict.fromkeys(found))


def known_range(point: DesignPoint, metric: str, disk_bytes: int | None) -> tuple[float, float] | None:
    """Between which ends a figure of a point lies; None where nothing is known of it before a run."""
    if metric == "disk_failures_survived":
        survived = point.raid.disk_failures_survived(point.disks)
        return survived, survived
    if metric == "usable_bytes" and disk_bytes is not None:
        level = point.raid
        return level.least_usable_bytes(point.disks, disk_bytes), level.usable_bytes(point.disks, disk_bytes)
    return None


def can_meet(point: DesignPoint, constraint: Constraint, disk_bytes: int | None) -> Answer:
    """Whether a point can meet a constraint, on disks of this size (None: not known)."""
    ends = known_range(point, constraint.metric, disk_bytes)
    if ends is None:
        return Answer.MEASURE
    holds = {constraint.holds(end) for end in ends}
    return Answer.MEASURE if len(holds) > 1 else Answer.YES if True in holds else Answer.NO


def can_meet_all(point: DesignPoint, constraints: Iterable[Constraint], disk_bytes: int | None) -> bool:
    """Whether nothing that is known rules a point out."""
    return all(can_meet(point, each, disk_bytes) is not Answer.NO for each in constraints)


def contenders(
    points: Sequence[DesignPoint], objectives: Iterable[Objective], disk_bytes: int | None
) -> tuple[DesignPoint, ...]:
    """The points that can meet the requirements of all objectives; every point where none can."""
    wanted = known(objectives)
    able = tuple(point for point in points if can_meet_all(point, wanted, disk_bytes))
    return able or tuple(points)
