"""Plans of a nightly run: the trials of one night, and those that confirm its alerts.

The trials of a night are those of the plan with the night in their identity, in a new random order every night, so
that no point always follows the same other one.  There are two kinds of confirmation: pairs of the baseline's point
and tonight's (each pair in a random order of its own, so that drift affects both alike), and fresh trials of one
point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from permutations.order import blocked, split_plot
from permutations.plan import Plan
from permutations.point import DesignPoint, PlannedTrial, trial_id

NIGHT, FRESH, PAIR_BASELINE, PAIR_TONIGHT = "night", "fresh", "pair-baseline", "pair-tonight"


@dataclass(frozen=True)
class Pair:
    """A point of the baseline, and the one that replaces it tonight (the same point if nothing replaces it)."""

    baseline: DesignPoint
    tonight: DesignPoint


def watched_plan(plan: Plan) -> Plan:
    """``plan`` for a sweep that runs every night (see :class:`permutations.sweep.Sweep`)."""
    return replace(plan, sweep=replace(plan.sweep, watched=True))


def night_plan(plan: Plan, night: str) -> Plan:
    """The trials of a night: every point in every block, in a random order for this night."""
    sweep = plan.sweep
    arrange = split_plot if sweep.order == "split-plot" else blocked
    seed = int.from_bytes(_draw(f"{sweep.seed}/{night}")[:6], "big")
    trials = arrange(plan.points, seed=seed, replicates=sweep.replicates, protocol_id=sweep.protocol_id)
    return replace(plan, trials=tuple(_of_night(plan, trial, night, NIGHT) for trial in trials))


def fresh_plan(plan: Plan, night: str, points: Sequence[DesignPoint], *, count: int, disk_checks: int) -> Plan:
    """``count`` more trials of each of ``points``; before the first, each disk is read ``disk_checks`` times."""
    trials: list[PlannedTrial] = []
    for block in range(count):
        for point in sorted(points, key=lambda point: _draw(f"{plan.sweep.seed}/{night}/{block}/{point.id}")):
            planned = PlannedTrial("", point, block, len(trials), disk_checks=0 if trials else disk_checks)
            trials.append(_of_night(plan, planned, night, FRESH))
    return _with(plan, points, trials)


def pair_plan(plan: Plan, night: str, pairs: Sequence[tuple[Pair, int]]) -> Plan:
    """Interleaved pairs with their counts; a random draw decides which half of a pair comes first.

    A plan with more pairs for the same night starts with the same trials.
    """
    trials: list[PlannedTrial] = []
    for block in range(max(count for _, count in pairs)):
        for pair in (pair for pair, count in pairs if block < count):
            halves = [(PAIR_BASELINE, pair.baseline), (PAIR_TONIGHT, pair.tonight)]
            if _draw(f"{plan.sweep.seed}/{night}/{block}/{pair.tonight.id}")[0] % 2:
                halves.reverse()
            for role, point in halves:
                planned = PlannedTrial("", point, block, len(trials), disk_checks=0)
                trials.append(_of_night(plan, planned, night, role))
    return _with(plan, [point for pair, _ in pairs for point in (pair.baseline, pair.tonight)], trials)


def _with(plan: Plan, points: Iterable[DesignPoint], trials: Iterable[PlannedTrial]) -> Plan:
    return replace(plan, points=tuple({point.id: point for point in points}.values()), trials=tuple(trials))


def _of_night(plan: Plan, planned: PlannedTrial, night: str, role: str) -> PlannedTrial:
    identity = trial_id(planned.point.id, plan.sweep.protocol_id, planned.block, night=night, role=role)
    return replace(planned, trial_id=identity, night=night, role=role)


def _draw(words: str) -> bytes:
    return hashlib.sha256(words.encode("utf-8")).digest()
