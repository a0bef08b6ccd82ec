"""Why a point is in a plan or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from permutations.design import Plan
from permutations.errors import nearest
from permutations.factors import FACTORS
from permutations.feasible.rules import Rule
from permutations.feasible.space import FactorValues, Space
from permutations.point import DesignPoint
from permutations.requirement import can_meet_all, known_constraints
from stripelab.settings import DEFAULT, Setting

IN, MERGED, OUT, NOT_CHOSEN, UNKNOWN = "in", "merged", "out", "not-chosen", "unknown"
MOST_WALKED = 200_000
"""Maximum points whose ids are computed to find one that the design did not choose."""

_NEXT = re.compile(rf",\s*(?=(?:{'|'.join(FACTORS)})\s*=)")
_ID = re.compile(r"[0-9a-f]{12}")


class ExplainError(ValueError):
    """Text that does not name a point."""


@dataclass(frozen=True)
class Explanation:
    """The verdict on a point, and the reasons for it.

    ``verdict`` is one of :data:`IN` (a planned point), :data:`MERGED` (the settings are the same as ``point``),
    :data:`OUT` (a rule leaves it out), :data:`NOT_CHOSEN` (feasible, but the design leaves it out) and
    :data:`UNKNOWN`.
    ``matching`` is the number of planned points with the given settings, if these describe several combinations.
    """

    verdict: str
    reasons: tuple[str, ...]
    point: DesignPoint | None = None
    planned: bool = False
    matching: int | None = None


def explain(plan: Plan, words: str) -> Explanation:
    """Explain a point, given by its id or by settings: ``level=raid5,disks=4,chunk_kib=64``.

    Factors with one value can be omitted.  If others are omitted too, the explanation covers all combinations
    with the given settings.  Raises :class:`ExplainError` for text that is neither an id nor settings.
    """
    if _ID.fullmatch(words.strip()):
        return _by_id(plan, words.strip())
    named = parse_settings(words)
    unlisted = _not_listed(plan.sweep.space, named)
    if unlisted:
        return Explanation(OUT, unlisted)
    part = Space(
        tuple(FactorValues(factor.name, (named[factor.name],)) if factor.name in named else factor
              for factor in plan.sweep.factors), plan.sweep.space.rules)  # fmt: skip
    combination = _whole(part)
    return _about_several(plan, part, named) if combination is None else _about_one(plan, combination, named)


def parse_settings(words: str) -> dict[str, Setting]:
    """``name=value,name=value`` as settings; a comma within mount options is part of them."""
    settings: dict[str, Setting] = {}
    for word in _NEXT.split(words.strip()):
        name, equals, value = (part.strip() for part in word.partition("="))
        if not equals or not value:
            raise ExplainError(f"{word!r} is neither a point id nor a setting: write for example level=raid5,disks=4")
        if name not in FACTORS:
            suggestion = nearest(name, FACTORS)
            raise ExplainError(f"unknown factor {name}" + (f"; did you mean {suggestion}?" if suggestion else ""))
        if name in settings:
            raise ExplainError(f"{name} is there twice")
        number = FACTORS[name].kind is int and value != DEFAULT
        if number and not re.fullmatch(r"\d{1,9}", value, re.ASCII):
            raise ExplainError(f"{name} must be a whole number, not {value}")
        settings[name] = None if value == DEFAULT else int(value) if number else value
    return settings


def _by_id(plan: Plan, point_id: str) -> Explanation:
    point = next((point for point in plan.points if point.id == point_id), None)
    if point is not None:
        return Explanation(IN, (_why_in(plan),), point, planned=True)
    space = plan.sweep.space
    walked = (DesignPoint(values, space.varied) for values in islice(space.walk(), MOST_WALKED))
    point = next((point for point in walked if point.id == point_id), None)
    if point is not None:
        return Explanation(NOT_CHOSEN, (_why_not_chosen(plan, point),), point)
    note = "" if space.feasible <= MOST_WALKED else f" (the first {MOST_WALKED} were looked at)"
    return Explanation(UNKNOWN, (f"no feasible point of this sweep has the id {point_id}{note}",))


def _not_listed(space: Space, named: dict[str, Setting]) -> tuple[str, ...]:
    """One reason for each setting whose value the sweep does not list."""
    listed = {factor.name: factor.values for factor in space.factors}
    return tuple(
        f"[factors] {name} has not {_text(value)}: it has {', '.join(map(_text, listed[name][:12]))}"
        for name, value in named.items()
        if value not in listed[name]
    )


def _whole(part: Space) -> dict[str, Setting] | None:
    """The single combination of ``part``; None if a factor that applies has several values."""
    bound: dict[str, Setting] = {}
    for factor in part.factors:
        condition = FACTORS[factor.name].when
        decided = condition is None or condition.on in bound
        if factor.varies and not (decided and not FACTORS[factor.name].applies(bound)):
            return None
        bound[factor.name] = factor.values[0] if not factor.varies else None
    return bound


def _about_one(plan: Plan, written: dict[str, Setting], named: dict[str, Setting]) -> Explanation:
    space = plan.sweep.space
    applying = {name: value if FACTORS[name].applies(written) else None for name, value in written.items()}
    broken = [rule for rule in space.rules if rule.breaks(applying)]
    if broken:
        return Explanation(OUT, tuple(map(_rule_text, broken)))
    point = DesignPoint(tuple(applying.values()), space.varied)
    planned = point in plan.points
    why = _why_in(plan) if planned else _why_not_chosen(plan, point)
    inapplicable = [name for name in named if applying[name] != named[name]]
    if not inapplicable:
        return Explanation(IN if planned else NOT_CHOSEN, (why,), point, planned=planned)
    conditions = [(name, condition.on) for name in inapplicable if (condition := FACTORS[name].when) is not None]
    reasons = tuple(f"{name} does not apply where {on} is {_text(written[on])}" for name, on in conditions)
    return Explanation(MERGED, (*reasons, why), point, planned=planned)


def _about_several(plan: Plan, part: Space, named: dict[str, Setting]) -> Explanation:
    """How many of the combinations with the named settings are planned and left out."""
    matching = sum(all(point[name] == value for name, value in named.items()) for point in plan.points)
    lines = [f"{part.raw_combinations} combinations have these settings; {matching} planned points do"]
    lines += [f"{entry.count} left out: {entry.reason} ({entry.rule})" for entry in part.left_out() if entry.count]
    if part.feasible and not matching:
        lines.append(_why_not_chosen(plan))
    verdict = IN if matching else NOT_CHOSEN if part.feasible else OUT
    return Explanation(verdict, tuple(lines), matching=matching)


def _rule_text(rule: Rule) -> str:
    return f"{rule.reason} ({rule.place()})"


def _why_in(plan: Plan) -> str:
    return f"no rule leaves it out, and the {plan.sweep.design} design has it, in {plan.sweep.replicates} block(s)"


def _why_not_chosen(plan: Plan, point: DesignPoint | None = None) -> str:
    if plan.sweep.racing is not None:
        known = known_constraints(plan.sweep.objectives)
        unmet = [limit for limit in known if point is None or not can_meet_all(point, [limit], None)]
        words = " and ".join(constraint.text for constraint in unmet or known)
        return f"no rule leaves it out, but it cannot meet the requirement {words}: a race does not start it"
    return f"no rule leaves it out, but the {plan.sweep.design} design does not choose it: {plan.report.guarantees[0]}"


def _text(value: Setting) -> str:
    return DEFAULT if value is None else str(value)
