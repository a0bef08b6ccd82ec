"""The figure that is published of the point that was picked, free of the winner's curse.

Who is picked because it measured best has, on average, been lucky: its mean claims too much.  So the
choice and the figure are made from different data: each block is left out in turn, the choice is made from
the other blocks by the very same rule, and what the chosen point reached in the block left out counts.
The mean over blocks expects what such a choice is worth, whatever the truth is and however many points
there are.  (Cross-validation after choice: Stone, JRSS B 36, 1974; the winner's curse: Capen, Clapp and
Campbell, Journal of Petroleum Technology 23, 1971.)

The lower limit is about the picked point itself.  It holds for all points at once, and so for whichever was
picked (:func:`results.estimates.best.limit_below`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.best import limit_below
from results.estimates.estimate import Fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

    Rule = Callable[[Floats], int]

_LEAST_BLOCKS = 2


@dataclass(frozen=True)
class Published:
    """What the picked point delivers at least, and what such a choice is worth, in the metric's unit.

    ``bound`` is the lower limit of the picked point's own figure (of a latency the upper one), whichever point
    was picked, ``in these blocks`` (``scope``): a further block may differ by ``block_sd_pct`` (standard deviation
    between blocks, per cent).  ``value`` is a property of the procedure, not of the point: what the point chosen
    from the other blocks reached in the block left out, mean of the ``blocks`` left out in turn; it may lie below
    ``bound``.  Where each time the same point was chosen (``same_point``) it is that point's figure.
    ``assumption`` is :attr:`results.estimates.estimate.Fit.assumption`.
    """

    value: float
    bound: float
    blocks: int
    same_point: bool
    block_sd_pct: float
    scope: str
    assumption: str | None


def published(
    model: Fit, among: Sequence[int], picked: int, rule: Rule, *, maximise: bool, confidence: float
) -> Published | None:
    """The figure of the point at ``picked``; None where no block can be left out.

    ``rule`` picks a place in ``among`` from block-adjusted log means (more is better).
    """
    import numpy as np

    chosen = np.array(among)
    sign = 1.0 if maximise else -1.0
    sums, counts, last = _cells(model, chosen)
    totals, trials = sums.sum(axis=1), counts.sum(axis=1)
    found = []
    for block in range(last):
        here = counts[:, block] > 0
        left = trials - counts[:, block]
        usable = here & (left > 0)
        if usable.sum() < min(2, len(chosen)):
            continue
        means = np.full(len(chosen), -np.inf)
        means[usable] = sign * (totals - sums[:, block])[usable] / left[usable]
        pick = rule(means)
        found.append((pick, float(sums[pick, block] / counts[pick, block])))
    if len(found) < _LEAST_BLOCKS:
        return None
    bound = float(model.log_means[picked]) - sign * limit_below(model, picked, len(chosen), confidence)
    return Published(
        value=math.exp(math.fsum(value for _, value in found) / len(found)),
        bound=math.exp(bound),
        blocks=len(found),
        same_point=all(int(chosen[pick]) == picked for pick, _ in found),
        block_sd_pct=100 * math.expm1(block_sd(model)),
        scope=f"in these {model.blocks} blocks",
        assumption=model.assumption,
    )


def block_sd(model: Fit) -> float:
    """Standard deviation between blocks, log scale, without the noise of trials; 0 where noise explains it.

    Blocks as a random effect (Searle, Casella and McCulloch, Variance Components, 1992, ch. 4).  Limits leave it
    out, and so hold in the blocks that were run: two or three blocks tell too little of further ones, and blocks
    under drift or autocorrelated noise are no independent sample.
    """
    import numpy as np

    place = {point: index for index, point in enumerate(model.points)}
    row = np.array([place[each.point_id] for each in model.responses])
    block = np.unique([each.block for each in model.responses], return_inverse=True)[1]
    left = np.log([each.value for each in model.responses]) - model.log_means[row]
    trials = np.bincount(block)
    means = np.bincount(block, left) / trials
    variance = float(means.var(ddof=1)) - model.sd**2 * float((1 / trials).mean()) if len(trials) > 1 else 0.0
    return math.sqrt(max(0.0, variance))


def _cells(model: Fit, chosen: npt.NDArray[np.intp]) -> tuple[Floats, Floats, int]:
    """Sums and counts of block-adjusted log figures, points by blocks."""
    import numpy as np

    adjusted = block_adjusted(model)
    place = {model.points[index]: row for row, index in enumerate(chosen)}
    blocks = sorted({response.block for response in model.responses})
    column = {block: number for number, block in enumerate(blocks)}
    sums = np.zeros((len(chosen), len(blocks)))
    counts = np.zeros((len(chosen), len(blocks)))
    for response, value in zip(model.responses, adjusted, strict=True):
        if response.point_id in place:
            cell = place[response.point_id], column[response.block]
            sums[cell] += value
            counts[cell] += 1
    return sums, counts, len(blocks)


def block_adjusted(model: Fit) -> Floats:
    """Log figures as they would have been in the average block, in the order of the model's responses."""
    import numpy as np

    place = {point: index for index, point in enumerate(model.points)}
    row = np.array([place[each.point_id] for each in model.responses])
    if not model.components:
        plain: Floats = model.log_means[row] + model.residuals
        return plain
    logs = np.log([each.value for each in model.responses])
    block = np.unique([each.block for each in model.responses], return_inverse=True)[1]
    left = logs - model.log_means[row]
    offsets = np.bincount(block, left) / np.bincount(block)
    adjusted: Floats = logs - offsets[block]
    return adjusted
