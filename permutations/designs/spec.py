"""What a sweep file asks of its design."""

from __future__ import annotations

from dataclasses import dataclass

from stripelab.settings import Setting

MODELS = ("main", "interactions")
"""Main effects alone, or with every interaction of two factors."""


@dataclass(frozen=True)
class DesignSpec:
    """The keys of ``[sweep]`` that a design takes, and the points that the file gives.

    ``baseline`` may stand beside any design; one of them is built on it.  ``points`` and ``baseline``
    are whole combinations, in the order of :data:`permutations.factors.FACTORS`.  ``size`` is None where
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
    """Which keys a design takes: ``needs`` are those that it cannot do without."""

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
    "racing": Takes(),  # over every feasible point; [racing] says how
}
"""The designs by name; :mod:`permutations.designs.registry` has the function of each."""
