"""The exact bound, from days or from the runs of one day, and how many of them a share takes.

The worst of all runs of a day is its figure.  ``runs_a_day`` is the smallest number of runs that any day has: the worst
of more runs is no better than the worst of so many of them, so the bound holds for that number whatever the days have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.guarantee.answer import DAY, RUN, Bound, Needed
from results.statistics import persistence, tolerance

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

USUAL_COVERAGES = (0.90, 0.95, 0.99)
"""For which it is said how many days or runs they need, where none was asked for."""

MIN_RUNS = 5
"""Of fewer, less than half of the runs are bounded (0.05^(1/4) = 0.473), and nothing can be checked."""

MIN_DAYS = 6
"""Of fewer, less than half of future days are bounded: five days count as at most 3.8 (0.05^(1/3.8) = 0.455)."""


def of_days(
    worst: Sequence[float],
    runs: Sequence[int],
    *,
    at_least: bool,
    coverage: float | None,
    confidence: float,
    of_points: int = 1,
) -> Bound:
    """The bound from the worst figure and the number of runs of each day, in the order of the days."""
    phi = persistence.correlation(worst)
    counted = persistence.effective(len(worst), phi)
    adjusted = 1 - (1 - confidence) / of_points
    rank = _rank(math.floor(counted), coverage, adjusted)
    return Bound(
        value=_ranked(worst, rank, at_least=at_least),
        rank=rank,
        unit=DAY,
        units=len(worst),
        effective_units=counted,
        correlation=phi,
        runs=sum(runs),
        runs_a_day=min(runs),
        coverage=tolerance.coverage(counted, adjusted, rank),
        confidence=confidence,
        of_points=of_points,
    )


def of_runs(
    figures: Sequence[float], *, at_least: bool, coverage: float | None, confidence: float, of_points: int = 1
) -> Bound:
    """The bound from the figures of the runs of one day."""
    count = len(figures)
    adjusted = 1 - (1 - confidence) / of_points
    rank = _rank(count, coverage, adjusted)
    return Bound(
        value=_ranked(figures, rank, at_least=at_least),
        rank=rank,
        unit=RUN,
        units=count,
        effective_units=float(count),
        correlation=0.0,
        runs=count,
        runs_a_day=count,
        coverage=tolerance.coverage(count, adjusted, rank),
        confidence=confidence,
        of_points=of_points,
    )


def _rank(count: int, coverage: float | None, confidence: float) -> int:
    """The rank follows from the number of days or runs and what is asked, never from the figures."""
    return 1 if coverage is None else max(1, tolerance.usable_rank(count, coverage, confidence))


def _ranked(figures: Sequence[float], rank: int, *, at_least: bool) -> float:
    import numpy as np

    values = np.array(figures)
    worst = float(tolerance.smallest(values if at_least else -values, rank))
    return worst if at_least else -worst


def days_needed(share: float, confidence: float, phi: float = persistence.ASSUMED) -> int:
    """The fewest days that bound a ``share`` of future days; raises ResultsError where they are too many."""
    _runs_needed(share, confidence)
    return max(MIN_DAYS, persistence.days_needed(share, confidence, phi))


def _runs_needed(share: float, confidence: float) -> int:
    try:
        return tolerance.runs_needed(share, confidence)
    except ValueError as error:
        raise ResultsError(str(error), remedy="Ask for a smaller share, or for less confidence.") from None


def needed_days(coverage: float | None, confidence: float, days: int, phi: float) -> tuple[Needed, ...]:
    """How many days the asked share of future days needs, or the usual ones; ``days`` are there."""
    found = []
    for share in (coverage,) if coverage is not None else USUAL_COVERAGES:
        count = days_needed(share, confidence, phi)
        found.append(Needed(share, DAY, count, max(0, count - days), None))
    return tuple(found)


def needed_runs(coverage: float | None, confidence: float, runs: int, each_s: float) -> tuple[Needed, ...]:
    """How many runs of one day the asked share of runs needs, or the usual ones."""
    found = []
    for share in (coverage,) if coverage is not None else USUAL_COVERAGES:
        count = max(MIN_RUNS, _runs_needed(share, confidence))
        more = max(0, count - runs)
        found.append(Needed(share, RUN, count, more, more * each_s))
    return tuple(found)
