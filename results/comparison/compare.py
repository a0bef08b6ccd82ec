"""Two sweeps beside each other: per point and workload the ratio of their figures, with an interval.

The figures of each sweep are log(figure) = point + block + noise.  The variance of a point's mean is that of noise
and of blocks, from the two mean squares of the analysis of variance; the degrees of freedom of the ratio are
Satterthwaite's (Biometrics Bulletin 2, 1946), so that of a single point it is the test of Welch
(Biometrika 34, 1947).  Intervals hold for all comparisons at once (Bonferroni).  What differs between
two sweeps beside the settings (machine, firmware, day) is in every ratio alike: it is listed, not taken out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.comparison.environment import Difference, differences
from results.comparison.picking import Picked
from results.errors import ResultsError
from results.estimates.objective import Objective, measured_by, objectives
from results.estimates.responses import Response, responses
from stripelab.metrics import METRICS, RATES, listed

TIED = "tied"
BETTER = "better"
WORSE = "worse"
UNCLEAR = "unclear"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Compared:
    """A point and workload in both sweeps; ``ratio`` is the second over the first.

    ``low`` to ``high`` is its interval, None of too few trials.  ``verdict`` is of the second sweep: tied (the
    whole interval lies within the margin), better, worse, or unclear.
    """

    point_id: str
    label: str
    workload: str
    metric: str
    maximise: bool
    first: float
    second: float
    first_trials: int
    second_trials: int
    ratio: float
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Two sweeps beside each other; ``only_first`` and ``only_second`` are points that the other does not have."""

    first: str
    second: str
    margin_pct: float
    confidence: float
    compared: tuple[Compared, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    differences: tuple[Difference, ...]
    notice: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Mean:
    """Mean of a point's log figures with the parts of its variance: (variance, degrees of freedom) each."""

    value: float
    trials: int
    parts: tuple[tuple[float, int], ...]


def compare(
    first: Picked, second: Picked, *, margin_pct: float = 5.0, workload: str | None = None, metric: str | None = None
) -> Comparison:
    """Compare the points and workloads that both sweeps have.

    Raises:
        ResultsError: an impossible margin, an unknown figure or workload, or nothing in common.
    """
    if not 0 <= margin_pct < 100:
        raise ResultsError(
            f"the margin must be at least 0 and below 100 % (got {margin_pct:g})", remedy="Give for example 5."
        )
    asked = _objectives(first, second, workload, metric)
    means = [(objective, _means(first, objective), _means(second, objective)) for objective in asked]
    pairs = [
        (objective, point, mine[point], theirs[point])
        for objective, mine, theirs in means
        for point in mine
        if point in theirs
    ]
    if not pairs:
        raise ResultsError(
            f"{first.name} and {second.name} have no point with a figure of the same workload in common",
            remedy="Points are the same where every factor of the sweep file is the same.",
        )
    each = 1 - (1 - CONFIDENCE) / len(pairs)
    compared = tuple(
        _compared(first.labels[point], point, objective, one, other, margin_pct, each)
        for objective, point, one, other in pairs
    )
    return Comparison(
        first=first.name,
        second=second.name,
        margin_pct=margin_pct,
        confidence=CONFIDENCE,
        compared=compared,
        only_first=tuple(sorted(first.labels[point] for point in first.labels.keys() - second.labels.keys())),
        only_second=tuple(sorted(second.labels[point] for point in second.labels.keys() - first.labels.keys())),
        differences=differences(first, second, [objective.workload for objective in asked]),
        notice=first.notice or second.notice,
        warnings=_warnings(first, second, compared),
    )


def _objectives(first: Picked, second: Picked, workload: str | None, metric: str | None) -> list[Objective]:
    """What is compared: the objectives of the first sweep whose workload the second has too."""
    if metric is not None and metric not in METRICS:
        raise ResultsError(f"there is no figure {metric}", remedy=f"Figures are: {listed(METRICS)}.")
    there = {row.workload for row in second.observations}
    found = [each for each in objectives(first.store, list(first.observations), workload) if each.workload in there]
    if metric is None:
        return found
    names = dict.fromkeys(each.workload for each in found)
    asked = (Objective(name, metric, maximise=metric in RATES, stated=False) for name in names)
    return [measured_by(each, first.observations) for each in asked]


def _means(picked: Picked, objective: Objective) -> dict[str, _Mean]:
    """Mean of each point of a sweep with the variance of it."""
    runs, _ = responses(objective, picked.trials, picked.observations)
    by_point: dict[str, list[Response]] = defaultdict(list)
    for run in runs:
        by_point[run.point_id].append(run)
    means = {point: math.fsum(math.log(run.value) for run in own) / len(own) for point, own in by_point.items()}
    noise, of_blocks, blocks = _mean_squares(by_point, means)
    points = len(by_point)
    return {
        point: _Mean(
            means[point],
            len(own),
            (
                (noise[0] / len(own) * (1 - 1 / points), noise[1]),
                (of_blocks[0] / (points * blocks) if blocks else 0.0, of_blocks[1]),
            ),
        )
        for point, own in by_point.items()
    }


def _mean_squares(
    by_point: Mapping[str, Sequence[Response]], means: Mapping[str, float]
) -> tuple[tuple[float, int], tuple[float, int], int]:
    """Mean square and degrees of freedom of noise and of blocks; and the number of blocks.

    Exact where every block has every point; with trials missing the blocks are estimated by their mean deviation.
    """
    deviations: dict[int, list[float]] = defaultdict(list)
    for point, own in by_point.items():
        for run in own:
            deviations[run.block].append(math.log(run.value) - means[point])
    centres = {block: math.fsum(each) / len(each) for block, each in deviations.items()}
    blocks = len(centres)
    trials = sum(len(each) for each in deviations.values())
    df_noise = max(0, trials - len(by_point) - (blocks - 1))
    squares = math.fsum((value - centres[block]) ** 2 for block, each in deviations.items() for value in each)
    between = math.fsum(len(deviations[block]) * centre**2 for block, centre in centres.items())
    noise = squares / df_noise if df_noise else 0.0
    return (noise, df_noise), (between / (blocks - 1) if blocks > 1 else 0.0, blocks - 1), blocks


def _compared(
    label: str, point: str, objective: Objective, one: _Mean, other: _Mean, margin_pct: float, confidence: float
) -> Compared:
    """The ratio with its interval and the verdict."""
    ratio = other.value - one.value
    half = _half_width([*one.parts, *other.parts], confidence)
    if min(one.trials, other.trials) < 2:
        half = None
    limits = (None, None) if half is None else (math.exp(ratio - half), math.exp(ratio + half))
    return Compared(
        point_id=point,
        label=label,
        workload=objective.workload,
        metric=objective.metric,
        maximise=objective.maximise,
        first=math.exp(one.value),
        second=math.exp(other.value),
        first_trials=one.trials,
        second_trials=other.trials,
        ratio=math.exp(ratio),
        low=limits[0],
        high=limits[1],
        verdict=_verdict(ratio, half, math.log1p(margin_pct / 100), maximise=objective.maximise),
    )


def _half_width(parts: Sequence[tuple[float, int]], confidence: float) -> float | None:
    """Half of the interval of a difference on the log scale; None where its variance cannot be estimated."""
    from scipy import special

    used = [(variance, df) for variance, df in parts if df > 0]
    total = math.fsum(variance for variance, _ in used)
    if not used:
        return None
    if total == 0.0:
        return 0.0
    df = total**2 / math.fsum(variance**2 / df for variance, df in used)
    return float(special.stdtrit(df, 0.5 + confidence / 2)) * math.sqrt(total)


def _verdict(ratio: float, half: float | None, margin: float, *, maximise: bool) -> str:
    if half is None:
        return UNCLEAR
    low, high = ratio - half, ratio + half
    if -margin <= low and high <= margin:
        return TIED
    if low <= 0 <= high:
        return UNCLEAR
    return BETTER if (low > 0) == maximise else WORSE


def _warnings(first: Picked, second: Picked, compared: Sequence[Compared]) -> tuple[str, ...]:
    """What a reader must know before the figures."""
    found = []
    if {trial.substrate for trial in first.trials} != {trial.substrate for trial in second.trials}:
        found.append("the two were measured on different substrates: real disks and the lab cannot be compared")
    single = [each for each in compared if each.low is None]
    if single:
        found.append(
            f"{len(single)} of {len(compared)} comparisons have no interval: that takes two trials of a point in each"
        )
    return tuple(found)
