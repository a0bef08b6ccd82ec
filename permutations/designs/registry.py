"""The designs by name: each turns a space into points and says what they guarantee.

To add one: its name and keys in :mod:`permutations.designs.spec`, its function here.  The functions are
imported late, since most need numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from permutations.designs.report import Chosen
from permutations.designs.spec import DesignSpec
from permutations.feasible.space import Space

Design = Callable[[Space, DesignSpec, int], Chosen]
"""Space, what the sweep asks for, seed."""

_FUNCTIONS = {
    "full": "full:full",
    "covering": "chosen:covering",
    "fractional": "fractional:fractional",
    "d-optimal": "optimal:d_optimal",
    "latin-hypercube": "latin:latin_hypercube",
    "one-factor-at-a-time": "simple:one_factor_at_a_time",
    "list": "simple:listed",
    "racing": "full:full",
}


def design(kind: str) -> Design:
    """The function of a design; raises KeyError for a name that :data:`permutations.designs.spec.DESIGNS` lacks."""
    module, function = _FUNCTIONS[kind].split(":")
    found: Design = getattr(import_module(f"permutations.designs.{module}"), function)
    return found


def choose(space: Space, spec: DesignSpec, seed: int = 0) -> Chosen:
    """The points of a space that a design chooses.

    Deterministic for ``seed``.  Raises :class:`permutations.designs.report.DesignError` where the design
    cannot be made of this space.
    """
    return design(spec.kind)(space, spec, seed)
