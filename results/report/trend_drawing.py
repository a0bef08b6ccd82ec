"""Drawings of nights: one metric in full, or many small ones beside each other.

Verdicts differ in the shape of their mark, baselines are areas, changes are lines with a number: nothing is told by
colour alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from results.nightly import answer, words
from results.nightly.trend import Entry, Happening, Trend
from results.plotting import svg
from results.plotting.inline import axis_text, mark, styled
from results.text import plain
from stripelab.metrics import scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = {
    answer.REGRESSION: ("X", svg.PREDICTED, True, "regression"),
    answer.DRIFT: ("D", svg.NEAR, True, "drift"),
    answer.TONIGHT: ("v", svg.NEAR, True, "tonight only"),
    answer.KNOWN: ("p", svg.PREDICTED, False, "known regression"),
    answer.RECOVERED: ("^", svg.LINES[2], True, "recovered"),
    answer.UNCONFIRMED: ("o", svg.NEAR, False, "unconfirmed"),
    answer.IMPROVEMENT: ("P", svg.LINES[2], True, "improvement"),
    answer.NO_VERDICT: ("x", svg.MUTED, False, "no verdict"),
}
"""Mark, colour, whether it is filled, and its name; a night that is ok is a dot on the line."""

PANELS, ACROSS = 12, 3
"""Small drawings of a figure, and how many of them stand beside each other."""

_WIDTH, _PANEL, _ABOVE, _BELOW, _BESIDE, _FOOT = 8.6, 0.85, 0.38, 0.6, 0.46, 0.02
"""Inches: of the figure, of a panel's height, above the first row, below each row (dates, the next one's names), to the
left of each panel (figures) and at the foot."""

_MOST_DOTS = 200
"""Nights beyond which a dot for each would be a thick line."""

_SMALL, _LARGE = 3.6, 6.0
_PLACES = re.compile(r'\b(?:d|x|y)="[^"]*"')
_MARKS_OF = re.compile(r"(<g(?: clip-path=\"[^\"]*\")?)>\n((?: *<use [^>]*/>\n)+)")
_STYLE = re.compile(r' style="[^"]*"')
_DECIMALS = re.compile(r"(\.\d\d)\d+")


@styled
def large(name: str, trend: Trend, happened: Sequence[tuple[int, Happening]], *, virtual: bool) -> str:
    """A metric over its nights, with the numbers of what happened above it."""
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(8.4, 2.9))
    axes = figure.add_subplot()
    unit = _course(axes, trend, _LARGE)
    _datings(axes, trend)
    for place, (number, each) in enumerate(happened):
        _happened(axes, each, number, place % 2)
    _dates(axes, trend, most=7)
    axes.set_ylabel(axis_text(trend.metric.figure, unit))
    axes.set_xlabel("night (UTC)")
    axes.grid(axis="y")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), handletextpad=0.5, borderaxespad=0.2)
    mark(figure, virtual=virtual)
    return _lean(svg.inline(figure, name, f"{plain(trend.metric.name)} over the nights", said(trend)))


@styled
def small(name: str, trends: Sequence[Trend], happened: Sequence[Happening], *, virtual: bool) -> str:
    """Up to :data:`PANELS` metrics, a panel each; all have the same dates."""
    from matplotlib.figure import Figure as NewFigure

    rows = -(-len(trends) // ACROSS)
    # Places and not a layout engine: that draws every panel three times, to see how large its words are.
    height = _ABOVE + rows * (_PANEL + _BELOW) + _FOOT
    figure = NewFigure(figsize=(_WIDTH, height))
    nights = [entry.night for trend in trends for entry in trend.entries]
    for place, trend in enumerate(trends):
        axes = figure.add_axes(_place(place, height))
        unit = _course(axes, trend, _SMALL)
        for each in happened:
            axes.axvline(_day(each.night), color=svg.MUTED, lw=0.7, ls="-" if each.baseline else ":")
        axes.set_title(_wrapped(trend, unit), fontsize=7, loc="left", pad=3)
        axes.tick_params(labelsize=7)
        axes.grid(axis="y")
        _ticks(axes, min(nights), max(nights), most=3)
        dates = axes.get_xticklabels()
        dates[0].set_horizontalalignment("left")
        dates[-1].set_horizontalalignment("right")
    _mark_small(figure, virtual=virtual)
    title = f"{len(trends)} metrics over the nights"
    return _lean(svg.inline(figure, name, title, "The tables below have the figures.", tight=False))


def _place(place: int, height: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of a panel, as shares of the figure."""
    row, column = divmod(place, ACROSS)
    width = _WIDTH / ACROSS
    bottom = height - _ABOVE - row * (_PANEL + _BELOW) - _PANEL
    return (column * width + _BESIDE) / _WIDTH, bottom / height, (width - _BESIDE - 0.18) / _WIDTH, _PANEL / height


def said(trend: Trend) -> str:
    """The drawing in a sentence, for those who do not see it."""
    nights = [each.night for each in trend.entries]
    known = [each.value for each in trend.entries if each.value is not None]
    name = trend.metric.figure
    parts = [f"{len(nights)} nights, {nights[0]} to {nights[-1]}"]
    if known:
        parts.append(f"from {words.value_text(name, min(known))} to {words.value_text(name, max(known))}")
    counted = ((word, trend.count(word)) for word in answer.WORDS)
    parts += [f"{count} {words.counted(word, count)}" for word, count in counted if count]
    parts += [f"changed {words.since_text(each)}" for each in trend.datings]
    return f"{'; '.join(parts)}. The table below has the figures."


def _course(axes: Axes, trend: Trend, size: float) -> str:
    """Baselines, values and verdicts; returns the unit of the axis."""
    known = [each for each in trend.entries if each.value is not None]
    scale, unit = scale_of(trend.metric.figure, max((each.value or 0.0 for each in known), default=1.0))
    _eras(axes, trend, scale)
    days = [_day(each.night) for each in known]
    dotted = len(known) <= _MOST_DOTS
    values = [(each.value or 0.0) / scale for each in known]
    marker = "o" if dotted else "none"
    axes.plot(days, values, color=svg.LINES[0], lw=0.9 if dotted else 0.45, marker=marker, ms=size / 2.4, label="night")
    for word, (shape, colour, filled, label) in MARKS.items():
        own = [each for each in trend.entries if each.word == word and _shown(each, trend)]
        _marks(axes, [each for each in own if each.value is not None], scale, (shape, colour, filled, label), size)
        _at_the_foot(axes, [each for each in own if each.value is None], (shape, colour, label if not own else ""))
    broken = [each for each in trend.entries if each.broken and each.value is not None]
    _marks(axes, broken, scale, ("s", svg.WARNING, False, "broke a guarantee"), size * 1.7)
    return unit


def _shown(entry: Entry, trend: Trend) -> bool:
    """Whether a verdict is marked: not where there is none because there was no baseline, or it is part of one."""
    if entry.word != answer.NO_VERDICT:
        return True
    if entry.value is None:
        return entry.verdict is not None and entry.verdict.baseline is not None
    return bool(trend.eras) and not any(era.first <= entry.night <= era.last for era in trend.eras)


def _marks(axes: Axes, nights: Sequence[Entry], scale: float, look: tuple[str, str, bool, str], size: float) -> None:
    """A mark on each of these nights."""
    shape, colour, filled, label = look
    if nights:
        axes.plot(
            [_day(each.night) for each in nights],
            [(each.value or 0.0) / scale for each in nights],
            shape,
            color=colour,
            mfc=colour if filled else "none",
            mew=0.6 if filled else 1.3,
            mec=svg.PAPER if filled else colour,
            ms=size * 1.25,
            label=label,
            zorder=4,
        )


def _at_the_foot(axes: Axes, nights: Sequence[Entry], look: tuple[str, str, str]) -> None:
    """Nights without a figure, on the edge of the drawing."""
    shape, colour, label = look
    if nights:
        days = [_day(each.night) for each in nights]
        where = axes.get_xaxis_transform()
        axes.plot(days, [0.03] * len(days), shape, color=colour, ms=5, transform=where, label=label, zorder=4)


def _eras(axes: Axes, trend: Trend, scale: float) -> None:
    """The nights of each baseline as an area, its mean as a line, and the practical margin around it."""
    for place, era in enumerate(trend.eras):
        shaded = (_day(era.first) - 0.5, _day(era.last) + 0.5)
        first = place == 0
        axes.axvspan(*shaded, color=svg.REST, alpha=0.16, lw=0, label="baseline's nights" if first else None)
        span = (_day(era.first), _day(max(era.until, era.last)))
        if era.margins is not None:
            low, high = (each / scale for each in era.margins)
            label = "practical margin" if first else None
            axes.fill_between(span, low, high, color=svg.TIED, alpha=0.14, lw=0, label=label)
        if era.level is not None:
            label = "baseline's mean" if first else ""
            axes.hlines(era.level / scale, *span, color=svg.INK, lw=1.1, ls="--", label=label, zorder=3)


def _datings(axes: Axes, trend: Trend) -> None:
    """Change points at the upper edge: a mark at the night, a bar over its interval, a line down."""
    where = axes.get_xaxis_transform()
    for place, each in enumerate(trend.datings):
        span = (_day(each.low), _day(each.high))
        label = "change point, interval" if place == 0 else None
        axes.plot(span, (0.96, 0.96), "|-", color=svg.PREDICTED, lw=2.2, ms=8, transform=where, label=label)
        axes.axvline(_day(each.night), color=svg.PREDICTED, lw=1.1, ls="-.")


def _happened(axes: Axes, each: Happening, number: int, step: int) -> None:
    """A line where something changed, with its number above."""
    day = _day(each.night)
    axes.axvline(day, color=svg.MUTED, lw=1.1 if each.baseline else 0.9, ls="-" if each.baseline else ":")
    axes.annotate(
        f"{number}{'B' if each.baseline else ''}",
        (day, 1.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 3 + 9 * step),
        textcoords="offset points",
        ha="center",
        fontsize=7.5,
    )


def _dates(axes: Axes, trend: Trend, *, most: int) -> None:
    nights = [each.night for each in trend.entries]
    _ticks(axes, min(nights), max(nights), most=most)


def _ticks(axes: Axes, first: str, last: str, *, most: int) -> None:
    """ISO dates on the axis, at most so many."""
    begin, end = _day(first), _day(last)
    axes.set_xlim(begin - 1, end + 1)
    count = max(1, min(most - 1, int(end - begin)))
    days = sorted({round(begin + (end - begin) * step / count) for step in range(count + 1)})
    axes.set_xticks(days, [date.fromordinal(day).isoformat() for day in days])


def _day(night: str) -> float:
    """A night as a number, a day apart each; the names of nights are dates."""
    return float(date.fromisoformat(night).toordinal())


def _wrapped(trend: Trend, unit: str) -> str:
    """Two short lines that name a metric and its unit."""
    metric = trend.metric
    directed = f"{metric.workload} {metric.direction}" if metric.direction else metric.workload
    name = f"{_cut(plain(directed), 24)}, {axis_text(metric.figure, unit).replace(' of latency', '')}"
    return f"{name}\n{_cut(plain(metric.label), 40)}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _mark_small(figure: Figure, *, virtual: bool) -> None:
    """The loud mark, below all panels."""
    from results.plotting.inline import VIRTUAL_MARK

    if virtual:
        figure.supxlabel(VIRTUAL_MARK, x=0.995, ha="right", color=svg.WARNING, fontsize=7.5, fontweight="bold")


def _lean(drawn: str) -> str:
    """The same drawing to a hundredth of a point, and marks that look alike said once: years of nights are many."""
    placed = _PLACES.sub(lambda found: _DECIMALS.sub(r"\1", found[0]), drawn)
    return _MARKS_OF.sub(_once, placed)


def _once(found: re.Match[str]) -> str:
    """A group of marks with their style at the group, where it is the same for all."""
    styles = set(_STYLE.findall(found[2]))
    if len(styles) != 1:
        return found[0]
    marks = _STYLE.sub("", found[2])
    return f"{found[1]}{styles.pop()}>\n{marks}"
