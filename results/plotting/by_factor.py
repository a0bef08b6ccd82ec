"""Plots of a figure by two factors: a heat map of means, and lines with intervals that show an interaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.estimates.cells import Cell, Interaction, cell_means
from results.estimates.coding import coding
from results.plotting import axes as common
from results.plotting import style, svg
from results.plotting.axes import DASHES
from results.plotting.measured import Measured
from stripelab.metrics import metric_name, scale_of
from stripelab.settings import FACTOR_NAMES, value_text
from stripelab.units import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pick_factors(data: Measured, x: str | None, y: str | None) -> tuple[str, str]:
    """The factors of the axes; those that vary first, where they are not named.

    Raises:
        ResultsError: a word that is no factor, the same twice, or fewer than two factors vary.
    """
    there = data.sweep.varied
    for name in (x, y):
        if name is not None and name not in FACTOR_NAMES:
            raise ResultsError(f"{name} is no factor", remedy=f"Those that vary here: {', '.join(there) or 'none'}.")
    rest = [name for name in there if name not in {x, y}]
    across = x or (rest.pop() if rest else None)
    down = y or (rest.pop(0) if rest else None)
    if across is None or down is None or across == down:
        raise ResultsError(
            "this plot needs two different factors",
            remedy=f"Those that vary here: {', '.join(there) or 'none'}; name them with --x and --y.",
        )
    return across, down


@style.styled
def heat_map(data: Measured, x: str, y: str) -> style.Drawing:
    """Geometric means by two factors, the others at their average; brighter is better, hatched was not measured."""
    import matplotlib as mpl
    from matplotlib.patches import Rectangle

    table = _table(data, x, y)
    values = [cell.value for cell in table.cells]
    scale, unit = scale_of(data.metric, max(values))
    low, high = min(values), max(values)
    colours = mpl.colormaps["cividis" if data.maximise else "cividis_r"]
    figure, (axes,) = style.canvas(2.4 + 0.95 * len(table.columns), 1.4 + 0.45 * len(table.rows))
    for cell in table.cells:
        place = (table.columns.index(cell.column), table.rows.index(cell.row))
        red, green, blue, _ = colours((cell.value - low) / (high - low) if high > low else 0.5)
        box = Rectangle((place[0] - 0.5, place[1] - 0.5), 1, 1, fc=(red, green, blue), ec="#ffffff", lw=2)
        axes.add_patch(box)
        ink = "#ffffff" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else "#000000"
        axes.text(*place, _figure(cell, scale), ha="center", va="center", color=ink, fontsize=9.5)
    common.not_measured(axes, table, style.colour(svg.MUTED))
    axes.set_xlim(-0.5, len(table.columns) - 0.5)
    axes.set_ylim(len(table.rows) - 0.5, -0.5)
    axes.set_xticks(range(len(table.columns)), [value_text(x, each) for each in table.columns])
    axes.set_yticks(range(len(table.rows)), [value_text(y, each) for each in table.rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    notes = common.cell_notes(table)
    explained = f"means, other factors at their average; brighter is better{';' + notes if notes else ''}"
    style.title(axes, f"{data.workload}: {style.axis(data.metric, unit)}\n{explained}")
    style.mark(figure, virtual=data.sweep.virtual)
    words = "; ".join(
        f"{value_text(y, cell.row)} and {value_text(x, cell.column)}: {_figure(cell, scale)}" for cell in table.cells
    )
    title = f"{data.workload}: {metric_name(data.metric)} by {y} and {x}"
    return style.Drawing(figure, title, f"Means{' in ' + unit if unit else ''}: {words}.{notes}")


def _figure(cell: Cell, scale: float) -> str:
    """The figure of a cell; a star where it is a plain mean."""
    return f"{number(cell.value / scale)}{'' if cell.adjusted else ' *'}"


def _table(data: Measured, x: str, y: str) -> Interaction:
    """Means by two factors: from the model where it has every point, else from plain geometric means of points."""
    import numpy as np

    model = data.model if data.model is not None and set(data.model.points) == set(data.values) else None
    points = tuple(data.values) if model is None else model.points
    logs = np.log([data.values[point] for point in points]) if model is None else model.log_means
    return cell_means(coding([data.sweep.settings[point] for point in points]), y, x, logs, model)


@style.styled
def interaction(data: Measured, x: str, y: str) -> style.Drawing:
    """Means with 95 % intervals along one factor, a line for each value of another.

    Lines that are not parallel (the axis is logarithmic) mean that the effect of one depends on the other.
    """
    table = _table(data, x, y)
    lines = [row for row in table.rows if sum(1 for cell in table.cells if cell.row == row) > 0]
    shown = lines[: style.MOST_LINES]
    scale, unit = scale_of(data.metric, max(cell.value for cell in table.cells))
    figure, (axes,) = style.canvas(7.2, 4.0)
    for place, row in enumerate(shown):
        points = [(table.columns.index(cell.column), cell) for cell in table.cells if cell.row == row]
        shift = 0.04 * (place - (len(shown) - 1) / 2)
        means = [cell.value / scale for _, cell in points]
        reach = [_reach(cell, scale) for _, cell in points]
        axes.errorbar(
            [at + shift for at, _ in points],
            means,
            yerr=([down for down, _ in reach], [up for _, up in reach]),
            color=style.LINES[place],
            ls=DASHES[place],
            marker=style.MARKS[place],
            ms=5.5,
            lw=1.6,
            capsize=3,
            label=value_text(y, row),
        )
    _logarithmic(axes)
    axes.set_xticks(range(len(table.columns)), [value_text(x, each) for each in table.columns])
    axes.set_xlabel(x)
    axes.set_ylabel(f"{style.axis(data.metric, unit)}{'; 95 % intervals' if data.model else ''} (log scale)")
    axes.grid(axis="y")
    style.legend_beside(axes, y)
    style.title(axes, f"{data.workload}: {metric_name(data.metric)} by {x}, for each {y}")
    style.mark(figure, virtual=data.sweep.virtual)
    left_out = f" {len(lines) - len(shown)} values of {y} are not drawn." if len(lines) > len(shown) else ""
    return style.Drawing(
        figure,
        f"{data.workload}: interaction of {x} and {y} on {metric_name(data.metric)}",
        f"{len(shown)} lines, one for each {y}; where they are not parallel {x} matters differently.{left_out}",
    )


def _reach(cell: Cell, scale: float) -> tuple[float, float]:
    """Distances from the mean to the ends of its interval; zero where there is none."""
    if cell.low is None or cell.high is None:
        return (0.0, 0.0)
    return max(0.0, cell.value - cell.low) / scale, max(0.0, cell.high - cell.value) / scale


def _logarithmic(axes: Axes) -> None:
    """A logarithmic scale of figures whose labels are plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7) if high / low < 20 else (1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: number(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
