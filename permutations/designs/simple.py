"""Designs without a search: the points of the file, and one factor at a time."""

from __future__ import annotations

from permutations.designs.report import Chosen, Combination
from permutations.designs.spec import DesignSpec
from permutations.factors import FACTORS
from permutations.feasible.space import Space
from stripelab.settings import Setting


def file_points(space: Space, spec: DesignSpec, seed: int) -> Chosen:  # noqa: ARG001
    """The points of the file, in its order."""
    return Chosen(spec.points, ("the points that the file gives, and no others",))


def one_factor_at_a_time(space: Space, spec: DesignSpec, seed: int) -> Chosen:  # noqa: ARG001
    """The baseline, and every feasible point that differs from it in one factor.

    A factor that applies only after the change has its first value.  Interactions cannot be estimated.
    """
    if spec.baseline is None:
        raise ValueError("the design needs a baseline")
    combinations: dict[Combination, None] = {spec.baseline: None}
    missed: list[str] = []
    for place, factor in enumerate(space.factors):
        if spec.baseline[place] is None and not FACTORS[factor.name].applies(_named(space, spec.baseline)):
            continue
        for value in factor.values:
            changed = _with(space, spec.baseline, place, value)
            if any(rule.breaks(_named(space, changed)) for rule in space.rules):
                missed.append(f"{factor.name} {value}")
            else:
                combinations[changed] = None
    guarantees = ["each value of each factor beside the baseline; interactions of factors cannot be seen"]
    if missed:
        guarantees.append(f"not feasible beside the baseline, and so not in it: {', '.join(missed)}")
    return Chosen(tuple(combinations), tuple(guarantees), {"values_not_feasible": len(missed)})


def _named(space: Space, values: Combination) -> dict[str, Setting]:
    return {factor.name: value for factor, value in zip(space.factors, values, strict=True)}


def _with(space: Space, values: Combination, place: int, value: Setting) -> Combination:
    """``values`` with one changed; factors that no longer apply become None, and those that now apply get a value."""
    before = _named(space, values)
    after: dict[str, Setting] = {}
    for at, factor in enumerate(space.factors):
        chosen = value if at == place else values[at]
        if not FACTORS[factor.name].applies(after):
            chosen = None
        elif at != place and not FACTORS[factor.name].applies(before):
            chosen = factor.values[0]
        after[factor.name] = chosen
    return tuple(after.values())
