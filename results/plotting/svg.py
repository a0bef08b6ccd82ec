"""Matplotlib figures as SVG that lives inside an HTML page: themed, named, the same bytes every time."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from results.text import plain_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that stand for a variable of the page's style sheet, so that one drawing serves light and
# dark.  Each is a colour that occurs nowhere else.
INK = "#010101"
MUTED = "#010102"
GRID = "#010103"
TIED = "#010104"
NEAR = "#010105"
REST = "#010106"
PREDICTED = "#010107"
WARNING = "#010108"
PAPER = "#010109"
LINES = ("#010111", "#010112", "#010113", "#010114", "#010115", "#010116")

VARIABLES: Mapping[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    TIED: "--tied",
    NEAR: "--near",
    REST: "--rest",
    PREDICTED: "--predicted",
    WARNING: "--loud-ink",
    PAPER: "--paper",
    **{colour: f"--line-{number}" for number, colour in enumerate(LINES, start=1)},
}

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "stripelab",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a name begins no formula
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
}


def clean(figure: Figure) -> None:
    """Clean every text of a figure before it is laid out, names at its ticks included."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    for axes in figure.get_axes():
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter):
                formatter.seq = [plain_lines(name) for name in formatter.seq]
            elif isinstance(formatter, FuncFormatter):  # of ticks that were set with their names
                formatter.func = _cleaned(formatter.func)
    for shown in figure.findobj(Text):
        if isinstance(shown, Text):
            shown.set_text(plain_lines(shown.get_text()))


def _cleaned(names: Callable[..., str]) -> Callable[..., str]:
    """The names that a function gives ticks, cleaned."""
    return lambda value, position=None: plain_lines(names(value, position))


def inline(figure: Figure, name: str, title: str, description: str, *, tight: bool = True) -> str:
    """A figure as an ``<svg>`` element with ids that start with ``name``, a title and a description.

    ``tight`` cuts it to what is drawn, for which it is drawn twice; else it is as large as the figure.
    """
    clean(figure)
    sink = io.StringIO()
    cut: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": 0.08} if tight else {}
    figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None}, **cut)
    text = sink.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    view = re.search(r'viewBox="0 0 ([\d.]+) [\d.]+"', text)
    size = f'{view.group()} width="{float(view.group(1)) * 4 / 3:.0f}"' if view else ""  # points to pixels
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{size} role="img" aria-labelledby="{name}-title {name}-desc">\n'
        f'<title id="{name}-title">{html.escape(plain_lines(title))}</title>\n'
        f'<desc id="{name}-desc">{html.escape(plain_lines(description))}</desc>\n'
    )
    return head + text[text.index(">") + 1 :].lstrip()
