"""Results of a design: the combinations and their guarantees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stripelab.settings import Setting

Combination = tuple[Setting, ...]
"""One value for each factor, in the order of :data:`permutations.factors.FACTORS`."""


class DesignError(ValueError):
    """A design that is not possible for a space; the message says what to change.

    ``key`` is the key of the sweep file that causes the error.
    """

    def __init__(self, message: str, key: str = "design") -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Chosen:
    """The distinct, feasible combinations of a design, its guarantees as text, and its figures."""

    combinations: tuple[Combination, ...]
    guarantees: tuple[str, ...]
    figures: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class DesignReport:
    """What ``plan`` reports of a design: its kind, the number of feasible points, guarantees and figures."""

    kind: str
    feasible: int
    guarantees: tuple[str, ...]
    figures: Mapping[str, int | float | str]
