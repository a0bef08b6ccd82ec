"""Options of a race: its budget, its error rate, and what chooses the points."""

from __future__ import annotations

from dataclasses import dataclass

ELIMINATION = "elimination"
GAUSSIAN_PROCESS = "gaussian-process"
SAMPLERS = (ELIMINATION, GAUSSIAN_PROCESS, "optuna-tpe", "optuna-random")
"""What chooses the points of a block: the sequential test, a model of the figures, or a sampler of Optuna."""


@dataclass(frozen=True)
class RacingSpec:
    """The ``[racing]`` table of a sweep file.

    ``error_rate`` bounds the probability that the sequential test eliminates the best point.  One of
    the two budgets is set; ``confirmation_share`` of it is reserved for fresh runs of the ``finalists``.
    """

    error_rate: float = 0.05
    finalists: int = 4
    confirmation_share: float = 0.25
    budget_trials: int | None = None
    budget_s: float | None = None
    sampler: str = ELIMINATION
    batch: int = 4
    """Points in a block that a sampler chooses."""
