"""The errors of a split-plot order: how much two arrays, or two filesystems, differ when built again alike.

Trials that ran on one array share whatever was peculiar to that array.  The noise between trials on
it then says nothing of how far another array of the same settings would have been: differences
between arrays must be judged by the whole-plot error (Kowalski and Potcner, How to Recognize a
Split-Plot Experiment, Quality Progress 36(11), 2003; Jones and Nachtsheim, Journal of Quality
Technology 41(4), 2009).

Model: log(figure) = point + block + array + filesystem + noise, the last three random.  Variances are
estimated from sequential sums of squares and their expectations (Henderson's method 3: Biometrics 9,
1953; Searle, Casella and McCulloch, Variance Components, 1992, ch. 5); one that comes out negative
counts as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.responses import Response
from results.statistics.bases import beyond, span

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

NAMES = ("array", "filesystem")
"""The strata above the trial, in the order of :attr:`results.estimates.responses.Response.plots`."""


@dataclass(frozen=True)
class Component:
    """The error of one stratum, log scale: ``plots`` were built, ``df`` say how much they differ."""

    name: str
    plots: int
    sd: float
    df: int


@dataclass(frozen=True, eq=False)
class Strata:
    """Errors of all strata; ``sd`` and ``error_df`` are those of a trial within its plot.

    ``indicators`` has, for each component, a column per plot (trials as rows).  ``residuals`` and
    ``leverages`` are those with every plot taken out.  ``plots`` is the innermost plot of each trial.
    """

    components: tuple[Component, ...]
    indicators: tuple[Floats, ...]
    sd: float
    error_df: int
    residuals: Floats
    leverages: Floats
    plots: tuple[str, ...]

    @property
    def df(self) -> int:
        """The fewest degrees of freedom of any error that a comparison may rest on."""
        return min([self.error_df, *(component.df for component in self.components)])


def shared(responses: Sequence[Response]) -> bool:
    """Whether any two trials ran on one array or one filesystem."""
    return any(len(set(named)) < len(responses) for named in _named(responses))


def strata(responses: Sequence[Response], fixed: Floats, logs: Floats) -> Strata:
    """The errors, given the columns of the fixed effects (points and blocks) and the log figures."""
    import numpy as np

    basis = span(fixed)
    names, steps, indicators = [], [], []
    innermost = tuple(response.trial_id for response in responses)
    for name, plots in zip(NAMES, _named(responses), strict=True):
        distinct = sorted(set(plots))
        if len(distinct) == len(responses):
            continue  # every trial on its own: that error is the noise of a trial
        innermost = plots
        columns = np.equal.outer(np.array(plots), np.array(distinct)).astype(float)
        step = beyond(columns, basis)
        if step.shape[1] == 0:
            continue  # nothing compares its plots with each other beside points and blocks
        basis = np.hstack([basis, step])
        names.append(name)
        steps.append(step)
        indicators.append(columns)
    residuals = logs - basis @ (basis.T @ logs)
    error_df = len(logs) - basis.shape[1]
    variance = float(residuals @ residuals) / error_df if error_df else 0.0
    variances = _variances(steps, indicators, logs, variance)
    return Strata(
        components=tuple(
            Component(name, columns.shape[1], found**0.5, step.shape[1])
            for name, columns, step, found in zip(names, indicators, steps, variances, strict=True)
        ),
        indicators=tuple(indicators),
        sd=variance**0.5,
        error_df=error_df,
        residuals=residuals,
        leverages=(basis**2).sum(axis=1),
        plots=innermost,
    )


def _named(responses: Sequence[Response]) -> tuple[tuple[str, ...], ...]:
    """The plot of each trial in each stratum; a trial that names none had one to itself."""
    return tuple(
        tuple(response.plots[depth] or response.trial_id for response in responses) for depth in range(len(NAMES))
    )


def _variances(steps: Sequence[Floats], indicators: Sequence[Floats], logs: Floats, noise: float) -> list[float]:
    """Variance of each stratum, the innermost first solved: E[SS] is linear in those at and below it."""
    found = [0.0] * len(steps)
    for depth in reversed(range(len(steps))):
        projected = steps[depth].T
        expected = [float(((projected @ columns) ** 2).sum()) for columns in indicators]
        square = float(((projected @ logs) ** 2).sum()) - noise * steps[depth].shape[1]
        square -= sum(expected[below] * found[below] for below in range(depth + 1, len(steps)))
        found[depth] = max(0.0, square / expected[depth])
    return found
