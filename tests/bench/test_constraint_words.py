"""A sweep file and an answer know the same constraints: two packages that may not import each other."""

from __future__ import annotations

from permutations import constraint
from results.estimates import constraints


def test_short_names_of_figures_are_the_same() -> None:
    assert constraints.SHORT == constraint.SHORT


def test_whatever_a_sweep_file_may_ask_for_is_known_when_it_is_judged() -> None:
    asked = {*constraint.AT_MOST, *constraint.AT_LEAST}
    assert asked <= {*constraints.FACTS, *constraints.MEASURED}
    assert set(constraint.SHORT.values()) <= asked
