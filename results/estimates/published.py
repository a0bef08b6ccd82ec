"""The figure that is published of the point that was picked, free of the winner's curse.

Who is picked because it measured best has, on average, been lucky: its mean claims too much.  So the
choice and the figure are made from different data: each block is left out in turn, the choice is made from
the other blocks by the very same rule, and what the chosen point reached in the block left out counts.
The mean over blocks expects what such a choice is worth, whatever the truth is and however many points
there are.  (Cross-validation after choice: Stone, JRSS B 36, 1974; the winner's curse: Capen, Clapp and
Campbell, Journal of Petroleum Technology 23, 1971.)

The lower limit holds for all points at once (the studentised maximum: Miller, Simultaneous Statistical
Inference, 2nd ed., 1981, ch. 2), and so for whichever was picked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.best import dunnett_critical
from results.estimates.estimate import Fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

    Rule = Callable[[Floats, Floats], int]

_LEAST_BLOCKS = 2


@dataclass(frozen=True)
class Published:
    """What to expect of the picked point in fresh runs, and the least of it, in the metric's unit.

    ``bound`` is the lower limit of a figure of which more is better, and the upper one of a latency.
    ``blocks`` is how many blocks were left out in turn.
    """

    value: float
    bound: float
    blocks: int


def published(
    model: Fit, among: Sequence[int], picked: int, rule: Rule, *, maximise: bool, confidence: float
) -> Published | None:
    """The figure of the point at ``picked``; None where no block can be left out.

    ``rule`` picks a place in ``among`` from block-adjusted log means (more is better) and the number of
    trials behind each.
    """
    import numpy as np
    from scipy import special

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
        pick = rule(means, np.maximum(left, 1))
        found.append(float(sums[pick, block] / counts[pick, block]))
    if len(found) < _LEAST_BLOCKS:
        return None
    weights = np.zeros(len(model.points))
    weights[picked] = 1.0
    error, df = model.standard_error(weights)
    if model.own_sd is None:
        critical = dunnett_critical(len(chosen), df, confidence, 0.0) if len(chosen) > 1 else 0.0
    else:
        critical = float(special.stdtrit(df, 1 - (1 - confidence) / len(chosen)))
    bound = float(model.log_means[picked]) - sign * critical * error
    value = math.fsum(found) / len(found)
    # a few blocks scatter: what is certain anyhow is not undercut
    return Published(math.exp(sign * max(sign * value, sign * bound)), math.exp(bound), len(found))


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
