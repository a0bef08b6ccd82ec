"""Steady state, on rounds: the rule of the SNIA, and what it leaves open.

The rule of the Solid State Storage Performance Test Specification (SNIA PTS): over a window of five
rounds the largest and the smallest figure are at most 20 % of the mean apart, and the line fitted to
them changes by no more than 10 % of it from end to end.  Alone it is weak: a true decline of 8 % under
2 % of noise passes it in 74 % of cases (simulated).  So a drift beyond the limit must also be excluded:
both ends of the 90 % interval of the change lie within the same 10 %, that is, two one-sided tests at
5 % (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987, 657).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

WINDOW = 5
RANGE_LIMIT = 0.20
SLOPE_LIMIT = 0.10
DRIFT_LEVEL = 0.05
_ROUNDING = 1e-9

STEADY = "steady"
NOT_EXCLUDED = "drift not excluded"
NOT_STEADY = "not steady"
RULE = (
    f"SNIA PTS on {WINDOW} rounds: largest and smallest at most {100 * RANGE_LIMIT:.0f} % of their mean apart, fitted "
    f"line changing by at most {100 * SLOPE_LIMIT:.0f} % of it; and a drift of more than that excluded (two one-sided "
    "tests at 5 %)"
)


@dataclass(frozen=True)
class Window:
    """Rounds held against the rule; shares are of the mean, ``change`` is signed and from end to end.

    ``change_at_most`` is how large the change may be, either way, for all that the rounds say.
    """

    rounds: int
    mean: float
    range_share: float
    change: float
    change_at_most: float

    @property
    def within_pts(self) -> bool:
        """Whether the rule of the SNIA PTS holds."""
        return self.range_share <= RANGE_LIMIT + _ROUNDING and abs(self.change) <= SLOPE_LIMIT + _ROUNDING

    @property
    def verdict(self) -> str:
        """STEADY, NOT_EXCLUDED (the PTS rule holds, but a drift beyond its limit is possible) or NOT_STEADY."""
        if not self.within_pts:
            return NOT_STEADY
        return STEADY if self.change_at_most <= SLOPE_LIMIT + _ROUNDING else NOT_EXCLUDED

    @property
    def words(self) -> str:
        """The verdict with its figures."""
        return (
            f"{self.verdict} (range {_pct(self.range_share)} of the mean, fitted change {_pct(self.change)}, "
            f"at most {_pct(self.change_at_most)} for all that is known)"
        )


def window(values: Sequence[float] | Floats) -> Window:
    """Hold rounds (three or more, in their order) against the rule; a mean that is not positive is never steady."""
    import numpy as np
    from scipy import special

    figures = np.asarray(values, dtype=float)
    count = len(figures)
    if count < 3:
        raise ValueError(f"{count} rounds are too few to fit a line and to say how well it fits")
    mean = float(figures.mean())
    if not (math.isfinite(mean) and mean > 0):
        return Window(count, mean, math.inf, math.inf, math.inf)
    steps = np.arange(count) - (count - 1) / 2
    scale = float(steps @ steps)
    slope = float(steps @ figures) / scale
    left = figures - mean - slope * steps
    error = math.sqrt(float(left @ left) / (count - 2) / scale)
    reach = float(special.stdtrit(count - 2, 1 - DRIFT_LEVEL)) * error
    whole = (count - 1) / mean
    return Window(count, mean, float(np.ptp(figures)) / mean, slope * whole, (abs(slope) + reach) * whole)


def _pct(share: float) -> str:
    return f"{100 * share:.1f} %"


def latest(values: Sequence[float]) -> Window | None:
    """The window of the last rounds; None before there are enough of them."""
    return window(values[-WINDOW:]) if len(values) >= WINDOW else None


def rounds_of(intervals: Floats, rounds: int = WINDOW) -> Floats | None:
    """Means of equal, consecutive parts of a run; None where a part would have fewer than two intervals.

    What does not divide is left out at the front, where a warm-up that was left in would be.
    """
    each = len(intervals) // rounds
    if each < 2:
        return None
    found: Floats = intervals[len(intervals) - each * rounds :].reshape(rounds, each).mean(axis=1)
    return found


@dataclass(frozen=True)
class Course:
    """How runs went from their first interval to their last, all of them together.

    ``profile`` holds the mean course over the runs against the rule.  ``change`` is the mean over the
    runs of the fitted change within a run (share of its mean), ``low`` to ``high`` its 90 % interval
    by Student's t over runs: that is right however alike neighbouring seconds are, since the run is
    the unit.  ``p_value`` is that of no change.  ``alone`` counts the runs that pass PTS by themselves.
    """

    runs: int
    alone: int
    profile: Window
    change: float
    low: float
    high: float
    p_value: float

    @property
    def verdict(self) -> str:
        """As :attr:`Window.verdict`, from the runs together."""
        drifts = self.p_value < TREND_LEVEL and abs(self.change) >= TREND_MATTERS
        if not self.profile.within_pts or drifts or self.alone < LEAST_ALONE * self.runs:
            return NOT_STEADY
        within = max(abs(self.low), abs(self.high)) <= SLOPE_LIMIT + _ROUNDING
        return STEADY if within else NOT_EXCLUDED

    @property
    def words(self) -> str:
        """The verdict with its figures."""
        return (
            f"{self.verdict}: {self.alone} of {self.runs} runs pass the PTS rule on {WINDOW} parts by themselves; over "
            f"all runs the figure changes by {_pct(self.change)} within a run ({_pct(self.low)} to {_pct(self.high)}, "
            "90 % interval)"
        )


TREND_LEVEL = 0.01
TREND_MATTERS = 0.02
"""A change within runs that is no chance (level 1 %) and larger than this is a trend."""

LEAST_ALONE = 0.8
"""Share of runs that must pass the rule by themselves; noise alone fails some."""


def course(runs: Sequence[Floats]) -> Course | None:
    """How several runs went together; None where there are fewer than three, or one is too short for rounds."""
    import numpy as np
    from scipy import special

    parts = [part for part in (rounds_of(run) for run in runs) if part is not None]
    if len(parts) < 3 or len(parts) < len(runs):
        return None
    windows = [window(part) for part in parts]
    changes = np.array([each.change for each in windows])
    count = len(changes)
    change, deviation = float(changes.mean()), float(changes.std(ddof=1)) if np.isfinite(changes).all() else math.inf
    error = deviation / math.sqrt(count)
    reach = float(special.stdtrit(count - 1, 1 - DRIFT_LEVEL)) * error
    if error > 0:
        p_value = 2 * float(special.stdtr(count - 1, -abs(change) / error)) if math.isfinite(error) else math.nan
    else:
        p_value = float(change == 0)
    relative = np.array([part / part.mean() if part.mean() > 0 else np.full(len(part), np.nan) for part in parts])
    return Course(
        runs=count,
        alone=sum(each.within_pts for each in windows),
        profile=window(relative.mean(axis=0)),
        change=change,
        low=change - reach,
        high=change + reach,
        p_value=p_value,
    )
