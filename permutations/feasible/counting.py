"""Exact counts of the feasible combinations of a network and of those that each rule excludes, without visiting them.

Dynamic programming over the search order.  Values that no clause distinguishes are one class, and two
partial combinations that leave the same values open, with the same clauses still undecided, have
the same continuations: they are counted once.  Every raw combination is counted exactly once: as a
point, as merged with one, or under the first rule of the search that excludes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from permutations.feasible.network import Network


@dataclass(frozen=True)
class Count:
    """``points``, the raw combinations that map to them, and those that each rule, by number, excludes."""

    points: int
    feasible_raw: int
    lost: tuple[int, ...]


def count(network: Network, rules: int) -> Count:
    """The counts of a network; ``rules`` is the number of rules."""
    return _Counter(network, rules).count()


class _Counter:
    """One count; ``_memo`` has the count of every state so far."""

    def __init__(self, network: Network, rules: int) -> None:
        self._net = network
        self._rules = rules
        self._memo: dict[tuple[int, tuple[int, ...], int], Count] = {}
        self._last = len(network.variables) - 1
        # a clause is undecided from its first variable until the one before its last
        self._undecided = [
            sum(1 << n for n, strike in enumerate(network.strikes) if strike.earlier and strike.earlier[-1][0] >= place)
            for place in range(len(network.variables))
        ]

    def count(self) -> Count:
        open_values = [variable.real | variable.absent for variable in self._net.variables]
        lost = [0] * self._rules
        for strike in self._net.strikes:
            if not strike.earlier:
                self._strike(open_values, strike.last, strike.mask, 0, lost, strike.rule, 1)
        alive = (1 << len(self._net.strikes)) - 1
        return self._add(self._from(0, tuple(open_values), alive), lost)

    def _from(self, place: int, domains: tuple[int, ...], alive: int) -> Count:
        """The count over the variables from ``place``, whose open values are ``domains``."""
        alive &= self._undecided[place]
        state = (place, domains, alive)
        if state not in self._memo:
            self._memo[state] = self._fresh(place, domains, alive)
        return self._memo[state]

    def _fresh(self, place: int, domains: tuple[int, ...], alive: int) -> Count:
        points = feasible = 0
        lost = [0] * self._rules
        if not all(domains):
            return Count(0, 0, tuple(lost))
        variable = self._net.variables[place]
        for values in self._classes(place, domains[0], alive):
            chosen = 1 if values == variable.absent else values.bit_count()
            raw = len(variable.values) if values == variable.absent else chosen
            if place == self._last:
                points, feasible = points + chosen, feasible + raw
                continue
            below = self._below(place, values, domains, alive)
            points += chosen * below.points
            feasible += raw * below.feasible_raw
            lost = [total + raw * more for total, more in zip(lost, below.lost, strict=True)]
        return Count(points, feasible, tuple(lost))

    def _below(self, place: int, values: int, domains: tuple[int, ...], alive: int) -> Count:
        """The count over the variables after ``place``, for one of ``values``, which no clause distinguishes."""
        after = list(domains[1:])
        lost = [0] * self._rules
        for switch in self._net.switches[place]:
            child = self._net.variables[switch.child]
            after[switch.child - place - 1] &= child.real if values & switch.mask else child.absent
        for number, strike in enumerate(self._net.strikes):
            if not alive >> number & 1:
                continue
            matched = next((bool(values & mask) for at, mask in strike.earlier if at == place), None)
            if matched is False:
                alive &= ~(1 << number)
            elif matched and strike.earlier[-1][0] == place:
                self._strike(after, strike.last - place - 1, strike.mask, place + 1, lost, strike.rule, 1)
        return self._add(self._from(place + 1, tuple(after), alive), lost)

    def _strike(self, domains: list[int], at: int, mask: int, base: int, lost: list[int], rule: int, raw: int) -> None:
        """Strike ``mask`` from ``domains[at]``, the variable ``base + at``, and count what this excludes."""
        struck = (domains[at] & mask).bit_count()
        domains[at] &= ~mask
        others = (self._raw(base + n, values) for n, values in enumerate(domains) if n != at)
        lost[rule] += raw * struck * math.prod(others)

    def _raw(self, place: int, values: int) -> int:
        """Number of raw values that the open values of a variable stand for."""
        variable = self._net.variables[place]
        real = (values & variable.real).bit_count()
        return real if real or not values else len(variable.values)

    def _classes(self, place: int, values: int, alive: int) -> Iterator[int]:
        """Masks that partition ``values`` into classes that no clause and no condition divides."""
        absent = self._net.variables[place].absent
        parts = [mask for mask in (values & absent, values & ~absent) if mask]
        masks = {mask for n, strike in enumerate(self._net.strikes) if alive >> n & 1
                 for at, mask in strike.earlier if at == place}  # fmt: skip
        masks |= {switch.mask for switch in self._net.switches[place]}
        for mask in masks:
            parts = [piece for part in parts for piece in (part & mask, part & ~mask) if piece]
        yield from parts

    @staticmethod
    def _add(below: Count, lost: list[int]) -> Count:
        return Count(below.points, below.feasible_raw, tuple(a + b for a, b in zip(below.lost, lost, strict=True)))
