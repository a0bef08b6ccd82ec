"""From a question on a store to a plot: each kind with the data that it is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from results.errors import ResultsError
from results.estimates.latencies import as_measured
from results.plotting import by_factor, by_point, over_time
from results.plotting.measured import Measured, Sweep, measured, pick_points, sweep_of
from results.plotting.style import MOST_LINES, Drawing
from results.recommendation import recommend
from results.recommendation.answer import Answer
from results.store.query import StoreFrames
from stripelab.metrics import METRICS, RATES, listed


@dataclass(frozen=True)
class Question:
    """What to draw.

    ``x`` and ``y`` are factors (heatmap, interaction) or figures (pareto); ``points`` are ids, beginnings of ids or
    labels (series, latency, members).  None, or empty, is the sweep's own choice.
    """

    kind: str
    workload: str | None = None
    metric: str | None = None
    x: str | None = None
    y: str | None = None
    points: tuple[str, ...] = ()
    direction: str | None = None
    margin_pct: float = recommend.DEFAULT_MARGIN_PCT


def draw(frames: StoreFrames, question: Question) -> tuple[Drawing, bool]:
    """The plot, and whether any of it was measured in the virtual lab or on loop devices.

    Raises:
        ResultsError: no such kind, or the store does not hold what it is made from.
    """
    if question.kind not in KINDS:
        raise ResultsError(f"there is no plot {question.kind!r}", remedy=f"There are: {', '.join(KINDS)}.")
    sweep = sweep_of(frames)
    return KINDS[question.kind](sweep, question), sweep.virtual


def _ranking(sweep: Sweep, question: Question) -> Drawing:
    """Points from best to worst with intervals: tied, within the margin, behind."""
    answer = _answer(sweep, question)
    points = answer.overall.points if answer.overall else answer.measured
    return by_point.ranking(points, answer.workload, answer.metric, virtual=sweep.virtual)


def _effects(sweep: Sweep, question: Question) -> Drawing:
    """What changing each factor does, all else equal, with intervals."""
    answer = _answer(sweep, question)
    if answer.refusal is not None:
        raise ResultsError(f"no effect can be shown: {answer.refusal}", remedy="--kind heatmap shows the bare means.")
    return by_point.effects(answer.effects, answer.workload, answer.metric, virtual=sweep.virtual)


def _heat_map(sweep: Sweep, question: Question) -> Drawing:
    """Means by two factors (--x, --y)."""
    data = measured(sweep, question.workload, question.metric)
    return by_factor.heat_map(data, *by_factor.pick_factors(data, question.x, question.y))


def _interaction(sweep: Sweep, question: Question) -> Drawing:
    """Means with intervals along one factor (--x), a line for each value of another (--y)."""
    data = measured(sweep, question.workload, question.metric)
    return by_factor.interaction(data, *by_factor.pick_factors(data, question.x, question.y))


def _pareto(sweep: Sweep, question: Question) -> Drawing:
    """Two figures of every point (--x, --y), those that no other point beats named."""
    for name in (question.x, question.y):
        if name is not None and name not in METRICS:
            raise ResultsError(f"there is no figure {name}", remedy=f"Figures are: {listed(METRICS)}.")
    across = measured(sweep, question.workload, question.x or question.metric)
    tail = as_measured("lat_p99_ns", sweep.observations, across.workload)
    other = tail if across.metric in RATES else "iops"
    return by_point.trade_off(across, measured(sweep, across.workload, question.y or other))


def _series(sweep: Sweep, question: Question) -> Drawing:
    """Every second of the trials of one point (--point; the best)."""
    data = _of_rate(sweep, question)
    point, *_ = pick_points(sweep, question.points, _ranked(data))
    return over_time.series(sweep, data.workload, data.metric, point)


def _latency(sweep: Sweep, question: Question) -> Drawing:
    """Full distributions of latency, logarithmic, of some points (--point; the best)."""
    data = measured(sweep, question.workload, question.metric)
    points = pick_points(sweep, question.points, _ranked(data)[:MOST_LINES])
    return over_time.latency(sweep, data.workload, points, question.direction)


def _members(sweep: Sweep, question: Question) -> Drawing:
    """Throughput, utilisation and reading alone of each member disk, over all points or some (--point)."""
    data = measured(sweep, question.workload, question.metric)
    return over_time.members(sweep, data.workload, pick_points(sweep, question.points, _ranked(data)))


def _answer(sweep: Sweep, question: Question) -> Answer:
    """The recommendation's answer for the workload (the first objective's where none is named)."""
    if question.metric is not None:
        raise ResultsError(
            f"--kind {question.kind} is drawn for the figure of the objective",
            remedy="Leave --metric out, or state another objective in the sweep file.",
        )
    found = recommend.from_frames(sweep.frames, question.workload, question.margin_pct)
    return found.answers[0]


def _of_rate(sweep: Sweep, question: Question) -> Measured:
    """The figure of a second: a rate, whatever the objective is."""
    data = measured(sweep, question.workload, question.metric)
    return data if data.metric in RATES else replace(data, metric="bw_bytes_s")


def _ranked(data: Measured) -> tuple[str, ...]:
    """Points with a figure, the best first."""
    return tuple(sorted(data.values, key=lambda point: data.values[point], reverse=data.maximise))


KINDS: Mapping[str, Callable[[Sweep, Question], Drawing]] = {
    "ranking": _ranking,
    "effects": _effects,
    "heatmap": _heat_map,
    "interaction": _interaction,
    "pareto": _pareto,
    "series": _series,
    "latency": _latency,
    "members": _members,
}
"""Every kind of plot; the docstring of each is its line in the help and in the reference."""
