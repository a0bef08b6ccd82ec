"""Which combinations are left out: what md and the hardware allow, and what the sweep says.

A rule is a set of clauses, and a clause names what each of its factors would have to be for a
combination to be lost.  That form lets enumeration see a lost value before it is tried, lets
counting go over classes of values instead of values, and lets a conflict be traced to its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from permutations.factors import FACTORS
from stripelab.raid import LEVELS, Level
from stripelab.settings import DEFAULT, Setting

Settings = Mapping[str, Setting]
Keys = tuple[tuple[str, tuple[Setting, ...]], ...]
"""Factors with the values that match, as a table of a sweep file lists them."""


@dataclass(frozen=True)
class Match:
    """The values of one factor that a clause speaks of; a factor that does not apply matches nothing."""

    factor: str
    holds: Callable[[Setting], bool]

    def met(self, settings: Settings) -> bool:
        """Whether the factor applies at ``settings`` and has such a value."""
        return FACTORS[self.factor].applies(settings) and self.holds(settings[self.factor])


Clause = tuple[Match, ...]
"""A combination is lost where every match is met."""


@dataclass(frozen=True)
class Rule:
    """One reason to leave combinations out: any of its clauses is enough.

    ``line`` is where the sweep file says it; None for a rule of md.
    """

    name: str
    reason: str
    clauses: tuple[Clause, ...]
    line: int | None = None
    own: bool = False
    """Whether the sweep says it, and not md."""

    @property
    def factors(self) -> frozenset[str]:
        """The factors that it looks at, with those that decide whether these apply."""
        return with_conditions(match.factor for clause in self.clauses for match in clause)

    def breaks(self, settings: Settings) -> bool:
        """Whether a combination is lost; ``settings`` must have at least :attr:`factors`."""
        return any(all(match.met(settings) for match in clause) for clause in self.clauses)

    def place(self) -> str:
        """The name, with the line of the file where it has one."""
        return self.name if self.line is None else f"{self.name}, line {self.line}"


@dataclass(frozen=True)
class Forbid:
    """A ``[[forbid]]`` table: a combination is lost where every key matches; a list means any of.

    A factor that does not apply to a combination matches nothing, not even ``default``.
    """

    keys: Keys
    reason: str | None = None
    line: int | None = field(default=None, compare=False)

    def rule(self, number: int) -> Rule:
        """The rule that this table is; ``number`` counts the tables of the sweep, from 1."""
        reason = self.reason or "the sweep forbids " + self.describe()
        clause = tuple(_among(name, values) for name, values in self.keys)
        return Rule(f"forbid-{number}", reason, (clause,), self.line, own=True)

    def describe(self) -> str:
        """The table in words: ``level raid5 or raid6 with filesystem btrfs``."""
        return in_words(self.keys, " with ")


@dataclass(frozen=True)
class Unfit:
    """Options of mkfs or mount that a filesystem of the sweep does not take: ``factor`` is one of the two."""

    filesystem: str
    factor: str
    options: tuple[Setting, ...]
    line: int | None = field(default=None, compare=False)

    def rule(self) -> Rule:
        """The rule that leaves these combinations out."""
        listed = " or ".join(f'"{option}"' for option in self.options)
        clause = (_among("filesystem", (self.filesystem,)), _among(self.factor, self.options))
        name = f"{self.filesystem}-{self.factor.replace('_', '-')}"
        return Rule(name, f"{self.filesystem} does not take {self.factor} {listed}", (clause,), self.line)


@dataclass(frozen=True)
class Require:
    """A ``[[require]]`` table: where every key of ``when`` matches, every key of ``then`` must.

    A factor of ``then`` that does not apply to a combination is asked nothing.
    """

    when: Keys
    then: Keys
    reason: str | None = None
    line: int | None = field(default=None, compare=False)

    def rule(self, number: int) -> Rule:
        """The rule that this table is; ``number`` counts the tables of the sweep, from 1."""
        matched = tuple(_among(name, values) for name, values in self.when)
        clauses = tuple((*matched, _other(name, values)) for name, values in self.then)
        reason = self.reason or "the sweep requires " + self.describe()
        return Rule(f"require-{number}", reason, clauses, self.line, own=True)

    def describe(self) -> str:
        """The table in words: ``chunk_kib 256 where level raid6``."""
        then = in_words(self.then, " and ")
        return f"{then} where {in_words(self.when, ' with ')}" if self.when else then


def in_words(keys: Keys, joint: str) -> str:
    """Keys and values as a person says them."""
    return joint.join(
        f"{name} " + " or ".join(DEFAULT if value is None else str(value) for value in values) for name, values in keys
    )


def with_conditions(names: Iterable[str]) -> frozenset[str]:
    """``names`` with the factors that decide whether they apply."""
    wanted = set(names)
    for name in tuple(wanted):
        condition = FACTORS[name].when
        if condition is not None:
            wanted.add(condition.on)
    return frozenset(wanted)


def _among(name: str, values: tuple[Setting, ...]) -> Match:
    return Match(name, lambda value: value in values)


def _other(name: str, values: tuple[Setting, ...]) -> Match:
    return Match(name, lambda value: value not in values)


def _disks_rule(level: Level) -> Rule:
    def refused(disks: Setting) -> bool:
        return not (isinstance(disks, int) and level.allows(disks))

    where = (_among("level", (level.name,)), Match("disks", refused))
    return Rule(f"{level.name}-disks", level.disks_rule, (where,))


def hardware_rules() -> tuple[Rule, ...]:
    """What md allows, and where it allows more (raid0 on one disk, raid10 on three), what makes sense."""
    return tuple(_disks_rule(level) for level in LEVELS.values())
