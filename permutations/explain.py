"""Why a point is in a plan, or is not."""

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
from permutations.requirement import can_meet_all, known
from stripelab.settings import DEFAULT, Setting

IN, MERGED, OUT, NOT_CHOSEN, UNKNOWN = "in", "merged", "out", "not-chosen", "unknown"
MOST_WALKED = 200_000
"""Points of a space whose ids are made in the search for one that the design did not choose."""

_NEXT = re.compile(rf",\s*(?=(?:{'|'.join(FACTORS)})\s*=)")
_ID = re.compile(r"[0-9a-f]{12}")


class ExplainError(ValueError):
    """Words that name no point."""


@dataclass(frozen=True)
class Explanation:
    """The answer, and the reasons for it.

    ``verdict`` is one of :data:`IN` (a planned point), :data:`MERGED` (as written it is the same as ``point``),
    :data:`OUT` (a rule leaves it out), :data:`NOT_CHOSEN` (feasible, but the design leaves it out) and
    :data:`UNKNOWN`.
    ``matching`` is how many planned points have the settings that were named, where these leave something open.
    """

    verdict: str
    reasons: tuple[str, ...]
    point: DesignPoint | None = None
    planned: bool = False
    matching: int | None = None


def explain(plan: Plan, words: str) -> Explanation:
    """Explain a point by its id, or by settings: ``level=raid5,disks=4,chunk_kib=64``.

    A factor with one value need not be named.  Where others are left out too, the answer is about all the
    combinations with the settings that are named.  Raises :class:`ExplainError` for words that say neither.
    """
    if _ID.fullmatch(words.strip()):
        return _by_id(plan, words.strip())
    named = parse_settings(words)
    foreign = _not_listed(plan.sweep.space, named)
    if foreign:
        return Explanation(OUT, foreign)
    part = Space(
        tuple(FactorValues(each.name, (named[each.name],)) if each.name in named else each
              for each in plan.sweep.factors), plan.sweep.space.rules)  # fmt: skip
    combination = _whole(part)
    return _about_several(plan, part, named) if combination is None else _about_one(plan, combination, named)


def parse_settings(words: str) -> dict[str, Setting]:
    """``name=value,name=value`` as settings; a comma within options of mount is part of these."""
    found: dict[str, Setting] = {}
    for word in _NEXT.split(words.strip()):
        name, equals, value = (part.strip() for part in word.partition("="))
        if not equals or not value:
            raise ExplainError(f"{word!r} is neither a point id nor a setting: write for example level=raid5,disks=4")
        if name not in FACTORS:
            meant = nearest(name, FACTORS)
            raise ExplainError(f"unknown factor {name}" + (f"; did you mean {meant}?" if meant else ""))
        if name in found:
            raise ExplainError(f"{name} is there twice")
        number = FACTORS[name].kind is int and value != DEFAULT
        if number and not re.fullmatch(r"\d{1,9}", value, re.ASCII):
            raise ExplainError(f"{name} must be a whole number, not {value}")
        found[name] = None if value == DEFAULT else int(value) if number else value
    return found


def _by_id(plan: Plan, wanted: str) -> Explanation:
    point = next((point for point in plan.points if point.id == wanted), None)
    if point is not None:
        return Explanation(IN, (_why_in(plan),), point, planned=True)
    space = plan.sweep.space
    walked = (DesignPoint(values, space.varied) for values in islice(space.walk(), MOST_WALKED))
    point = next((point for point in walked if point.id == wanted), None)
    if point is not None:
        return Explanation(NOT_CHOSEN, (_why_not_chosen(plan, point),), point)
    seen = "" if space.feasible <= MOST_WALKED else f" (the first {MOST_WALKED} were looked at)"
    return Explanation(UNKNOWN, (f"no feasible point of this sweep has the id {wanted}{seen}",))


def _not_listed(space: Space, named: dict[str, Setting]) -> tuple[str, ...]:
    """The settings whose value the sweep does not list."""
    listed = {factor.name: factor.values for factor in space.factors}
    return tuple(
        f"[factors] {name} has not {_said(value)}: it has {', '.join(map(_said, listed[name][:12]))}"
        for name, value in named.items()
        if value not in listed[name]
    )


def _whole(part: Space) -> dict[str, Setting] | None:
    """The one combination that is meant, as it is written; None where a factor that applies is open."""
    bound: dict[str, Setting] = {}
    for factor in part.factors:
        condition = FACTORS[factor.name].when
        known = condition is None or condition.on in bound
        if factor.varies and not (known and not FACTORS[factor.name].applies(bound)):
            return None
        bound[factor.name] = factor.values[0] if not factor.varies else None
    return bound


def _about_one(plan: Plan, written: dict[str, Setting], named: dict[str, Setting]) -> Explanation:
    space = plan.sweep.space
    applying = {name: value if FACTORS[name].applies(written) else None for name, value in written.items()}
    broken = [rule for rule in space.rules if rule.breaks(applying)]
    if broken:
        return Explanation(OUT, tuple(map(_rule_said, broken)))
    point = DesignPoint(tuple(applying.values()), space.varied)
    planned = point in plan.points
    why = _why_in(plan) if planned else _why_not_chosen(plan, point)
    moot = [name for name in named if applying[name] != named[name]]
    if not moot:
        return Explanation(IN if planned else NOT_CHOSEN, (why,), point, planned=planned)
    conditions = [(name, condition.on) for name in moot if (condition := FACTORS[name].when) is not None]
    said = tuple(f"{name} does not apply where {on} is {_said(written[on])}" for name, on in conditions)
    return Explanation(MERGED, (*said, why), point, planned=planned)


def _about_several(plan: Plan, part: Space, named: dict[str, Setting]) -> Explanation:
    """What becomes of all the combinations that have the named settings."""
    matching = sum(all(point[name] == value for name, value in named.items()) for point in plan.points)
    lines = [f"{part.raw_combinations} combinations have these settings; {matching} planned points do"]
    lines += [f"{entry.count} left out: {entry.reason} ({entry.rule})" for entry in part.left_out() if entry.count]
    if part.feasible and not matching:
        lines.append(_why_not_chosen(plan))
    verdict = IN if matching else NOT_CHOSEN if part.feasible else OUT
    return Explanation(verdict, tuple(lines), matching=matching)


def _rule_said(rule: Rule) -> str:
    return f"{rule.reason} ({rule.place()})"


def _why_in(plan: Plan) -> str:
    return f"no rule leaves it out, and the {plan.sweep.design} design has it, in {plan.sweep.replicates} block(s)"


def _why_not_chosen(plan: Plan, point: DesignPoint | None = None) -> str:
    if plan.sweep.racing is not None:
        wanted = [
            each for each in known(plan.sweep.objectives) if point is None or not can_meet_all(point, [each], None)
        ]
        words = " and ".join(each.text for each in wanted or known(plan.sweep.objectives))
        return f"no rule leaves it out, but it cannot meet the requirement {words}: a race does not start it"
    return f"no rule leaves it out, but the {plan.sweep.design} design does not choose it: {plan.report.guarantees[0]}"


def _said(value: Setting) -> str:
    return DEFAULT if value is None else str(value)
