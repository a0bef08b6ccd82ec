"""Drawings beside those of :mod:`results.plotting.inline`: the Pareto front and the balance of the disks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from results.estimates.pareto import Front, ParetoPoint
from results.plotting import svg
from results.plotting.inline import axis_text, canvas, mark, styled
from results.recommendation.answer import JointAnswer
from results.runs.balance import MemberLoad
from stripelab.metrics import scale_of
from stripelab.units import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SHARES = 20
"""Candidates in the drawing of shares."""
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_MOST_NAMED = 15
_APART_PT = (26, 11)
"""How far apart two numbers must be in either direction, points."""


@styled
def front(name: str, found: Front, across: int, upward: int, *, virtual: bool) -> str:
    """Every point by two objectives, those on the front filled and numbered as in the table."""
    figure, axes = canvas(7.6, 4.0)
    metrics = [found.metrics[place] for place in (across, upward)]
    every = (*found.points, *found.beaten)
    scales = [
        scale_of(metric, max(point.values[place] for point in every))
        for metric, place in zip(metrics, (across, upward), strict=True)
    ]

    def where(points: Sequence[ParetoPoint]) -> tuple[list[float], list[float]]:
        return (
            [point.values[across] / scales[0][0] for point in points],
            [point.values[upward] / scales[1][0] for point in points],
        )

    if found.beaten:
        axes.plot(*where(found.beaten), "^", color=svg.REST, mfc="none", ms=5.5, label="beaten by another point")
    axes.plot(*where(found.points), "o", color=svg.TIED, ms=7, label="on the front")
    said = [
        f"{_of(found, place)}{axis_text(metric, unit)} ({'more' if found.maximise[place] else 'less'} is better)"
        for metric, (_, unit), place in zip(metrics, scales, (across, upward), strict=True)
    ]
    axes.set_xlabel(said[0])
    axes.set_ylabel(said[1])
    axes.margins(0.06, 0.1)
    _numbered(axes, *where(found.points))
    axes.grid()
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, handletextpad=0.3, columnspacing=1.2)
    mark(figure, virtual=virtual)
    title = f"Pareto front: {found.name(across)} and {found.name(upward)}"
    return svg.inline(
        figure, name, title, f"{len(found.points)} of {found.of_points} points. The table below has the figures."
    )


def _of(found: Front, place: int) -> str:
    """The workload before an axis' words, where a front is over several."""
    return f"{found.workloads[place]}: " if found.workloads and found.workloads[place] else ""


@styled
def shares(name: str, joint: JointAnswer, workloads: Sequence[str], *, virtual: bool) -> str:
    """Each candidate's share of every workload's best, a row each; a line spans from its worst to its best share."""
    points = joint.points[:MOST_SHARES]
    figure, axes = canvas(7.6, 1.2 + 0.3 * len(points))
    rows = range(len(points))
    for row, point in zip(rows, points, strict=True):
        own = [each.share_pct for each in point.shares]
        axes.plot([min(own), max(own)], [row, row], color=svg.MUTED, lw=1, zorder=1)
    for place, workload in enumerate(workloads):
        own = [point.shares[place].share_pct for point in points]
        marker, colour = _MARKERS[place % len(_MARKERS)], svg.LINES[place % len(svg.LINES)]
        axes.plot(own, rows, marker, color=colour, ms=7, ls="none", label=workload)
    axes.set_yticks(
        rows, [point.label + ("  (recommended)" if point.point_id == joint.recommended else "") for point in points]
    )
    axes.set_ylim(len(points) - 0.4, -0.6)
    axes.set_xlim(left=0, right=104)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel("share of the workload's best, %")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, handletextpad=0.3, columnspacing=1.2)
    mark(figure, virtual=virtual)
    said = "; ".join(f"{point.label}: {number(point.score_pct)} %" for point in points[:5])
    return svg.inline(figure, name, "Shares of each workload's best", f"Score of the first candidates: {said}.")


def _numbered(axes: Axes, across: Sequence[float], upward: Sequence[float]) -> None:
    """The first points' numbers above them, where one would not lie on another."""
    axes.get_xlim(), axes.get_ylim()  # limits are computed when they are asked for, and places follow from them
    taken: list[tuple[float, float]] = []
    for place, spot in enumerate(zip(across[:_MOST_NAMED], upward[:_MOST_NAMED], strict=True), start=1):
        x, y = (float(each) / axes.figure.dpi * 72 for each in axes.transData.transform(spot))
        if all(abs(x - left) >= _APART_PT[0] or abs(y - up) >= _APART_PT[1] for left, up in taken):
            taken.append((x, y))
            axes.annotate(
                str(place), spot, xytext=(0, 5), textcoords="offset points", fontsize=8.5, ha="center", va="bottom"
            )


@styled
def balance(name: str, loads: Sequence[MemberLoad], *, virtual: bool) -> str:
    """How busy each disk was, and its share of the bytes over an even one; per cent."""
    figure, axes = canvas(7.6, 1.2 + 0.3 * len(loads))
    rows = range(len(loads))
    busy = [(load.util_pct, row) for row, load in zip(rows, loads, strict=True) if load.util_pct is not None]
    share = [(100 * load.share, row) for row, load in zip(rows, loads, strict=True) if load.share is not None]
    axes.axvline(100, color=svg.MUTED, lw=1, ls=":")
    for pairs, marker, colour, words in (
        (busy, "s", svg.LINES[1], "busy, % of the time"),
        (share, "o", svg.LINES[0], "bytes moved, % of an even share"),
    ):
        if pairs:
            values, places = zip(*pairs, strict=True)
            axes.plot(values, places, marker, color=colour, ms=7, ls="none", label=words)
    named = [f"{load.disk_id}{'  SLOW' if load.slow else ''}" for load in loads]
    axes.set_yticks(rows, named)
    axes.set_ylim(len(loads) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel("per cent")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, handletextpad=0.3, columnspacing=1.2)
    mark(figure, virtual=virtual)
    said = "; ".join(
        f"{load.disk_id}: busy {number(load.util_pct or 0)} %, share {number(100 * (load.share or 0))} %"
        for load in loads
    )
    return svg.inline(figure, name, "Balance of the member disks", f"{said}.")
