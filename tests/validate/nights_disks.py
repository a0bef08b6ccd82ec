"""The disk route on nights with a known truth: four disks read on their own beside each other, nothing to restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from results.nightly.course import Course, Fresh
from results.nightly.disks import CHECKS, KINDS, NIGHTS_IN_A_ROW, Shares, lost_shares, slow_members
from results.nightly.evidence import DEFAULT_MARGIN
from tests.validate import nights_truth as truth

DISKS = ("SERIAL-0", "SERIAL-1", "SERIAL-2", "SERIAL-3")
BAD = DISKS[2]
NIGHT_SD, READING_SD = 0.01, 0.02
SLOW, SLOW_SHARE = 0.15, 0.01
FRESH_TRIALS = 4


@dataclass(frozen=True)
class Array:
    """An array over the nights: ``lost`` is what its bad disk, and with it the array, loses each night (logarithms)."""

    values: truth.Floats
    lost: truth.Floats
    levels: truth.Floats
    seed: int

    def readings(self, night: int, count: int) -> Shares:
        """So many readings of every disk in one night, as logarithms of its share of its peers' median."""
        dice = np.random.default_rng([self.seed, night, count])
        found = {}
        for place, disk in enumerate(DISKS):
            fall = self.lost[night] if disk == BAD else 0.0
            for kind in KINDS:
                noise = dice.normal(0, READING_SD, count)
                found[disk, kind] = (self.levels[night, place] + fall + noise).tolist()
        return found

    def measured(self, course: Course, _count: int) -> Fresh:
        """What is measured beside tonight's trials, as a night without a baseline to restore has it."""
        tonight = len(course.nights) - 1
        before: Mapping[str, Shares] = {str(each): self.readings(each, 3) for each in range(truth.BASELINE)}
        recent = [self.readings(tonight - back, 3) for back in range(NIGHTS_IN_A_ROW - 1, 0, -1)]
        if course.confirmed is not None:
            latest = [*recent, self.readings(tonight, 3)]
            return Fresh(shares=lost_shares(before, latest, course.confirmed.disks))
        dice = np.random.default_rng([self.seed, tonight])
        again = float(course.values[-1]) + truth.trials(dice, (FRESH_TRIALS,))
        return Fresh(again=again, slow=slow_members(before, self.readings(tonight, CHECKS), DEFAULT_MARGIN, recent))


def array(seed: int, count: int, *, outliers: bool = True, fails: int | None = None) -> Array:
    """An array over the baseline and ``count`` nights, whose bad disk is slow on a night in a hundred.

    From night ``fails`` after the baseline it stays slow.
    """
    dice = np.random.default_rng([11, seed])
    size = truth.BASELINE + count
    slow = (dice.random(size) < SLOW_SHARE) if outliers else np.zeros(size, dtype=bool)
    if fails is not None:
        slow[truth.BASELINE + fails :] = True
    lost = np.log1p(-SLOW) * slow
    values = truth.nights(dice, truth.Machine(correlated=True), count) + lost
    return Array(values, lost, dice.normal(0, NIGHT_SD, (size, len(DISKS))), seed)
