"""What to run next to be surer, and how many trials that takes.

The number of blocks follows from the noise: two points that differ by a share d are told apart with a
power of 80 % by n = 2 ((c + z) s / d)² blocks, where c is the critical value of the comparison, z = 0.84
and s the noise of a trial (Lachin, Controlled Clinical Trials 2, 1981; Hsu 1996, ch. 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from results.estimates.best import dunnett_critical
from results.estimates.estimate import Fit
from results.recommendation.answer import STATISTICALLY, NextRuns, Ranking
from stripelab.units import duration, pct

_POWER_QUANTILE = 0.8416212335729143
"""Standard normal quantile of 80 %."""
_MOST_BLOCKS = 1000
_LEAST_GAP = 1e-3
_SHORT_RUN_S = 30.0
_LEAST_BLOCKS = 3
_FURTHER_BLOCKS = 2


def next_runs(
    model: Fit, ranking: Ranking, *, margin_pct: float, confidence: float, trial_s: float, run_s: float
) -> tuple[NextRuns, ...]:
    """What would make the answer surer: telling the tied apart, then confirming the one that is picked."""
    tied = [point for point in ranking.points if point.tied == STATISTICALLY]
    found = []
    if len(tied) > 1:
        found.append(_telling_apart(model, ranking, margin_pct, confidence, trial_s))
    if run_s < _SHORT_RUN_S:
        found.append(
            NextRuns(
                f"Longer runs: the measured phase was {duration(run_s)}, too short for caches and background "
                "work to show; set runtime_s to 60 or more before you buy."
            )
        )
    return tuple(found)


def _telling_apart(model: Fit, ranking: Ranking, margin_pct: float, confidence: float, trial_s: float) -> NextRuns:
    """Blocks of the tied points that would show the nearest of them apart, or that they hardly differ."""
    tied = [point for point in ranking.points if point.tied == STATISTICALLY]
    leader, second = tied[0], tied[1]
    place = {point: index for index, point in enumerate(model.points)}
    measured = abs(float(model.log_means[place[leader.point_id]] - model.log_means[place[second.point_id]]))
    margin = math.log1p(max(margin_pct, 0.5) / 100)
    gap, named = (
        (measured, "as far apart as they measured") if measured > margin else (margin, "that differ by the margin")
    )
    blocks = blocks_for(model, len(tied), max(gap, _LEAST_GAP), confidence)
    done = min(point.trials for point in tied)
    further = max(1, blocks - done)
    if blocks > _MOST_BLOCKS:
        return NextRuns(
            f"The {len(tied)} tied points cannot be told apart in reasonable time: that would take {blocks:,} blocks."
        )
    trials = further * len(tied)
    took = f"about {duration(trials * trial_s)}"
    if blocks <= done:
        return NextRuns(
            f"Nothing more is needed to choose among the {len(tied)} tied points: {done} trials each would have "
            f"shown a difference of {pct(100 * math.expm1(margin))} four times in five."
        )
    return NextRuns(
        f"{further} more block{'s' if further > 1 else ''} of the {len(tied)} tied points ({trials} trials, {took}) "
        f"would tell apart points {named} ({pct(100 * math.expm1(gap))}) four times in five: put them into a sweep "
        'with design = "list".',
        tuple(point.point_id for point in tied),
        further,
        trials,
        trials * trial_s,
    )


def blocks_for(model: Fit, points: int, gap: float, confidence: float) -> int:
    """Blocks in which points that are ``gap`` apart on the log scale are told apart with a power of 80 %."""
    variance = model.sd**2 + sum(component.sd**2 for component in model.components)
    if model.own_sd is not None:
        variance = float((model.own_sd**2).max())
    blocks = 2.0
    for _ in range(50):  # the critical value depends on the number of blocks
        df = max(3.0, (points - 1) * (blocks - 1))
        critical = dunnett_critical(points - 1, round(df), confidence)
        wanted = 2 * variance * ((critical + _POWER_QUANTILE) / gap) ** 2
        if abs(wanted - blocks) < 0.5:
            break
        blocks = max(2.0, min(wanted, 1e6))
    return max(2, math.ceil(wanted))


def after_refusal(
    reason: str, points: Sequence[str], trial_s: float, blocks_done: int, *, imported: bool = False
) -> NextRuns:
    """What to run where the evidence is insufficient; ``blocks_done`` is how many blocks there are already.

    An import has no sweep that could be run again.
    """
    count = len(points)
    if imported:
        return NextRuns(_for_import(reason), tuple(points))
    if count < 2 and "one design point" in reason:
        return NextRuns(
            "Add at least one more point to compare with: list a second value of some factor.", tuple(points)
        )
    if "fresh runs of the race" in reason:
        return NextRuns(
            "If the race has not ended, rerun the same command: it resumes. Otherwise relax a requirement or raise the "
            "budget of the race, and run the sweep into a new store.",
            tuple(points),
        )
    if "two replicates" in reason or "degrees of freedom" in reason:
        blocks = max(_LEAST_BLOCKS, blocks_done + _FURTHER_BLOCKS)
        return NextRuns(
            f"Set replicates = {blocks} and rerun the same command: it resumes and adds what is missing (at most "
            f"{blocks * count} trials in all, about {duration(blocks * count * trial_s)}).",
            tuple(points),
            blocks,
            blocks * count,
            blocks * count * trial_s,
        )
    if "one after the other" in reason or "same order" in reason:
        return NextRuns(
            'Run the sweep again with order = "blocked" into a new store: this order cannot be mended afterwards.',
            tuple(points),
        )
    if "two modes" in reason:
        return NextRuns(
            "Find what switches between the modes, settle it, and run the sweep again into a new store; where it can"
            "not be settled, it belongs into the sweep as a factor.",
            tuple(points),
        )
    return NextRuns("Fix the cause above and rerun the same command; it resumes.", tuple(points))


def _for_import(reason: str) -> str:
    """The same for runs that were read from files."""
    if "two replicates" in reason or "degrees of freedom" in reason:
        return (
            "Import further runs of the same workloads at the same points into this store: the answer needs two or "
            "more of each. Where runs of one point count as several points, name what tells points apart (--factors)."
        )
    if "one after the other" in reason or "same order" in reason:
        return (
            "Measure the points in rounds, each in a fresh random order, and import those runs into a new store: this "
            "order cannot be corrected afterwards."
        )
    if "two modes" in reason:
        return "Name what differs between the modes with --factors, and import again into a new store."
    return "Correct the cause named above at the source of the files, and import again into a new store."
