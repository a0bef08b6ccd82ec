"""Which point of the baseline each point of tonight is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.night import Pair
from permutations.plan import Plan
from permutations.sweep import Sweep


def matched(tonight: Plan, pinned_text: str, path: Path) -> Mapping[str, Pair]:
    """Pairs by the id of tonight's point.

    Equal settings match first.  Where settings were changed, the points that are left are matched in the order of
    the sweep, if there are as many of them on both sides; where there are not, nobody can say which took whose place,
    and they have no baseline.

    Raises:
        SweepError: the sweep that the baseline pins cannot be laid out by this version.
    """
    if pinned_text == tonight.sweep.text:
        return {point.id: Pair(point, point) for point in tonight.points}
    before = {point.id: point for point in make_plan(Sweep.parse(pinned_text, path, vocabulary())).points}
    same = {point.id: Pair(before[point.id], point) for point in tonight.points if point.id in before}
    gone = [point for key, point in before.items() if key not in same]
    new = [point for point in tonight.points if point.id not in same]
    if len(gone) != len(new):
        return same
    return {**same, **{fresh.id: Pair(old, fresh) for old, fresh in zip(gone, new, strict=True)}}
