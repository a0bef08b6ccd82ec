"""The keys of the design in ``[sweep]``, ``[baseline]`` and ``[[point]]``."""

from __future__ import annotations

from permutations.designs.spec import DESIGNS, MODELS, DesignSpec
from permutations.factors import FACTORS
from permutations.feasible.space import FactorValues, Space
from permutations.reading.space import settings
from permutations.reading.table import Table
from permutations.vocabulary import Vocabulary
from stripelab.settings import DEFAULT, Setting

KEYS = ("strength", "size", "model", "resolution")
"""Keys of ``[sweep]`` that apply to some designs only."""

MOST_POINTS = 10_000
MOST_LISTED = 5000
"""Maximum number of ``[[point]]`` tables."""


def parse_design(root: Table, space: Space, vocabulary: Vocabulary | None) -> DesignSpec:
    """The design and its options; raises an error for a key that the design does not use.

    Any sweep may have a baseline: the recommendation reports the gain over it.
    """
    head = root.table("sweep")
    kind = head.word("design", tuple(DESIGNS), "full", "unknown design")
    takes = DESIGNS[kind]
    for key in (key for key in KEYS if head.has(key) and key not in takes.keys):
        users = ", ".join(name for name, other in DESIGNS.items() if key in other.keys)
        head.refuse(key, f'design "{kind}" has no {key}: it is for {users}')
    if root.has("point") and not takes.points:
        root.refuse("point", f'design "{kind}" does not take this table')
    for key in (key for key in takes.needs if not (head.has(key) or root.has(key))):
        brackets = {"point": "[[point]] tables", "baseline": "a [baseline] table"}.get(key, f"{key} = …")
        head.source.refuse(("sweep", "design"), f'design "{kind}" needs {brackets}')
    return DesignSpec(
        kind=kind,
        strength=head.integer("strength", 2, 2, 3),
        size=head.integer("size", None, 1, MOST_POINTS),
        model=head.word("model", MODELS, MODELS[0]),
        resolution=head.integer("resolution", 3, 3, 5),
        baseline=_combination(root.table("baseline"), space, vocabulary) if root.has("baseline") else None,
        points=_points(root.tables("point", MOST_LISTED), space, vocabulary),
    )


def _points(tables: tuple[Table, ...], space: Space, vocabulary: Vocabulary | None) -> tuple[tuple[Setting, ...], ...]:
    numbers: dict[tuple[Setting, ...], int] = {}
    for number, table in enumerate(tables, start=1):
        point = _combination(table, space, vocabulary)
        if point in numbers:
            table.source.refuse(table.at, f"the same point as [[point]] {numbers[point]}")
        numbers[point] = number
    return tuple(numbers)


def _combination(table: Table, space: Space, vocabulary: Vocabulary | None) -> tuple[Setting, ...]:
    """A complete feasible combination; factors with one value and those that do not apply can be omitted."""
    table.only(tuple(FACTORS))
    bound: dict[str, Setting] = {}
    for factor in space.factors:
        applies = FACTORS[factor.name].applies(bound)
        if not applies and table.has(factor.name):
            condition = FACTORS[factor.name].when
            reason = f"{condition.on} {bound[condition.on]}" if condition is not None else ""
            table.refuse(factor.name, f"does not apply where the point has {reason}")
        bound[factor.name] = _setting(table, factor, vocabulary) if applies else None
    broken = next((rule for rule in space.rules if rule.breaks(bound)), None)
    if broken is not None:
        table.source.refuse(table.at, f"is left out: {broken.reason} ({broken.place()})")
    return tuple(bound.values())


def _setting(table: Table, factor: FactorValues, vocabulary: Vocabulary | None) -> Setting:
    if not table.has(factor.name):
        if factor.varies:
            count = len(factor.values)
            table.source.refuse(table.at, f"{factor.name} is missing, and [factors] has {count} values of it")
        return factor.values[0]
    values = settings(table, factor.name, vocabulary)
    if len(values) > 1:
        table.refuse(factor.name, "must be one value: a point has one of each")
    if values[0] not in factor.values:
        listed = ", ".join(DEFAULT if value is None else str(value) for value in factor.values[:12])
        more = ", …" if len(factor.values) > 12 else ""
        table.refuse(factor.name, f"is not among the values of [factors], which are {listed}{more}")
    return values[0]
