"""Estimates of each design point from replicated blocks.

Model: log(figure) = point + block + noise, fitted by least squares; noise is multiplicative with one
standard deviation for all points, pooled over them.  Blocks take up what drifts between replicates.
Trials may be missing.  (Randomised complete blocks: Box, Hunter and Hunter, Statistics for
Experimenters, 2nd ed., ch. 4; least squares with cells missing: Searle, Linear Models, 1971, ch. 7.)

Where trials shared arrays or filesystems, their errors are added to the covariance of the means, and
intervals take the fewest degrees of freedom of any of them (see :mod:`results.estimates.strata`): that is right
for differences between arrays, and on the safe side for those between points of one array.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from results.estimates.responses import Response
from results.estimates.strata import Component, Strata, shared, strata

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MIN_DF = 3
"""Fewest residual degrees of freedom from which the noise is estimated."""

LEAST_RESOLUTION = 1e-4
"""Figures of two runs that differ by less than 0.01 % are equal: clocks and counters tell no more."""

_COARSEST_RESOLUTION = 0.05
_REPEATED_SHARE = 0.2

POOLED_T = "pooled t"
WELCH_T = "Welch t"
RANKS = "median by ranks"


@dataclass(frozen=True)
class IntervalChoice:
    """Which intervals a model's points have, and why these; see :mod:`results.estimates.intervals`."""

    method: str
    reason: str


POOLED = IntervalChoice(
    POOLED_T,
    "Student's t with one noise for all points, pooled over them",
)


class NoEvidenceError(Exception):
    """The evidence does not reach for an answer; the text says what is missing."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model; arrays of points are in the order of ``points``, those of trials in that of ``responses``.

    ``log_means`` are adjusted to the average block.  Their covariance is ``sd``² times
    (diag(``inverse_counts``) + ``low_rank`` · ``low_rank``ᵀ).  ``sd`` has ``error_df`` degrees of freedom;
    intervals take ``df``, which is less where ``components`` have fewer.  ``plots`` is the innermost
    plot of each trial, where trials share any.  ``own_sd`` is the noise of each point, log scale, where
    ``intervals`` are Welch's; None where one noise is pooled over all points.  ``wide_sd`` is the larger of
    a point's own noise and the pooled one, which limits that hold for all points at once take; None: the
    pooled one.  ``resolution`` is the smallest difference, log scale, that the figure can show: no such limit
    is nearer than this.  ``assumption`` is what the limits take for granted because the trials are too few to
    check it, as a phrase; None where nothing is.
    """

    points: tuple[str, ...]
    responses: tuple[Response, ...]
    counts: tuple[int, ...]
    blocks: int
    log_means: Floats
    inverse_counts: Floats
    low_rank: Floats
    sd: float
    df: int
    error_df: int
    residuals: Floats
    leverages: Floats
    components: tuple[Component, ...] = ()
    plots: tuple[str, ...] = ()
    intervals: IntervalChoice = POOLED
    own_sd: Floats | None = None
    wide_sd: Floats | None = None
    resolution: float = LEAST_RESOLUTION
    assumption: str | None = None

    def variance(self, weights: Floats) -> float:
        """Variance, in units of sd², of a sum of point means with ``weights`` (that add up to 0 or 1)."""
        projected = weights @ self.low_rank
        return float((weights**2 * self.inverse_counts).sum() + projected @ projected)

    def difference_variances(self, index: int) -> Floats:
        """Variance, in units of sd², of the difference between the point at ``index`` and each point."""
        steps = self.low_rank - self.low_rank[index]
        found: Floats = self.inverse_counts + self.inverse_counts[index] + (steps**2).sum(axis=1)
        found[index] = 0.0
        return found

    def standard_error(self, weights: Floats) -> tuple[float, float]:
        """Standard error, log scale, of a sum of point means with ``weights``; and its degrees of freedom.

        Where points have a noise of their own, the degrees are those of Satterthwaite (Biometrics Bulletin
        2, 1946), as in the test of Welch (Biometrika 34, 1947).
        """
        if self.own_sd is None:
            return self.sd * math.sqrt(self.variance(weights)), float(self.df)
        parts = weights**2 * self.inverse_counts * self.own_sd**2
        projected = weights @ self.low_rank
        rest = self.sd**2 * float(projected @ projected)
        total = float(parts.sum()) + rest
        if total == 0.0:
            return 0.0, float(self.df)
        own = 1 / self.inverse_counts - 1
        used = parts > 0
        return math.sqrt(total), total**2 / (float((parts[used] ** 2 / own[used]).sum()) + rest**2 / self.df)


def fit(responses: Sequence[Response]) -> Fit:
    """Fit the model.

    Raises:
        NoEvidenceError: too few points or replicates, or blocks that share no point.
    """
    import numpy as np

    _check_replicates(responses)
    points = tuple(sorted({response.point_id for response in responses}))
    blocks = sorted({response.block for response in responses})
    position = {point: index for index, point in enumerate(points)}
    row = np.array([position[response.point_id] for response in responses])
    column = np.array([blocks.index(response.block) for response in responses])
    logs = np.log([response.value for response in responses])
    counts = np.bincount(row, minlength=len(points)).astype(float)
    dummies = np.eye(len(blocks))[column][:, 1:]  # the first block is the base
    shares = np.zeros((len(points), len(blocks) - 1))
    np.add.at(shares, row, dummies)
    shares /= counts[:, None]  # of a point's trials, the share in each block
    within = dummies - shares[row]
    information = within.T @ within
    if np.linalg.matrix_rank(information) < len(blocks) - 1:
        raise NoEvidenceError("the blocks (replicates) have no design points in common, so they cannot be told apart")
    inverse = np.linalg.inv(information)
    effects = inverse @ within.T @ logs
    raw_means = np.bincount(row, logs, len(points)) / counts
    residuals = logs - raw_means[row] - within @ effects
    df = len(responses) - len(points) - (len(blocks) - 1)
    if df < MIN_DF:
        raise NoEvidenceError(
            f"only {max(df, 0)} degrees of freedom are left to estimate the noise from, and {MIN_DF} are the least; "
            "more replicates or more points are needed"
        )
    average = np.full(len(blocks) - 1, 1 / len(blocks))
    model = Fit(
        points=points,
        responses=tuple(responses),
        counts=tuple(int(count) for count in counts),
        blocks=len(blocks),
        log_means=raw_means + (average - shares) @ effects,
        inverse_counts=1 / counts,
        low_rank=(average - shares) @ _root(inverse),
        sd=math.sqrt(float(residuals @ residuals) / df),
        df=df,
        error_df=df,
        residuals=residuals,
        leverages=1 / counts[row] + np.einsum("ij,jk,ik->i", within, inverse, within),
        resolution=resolution(logs),
    )
    if not shared(responses):
        return model
    of_points = np.eye(len(points))[row] / counts
    operator = of_points.T + (average - shares) @ inverse @ within.T
    return _with_strata(model, strata(responses, np.hstack([np.eye(len(points))[row], dummies]), logs), operator)


def _with_strata(model: Fit, found: Strata, operator: Floats) -> Fit:
    """The model with the errors of arrays and filesystems; ``operator`` makes the means from log figures.

    Raises:
        NoEvidenceError: too few arrays or filesystems to say how much they differ when built again.
    """
    import numpy as np

    for component in found.components:
        if component.df < MIN_DF:
            raise NoEvidenceError(
                f"the trials shared {component.plots} {component.name}s, which leave only {component.df} degrees of "
                f"freedom for how much a {component.name} differs when it is built again alike, and {MIN_DF} are the "
                "least; more replicates are needed"
            )
    if found.error_df < MIN_DF:
        raise NoEvidenceError(
            f"only {found.error_df} degrees of freedom are left within arrays and filesystems, and {MIN_DF} are the "
            "least; more replicates or more points are needed"
        )
    columns = [model.low_rank]
    if found.sd > 0:
        for component, indicator in zip(found.components, found.indicators, strict=True):
            columns.append(component.sd / found.sd * (operator @ indicator))
    return replace(
        model,
        low_rank=np.hstack(columns),
        sd=found.sd,
        df=found.df,
        error_df=found.error_df,
        residuals=found.residuals,
        leverages=found.leverages,
        components=found.components,
        plots=found.plots,
    )


def resolution(logs: Floats) -> float:
    """The smallest difference that figures can show, log scale.

    Where one trial in five or more repeats the figure of another, figures come in steps (histogram buckets,
    rounded output); the step is the smallest distance of two that differ.  A wider gap than 5 % is no step.
    """
    import numpy as np

    distinct = np.unique(logs)
    steps = np.diff(distinct)
    steps = steps[steps > LEAST_RESOLUTION]
    repeated = len(logs) - len(distinct)
    if not steps.size or repeated < _REPEATED_SHARE * len(logs) or steps.min() > _COARSEST_RESOLUTION:
        return LEAST_RESOLUTION
    return float(steps.min())


def _check_replicates(responses: Sequence[Response]) -> None:
    """Raise NoEvidenceError where no comparison can be made at all."""
    trials: dict[str, int] = {}
    for response in responses:
        trials[response.point_id] = trials.get(response.point_id, 0) + 1
    if not trials:
        raise NoEvidenceError("no trial has a figure for it")
    if len(trials) == 1:
        raise NoEvidenceError("there is only one design point with results, so there is nothing to compare it with")
    replicated = sum(1 for count in trials.values() if count >= 2)
    if replicated < 2:
        raise NoEvidenceError(
            f"{replicated or 'none'} of {len(trials)} design points {'has' if replicated == 1 else 'have'} two "
            "replicates or more, so nobody can tell a difference from chance; run the sweep with replicates = 2 or more"
        )


def _root(matrix: Floats) -> Floats:
    """A matrix R with R·Rᵀ = ``matrix``, which is symmetric and positive definite (or empty)."""
    import numpy as np

    return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64) if matrix.size else matrix


def t_interval(model: Fit, weights: Floats, confidence: float = 0.95) -> tuple[float, float, float]:
    """A contrast of point means on the log scale: its value and confidence limits (Student's t, or Welch's)."""
    from scipy import special

    value = float(weights @ model.log_means)
    error, df = model.standard_error(weights)
    half = float(special.stdtrit(df, 0.5 + confidence / 2)) * error
    return value, value - half, value + half
