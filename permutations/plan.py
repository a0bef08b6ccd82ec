"""The plan of a sweep, made by :func:`permutations.design.make_plan`."""

from __future__ import annotations

from dataclasses import dataclass

from permutations.designs.report import DesignReport
from permutations.feasible.space import LeftOut
from permutations.point import DesignPoint, PlannedTrial
from permutations.sweep import Sweep


@dataclass(frozen=True)
class Plan:
    """Points and trials of a sweep.  ``trials`` are in run order; ``left_out`` and ``points`` add up to the raw count.

    ``report`` has the guarantees of the design.  A race has only its first block here:
    :func:`permutations.race.next_block` returns the others.
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
