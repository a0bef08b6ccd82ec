"""The plots: one style, units on every axis, colours that colour-blind readers can tell apart.

The palette is Okabe and Ito's (Color Universal Design, 2008) by way of the page's style sheet; heat
maps use cividis (Nuñez, Anderton and Renslow 2018).  No plot relies on colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from results.estimates.cells import Interaction
from results.plotting import axes as common
from results.plotting import svg
from results.plotting.axes import LatencyCurve
from results.recommendation.answer import RankedPoint
from stripelab.metrics import metric_name, scale_of
from stripelab.settings import value_text
from stripelab.units import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
MAX_ROWS = 40
VIRTUAL_MARK = "NOT REAL HARDWARE: virtual lab or loop devices"


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


@styled
def ranking(name: str, points: Sequence[RankedPoint], metric: str, *, virtual: bool) -> str:
    """Estimates with intervals, best on top, and predictions; the first :data:`MAX_ROWS` points."""
    shown = points[:MAX_ROWS]
    scale, unit = scale_of(metric, max(point.value for point in shown))
    figure, axes = canvas(7.6, 0.9 + 0.27 * len(shown))
    common.ranking(axes, shown, scale, _as_named)
    axes.set_xlabel(f"{axis_text(metric, unit)} (95 % interval)")
    mark(figure, virtual=virtual)
    title = f"Ranking by {metric_name(metric)}"
    more = f" of {len(points)}" if len(points) > len(shown) else ""
    return svg.inline(
        figure, name, title, f"{len(shown)}{more} points; best: {shown[0].label}. The table below has the figures."
    )


@styled
def heat_map(
    name: str, table: Interaction, metric: str, span: tuple[float, float], *, maximise: bool, virtual: bool
) -> str:
    """Geometric means by two factors, the others at their average; each cell carries its figure.

    A combination that was not measured is hatched; a star marks a mean that other factors cannot be taken out of.

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
        text = number(cell.value / scale) + ("" if cell.adjusted else " *")
        axes.text(column, row, text, ha="center", va="center", color="#ffffff" if dark else "#000000", fontsize=9.5)
    common.not_measured(axes, table, svg.MUTED)
    axes.set_xlim(-0.5, len(table.columns) - 0.5)
    axes.set_ylim(len(table.rows) - 0.5, -0.5)
    axes.set_xticks(range(len(table.columns)), [value_text(table.column_factor, each) for each in table.columns])
    axes.set_yticks(range(len(table.rows)), [value_text(table.row_factor, each) for each in table.rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(table.column_factor)
    axes.set_ylabel(table.row_factor)
    notes = common.cell_notes(table)
    axes.set_title(axis_text(metric, unit) + (f"\n{notes.strip()}" if notes else ""), fontsize=9.5, loc="left")
    mark(figure, virtual=virtual)
    cells = "; ".join(
        f"{value_text(table.row_factor, cell.row)} and {value_text(table.column_factor, cell.column)}: "
        f"{number(cell.value / scale)}{'' if cell.adjusted else ' *'}"
        for cell in table.cells
    )
    title = f"{metric_name(metric)} by {table.row_factor} and {table.column_factor}"
    return svg.inline(figure, name, title, f"Means{' in ' + unit if unit else ''}: {cells}.{common.cell_notes(table)}")


@styled
def latency(name: str, curves: Sequence[LatencyCurve], *, virtual: bool) -> str:
    """Share of I/Os that took longer than the latency on the x axis; both axes logarithmic."""
    figure, axes = canvas(7.6, 3.4)
    common.latency(axes, curves, _as_named)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    mark(figure, virtual=virtual)
    return svg.inline(figure, name, "Distribution of latency", "The table below has the percentiles.")


def _as_named(colour: str) -> str:
    """In a page a colour is a variable of the style sheet, which goes by its name."""
    return colour


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
