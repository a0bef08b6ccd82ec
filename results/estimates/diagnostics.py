"""What could make the estimates wrong: grouped run order, drift, a trial that stands apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit, NoEvidenceError
from results.estimates.responses import Response
from results.estimates.strata import shared

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_DRIFT_LEVEL = 0.01
_OUTLIER_LEVEL = 0.01
_ORDER_LEVEL = 0.001
_REPEATED_ORDER_LEVEL = 0.01
"""The same order in every block is refused from five points in two blocks on: one random order in 120."""

_ORDER_DRAWS = (19, 380, 3600)
_ORDER_EXCEEDED = 5
_ORDER_SEED = 11
TOLERATED_DRIFT_PCT = 5.0
"""A drift over the whole run order that complete blocks take out without harm, and that is not worth a word."""

NO_NOISE = 1e-9
"""Relative noise that only rounding makes."""


@dataclass(frozen=True)
class Drift:
    """Change of the figure over the whole run order that points and blocks do not explain.

    ``p_value`` is that of a drift which truly is :data:`TOLERATED_DRIFT_PCT` per cent and no more.
    """

    change_pct: float
    p_value: float

    @property
    def found(self) -> bool:
        """Whether it is shown to be more than what is tolerated (level 1 %)."""
        return self.p_value < _DRIFT_LEVEL


@dataclass(frozen=True)
class Outlier:
    """A trial that stands apart from the others of its point and block."""

    trial_id: str
    point_id: str
    ratio: float


def refuse_systematic(responses: Sequence[Response]) -> None:
    """Refuse run orders that no random draw makes: there drift of the machine looks like a difference of points.

    Of eight equal points under a 5 % drift, replicates that follow each other "differ" in 87 % of sweeps; with one
    order repeated in every block and a machine that slows down within blocks, in nearly all (simulated; docs,
    statistics).  Trials that shared an array or a filesystem are not tested: only the order of those is random.

    Raises:
        NoEvidenceError: most replicates ran right after the one before them, or points run in blocks at the same
            places over and over.
    """
    ordered = sorted(responses, key=lambda response: response.run_order)
    points = len({response.point_id for response in ordered})
    repeats = len(ordered) - points
    follows = sum(1 for one, other in pairwise(ordered) if one.point_id == other.point_id)
    if points >= 2 and repeats and follows > repeats / 2:
        raise NoEvidenceError(
            f"the replicates of a point ran one after the other ({follows} of {repeats} followed the one before), so "
            "a drift of the machine cannot be told from a difference between points; run the sweep in blocks"
        )
    if points < 2 or not repeats or shared(ordered):
        return
    chance, repeated = order_p_value(ordered)
    if chance < (_REPEATED_ORDER_LEVEL if repeated else _ORDER_LEVEL):
        raise NoEvidenceError(
            "the points ran in nearly the same order in every block, which a random order does with probability "
            f"{chance:.2g} or less, so what changes within a block cannot be told from a difference between points; "
            "run each block in a fresh random order"
        )


def order_p_value(responses: Sequence[Response]) -> tuple[float, bool]:
    """How likely a random order within blocks keeps points as much at their places as this order does.

    A permutation test of the sum over points of the squared mean place in a block (Friedman's statistic, JASA 32,
    1937) with a fixed seed, ended early where the order is plainly random (Besag and Clifford, Biometrika 78,
    1991).  Also whether every block repeats one order; the probability is exact then.
    """
    import numpy as np

    ordered = sorted(responses, key=lambda response: response.run_order)
    row = np.unique([each.point_id for each in ordered], return_inverse=True)[1]
    block = np.unique([each.block for each in ordered], return_inverse=True)[1]
    blocks = [np.flatnonzero(block == number) for number in range(int(block.max()) + 1)]
    sequences = {tuple(row[places].tolist()) for places in blocks}
    if len(sequences) == 1:
        return math.exp(-(len(blocks) - 1) * math.lgamma(len(blocks[0]) + 1)), True
    trials = np.bincount(row)
    member = np.zeros((len(ordered), len(trials)))
    member[np.arange(len(ordered)), row] = 1 / np.sqrt(trials[row])
    ranks = np.empty(len(ordered))
    for places in blocks:
        ranks[places] = (np.arange(len(places)) + 0.5) / len(places) - 0.5

    def statistic(values: Floats) -> Floats:
        found: Floats = ((values @ member) ** 2).sum(axis=-1)
        return found

    observed = float(statistic(ranks)) * (1 - 1e-9)
    dice = np.random.default_rng(_ORDER_SEED)
    exceeded = drawn = 0
    for draws in _ORDER_DRAWS:
        values = np.empty((draws, len(ordered)))
        for places in blocks:
            values[:, places] = dice.permuted(np.tile(ranks[places], (draws, 1)), axis=1)
        exceeded, drawn = exceeded + int((statistic(values) >= observed).sum()), drawn + draws
        if exceeded >= _ORDER_EXCEEDED:
            break
    return (1 + exceeded) / (1 + drawn), False


def drift(model: Fit) -> Drift | None:
    """Linear drift over the run order, beside points and blocks (partial regression, Frisch and Waugh 1933).

    Tested against the drift that is tolerated and not against none: random order within blocks keeps a small
    drift harmless, and enough trials would show any (a minimum-effect test: Hodges and Lehmann, JRSS B 16,
    1954).  None where it cannot be estimated.
    """
    import numpy as np
    from scipy import special

    orders = np.array([response.run_order for response in model.responses], dtype=float)
    unexplained = residualise(model, orders[:, None])[:, 0]
    scale = float(unexplained @ unexplained)
    if model.error_df < 2 or scale < 1e-9 or model.sd < NO_NOISE:
        return None
    slope = float(unexplained @ model.residuals) / scale
    left = model.residuals - slope * unexplained
    error = math.sqrt(float(left @ left) / (model.error_df - 1) / scale)
    beyond = abs(slope) + math.log1p(-TOLERATED_DRIFT_PCT / 100) / float(np.ptp(orders))
    p_value = float(special.stdtr(model.error_df - 1, -beyond / error)) if error > 0 else float(beyond <= 0)
    return Drift(100 * math.expm1(slope * float(np.ptp(orders))), p_value)


def residualise(model: Fit, values: Floats) -> Floats:
    """What points and blocks leave of each column of ``values`` (trials as rows).

    Where trials share plots, points and plots.
    """
    import numpy as np

    points = np.array([model.points.index(response.point_id) for response in model.responses])
    blocks = np.array(model.plots or [str(response.block) for response in model.responses])

    def centred(columns: Floats) -> Floats:
        sums = np.zeros((len(model.points), columns.shape[1]))
        np.add.at(sums, points, columns)
        found: Floats = columns - (sums / np.array(model.counts)[:, None])[points]
        return found

    within = centred((blocks[:, None] == np.unique(blocks)[1:]).astype(float))
    target = centred(values)
    coefficients = np.linalg.lstsq(within, target, rcond=None)[0]
    left: Floats = target - within @ coefficients
    return left


def residual_maker(model: Fit) -> Floats:
    """The matrix that makes residuals from figures, trials by trials."""
    import numpy as np

    return residualise(model, np.eye(len(model.responses)))


def outliers(model: Fit) -> list[Outlier]:
    """Trials whose studentised residual is beyond Bonferroni's limit at 1 % (Weisberg, Applied Linear Regression)."""
    import numpy as np
    from scipy import special

    trials = len(model.responses)
    if model.error_df < 3 or model.sd < NO_NOISE:
        return []
    free = np.clip(1 - model.leverages, 1e-12, None)
    internal = model.residuals / (model.sd * np.sqrt(free))
    room = np.clip(model.error_df - internal**2, 1e-12, None)
    external = internal * np.sqrt((model.error_df - 1) / room)
    limit = -float(special.stdtrit(model.error_df - 1, _OUTLIER_LEVEL / trials / 2))
    return [
        Outlier(response.trial_id, response.point_id, float(math.exp(residual / leave)))
        for response, value, residual, leave in zip(model.responses, external, model.residuals, free, strict=True)
        if abs(value) > limit and leave > 1e-9
    ]
