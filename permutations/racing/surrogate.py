"""Bayesian optimisation over listed points: a Gaussian process of what was measured, and expected improvement.

The kernel is a product over factors (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006).  A number
is ordered: two values are as far apart as their ranks are; words are alike or not.  How fast a factor decorrelates, and
the noise, are those of the greatest posterior density.  A block is filled one point at a time, each taken to come out as
predicted before the next is chosen (kriging believer: Ginsbourger, Le Riche and Carraro, 2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from permutations.factors import Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

FIRST = 4
"""Points that are chosen to represent the space before anything is known of it."""

RATE, RATE_SPREAD = 0.7, 1.2
"""Prior of the decorrelation of a factor from one end to the other, log-normal."""

NOISE, NOISE_SPREAD = 0.02, 1.5
"""Prior of the noise's variance as a share of that between points, log-normal."""

LEAST_NOISE = 1e-6


def ordered(values: Sequence[Setting]) -> bool:
    """Whether the values of a factor are numbers, which have an order; None among them stands apart."""
    numbers = [value for value in values if value is not None]
    return bool(numbers) and all(isinstance(value, (int, float)) for value in numbers)


def ranks(values: Sequence[Setting]) -> dict[Setting, int]:
    """The values of a factor in their order, None first; words in that of the alphabet."""
    rest = {value for value in values if value is not None}
    listed: list[Setting] = sorted(rest) if ordered(values) else sorted(rest, key=str)  # type: ignore[type-var]
    return {value: rank for rank, value in enumerate([None, *listed] if None in values else listed)}


def distances(points: Sequence[Mapping[str, Setting]]) -> Floats:
    """How far apart points are in each factor that varies, from 0 to 1: (factors, points, points)."""
    import numpy as np

    found = []
    for name in points[0]:
        column = [point[name] for point in points]
        if len(set(column)) < 2:
            continue
        order = ranks(column)
        place = np.array([order[value] for value in column], dtype=float)
        apart = (place[:, None] != place[None, :]).astype(float)
        if ordered(column):
            present = np.array([value is not None for value in column])
            both = present[:, None] & present[None, :]
            span = max(1, len(order) - (None in order) - 1)
            apart = np.where(both, np.abs(place[:, None] - place[None, :]) / span, apart)
        found.append(apart)
    return np.array(found).reshape(len(found), len(points), len(points))


@dataclass(frozen=True)
class _Model:
    """Decorrelation of each factor, and the noise's share."""

    rates: Floats
    noise: float


class Surrogate:
    """What may be expected of every point, given what was measured of some."""

    def __init__(self, points: Sequence[Mapping[str, Setting]]) -> None:
        self._apart = distances(points)
        self._count = len(points)

    def proposed(self, places: Ints, values: Floats, count: int, allowed: npt.NDArray[np.bool_], draw: Floats) -> list[int]:
        """``count`` points to measure next, at most; more is better.

        ``places`` are the points of the ``values``; only ``allowed`` points are proposed, and ``draw`` (a number for each
        point) decides where points are as good as each other.
        """
        import numpy as np

        known = np.array(places, dtype=np.int64)
        scale = values.std() or 1.0
        seen = (values - values.mean()) / scale if len(values) else values
        model = self._fitted(known, seen) if len(set(known.tolist())) >= FIRST else self._prior()
        kernel = np.exp(-np.tensordot(model.rates, self._apart, 1))
        left = allowed.copy()
        chosen: list[int] = []
        while len(chosen) < count and left.any():
            mean, variance, gain = self._posterior(kernel, model.noise, known, seen)
            merit = gain if len(set(known.tolist())) < FIRST else _improvement(mean, variance, mean[known].max())
            merit = np.where(left, np.round(merit, 9) + 1e-10 * draw, -np.inf)
            best = int(np.argmax(merit))
            chosen.append(best)
            left[best] = False
            known, seen = np.append(known, best), np.append(seen, mean[best])
        return chosen

    def _prior(self) -> _Model:
        import numpy as np

        return _Model(np.full(len(self._apart), RATE), NOISE)

    def _posterior(self, kernel: Floats, noise: float, known: Ints, seen: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean and variance of every point, and by how much measuring it would reduce the variance of all."""
        import numpy as np
        from scipy import linalg

        if not len(known):
            return np.zeros(self._count), np.ones(self._count), (kernel**2).sum(axis=1)
        factor = linalg.cho_factor(kernel[np.ix_(known, known)] + noise * np.eye(len(known)), lower=True)
        across = kernel[:, known]
        weights = linalg.cho_solve(factor, across.T)
        variance = np.maximum(1.0 - np.einsum("ij,ji->i", across, weights), 1e-12)
        gain = variance
        if len(set(known.tolist())) < FIRST:
            gain = ((kernel - across @ weights) ** 2).sum(axis=1) / (variance + noise)
        return weights.T @ seen, variance, gain

    def _fitted(self, known: Ints, seen: Floats) -> _Model:
        """The model of the greatest posterior density."""
        import numpy as np
        from scipy import optimize

        apart = self._apart[:, known][:, :, known]
        centre = np.append(np.full(len(apart), np.log(RATE)), np.log(NOISE))
        spread = np.append(np.full(len(apart), RATE_SPREAD), NOISE_SPREAD)

        def density(logs: Floats) -> tuple[float, Floats]:
            return _density(logs, apart, seen, centre, spread)

        starts = (centre, centre + np.append(np.full(len(apart), -1.0), 0.0))
        bounds = [(low, low + 14.0) for low in centre - 7.0]
        ended = [optimize.minimize(density, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in starts]
        best = min(ended, key=lambda each: float(each.fun))
        return _Model(np.exp(best.x[:-1]), float(np.exp(best.x[-1])))


def _density(logs: Floats, apart: Floats, seen: Floats, centre: Floats, spread: Floats) -> tuple[float, Floats]:
    """Minus the log posterior density of a model and its gradient; the variance between points is integrated out.

    With a scaled inverse chi-squared prior of that variance the likelihood is Student's t.
    """
    import numpy as np
    from scipy import linalg

    rates, noise = np.exp(logs[:-1]), np.exp(logs[-1]) + LEAST_NOISE
    kernel = np.exp(-np.tensordot(rates, apart, 1))
    count = len(seen)
    lower = linalg.cholesky(kernel + noise * np.eye(count), lower=True)
    inverse = linalg.cho_solve((lower, True), np.eye(count))
    solved = inverse @ seen
    squares = 2.0 + float(seen @ solved)
    off = (logs - centre) / spread
    value = np.log(np.diag(lower)).sum() + 0.5 * (count + 2.0) * np.log(squares) + 0.5 * float(off @ off)
    slope = 0.5 * inverse - 0.5 * (count + 2.0) / squares * np.outer(solved, solved)
    along = -np.einsum("ij,fij->f", slope * kernel, apart) * rates
    return float(value), np.append(along, np.trace(slope) * np.exp(logs[-1])) + off / spread


def _improvement(mean: Floats, variance: Floats, best: float) -> Floats:
    """Logarithm of the expected improvement on ``best`` (Mockus 1975; Jones, Schonlau and Welch 1998)."""
    import numpy as np
    from scipy import special

    deviation = np.sqrt(variance)
    z = (mean - best) / deviation
    ahead = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) + z * special.ndtr(z)
    found: Floats = np.log(np.maximum(ahead, 1e-300)) + np.log(deviation)
    return found
