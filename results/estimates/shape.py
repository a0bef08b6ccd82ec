"""What the noise looks like: heavy-tailed or not, independent from run to run or not.

Residuals are no independent sample: points and blocks were fitted out of them.  So each figure is judged
against what the same design makes of normal noise, simulated with a fixed seed (a Monte Carlo test:
Barnard, JRSS B 25, 1963; Dufour, Journal of Econometrics 133, 2006).  Level 1 % each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.diagnostics import NO_NOISE, residualise
from results.estimates.estimate import Fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LEVEL = 0.01
_DRAWS = 999
_FEWER_DRAWS = 199
_MANY_TRIALS = 4000
_LEAST_RESIDUALS = 20
_SEED = 5
_LEAST_TRIALS_OF_KURTOSIS = 4
"""In units of its own noise the fourth moment of two or three residuals is constant, whatever the noise."""

_ROUNDING = 1e-9
"""Simulated figures that are smaller by no more than this share are equal: rounding decides nothing."""


@dataclass(frozen=True)
class Shape:
    """What the residuals show; a p-value is None where there are too few of them to say.

    ``heavy_p`` is None too where a point has fewer than four trials.
    ``least_noise_pct`` and ``most_noise_pct`` are the smallest and largest noise of a point.
    ``autocorrelation`` is that of residuals one run apart.
    """

    trials: int
    least_noise_pct: float
    most_noise_pct: float
    kurtosis: float
    heavy_p: float | None
    autocorrelation: float
    autocorrelated_p: float | None

    @property
    def heavy_tailed(self) -> bool:
        """Whether extremes are more frequent than normal noise makes them."""
        return self.heavy_p is not None and self.heavy_p < LEVEL

    @property
    def autocorrelated(self) -> bool:
        """Whether runs resemble, or avoid, the run before them."""
        return self.autocorrelated_p is not None and self.autocorrelated_p < LEVEL


def shape(model: Fit) -> Shape:
    """Judge the residuals of a model."""
    import numpy as np

    place = {point: index for index, point in enumerate(model.points)}
    row = np.array([place[each.point_id] for each in model.responses])
    order = np.argsort([each.run_order for each in model.responses], kind="stable")
    scale = np.sqrt(np.clip(1 - model.leverages, 1e-12, None))
    observed = model.residuals[:, None]
    noises = _noises(observed, row, model)[:, 0]
    enough = len(model.responses) >= _LEAST_RESIDUALS and model.sd > NO_NOISE
    if enough:
        draws = _DRAWS if len(model.responses) <= _MANY_TRIALS else _FEWER_DRAWS
        null = residualise(model, np.random.default_rng(_SEED).normal(size=(len(model.responses), draws)))
    tests = (
        lambda errors: _kurtosis(_each_in_its_own(errors / scale[:, None], row, model)),
        lambda errors: np.abs(_lag_one(errors[order])),
    )
    p_values = [_exceeded(test(observed), test(null)) if enough else None for test in tests]
    if min(model.counts) < _LEAST_TRIALS_OF_KURTOSIS:
        p_values[0] = None
    known = noises[np.array(model.counts) >= 2]
    return Shape(
        trials=len(model.responses),
        least_noise_pct=100 * math.expm1(float(known.min())) if known.size else 0.0,
        most_noise_pct=100 * math.expm1(float(known.max())) if known.size else 0.0,
        kurtosis=float(_kurtosis(_each_in_its_own(observed / scale[:, None], row, model))[0]),
        heavy_p=p_values[0],
        autocorrelation=float(_lag_one(observed[order])[0]),
        autocorrelated_p=p_values[1],
    )


def _exceeded(observed: Floats, null: Floats) -> float:
    """Share of the simulated figures that are at least as large; the observed one counts among them."""
    equal = _ROUNDING * abs(float(observed[0]))
    return (1 + int((null >= observed[0] - equal).sum())) / (1 + len(null))


def _noises(errors: Floats, row: npt.NDArray[np.intp], model: Fit) -> Floats:
    """Standard deviation of each point's residuals (points as rows), scaled to the freedom that the fit left."""
    import numpy as np

    counts = np.array(model.counts, dtype=float)
    squares = np.zeros((len(model.points), errors.shape[1]))
    np.add.at(squares, row, errors**2)
    left = model.error_df / max(1.0, float((counts - 1).sum()))
    found: Floats = np.sqrt(squares / np.maximum((counts - 1) * left, 1e-9)[:, None])
    return found


def _each_in_its_own(errors: Floats, row: npt.NDArray[np.intp], model: Fit) -> Floats:
    """Residuals in units of their point's own noise: points that differ in noise are no heavy tail."""
    import numpy as np

    found: Floats = errors / np.maximum(_noises(errors, row, model)[row], 1e-300)
    return found


def _kurtosis(errors: Floats) -> Floats:
    """Fourth moment over the squared second one, per column; about 3 where noise is normal."""
    second = (errors**2).mean(axis=0)
    found: Floats = (errors**4).mean(axis=0) / (second**2 + 1e-300)
    return found


def _lag_one(errors: Floats) -> Floats:
    """Autocorrelation of residuals one run apart (Durbin and Watson, Biometrika 37, 1950), per column."""
    found: Floats = (errors[1:] * errors[:-1]).sum(axis=0) / ((errors**2).sum(axis=0) + 1e-300)
    return found
