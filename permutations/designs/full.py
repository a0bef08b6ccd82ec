"""The full factorial: every feasible combination."""

from __future__ import annotations

from permutations.designs.report import Chosen, DesignError
from permutations.designs.spec import DesignSpec
from permutations.feasible.space import Space

MAX_POINTS = 1_000_000
"""Maximum points; more would take decades to measure and are a mistake in the sweep."""


def full(space: Space, spec: DesignSpec, seed: int) -> Chosen:  # noqa: ARG001
    """Every feasible combination, in the order of the walk; raises :class:`DesignError` if they are too many."""
    if space.feasible > MAX_POINTS:
        raise DesignError(
            f"the full factorial has more than {MAX_POINTS} points ({space.feasible}): shorten a list, leave "
            'combinations out with [[forbid]], or choose among them with design = "covering"'
        )
    return Chosen(tuple(space.walk()), ("every feasible combination",), {})
