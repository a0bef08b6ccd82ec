"""The designs by name: functions that choose points from a space and state their guarantees.

To add one: its name and keys in :mod:`permutations.designs.spec`, its function here.  The functions are
imported late because most need numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from permutations.designs.report import Chosen
from permutations.designs.spec import DesignSpec
from permutations.feasible.space import Space

Design = Callable[[Space, DesignSpec, int], Chosen]
"""A function of the space, the options of the sweep, and the seed."""

_FUNCTIONS = {
    "full": "full:full",
    "covering": "chosen:covering",
    "fractional": "fractional:fractional",
    "d-optimal": "optimal:d_optimal",
    "latin-hypercube": "latin:latin_hypercube",
    "one-factor-at-a-time": "simple:one_factor_at_a_time",
    "list": "simple:file_points",
    "racing": "full:full",
}


def design(kind: str) -> Design:
    """The function of a design; raises KeyError for a name that is not in :data:`permutations.designs.spec.DESIGNS`."""
    module, function = _FUNCTIONS[kind].split(":")
    chooser: Design = getattr(import_module(f"permutations.designs.{module}"), function)
    return chooser


def choose(space: Space, spec: DesignSpec, seed: int = 0) -> Chosen:
    """The points of a space that a design chooses.

    Deterministic for ``seed``.  Raises :class:`permutations.designs.report.DesignError` if the design
    is not possible for this space.
    """
    return design(spec.kind)(space, spec, seed)
