"""Several objectives at once: the points that no other point beats in everything.

(Pareto, Manuale di economia politica, 1906; Deb, Multi-Objective Optimization, 2001, ch. 2, for domination.)
Measured figures are uncertain, so a point is beaten by one that is shown to be better in something and is
shown to be worse in nothing: a difference that chance explains counts for neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit
from stripelab.metrics import metric_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_CONFIDENCE = 0.99
_MOST_POINTS = 2000


@dataclass(frozen=True)
class Axis:
    """One objective: a figure per point, and how much of a ratio two points may differ by chance.

    ``allowance`` is on the log scale, per pair of points; None of a fact, which is certain.  ``workload`` is
    that of the figure where a front is over several workloads.
    """

    metric: str
    maximise: bool
    values: Mapping[str, float]
    allowance: Floats | None = None
    workload: str = ""


@dataclass(frozen=True)
class ParetoPoint:
    """A point on the front and its figure on each axis, in the order of the axes."""

    point_id: str
    label: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Front:
    """The front; ``beaten`` are the other points, ``left_out`` says which objectives could not be compared, and why.

    ``workloads`` has each objective's workload where there are several, else empty text.
    """

    metrics: tuple[str, ...]
    maximise: tuple[bool, ...]
    points: tuple[ParetoPoint, ...]
    of_points: int
    left_out: tuple[str, ...]
    beaten: tuple[ParetoPoint, ...] = ()
    workloads: tuple[str, ...] = ()

    def name(self, place: int) -> str:
        """The objective at ``place`` in words."""
        words = metric_name(self.metrics[place])
        workload = self.workloads[place] if self.workloads else ""
        return f"{workload}: {words}" if workload else words


def measured_axis(metric: str, model: Fit, points: Sequence[str], *, maximise: bool, workload: str = "") -> Axis | None:
    """An axis from a fitted model; None where it lacks one of ``points``."""
    import numpy as np
    from scipy import special

    place = {point: index for index, point in enumerate(model.points)}
    if any(point not in place for point in points):
        return None
    chosen = np.array([place[point] for point in points])
    critical = float(special.stdtrit(model.df, _CONFIDENCE))
    variances = np.array([model.difference_variances(int(index))[chosen] for index in chosen])
    allowance = critical * model.sd * np.sqrt(np.maximum(variances, 0.0))
    values = {point: math.exp(float(model.log_means[place[point]])) for point in points}
    return Axis(metric, maximise, values, allowance, workload)


def front(axes: Sequence[Axis], points: Sequence[str], labels: Mapping[str, str], left_out: Sequence[str]) -> Front:
    """The points that none of the others beats; all of them of more than 2,000, which are not compared."""
    import numpy as np

    no_worse = np.ones((len(points), len(points)), dtype=bool)  # [j, i]: j is not shown to be worse than i
    better = np.zeros((len(points), len(points)), dtype=bool)  # [j, i]: j is shown better than i
    for axis in axes if len(points) <= _MOST_POINTS else ():
        values = np.array([axis.values[point] for point in points])
        scores = np.log(values) if axis.allowance is not None else values
        lead = (scores[:, None] - scores[None, :]) * (1 if axis.maximise else -1)
        allowance = axis.allowance if axis.allowance is not None else 0.0
        no_worse &= lead >= -allowance
        better |= lead > allowance
    beaten = np.any(no_worse & better, axis=0).tolist()
    lead_axis = axes[0] if axes else None
    kept, others = (
        [point for point, lost in zip(points, beaten, strict=True) if lost is flag] for flag in (False, True)
    )
    if lead_axis is not None:
        for each in (kept, others):
            each.sort(key=lambda point: lead_axis.values[point], reverse=lead_axis.maximise)

    def valued(point: str) -> ParetoPoint:
        return ParetoPoint(point, labels[point], tuple(axis.values[point] for axis in axes))

    return Front(
        metrics=tuple(axis.metric for axis in axes),
        maximise=tuple(axis.maximise for axis in axes),
        points=tuple(valued(each) for each in kept),
        of_points=len(points),
        left_out=tuple(left_out),
        beaten=tuple(valued(each) for each in others),
        workloads=tuple(axis.workload for axis in axes),
    )
