"""What is gained over a baseline, at least, for every point at once.

Dunnett's one-sided limits against a control (JASA 50, 1955): with the stated confidence all of them hold at
once, and so also the one of the point that was picked because it measured best.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from results.errors import ResultsError
from results.estimates.best import allowances
from results.estimates.estimate import Fit
from stripelab.settings import DEFAULT, Setting


@dataclass(frozen=True)
class Gain:
    """How much better than the baseline, per cent: as measured, and at least (which holds for all at once).

    Of a latency it is by how much it is lower.
    """

    gain_pct: float
    at_least_pct: float


def gains(model: Fit, baseline: str, *, maximise: bool, confidence: float) -> dict[str, Gain]:
    """The gain of each point but the baseline itself; empty where the baseline was not measured."""
    import numpy as np

    if baseline not in model.points or len(model.points) < 2:
        return {}
    place = model.points.index(baseline)
    every = np.arange(len(model.points))
    reach = allowances(model, every, confidence)[place]
    lead = (model.log_means - model.log_means[place]) * (1 if maximise else -1)
    return {
        point: Gain(_better(float(lead[index]), maximise=maximise), _better(float(bound), maximise=maximise))
        for index, (point, bound) in enumerate(zip(model.points, lead - reach, strict=True))
        if index != place
    }


def _better(log_ratio: float, *, maximise: bool) -> float:
    """Per cent more of a rate; per cent less of a latency."""
    return 100 * math.expm1(log_ratio) if maximise else -100 * math.expm1(-log_ratio)


def parse_settings(text: str) -> dict[str, Setting]:
    """``level=raid5 chunk_kib=512`` as settings.

    Raises:
        ResultsError: it is not of this form.
    """
    found: dict[str, Setting] = {}
    for word in text.replace(",", " ").split():
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise ResultsError(
                f'"{word}" is no setting', remedy='Write factors and values: --baseline "level=raid5 chunk_kib=512".'
            )
        found[name] = int(value) if value.isdigit() else value
    return found


def find_baseline(
    wanted: Mapping[str, Setting], settings: Mapping[str, Mapping[str, Setting]], labels: Mapping[str, str]
) -> str:
    """The one point that has these settings.

    Raises:
        ResultsError: a factor is not known, or none or several points have them.
    """
    if not wanted:
        raise ResultsError("the baseline names no setting", remedy='Write for example "level=raid5 chunk_kib=512".')
    known = {name for each in settings.values() for name in each}
    for name in wanted.keys() - known:
        raise ResultsError(
            f"the baseline names {name}, which is no factor", remedy=f"Known: {', '.join(sorted(known))}."
        )
    found = [
        point
        for point, each in settings.items()
        if all(each[name] == value or (each[name] is None and value == DEFAULT) for name, value in wanted.items())
    ]
    if len(found) != 1:
        said = " ".join(f"{name}={value}" for name, value in wanted.items())
        listed = "; ".join(sorted(labels[point] for point in found or settings)[:8])
        raise ResultsError(
            f"{len(found) or 'no'} points have the baseline's settings ({said}), and it must be one",
            remedy=f"{'Name more of its settings' if found else 'The points are'}: {listed}.",
        )
    return found[0]
