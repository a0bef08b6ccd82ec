"""The feasible combinations of a sweep, found without walking the others.

The walk is depth-first over the factors in stack order.  Each rule is asked at the first depth at
which all of its factors are bound, and a lost subtree is counted, not visited: its size is the
product of what remains.  A factor that does not apply to a branch takes one value there (None), and
the combinations that thereby come to the same point are counted as merged.  Every raw combination
is counted exactly once: as a point, as merged, or under the first rule that loses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from permutations.factors import FACTORS, Setting
from permutations.rules import Rule

MERGED = "merged"
"""Name under which combinations are counted that come to the same point as another."""

MERGED_REASON = "same as another point, since a factor does not apply (such as chunk on raid1)"


@dataclass(frozen=True)
class FactorValues:
    """The values of one factor in a sweep, distinct and in the order of the file."""

    name: str
    values: tuple[Setting, ...]

    @property
    def varies(self) -> bool:
        """Whether there is more than one value."""
        return len(self.values) > 1


@dataclass(frozen=True)
class LeftOut:
    """How many raw combinations a rule lost, and why."""

    rule: str
    reason: str
    count: int


@dataclass(frozen=True)
class Space:
    """Every factor with its values, in the order of :data:`FACTORS`, and the rules."""

    factors: tuple[FactorValues, ...]
    rules: tuple[Rule, ...]

    @cached_property
    def raw_combinations(self) -> int:
        """Combinations before any rule."""
        return math.prod(len(factor.values) for factor in self.factors)

    @property
    def varied(self) -> frozenset[str]:
        """Names of the factors with more than one value."""
        return frozenset(factor.name for factor in self.factors if factor.varies)

    def walk(self) -> Walk:
        """A fresh walk over the feasible combinations."""
        return Walk(self)


class Walk:
    """One pass over the feasible combinations of a space, lazily; the counts are whole at its end."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._sizes_below = [
            math.prod(len(factor.values) for factor in space.factors[depth + 1 :])
            for depth in range(len(space.factors))
        ]
        self._rules_at = _rules_by_depth(space)
        self._lost = {rule.name: 0 for rule in space.rules}
        self._merged = 0
        self._bound: dict[str, Setting] = {}

    def __iter__(self) -> Iterator[tuple[Setting, ...]]:
        """Each feasible combination once, as values in the order of the space's factors."""
        return self._from(0, 1)

    def _from(self, depth: int, weight: int) -> Iterator[tuple[Setting, ...]]:
        """The combinations below the bound factors; each stands for ``weight`` raw ones."""
        if depth == len(self._space.factors):
            self._merged += weight - 1
            yield tuple(self._bound.values())
            return
        name, values = self._space.factors[depth].name, self._space.factors[depth].values
        if not FACTORS[name].applies(self._bound):
            weight *= len(values)
            values = (None,)
        for value in values:
            self._bound[name] = value
            broken = next((rule for rule in self._rules_at[depth] if rule.breaks(self._bound)), None)
            if broken is None:
                yield from self._from(depth + 1, weight)
            else:
                self._lost[broken.name] += weight * self._sizes_below[depth]
        del self._bound[name]

    def left_out(self) -> tuple[LeftOut, ...]:
        """What each rule lost so far, the merged ones last; a rule of the sweep's own is there even at 0."""
        lost = [
            LeftOut(rule.name, rule.reason, self._lost[rule.name])
            for rule in self._space.rules
            if self._lost[rule.name] or rule.name.startswith("forbid-")
        ]
        merged = [LeftOut(MERGED, MERGED_REASON, self._merged)] if self._merged else []
        return (*lost, *merged)


def _rules_by_depth(space: Space) -> list[list[Rule]]:
    """For each depth, the rules whose last factor is bound there."""
    order = {factor.name: depth for depth, factor in enumerate(space.factors)}
    at: list[list[Rule]] = [[] for _ in space.factors]
    for rule in space.rules:
        at[max(order[name] for name in rule.factors)].append(rule)
    return at


def why_empty(space: Space) -> str | None:
    """None where the space has a point; otherwise one line that names the rules that empty it."""
    walk = space.walk()
    if next(iter(walk), None) is not None:
        return None
    blamed = [f"{entry.reason} ({entry.rule}, {entry.count})" for entry in walk.left_out() if entry.count]
    raw = space.raw_combinations
    counted = "the only combination is" if raw == 1 else f"all {raw} combinations are"
    return f"the space is empty: {counted} left out: " + "; ".join(blamed)
