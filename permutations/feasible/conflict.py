"""Why a space is empty: the smallest set of rules that leaves nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from permutations.feasible.rules import Rule
from permutations.feasible.space import Space

MOST_CHECKS = 1000
"""Maximum sets of one size tried for a smaller conflict; with more the conflict may not be the smallest."""


def why_empty(space: Space) -> str | None:
    """One line that names the rules that leave nothing; None if the space has a point."""
    rules = conflict(space)
    if not rules:
        return None
    raw = space.raw_combinations
    combinations = "the only combination is" if raw == 1 else f"all {raw} combinations are"
    reasons = "; ".join(f"{rule.reason} ({rule.place()})" for rule in rules)
    minimal = "" if len(rules) == 1 else f"; without any one of these {len(rules)} rules there would be points"
    return f"the space is empty: {combinations} left out: {reasons}{minimal}"


def conflict(space: Space) -> tuple[Rule, ...]:
    """A smallest set of rules that no combination meets; empty if the space has a point.

    Rules are dropped one at a time while the rest still conflict, which leaves a minimal set; then
    every smaller set is tried, up to :data:`MOST_CHECKS` sets of one size.
    """
    if space.has_point():
        return ()
    kept = list(space.rules)
    for rule in space.rules:
        without = [other for other in kept if other is not rule]
        if _conflict(space, without):
            kept = without
    effective = [rule for rule in space.rules if rule.clauses]
    for size in range(1, len(kept)):
        if math.comb(len(effective), size) > MOST_CHECKS:
            break
        smaller = next((some for some in itertools.combinations(effective, size) if _conflict(space, some)), None)
        if smaller is not None:
            return smaller
    return tuple(kept)


def _conflict(space: Space, rules: Sequence[Rule]) -> bool:
    return not Space(space.factors, tuple(rules)).has_point()
