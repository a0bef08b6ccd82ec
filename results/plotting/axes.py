"""What is drawn on the axes of a ranking and of latencies: the same in the report and in plots that are files.

Colours are names of :mod:`results.plotting.svg`; ``colour`` says what a name becomes, which in a page is a variable
of its style sheet and in a file a colour on white.  Nothing relies on colour alone: points differ in marks, lines
in dashes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from results.estimates.cells import Interaction, unmeasured
from results.plotting import svg
from results.recommendation.answer import STATISTICALLY, WITHIN_MARGIN, RankedPoint
from stripelab.metrics import scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Colour = Callable[[str], str]
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)))
_KINDS = (
    (STATISTICALLY, svg.TIED, "o", "statistically tied for best"),
    (WITHIN_MARGIN, svg.NEAR, "s", "within the margin"),
    (None, svg.REST, "^", "behind"),
)


@dataclass(frozen=True)
class LatencyCurve:
    """A latency histogram: bucket midpoints, ns, ascending, and the I/Os in each."""

    label: str
    bins_ns: tuple[int, ...]
    counts: tuple[int, ...]


def not_measured(axes: Axes, table: Interaction, colour: str) -> None:
    """Hatch the combinations of a heat map that were not measured."""
    from matplotlib.patches import Rectangle

    for row, column in unmeasured(table):
        corner = (table.columns.index(column) - 0.5, table.rows.index(row) - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="///", ec=colour, lw=0))


def cell_notes(table: Interaction) -> str:
    """What the marks of a heat map mean; empty where it has none."""
    notes = []
    if unmeasured(table):
        notes.append("hatched: not measured")
    if not all(cell.adjusted for cell in table.cells):
        notes.append("*: plain mean, not separable from the other factors")
    return f" {'; '.join(notes)}" if notes else ""


def ranking(axes: Axes, points: Sequence[RankedPoint], scale: float, colour: Colour) -> None:
    """Estimates with their intervals, a row each, the first on top; and predictions where there are any."""
    for kind, name, marker, words in _KINDS:
        rows = [place for place, point in enumerate(points) if point.tied == kind]
        if rows:
            axes.errorbar(
                [points[row].value / scale for row in rows],
                rows,
                xerr=_reach([points[row] for row in rows], scale),
                fmt=marker,
                color=colour(name),
                markersize=5.5,
                elinewidth=1.6,
                capsize=3,
                label=words,
            )
    predicted = [(point.predicted / scale, place) for place, point in enumerate(points) if point.predicted is not None]
    if predicted:
        across, down = zip(*predicted, strict=True)
        edge = colour(svg.PREDICTED)
        axes.plot(across, down, "D", mfc="none", mec=edge, mew=1.2, ms=8.5, ls="none", label="predicted")
    axes.set_yticks(range(len(points)), [point.label for point in points])
    axes.set_ylim(len(points) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    values = [point.value for point in points]
    if min(values) < 0.6 * max(values):  # otherwise zero would hide the intervals
        axes.set_xlim(left=0)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, handletextpad=0.3, columnspacing=1.2)


def latency(axes: Axes, curves: Sequence[LatencyCurve], colour: Colour) -> None:
    """Share of I/Os that took longer than the latency on the x axis; both axes logarithmic."""
    import numpy as np
    from matplotlib.ticker import FuncFormatter, LogLocator

    largest = max(curve.bins_ns[-1] for curve in curves)
    scale, unit = scale_of("lat_ns", largest / 10)
    least = min(0.5, *(1 / sum(curve.counts) for curve in curves))
    for curve, name, dashes in zip(curves, svg.LINES, DASHES, strict=False):
        counts = np.array(curve.counts, dtype=float)
        # Beyond the slowest I/O nothing is left: off the axis.
        slower = np.clip(1 - np.cumsum(counts) / counts.sum(), 1e-12, None)
        across = np.array(curve.bins_ns) / scale
        axes.step(across, slower, where="post", color=colour(name), ls=dashes, lw=1.8, label=curve.label)
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


def _reach(points: Sequence[RankedPoint], scale: float) -> tuple[list[float], list[float]]:
    """Distances from the estimate to the ends of its interval; zero where there is none."""
    down = [(point.value - (point.low if point.low is not None else point.value)) / scale for point in points]
    up = [((point.high if point.high is not None else point.value) - point.value) / scale for point in points]
    return down, up
