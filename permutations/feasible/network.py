"""The rules of a sweep as constraint networks, one for each set of factors that rules connect.

Factors that no rule connects are independent: the feasible combinations are the product of the
feasible ones of each set, so a space of 10^12 is counted from a few tables.  Values are bits of a
mask.  A factor that may not apply has an additional bit for "does not apply".

Forward checking (Haralick and Elliott 1980) on clauses: as soon as all factors of a clause but the
last are bound and match, the matching values of the last are removed and never tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from permutations.factors import FACTORS
from permutations.feasible.rules import Clause, Rule
from stripelab.settings import Setting


@dataclass(frozen=True)
class Variable:
    """A factor of a network: its values in the order of the file; ``optional`` adds "does not apply"."""

    name: str
    values: tuple[Setting, ...]
    optional: bool

    @property
    def real(self) -> int:
        """Mask of the values."""
        return (1 << len(self.values)) - 1

    @property
    def absent(self) -> int:
        """Mask of "does not apply"; 0 if the factor always applies."""
        return 1 << len(self.values) if self.optional else 0

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """The setting that each bit stands for."""
        return (*self.values, None) if self.optional else self.values


@dataclass(frozen=True)
class Strike:
    """If ``earlier`` all match, rule number ``rule`` removes ``mask`` from variable ``last``."""

    rule: int
    earlier: tuple[tuple[int, int], ...]
    last: int
    mask: int


@dataclass(frozen=True)
class Switch:
    """If the bound variable is in ``mask``, variable ``child`` applies; else it does not."""

    mask: int
    child: int


@dataclass(frozen=True)
class Network:
    """Variables in search order, and the effects of binding one on those after it."""

    variables: tuple[Variable, ...]
    strikes: tuple[Strike, ...]
    switches: tuple[tuple[Switch, ...], ...]
    """For each variable, by place."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Factors in search order."""
        return tuple(variable.name for variable in self.variables)

    @cached_property
    def closing(self) -> tuple[tuple[Strike, ...], ...]:
        """For each variable, the strikes that binding it decides."""
        return tuple(
            tuple(strike for strike in self.strikes if strike.earlier and strike.earlier[-1][0] == place)
            for place in range(len(self.variables))
        )

    @cached_property
    def start(self) -> tuple[int, ...]:
        """The open values before any variable is bound."""
        open_values = [variable.real | variable.absent for variable in self.variables]
        for strike in self.strikes:
            if not strike.earlier:
                open_values[strike.last] &= ~strike.mask
        return tuple(open_values)

    def bind(self, place: int, path: Sequence[int], domains: Sequence[int]) -> list[int] | None:
        """Open values after ``path[place]`` is bound to one bit; None if a variable has none left."""
        after = list(domains)
        bit = path[place]
        for switch in self.switches[place]:
            child = self.variables[switch.child]
            after[switch.child] &= child.real if bit & switch.mask else child.absent
        for strike in self.closing[place]:
            if after[strike.last] & strike.mask and all(path[at] & mask for at, mask in strike.earlier):
                after[strike.last] &= ~strike.mask
                if not after[strike.last]:
                    return None
        return after

    def walk(self) -> Iterator[tuple[Setting, ...]]:
        """Each feasible combination once, as settings in search order; depth first, lazily."""
        last = len(self.variables) - 1
        if not all(self.start):
            return
        if last == 0:
            yield from ((setting,) for setting in _chosen(self.variables[0], self.start[0]))
            return
        path = [0] * len(self.variables)
        settings: list[Setting] = [None] * last
        levels = [(_bits(self.start[0]), list(self.start))]
        while levels:
            place = len(levels) - 1
            bits, domains = levels[-1]
            bit = next(bits, 0)
            if not bit:
                levels.pop()
                continue
            path[place] = bit
            settings[place] = self.variables[place].settings[bit.bit_length() - 1]
            after = self.bind(place, path, domains)
            if after is None:
                continue
            if place + 1 == last:
                head = tuple(settings)
                for setting in _chosen(self.variables[last], after[last]):
                    yield (*head, setting)
            else:
                levels.append((_bits(after[place + 1]), after))


def _bits(mask: int) -> Iterator[int]:
    """The single bits of a mask, lowest first."""
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit


def _chosen(variable: Variable, mask: int) -> Iterator[Setting]:
    """The settings whose bits are in ``mask``."""
    if mask == variable.real | variable.absent:
        return iter(variable.settings)
    return (variable.settings[bit.bit_length() - 1] for bit in _bits(mask))


# From a space to its networks


@dataclass(frozen=True)
class Split:
    """A space split into constants and one network for each set of connected factors.

    ``merged_weight`` is how many raw combinations each choice of the networks stands for, because the
    values of a factor that never applies count too.  ``lost_by`` is a rule, by number, that excludes
    everything; None if no rule does.
    """

    constants: Mapping[str, Setting]
    networks: tuple[Network, ...]
    merged_weight: int
    lost_by: int | None


def split(values: Mapping[str, tuple[Setting, ...]], rules: Sequence[Rule]) -> Split:
    """Split a space; ``values`` has every factor, in stack order."""
    constants, weight = _constants(values, rules)
    free = [name for name in values if name not in constants]
    deciding = {name: decided for name in free if (decided := _sometimes(name, values)) is not None}
    optional = set(deciding)
    clauses: list[tuple[int, dict[str, int]]] = []
    lost_by: int | None = None
    for number, rule in enumerate(rules):
        for clause in rule.clauses:
            masks = _masks(clause, values, constants, optional)
            if masks is not None:
                clauses.append((number, masks))
            if masks == {} and lost_by is None:
                lost_by = number
    links = [set(masks) for _, masks in clauses] + [{name, on} for name, (on, _) in deciding.items()]
    networks = tuple(
        _network(part, values, optional, [entry for entry in clauses if entry[1] and next(iter(entry[1])) in part])
        for part in _parts(free, links)
    )
    return Split(constants, networks, weight, lost_by)


def _constants(values: Mapping[str, tuple[Setting, ...]], rules: Sequence[Rule]) -> tuple[dict[str, Setting], int]:
    """The factors that are the same at every point, and the number of raw combinations that they merge."""
    restricted = {match.factor for rule in rules for clause in rule.clauses for match in clause}
    constants: dict[str, Setting] = {}
    weight = 1
    for name, listed in values.items():
        decided = _applying(name, values)
        always = decided is None or decided[1] == (1 << len(values[decided[0]])) - 1
        if decided is not None and not decided[1]:
            constants[name] = None
            weight *= len(listed)
        elif len(listed) == 1 and (always or (listed == (None,) and name not in restricted)):
            constants[name] = listed[0]
    return constants, weight


def _sometimes(name: str, values: Mapping[str, tuple[Setting, ...]]) -> tuple[str, int] | None:
    """Like :func:`_applying`, but None for a factor that applies at every point."""
    decided = _applying(name, values)
    return None if decided is None or decided[1] == (1 << len(values[decided[0]])) - 1 else decided


def _masks(
    clause: Clause,
    values: Mapping[str, tuple[Setting, ...]],
    constants: Mapping[str, Setting],
    optional: set[str],
) -> dict[str, int] | None:
    """For each free factor of a clause the values that match; None if the clause can never match."""
    masks: dict[str, int] = {}
    for match in clause:
        name, decided = match.factor, _applying(match.factor, values)
        if name in constants:
            if (decided is not None and not decided[1]) or not match.holds(constants[name]):
                return None
            continue
        limited = [(name, _mask(values[name], match.holds))]
        if name in optional and decided is not None:
            limited.append(decided)
        for factor, mask in limited:
            masks[factor] = masks.get(factor, mask) & mask
    return masks if all(masks.values()) else None


def _mask(values: Iterable[Setting], holds: Callable[[Setting], bool]) -> int:
    return sum(1 << place for place, value in enumerate(values) if holds(value))


def _applying(name: str, values: Mapping[str, tuple[Setting, ...]]) -> tuple[str, int] | None:
    """The factor that decides whether ``name`` applies, and the mask of its values for which it does."""
    when = FACTORS[name].when
    if when is None:
        return None
    return when.on, _mask(values[when.on], lambda value: when.holds({when.on: value}))


def _parts(names: Sequence[str], groups: Iterable[set[str]]) -> list[list[str]]:
    """The connected sets of names in stack order, sorted by their first name."""
    part_of = {name: {name} for name in names}
    for group in groups:
        whole = set().union(*(part_of[name] for name in group)) if group else set()
        for name in whole:
            part_of[name] = whole
    distinct = {id(part): part for part in part_of.values()}
    return sorted((sorted(part, key=names.index) for part in distinct.values()), key=lambda part: names.index(part[0]))


def _network(
    part: Sequence[str],
    values: Mapping[str, tuple[Setting, ...]],
    optional: set[str],
    clauses: Sequence[tuple[int, dict[str, int]]],
) -> Network:
    order = _search_order(part, optional, [set(masks) for _, masks in clauses])
    at = {name: place for place, name in enumerate(order)}
    strikes = []
    for rule, masks in clauses:
        *earlier, (last, mask) = sorted((at[name], mask) for name, mask in masks.items())
        strikes.append(Strike(rule, tuple(earlier), last, mask))
    switches: list[list[Switch]] = [[] for _ in order]
    for name in order:
        decided = _applying(name, values)
        if name in optional and decided is not None:
            switches[at[decided[0]]].append(Switch(decided[1], at[name]))
    variables = tuple(Variable(name, values[name], name in optional) for name in order)
    return Network(variables, tuple(strikes), tuple(tuple(children) for children in switches))


def _search_order(part: Sequence[str], optional: set[str], clauses: Sequence[set[str]]) -> list[str]:
    """Next comes the factor that closes the most clauses, then the one in most started clauses, else stack order.

    A factor comes after the one that decides whether it applies.
    """
    order: list[str] = []
    remaining = list(part)
    while remaining:
        bound = set(order)

        def rank(name: str, bound: set[str] = bound) -> tuple[int, int]:
            relevant = [clause for clause in clauses if name in clause]
            complete = sum(len(clause - bound) <= 2 for clause in relevant)
            started = sum(bool(clause & bound) for clause in relevant)
            return (complete if bound else 0, started)

        candidates = [name for name in remaining if name not in optional or _parent(name) in bound]
        chosen = max(candidates, key=lambda name: (*rank(name), -part.index(name)))
        order.append(chosen)
        remaining.remove(chosen)
    return order


def _parent(name: str) -> str | None:
    when = FACTORS[name].when
    return None if when is None else when.on
