"""Bayesian optimisation over listed points: a Gaussian process of the merits so far, and expected improvement.

The kernel is a product over factors (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006).  The
distance of two numbers is that of their ranks; words are equal or not.  The decorrelation of each factor and the noise
maximise the posterior density.  A block is filled one point at a time; each point is assumed to have its predicted
merit before the next is chosen (kriging believer: Ginsbourger, Le Riche and Carraro, 2010).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stripelab.settings import Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

FIRST = 4
"""Points that are chosen to represent the space before the model can be fitted."""

SAMPLE = 0.2
"""Share of the points, drawn at random, from which each of the :data:`FIRST` points is chosen."""

REFERENCE = 500
"""Maximum points that represent the space."""

SMOOTHNESS = 1.5
"""Power of a distance in the exponent of the kernel: 1 is rough (Ornstein and Uhlenbeck), 2 smooth (Gauss)."""

RATE, RATE_SPREAD = 0.7, 1.2
"""Prior of the decorrelation of a factor from one end to the other, log-normal."""

NOISE, NOISE_SPREAD = 0.02, 1.5
"""Prior of the noise's variance as a share of that between points, log-normal."""

LEAST_NOISE = 1e-6


def ordered(values: Sequence[Setting]) -> bool:
    """Whether the values of a factor are numbers, which have an order; None among them is treated separately."""
    numbers = [value for value in values if value is not None]
    return bool(numbers) and all(isinstance(value, (int, float)) for value in numbers)


def ranks(values: Sequence[Setting]) -> dict[Setting, int]:
    """Ranks of the values of a factor, None first; words are in alphabetical order."""
    by_number = ordered(values)
    listed = sorted(
        set(values), key=lambda value: (value is not None, float(value or 0) if by_number else 0, str(value))
    )
    return {value: rank for rank, value in enumerate(listed)}


class Distances:
    """Distances of points in each factor that varies: from 0 to 1, for the kernel."""

    def __init__(self, points: Sequence[Mapping[str, Setting]]) -> None:
        columns = [[point[name] for point in points] for name in (points[0] if points else ())]
        self._columns = [_column(column) for column in columns if len(set(column)) > 1]

    def __len__(self) -> int:
        return len(self._columns)

    def between(self, rows: Ints, columns: Ints) -> Iterator[Floats]:
        """The distance matrix of each factor, one at a time."""
        import numpy as np

        for place, span in self._columns:
            one, other = place[rows][:, None], place[columns][None, :]
            apart = np.abs(one - other) / span if span else (one != other).astype(float)
            # 0 if both numbers are None, 1 if one is
            yield np.where(np.isnan(apart), (np.isnan(one) != np.isnan(other)).astype(float), apart) ** SMOOTHNESS


def _column(values: Sequence[Setting]) -> tuple[Floats, int]:
    """Ranks of the values of a factor, NaN for None, and the range of the ranks; 0 if they have no order."""
    import numpy as np

    order = ranks(values)
    first = int(None in order)
    places = np.array([np.nan if value is None and ordered(values) else order[value] - first for value in values])
    return places, max(1, len(order) - first - 1) if ordered(values) else 0


@dataclass(frozen=True)
class _Model:
    """Decorrelation of each factor, and the share of the noise."""

    rates: Floats
    noise: float


class Surrogate:
    """Predictions for every point from the merits of some."""

    def __init__(self, points: Sequence[Mapping[str, Setting]]) -> None:
        import numpy as np

        self._distances = Distances(points)
        self._every = np.arange(len(points))

    def propose(self, places: Ints, values: Floats, count: int, allowed: Flags, draw: Floats) -> list[int]:
        """At most ``count`` points to measure next; more is better.

        ``places`` are the points of the ``values``; only ``allowed`` points are proposed.  ``draw`` is a random number
        for each point: it selects the sample from which the first points come, and breaks ties.
        """
        import numpy as np

        if count < 1 or not allowed.any():
            return []
        known = np.array(places, dtype=np.int64)
        scores = (values - values.mean()) / (values.std() or 1.0) if len(values) else values
        model = self._fit(known, scores) if len(set(known.tolist())) >= FIRST else self._prior()
        left = allowed.copy()
        chosen: list[int] = []
        while len(chosen) < count and left.any():
            mean, variance, solved = self._posterior(model, known, scores)
            if len(set(known.tolist())) < FIRST:
                merit = np.where(self._sample(draw, left), self._gain(model, known, variance, solved, draw), -np.inf)
            else:
                merit = _improvement(mean, variance, mean[known].max())
            best = int(np.argmax(np.where(left, np.round(merit, 9) + 1e-10 * draw, -np.inf)))
            chosen.append(best)
            left[best] = False
            known, scores = np.append(known, best), np.append(scores, mean[best])
        return chosen

    def _prior(self) -> _Model:
        import numpy as np

        return _Model(np.full(len(self._distances), RATE), NOISE)

    def _kernel(self, model: _Model, rows: Ints, columns: Ints) -> Floats:
        import numpy as np

        exponent = np.zeros((len(rows), len(columns)))
        for rate, apart in zip(model.rates, self._distances.between(rows, columns), strict=True):
            exponent -= rate * apart
        return np.exp(exponent)

    def _posterior(self, model: _Model, known: Ints, scores: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean and variance of every point, and the weights of the known points in its mean."""
        import numpy as np
        from scipy import linalg

        points = len(self._every)
        if not len(known):
            return np.zeros(points), np.ones(points), np.zeros((0, points))
        inner = self._kernel(model, known, known) + (model.noise + LEAST_NOISE) * np.eye(len(known))
        across = self._kernel(model, self._every, known)
        weights: Floats = linalg.cho_solve(linalg.cho_factor(inner, lower=True), across.T)
        variance = np.maximum(1.0 - np.einsum("ij,ji->i", across, weights), 1e-12)
        return weights.T @ scores, variance, weights

    def _sample(self, draw: Floats, left: Flags) -> Flags:
        """A random part of the points, so that the best choice differs from seed to seed."""
        import numpy as np

        own = np.sort(draw[left])
        sample: Flags = left & (draw <= own[min(len(own) - 1, max(FIRST, int(SAMPLE * len(own))))])
        return sample

    def _gain(self, model: _Model, known: Ints, variance: Floats, weights: Floats, draw: Floats) -> Floats:
        """Reduction of the total variance by measuring each point, over at most :data:`REFERENCE` points."""
        import numpy as np

        some = np.argsort(draw, kind="stable")[:REFERENCE]
        rest = self._kernel(model, self._every, some)
        if len(known):
            rest -= self._kernel(model, self._every, known) @ weights[:, some]
        gain: Floats = (rest**2).sum(axis=1) / (variance + model.noise)
        return gain

    def _fit(self, known: Ints, scores: Floats) -> _Model:
        """The model with the largest posterior density."""
        import numpy as np
        from scipy import optimize

        apart = np.array(list(self._distances.between(known, known)))
        centre = np.append(np.full(len(apart), np.log(RATE)), np.log(NOISE))
        spread = np.append(np.full(len(apart), RATE_SPREAD), NOISE_SPREAD)

        def density(logs: Floats) -> tuple[float, Floats]:
            return _density(logs, apart, scores, centre, spread)

        starts = (centre, centre + np.append(np.full(len(apart), -1.0), 0.0))
        bounds = [(middle - 7.0, middle + 7.0) for middle in centre]
        fits = [optimize.minimize(density, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in starts]
        best = min(fits, key=lambda result: float(result.fun))
        return _Model(np.exp(best.x[:-1]), float(np.exp(best.x[-1])))


def _density(logs: Floats, apart: Floats, scores: Floats, centre: Floats, spread: Floats) -> tuple[float, Floats]:
    """Minus the log posterior density of a model and its gradient; the variance between points is integrated out.

    With a scaled inverse chi-squared prior of that variance the likelihood is Student's t.
    """
    import numpy as np
    from scipy import linalg

    rates, noise = np.exp(logs[:-1]), np.exp(logs[-1]) + LEAST_NOISE
    kernel = np.exp(-np.tensordot(rates, apart, 1))
    count = len(scores)
    lower = linalg.cholesky(kernel + noise * np.eye(count), lower=True)
    inverse = linalg.cho_solve((lower, True), np.eye(count))
    solved = inverse @ scores
    squares = 2.0 + float(scores @ solved)
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
    log_improvement: Floats = np.log(np.maximum(ahead, 1e-300)) + np.log(deviation)
    return log_improvement
