"""Plots of design points: the ranking, the effects of factors, and what is traded against what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.estimates import pareto
from results.estimates.effects import Effect
from results.plotting import axes as common
from results.plotting import style, svg
from results.plotting.measured import Measured
from results.recommendation.answer import RankedPoint
from stripelab.metrics import metric_name, scale_of
from stripelab.settings import value_text
from stripelab.units import signed_pct

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 60
_MOST_NAMED = 16


@style.styled
def ranking(points: Sequence[RankedPoint], workload: str, metric: str, *, virtual: bool) -> style.Drawing:
    """Estimates with intervals, best on top, and predictions; the first :data:`MOST_ROWS` points."""
    shown = points[:MOST_ROWS]
    scale, unit = scale_of(metric, max(point.value for point in shown))
    figure, (axes,) = style.canvas(8.0, 1.5 + 0.25 * len(shown))
    common.ranking(axes, shown, scale, style.colour)
    axes.set_xlabel(f"{workload}: {style.axis(metric, unit)} (95 % intervals)")
    style.mark(figure, virtual=virtual)
    more = f" of {len(points)}" if len(points) > len(shown) else ""
    return style.Drawing(
        figure,
        f"{workload}: ranking by {metric_name(metric)}",
        f"{len(shown)}{more} points; best: {shown[0].label}.",
    )


@style.styled
def effects(found: Sequence[Effect], workload: str, metric: str, *, virtual: bool) -> style.Drawing:
    """What changing each factor does, the others at their average, with intervals that hold for all at once."""
    rows = [(effect, each) for effect in found for each in effect.comparisons][:MOST_ROWS]
    if not rows:
        raise ResultsError("the design cannot separate any factor from the others, so there is no effect to draw")
    figure, (axes,) = style.canvas(8.0, 1.3 + 0.27 * len(rows))
    axes.axvline(0, color=style.colour(svg.MUTED), lw=1)
    for certain, name, marker, words in (
        (True, svg.TIED, "o", "significant after adjustment"),
        (False, svg.REST, "^", "not significant"),
    ):
        places = [place for place, (_, each) in enumerate(rows) if each.certain == certain]
        mine = [rows[place][1] for place in places]
        if mine:
            axes.errorbar(
                [each.change_pct for each in mine],
                places,
                xerr=(
                    [each.change_pct - each.low_pct for each in mine],
                    [each.high_pct - each.change_pct for each in mine],
                ),
                fmt=marker,
                color=style.colour(name),
                ms=5.5,
                elinewidth=1.6,
                capsize=3,
                label=words,
            )
    names = [
        f"{effect.factor}: {value_text(effect.factor, each.level)} instead of "
        f"{value_text(effect.factor, each.reference)}{' *' if effect.depends_on else ''}"
        for effect, each in rows
    ]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel(
        f"{workload}: change of {metric_name(metric)}, % (95 % intervals, all at once); * depends on other factors"
    )
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, handletextpad=0.3)
    style.mark(figure, virtual=virtual)
    words = "; ".join(
        f"{name.removesuffix(' *')}: {signed_pct(each.change_pct)}" for name, (_, each) in zip(names, rows, strict=True)
    )
    return style.Drawing(figure, f"{workload}: effects of the factors on {metric_name(metric)}", f"{words}.")


@style.styled
def trade_off(across: Measured, up: Measured) -> style.Drawing:
    """Two figures of every point; those on the Pareto front, which no other point is shown to beat, are named."""
    labels = across.sweep.labels
    points = [point for point in across.values if point in up.values]
    axes_of_front = [_axis_of_front(each, points) for each in (across, up)]
    front = {each.point_id for each in pareto.front(axes_of_front, points, labels, ()).points}
    scales = [scale_of(each.metric, max(each.values[point] for point in points)) for each in (across, up)]
    figure, (axes,) = style.canvas(8.0, 4.8)
    for chosen, name, marker, words in (
        (False, svg.REST, "^", "beaten in one figure, and better in none"),
        (True, svg.TIED, "o", "on the front"),
    ):
        mine = [point for point in points if (point in front) == chosen]
        if mine:
            where = [
                [each.values[point] / scale for point in mine]
                for each, (scale, _) in zip((across, up), scales, strict=True)
            ]
            axes.plot(*where, marker, color=style.colour(name), ms=6, ls="none", label=words)
    named = sorted(front, key=lambda point: across.values[point], reverse=across.maximise)[:_MOST_NAMED]
    _name(axes, [labels[point] for point in named], len(front))
    named_axes = [
        f"{style.axis(each.metric, unit)} ({'more' if each.maximise else 'less'} is better)"
        for each, (_, unit) in zip((across, up), scales, strict=True)
    ]
    axes.set_xlabel(named_axes[0])
    axes.set_ylabel(named_axes[1])
    axes.margins(0.12)
    axes.grid()
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, handletextpad=0.3)
    style.mark(figure, virtual=across.sweep.virtual)
    return style.Drawing(
        figure,
        f"{across.workload}: {metric_name(across.metric)} against {metric_name(up.metric)}",
        f"{len(points)} points, {len(front)} on the Pareto front: {'; '.join(labels[point] for point in named)}.",
    )


def _axis_of_front(data: Measured, points: Sequence[str]) -> pareto.Axis:
    """The axis with what chance explains, where there is a model of all points; as bare facts otherwise."""
    found = None
    if data.model is not None:
        found = pareto.measured_axis(data.metric, data.model, points, maximise=data.maximise)
    return found or pareto.Axis(data.metric, data.maximise, {point: data.values[point] for point in points})


def _name(axes: Axes, names: Sequence[str], count: int) -> None:
    """The points on the front as a list beside the plot, since they often lie on top of each other."""
    more = [f"and {count - len(names)} more"] if count > len(names) else []
    text = "\n".join(["on the front, best first:", "", *names, *more])
    axes.text(1.02, 1.0, text, transform=axes.transAxes, va="top", fontsize=8.5)
