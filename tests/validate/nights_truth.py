"""Nights with a known truth: figures of a metric over the years, the pairs that would be measured, readings of disks.

All values are natural logarithms.  A metric draws what its machine does to it from the ranges below; a change of what
is measured is added by whoever simulates.  Pairs of one night share everything but the noise of their own trials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BASELINE = 20
TRIALS, TRIAL_SD = 3, 0.02
STALL_SHARE, STALL = 0.02, np.log1p(-0.15)
OUTLIER_SHARE, OUTLIER = 0.01, (0.15, 0.20)
AR, AR_SD = 0.3, (0.01, 0.02)
WEEKDAYS = (0.02, 0.05)
REBOOT_NIGHTS, REBOOT_SD = (30, 45), (0.015, 0.025)
YEAR = 365


@dataclass(frozen=True)
class Machine:
    """What befalls the nights of a metric beside the noise of its trials; ``drift`` is the share lost in a year."""

    correlated: bool = False
    weekdays: bool = False
    reboots: bool = False
    outliers: bool = False
    drift: float = 0.0


_REAL = {"correlated": True, "weekdays": True, "reboots": True, "outliers": True}
MACHINES: Mapping[str, Machine] = {
    "steady": Machine(),
    "AR(.3)": Machine(correlated=True),
    "weekdays, reboots, outliers": Machine(**_REAL),
    "the same, -2 % a year": Machine(**_REAL, drift=0.02),
    "the same, -6 % a year": Machine(**_REAL, drift=0.06),
}


def trials(dice: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Noise of trials: normal, and a stall now and then."""
    noise = dice.normal(0, TRIAL_SD, shape)
    found: Floats = noise + STALL * (dice.random(shape) < STALL_SHARE)
    return found


def levels(dice: np.random.Generator, machine: Machine, count: int) -> Floats:
    """What the machine does to each of so many nights, (count,)."""
    found = np.log1p(-machine.drift) * np.arange(count) / YEAR
    if machine.correlated:
        found += _correlated(dice, count)
    if machine.weekdays:
        found += dice.uniform(*WEEKDAYS) * np.resize(dice.choice((-1.0, 1.0), 7), count)
    if machine.reboots:
        found += _reboots(dice, count)
    if machine.outliers:
        found += np.log1p(-dice.uniform(*OUTLIER, count)) * (dice.random(count) < OUTLIER_SHARE)
    return found


def _correlated(dice: np.random.Generator, count: int) -> Floats:
    noise = dice.normal(0, dice.uniform(*AR_SD), count)
    found = np.empty(count)
    found[0] = noise[0]
    for night in range(1, count):
        found[night] = AR * found[night - 1] + np.sqrt(1 - AR**2) * noise[night]
    return found


def _reboots(dice: np.random.Generator, count: int) -> Floats:
    """Shifts that stay, so that levels walk away from that of the baseline."""
    steps = np.zeros(count)
    sd, night = dice.uniform(*REBOOT_SD), int(dice.integers(0, REBOOT_NIGHTS[1]))
    while night < count:
        steps[night] = dice.normal(0, sd)
        night += int(dice.integers(REBOOT_NIGHTS[0], REBOOT_NIGHTS[1] + 1))
    found: Floats = np.cumsum(steps)
    return found


def nights(dice: np.random.Generator, machine: Machine, count: int) -> Floats:
    """Figures of the baseline's nights and ``count`` more, each the mean of its trials."""
    found: Floats = levels(dice, machine, BASELINE + count) + trials(dice, (BASELINE + count, TRIALS)).mean(axis=1)
    return found


def pairs(dice: np.random.Generator, count: int, shift: float) -> Floats:
    """Tonight less baseline in so many interleaved pairs."""
    both = trials(dice, (2, count))
    found: Floats = shift + both[0] - both[1]
    return found
