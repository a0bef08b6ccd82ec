"""The noise of each point, and the least difference that a figure can show at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from results.estimates.estimate import Fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_LEAST_VARIANCE_SHARE = 1e-4
"""An estimated variance below this share of the pooled one counts as this share: it may come out negative."""


def own_noise(model: Fit) -> Floats:
    """Standard deviation of each point's noise, log scale, from the squared residuals of all trials; (points,).

    Solves E[SS of point i] = sum over k of W[i, k] · variance of k, where W sums the squares of the matrix
    that makes residuals from figures (Hartley, Rao and Kiefer, JASA 64, 1969).  For complete blocks the
    solution is in closed form (Grubbs, JASA 43, 1948).  Two points in complete blocks have equal residuals,
    so both get the pooled noise.
    """
    import numpy as np

    from results.estimates.diagnostics import residual_maker

    place = {point: index for index, point in enumerate(model.points)}
    row = np.array([place[each.point_id] for each in model.responses])
    squares = np.bincount(row, model.residuals**2, len(model.points))
    points, blocks = len(model.points), model.blocks
    if points == 2:
        return np.full(points, model.sd)
    if not model.plots and all(count == blocks for count in model.counts):
        of_all = squares.sum() / ((blocks - 1) * (1 - 1 / points))
        variances = (squares / (blocks - 1) - of_all / points**2) / (1 - 2 / points)
    else:
        maker = residual_maker(model) ** 2
        member = np.zeros((len(row), points))
        member[np.arange(len(row)), row] = 1.0
        variances = np.linalg.lstsq(member.T @ maker @ member, squares, rcond=None)[0]
    found: Floats = np.sqrt(np.maximum(variances, _LEAST_VARIANCE_SHARE * model.sd**2))
    return found
