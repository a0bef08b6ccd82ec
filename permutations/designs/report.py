"""What a design hands back: the combinations, and what may be said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stripelab.settings import Setting

Combination = tuple[Setting, ...]
"""One value for each factor, in the order of :data:`permutations.factors.FACTORS`."""


class DesignError(ValueError):
    """A design that cannot be made of this space; the message says what to change.

    ``key`` is the key of the sweep file that is to blame.
    """

    def __init__(self, message: str, key: str = "design") -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Chosen:
    """The combinations of a design, distinct and feasible; what it guarantees, in words; and its figures."""

    combinations: tuple[Combination, ...]
    guarantees: tuple[str, ...]
    figures: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class DesignReport:
    """What ``plan`` says of a design: its kind, how many feasible points it chose from, and what it guarantees."""

    kind: str
    feasible: int
    guarantees: tuple[str, ...]
    figures: Mapping[str, int | float | str]
