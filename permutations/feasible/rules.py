"""The rules that leave combinations out: those of md and the hardware, and those of the sweep.

A rule is a set of clauses, and a clause names the values of its factors for which a combination is
excluded.  That form lets enumeration drop a value before it is tried, lets counting work on classes
of values instead of values, and lets a conflict be traced to its rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from permutations.factors import FACTORS
from stripelab.raid import LEVELS, Level
from stripelab.settings import DEFAULT, Setting

Settings = Mapping[str, Setting]
Keys = tuple[tuple[str, tuple[Setting, ...]], ...]
"""Factors with the values that match, as in a table of a sweep file."""


@dataclass(frozen=True)
class Match:
    """Matching values of one factor of a clause; a factor that does not apply does not match."""

    factor: str
    holds: Callable[[Setting], bool]

    def met(self, settings: Settings) -> bool:
        """Whether the factor applies at ``settings`` and has such a value."""
        return FACTORS[self.factor].applies(settings) and self.holds(settings[self.factor])


Clause = tuple[Match, ...]
"""A combination is excluded if every match is met."""


@dataclass(frozen=True)
class Rule:
    """One reason to leave combinations out: any of its clauses suffices.

    ``line`` is its line in the sweep file; None for a rule of md.
    """

    name: str
    reason: str
    clauses: tuple[Clause, ...]
    line: int | None = None
    of_sweep: bool = False
    """Whether it is a rule of the sweep, not of md."""

    @property
    def factors(self) -> frozenset[str]:
        """The factors of its clauses, with those that decide whether these apply."""
        return with_conditions(match.factor for clause in self.clauses for match in clause)

    def breaks(self, settings: Settings) -> bool:
        """Whether the rule excludes a combination; ``settings`` must have at least :attr:`factors`."""
        return any(all(match.met(settings) for match in clause) for clause in self.clauses)

    def place(self) -> str:
        """The name, with the line of the file if it has one."""
        return self.name if self.line is None else f"{self.name}, line {self.line}"


@dataclass(frozen=True)
class Forbid:
    """A ``[[forbid]]`` table: excludes combinations for which every key matches; a list means any of its values.

    A factor that does not apply to a combination does not match, not even ``default``.
    """

    keys: Keys
    reason: str | None = None
    line: int | None = field(default=None, compare=False)

    def rule(self, number: int) -> Rule:
        """The rule of this table; ``number`` counts the tables of the sweep, from 1."""
        reason = self.reason or "the sweep forbids " + self.describe()
        clause = tuple(_among(name, values) for name, values in self.keys)
        return Rule(f"forbid-{number}", reason, (clause,), self.line, of_sweep=True)

    def describe(self) -> str:
        """The table in words: ``level raid5 or raid6 with filesystem btrfs``."""
        return in_words(self.keys, " with ")


@dataclass(frozen=True)
class Unfit:
    """Options that a filesystem of the sweep does not support; ``factor`` is mkfs_options or mount_options."""

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
    """A ``[[require]]`` table: if every key of ``when`` matches, every key of ``then`` must.

    A factor of ``then`` that does not apply to a combination is ignored.
    """

    when: Keys
    then: Keys
    reason: str | None = None
    line: int | None = field(default=None, compare=False)

    def rule(self, number: int) -> Rule:
        """The rule of this table; ``number`` counts the tables of the sweep, from 1."""
        matched = tuple(_among(name, values) for name, values in self.when)
        clauses = tuple((*matched, _other(name, values)) for name, values in self.then)
        reason = self.reason or "the sweep requires " + self.describe()
        return Rule(f"require-{number}", reason, clauses, self.line, of_sweep=True)

    def describe(self) -> str:
        """The table in words: ``chunk_kib 256 where level raid6``."""
        then = in_words(self.then, " and ")
        return f"{then} where {in_words(self.when, ' with ')}" if self.when else then


def in_words(keys: Keys, joint: str) -> str:
    """Keys and values as text for messages."""
    return joint.join(
        f"{name} " + " or ".join(DEFAULT if value is None else str(value) for value in values) for name, values in keys
    )


def with_conditions(names: Iterable[str]) -> frozenset[str]:
    """``names`` with the factors that decide whether they apply."""
    factors = set(names)
    for name in tuple(factors):
        condition = FACTORS[name].when
        if condition is not None:
            factors.add(condition.on)
    return frozenset(factors)


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
    """The rules of md, and narrower ones where md allows too much (raid0 on one disk, raid10 on three)."""
    return tuple(_disks_rule(level) for level in LEVELS.values())
