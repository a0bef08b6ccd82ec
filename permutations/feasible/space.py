"""The feasible combinations of a sweep: found without visiting the others, counted without visiting any.

Every raw combination is counted exactly once: as a point, as merged with one because a factor does
not apply, or under the first rule that excludes it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from permutations.feasible.counting import Count, count
from permutations.feasible.network import Network, Split, split
from permutations.feasible.rules import Rule
from stripelab.settings import Setting

MERGED = "merged"
"""Name of the entry that counts combinations with the same point as another."""

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
    """Number of raw combinations that a rule excludes, and why."""

    rule: str
    reason: str
    count: int


@dataclass(frozen=True)
class Space:
    """Every factor with its values, in the order of :data:`permutations.factors.FACTORS`, and the rules."""

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

    @cached_property
    def split(self) -> Split:
        """The space split into sets of factors that its rules connect."""
        return split({factor.name: factor.values for factor in self.factors}, self.rules)

    @cached_property
    def _counts(self) -> tuple[Count, ...]:
        return tuple(count(network, len(self.rules)) for network in self.split.networks)

    @cached_property
    def feasible(self) -> int:
        """Exact number of points, for a space of any size."""
        if self.split.lost_by is not None:
            return 0
        return math.prod(counts.points for counts in self._counts)

    def has_point(self) -> bool:
        """Whether there is a point; faster than counting them."""
        networks = self.split.networks
        return self.split.lost_by is None and all(next(network.walk(), None) is not None for network in networks)

    def walk(self) -> Iterator[tuple[Setting, ...]]:
        """Each feasible combination once, lazily, as values in the order of the space's factors.

        The largest set of connected factors is streamed; the others are tables in memory.
        """
        if not self.feasible:
            return
        nested, constants = self._nested(), self.split.constants
        names = [*itertools.chain.from_iterable(network.names for network in nested), *constants]
        in_order = itemgetter(*(names.index(factor.name) for factor in self.factors))
        tables = [list(network.walk()) for network in nested[1:]]
        inner = [tuple(constants.values())]
        while tables and len(tables[-1]) * len(inner) <= SMALL:
            inner = [(*row, *rest) for row in tables.pop() for rest in inner]
        for row in nested[0].walk() if nested else [()]:
            for rows in itertools.product(*tables):
                head = (*row, *itertools.chain.from_iterable(rows))
                yield from map(in_order, [head + rest for rest in inner])

    def _nested(self) -> list[Network]:
        """The networks, outermost first, in the order of the file; a large one is streamed and so comes first."""
        points = {network.names: total.points for network, total in zip(self.split.networks, self._counts, strict=True)}
        large = [network for network in self.split.networks if points[network.names] > SMALL]
        first = max(large, key=lambda network: points[network.names], default=None)
        return sorted(self.split.networks, key=lambda network: network is not first)

    def left_out(self) -> tuple[LeftOut, ...]:
        """What each rule excludes, then the merged combinations; rules of the sweep are listed even with count 0."""
        lost = self._lost()
        entries = [
            LeftOut(rule.name, rule.reason, number)
            for rule, number in zip(self.rules, lost, strict=True)
            if number or rule.of_sweep
        ]
        merged = self.raw_combinations - sum(lost) - self.feasible
        return (*entries, LeftOut(MERGED, MERGED_REASON, merged)) if merged else tuple(entries)

    def _lost(self) -> list[int]:
        """Raw combinations that each rule excludes, counted in the first network that excludes them."""
        lost = [0] * len(self.rules)
        if self.split.lost_by is not None:
            lost[self.split.lost_by] = self.raw_combinations
            return lost
        weight = self.split.merged_weight
        raw = [math.prod(len(variable.values) for variable in network.variables) for network in self.split.networks]
        for n, counts in enumerate(self._counts):
            below = math.prod(raw[n + 1 :])
            lost = [total + weight * more * below for total, more in zip(lost, counts.lost, strict=True)]
            weight *= counts.feasible_raw
        return lost


SMALL = 10_000
"""Maximum rows of a table in memory; with such tables combinations come in the order of the file."""
