"""A sweep laid out: what :func:`permutations.design.make_plan` makes."""

from __future__ import annotations

from dataclasses import dataclass

from permutations.designs.report import DesignReport
from permutations.feasible.space import LeftOut
from permutations.point import DesignPoint, PlannedTrial
from permutations.sweep import Sweep


@dataclass(frozen=True)
class Plan:
    """A sweep laid out: ``trials`` are in run order, ``left_out`` adds up with ``points`` to the raw count.

    ``report`` is what the design guarantees.  Of a race only the first block is known beforehand:
    :func:`permutations.race.planned` has the others.
    """

    sweep: Sweep
    points: tuple[DesignPoint, ...]
    left_out: tuple[LeftOut, ...]
    trials: tuple[PlannedTrial, ...]
    report: DesignReport

    @property
    def raw_combinations(self) -> int:
        """Combinations before any rule."""
        return self.sweep.space.raw_combinations
