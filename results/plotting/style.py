"""One style for plots that are files: the report's colours on white, units on every axis, the same bytes each time.

Colours are Okabe and Ito's (Color Universal Design, 2008), darkened for contrast on white as in the report's style
sheet; heat maps use cividis (Nuñez, Anderton and Renslow 2018).  No plot relies on colour alone: lines differ in
their dashes, points in their marks, and cells carry their figures.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from results.errors import ResultsError
from results.plotting import svg
from results.plotting.inline import VIRTUAL_MARK
from results.text import plain
from stripelab.metrics import metric_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")

ON_WHITE: Mapping[str, str] = {
    svg.INK: "#16202b",
    svg.MUTED: "#52606d",
    svg.GRID: "#dfe4ea",
    svg.TIED: "#0072b2",
    svg.NEAR: "#8f6400",
    svg.REST: "#6b7681",
    svg.PREDICTED: "#b34700",
    svg.WARNING: "#9a3d00",
    svg.PAPER: "#ffffff",
    **dict(zip(svg.LINES, ("#0072b2", "#b34700", "#00785a", "#a34f85", "#16202b", "#8f6400"), strict=True)),
}
"""Colours of the report's style sheet in its light theme."""

LINES = tuple(ON_WHITE[colour] for colour in svg.LINES)
MARKS = ("o", "s", "^", "D", "v", "P")
MOST_LINES = len(LINES)
"""Most lines of a plot: beyond that nobody can tell them apart."""

PNG_DOTS_PER_INCH = 200


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure, what it shows in words, and the trials' substrate if it is no real disk."""

    figure: Figure
    title: str
    description: str


def styled(draw: Callable[Arguments, Drawing]) -> Callable[Arguments, Drawing]:
    """A plot drawn in our style, whatever the user's matplotlib is set to."""

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Drawing:
        with _our_style():
            return draw(*args, **kwargs)

    return drawn


@contextmanager
def _our_style() -> Iterator[None]:
    import matplotlib as mpl

    style = {key: ON_WHITE.get(value, value) if isinstance(value, str) else value for key, value in _STYLE.items()}
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(style)
        yield


_STYLE: Mapping[Any, Any] = {**svg.STYLE, "figure.facecolor": svg.PAPER, "savefig.facecolor": svg.PAPER}


def colour(name: str) -> str:
    """The colour on white of one of the names of :mod:`results.plotting.svg`."""
    return ON_WHITE[name]


def canvas(width_in: float, height_in: float, *, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure with ``columns`` axes beside each other, sizes in inches."""
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(width_in, height_in), layout="constrained")
    return figure, [figure.add_subplot(1, columns, place + 1) for place in range(columns)]


def axis(metric: str, unit: str) -> str:
    """The label of an axis with its unit."""
    return f"{metric_name(metric)}, {unit}" if unit else metric_name(metric)


def title(axes: Axes, text: str) -> None:
    """A heading on the left."""
    axes.set_title(text, fontsize=10.5, loc="left")


def legend_beside(axes: Axes, heading: str | None = None) -> None:
    """A legend to the right of the axes."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title=heading, alignment="left")


def mark(figure: Figure, *, virtual: bool) -> None:
    """The loud mark of what was not measured on real disks."""
    if virtual:
        figure.supxlabel(VIRTUAL_MARK, x=0.995, ha="right", color=colour(svg.WARNING), fontsize=7.5, fontweight="bold")


def encode(drawing: Drawing, form: str) -> bytes:
    """A drawing as the bytes of an ``svg`` or ``png`` file; nothing of the time or the machine is in them.

    Raises:
        ResultsError: another form.
    """
    if form not in {"svg", "png"}:
        raise ResultsError(f"a plot is written as .svg or .png, not as .{form}", remedy="Name such a file with -o.")
    with _our_style():
        return _svg(drawing) if form == "svg" else _png(drawing)


def _svg(drawing: Drawing) -> bytes:
    text = svg.inline(drawing.figure, "plot", drawing.title, drawing.description)
    text = text.replace("<svg ", '<svg font-family="sans-serif" ', 1)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def _png(drawing: Drawing) -> bytes:
    sink = io.BytesIO()
    svg.clean(drawing.figure)
    words = {"Software": None, "Title": plain(drawing.title), "Description": plain(drawing.description)}
    drawing.figure.savefig(sink, format="png", dpi=PNG_DOTS_PER_INCH, metadata=words)
    return sink.getvalue()
