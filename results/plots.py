"""The plots: one style, units on every axis, colours that colour-blind readers can tell apart.

The palette is Okabe and Ito's (Color Universal Design, 2008) by way of the page's style sheet; heat
maps use cividis (Nuñez, Anderton and Renslow 2018).  No plot relies on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from results import svg
from results.answer import STATISTICALLY, WITHIN_MARGIN, RankedPoint
from results.effects import Interaction
from results.settings import value_text
from results.units import metric_name, number, scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
MAX_ROWS = 40
VIRTUAL_MARK = "NOT REAL HARDWARE: virtual lab or loop devices"
_KINDS = (
    (STATISTICALLY, svg.TIED, "o", "statistically tied for best"),
    (WITHIN_MARGIN, svg.NEAR, "s", "within the margin"),
    (None, svg.REST, "^", "behind"),
)
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)))


def styled(draw: Callable[Arguments, str]) -> Callable[Arguments, str]:
    """A plot drawn in our style, whatever the user's matplotlib is set to."""

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> str:
        import matplotlib as mpl

        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(svg.STYLE)
            return draw(*args, **kwargs)

    return drawn


@dataclass(frozen=True)
class LatencyCurve:
    """A latency histogram: bucket midpoints, ns, ascending, and the I/Os in each."""

    label: str
    bins_ns: tuple[int, ...]
    counts: tuple[int, ...]


@styled
def ranking(name: str, points: Sequence[RankedPoint], metric: str, *, virtual: bool) -> str:
    """Estimates with intervals, best on top, and predictions; the first :data:`MAX_ROWS` points."""
    shown = points[:MAX_ROWS]
    scale, unit = scale_of(metric, max(point.value for point in shown))
    figure, axes = canvas(7.6, 0.9 + 0.27 * len(shown))
    for kind, colour, marker, words in _KINDS:
        rows = [place for place, point in enumerate(shown) if point.tied == kind]
        if rows:
            axes.errorbar(
                [shown[row].value / scale for row in rows],
                rows,
                xerr=_reach([shown[row] for row in rows], scale),
                fmt=marker,
                color=colour,
                ecolor=colour,
                markersize=5.5,
                elinewidth=1.6,
                capsize=3,
                label=words,
            )
    predicted = [(point.predicted / scale, place) for place, point in enumerate(shown) if point.predicted is not None]
    if predicted:
        across, down = zip(*predicted, strict=True)
        axes.plot(across, down, "D", mfc="none", mec=svg.PREDICTED, mew=1.2, ms=8.5, ls="none", label="predicted")
    axes.set_yticks(range(len(shown)), [point.label for point in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    _zero_based(axes, [point.value / scale for point in shown])
    axes.set_xlabel(f"{axis_text(metric, unit)} (95 % interval)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, handletextpad=0.3, columnspacing=1.2)
    mark(figure, virtual=virtual)
    title = f"Ranking by {metric_name(metric)}"
    return svg.inline(
        figure, name, title, f"{len(shown)} points; best: {shown[0].label}. The table below has the figures."
    )


@styled
def heat_map(
    name: str, table: Interaction, metric: str, span: tuple[float, float], *, maximise: bool, virtual: bool
) -> str:
    """Geometric means by two factors; brighter is better, and each cell carries its figure.

    ``span`` is the range of the colours: one for all maps of an answer, so that small differences look small.
    """
    import matplotlib as mpl
    from matplotlib.patches import Rectangle

    scale, unit = scale_of(metric, span[1])
    low, high = span[0] / scale, span[1] / scale
    colours = mpl.colormaps["cividis" if maximise else "cividis_r"]
    figure, axes = canvas(1.6 + 0.95 * len(table.columns), 0.9 + 0.42 * len(table.rows))
    for cell in table.cells:
        column, row = table.columns.index(cell.column), table.rows.index(cell.row)
        share = (cell.value / scale - low) / (high - low) if high > low else 0.5
        red, green, blue, _ = colours(share)
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fc=(red, green, blue), ec=svg.PAPER, lw=2))
        dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
        text = number(cell.value / scale)
        axes.text(column, row, text, ha="center", va="center", color="#ffffff" if dark else "#000000", fontsize=9.5)
    axes.set_xlim(-0.5, len(table.columns) - 0.5)
    axes.set_ylim(len(table.rows) - 0.5, -0.5)
    axes.set_xticks(range(len(table.columns)), [value_text(table.column_factor, each) for each in table.columns])
    axes.set_yticks(range(len(table.rows)), [value_text(table.row_factor, each) for each in table.rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(table.column_factor)
    axes.set_ylabel(table.row_factor)
    axes.set_title(axis_text(metric, unit), fontsize=9.5, loc="left")
    mark(figure, virtual=virtual)
    cells = "; ".join(
        f"{value_text(table.row_factor, cell.row)} and {value_text(table.column_factor, cell.column)}: "
        f"{number(cell.value / scale)}"
        for cell in table.cells
    )
    title = f"{metric_name(metric)} by {table.row_factor} and {table.column_factor}"
    return svg.inline(figure, name, title, f"Means{' in ' + unit if unit else ''}: {cells}.")


@styled
def latency(name: str, curves: Sequence[LatencyCurve], *, virtual: bool) -> str:
    """Share of I/Os that took longer than the latency on the x axis; both axes logarithmic."""
    import numpy as np
    from matplotlib.ticker import FuncFormatter, LogLocator

    largest = max(curve.bins_ns[-1] for curve in curves)
    scale, unit = scale_of("lat_ns", largest / 10)
    figure, axes = canvas(7.6, 3.4)
    least = 0.5
    for curve, colour, dashes in zip(curves, svg.LINES, _DASHES, strict=False):
        counts = np.array(curve.counts, dtype=float)
        slower = 1 - np.cumsum(counts) / counts.sum()
        least = min(least, 1 / counts.sum())
        across = np.array(curve.bins_ns) / scale
        drawn = np.clip(slower, 1e-12, None)  # beyond the slowest I/O nothing is left: off the axis
        axes.step(across, drawn, where="post", color=colour, ls=dashes, lw=1.8, label=curve.label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = [share for share in (0.5, 0.1, 0.01, 0.001, 1e-4, 1e-5) if share >= least / 3]
    axes.set_yticks(ticks, [f"{100 * (1 - share):.5g} %" for share in ticks])
    decades = math.log10(largest / min(curve.bins_ns[0] for curve in curves))
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if decades > 3 else (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axes.minorticks_off()
    axes.set_ylim(1.0, min(ticks) / 2)
    axes.grid()
    axes.set_xlabel(f"total latency, {unit}")
    axes.set_ylabel("I/Os at or below")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    mark(figure, virtual=virtual)
    return svg.inline(figure, name, "Distribution of latency", "The table below has the percentiles.")


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure, sizes in inches."""
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(width, height))
    return figure, figure.add_subplot()


def mark(figure: Figure, *, virtual: bool) -> None:
    """The loud mark of what was not measured on real disks."""
    if virtual:
        axes = figure.axes[0]
        axes.annotate(
            VIRTUAL_MARK,
            (1.0, 0.0),
            xycoords="axes fraction",
            xytext=(0, -37),
            textcoords="offset points",
            ha="right",
            va="top",
            color=svg.WARNING,
            fontsize=7.5,
            fontweight="bold",
        )


def axis_text(metric: str, unit: str) -> str:
    """What stands at an axis: the figure and its unit."""
    return f"{metric_name(metric)}, {unit}" if unit else metric_name(metric)


def _reach(points: Sequence[RankedPoint], scale: float) -> tuple[list[float], list[float]]:
    """Distances from the estimate to the ends of its interval; zero where there is none."""
    down = [(point.value - (point.low if point.low is not None else point.value)) / scale for point in points]
    up = [((point.high if point.high is not None else point.value) - point.value) / scale for point in points]
    return down, up


def _zero_based(axes: Axes, values: Sequence[float]) -> None:
    """Start at zero where the values differ much; otherwise zero would hide the intervals."""
    if min(values) < 0.6 * max(values):
        axes.set_xlim(left=0)
