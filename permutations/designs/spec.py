"""Options of a design in a sweep file."""

from __future__ import annotations

from dataclasses import dataclass

from stripelab.settings import Setting

MODELS = ("main", "interactions")
"""Main effects only, or with every interaction of two factors."""


@dataclass(frozen=True)
class DesignSpec:
    """The options of a design and the points of the sweep file.

    Any design may have a ``baseline``; ``one-factor-at-a-time`` needs it.  ``points`` and ``baseline``
    are complete combinations, in the order of :data:`permutations.factors.FACTORS`.  ``size`` is None if
    the design decides.
    """

    kind: str = "full"
    strength: int = 2
    size: int | None = None
    model: str = "main"
    resolution: int = 3
    baseline: tuple[Setting, ...] | None = None
    points: tuple[tuple[Setting, ...], ...] = ()


@dataclass(frozen=True)
class Takes:
    """The keys that a design has; ``needs`` are the required ones."""

    keys: tuple[str, ...] = ()
    points: bool = False
    needs: tuple[str, ...] = ()


DESIGNS: dict[str, Takes] = {
    "full": Takes(),
    "covering": Takes(("strength",), points=True),
    "fractional": Takes(("resolution",)),
    "d-optimal": Takes(("model", "size"), points=True),
    "latin-hypercube": Takes(("size",), needs=("size",)),
    "one-factor-at-a-time": Takes(("baseline",), needs=("baseline",)),
    "list": Takes(points=True, needs=("point",)),
    "racing": Takes(),  # over every feasible point; its options are in [racing]
}
"""The designs by name; :mod:`permutations.designs.registry` has the function of each."""
