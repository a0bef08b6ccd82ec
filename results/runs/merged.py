"""Percentiles of a point from the merged histograms of all its runs, and still one figure per run.

A percentile of several runs is that of all their I/Os together; the mean of the runs' percentiles is the
percentile of nothing.  For intervals a figure per run is needed: Tukey's pseudo-values, n θ - (n - 1) θ₋ⱼ,
where θ is the logarithm of the merged percentile and θ₋ⱼ that without run j (the jackknife: Miller,
Biometrika 61, 1974).  They are shifted so that their mean is θ itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from results.estimates.responses import PERCENTILES, Response, group, merged, percentile
from results.store.schema import ObservationRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


def with_merged_percentiles(
    metric: str, workload: str, found: Sequence[Response], observations: Iterable[ObservationRow]
) -> list[Response]:
    """The responses with pseudo-values in place of the runs' own percentiles.

    As they are where ``metric`` is no percentile, or where a trial has no histogram.
    """
    if metric not in PERCENTILES:
        return list(found)
    rows = group(observations, workload)
    histograms = {each.trial_id: merged(rows.get(each.trial_id, ())) for each in found}
    if not all(histograms.values()):
        return list(found)
    runs: dict[str, list[Response]] = defaultdict(list)
    for each in found:
        runs[each.point_id].append(each)
    values: dict[str, float] = {}
    for mine in runs.values():
        values |= _pseudo_values([(each.trial_id, histograms[each.trial_id]) for each in mine], PERCENTILES[metric])
    return [replace(each, value=values[each.trial_id]) for each in found]


def _pseudo_values(runs: Sequence[tuple[str, Mapping[int, int]]], share: float) -> dict[str, float]:
    """A figure per run whose geometric mean is the merged percentile."""
    import numpy as np

    bins = np.array(sorted({latency for _, histogram in runs for latency in histogram}), dtype=float)
    counts = np.zeros((len(runs), len(bins)))
    for row, (_, histogram) in enumerate(runs):
        counts[row, np.searchsorted(bins, list(histogram))] = list(histogram.values())
    together = counts.sum(axis=0)
    centre = percentile(dict(zip(bins.tolist(), together.tolist(), strict=True)), share) or float(bins[-1])
    if len(runs) == 1:
        return {runs[0][0]: centre}
    whole = _smooth(bins, together, share)
    pseudo = np.array([len(runs) * whole - (len(runs) - 1) * _smooth(bins, together - each, share) for each in counts])
    shifted = np.exp(pseudo - pseudo.mean() + math.log(centre))
    return {name: float(value) for (name, _), value in zip(runs, shifted, strict=True)}


def _smooth(bins: Floats, counts: Floats, share: float) -> float:
    """Logarithm of the percentile, interpolated between buckets: leaving a run out moves it by less than one."""
    import numpy as np

    below = (np.cumsum(counts) - counts / 2) / counts.sum()
    return float(np.interp(share, below, np.log(bins)))
