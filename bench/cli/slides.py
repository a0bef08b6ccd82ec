"""Tables on a terminal that one would put on a slide, and the same as plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.cli.output import say
from results.text import plain

_GAP = 3  # between columns of rich's tables


@dataclass(frozen=True)
class Slide:
    """A table for people; ``right`` are the columns set to the right, ``marked`` the rows that stand out.

    Cells are not wrapped, but for those of ``wrapped`` columns; where a terminal is too narrow ``optional`` columns are
    left out, the first first, and a line says so.  ``title`` stands above it.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    marked: Collection[int] = ()
    wrapped: Collection[str] = ()
    optional: tuple[str, ...] = ()
    title: str = ""
    mark_style: str = "bold green"

    def __post_init__(self) -> None:
        """Clean every word before it is laid out: columns are as wide as what is shown."""
        object.__setattr__(self, "headers", tuple(map(plain, self.headers)))
        object.__setattr__(self, "rows", tuple(tuple(map(plain, row)) for row in self.rows))
        object.__setattr__(self, "title", plain(self.title))


def show(slide: Slide) -> None:
    """With rich on a terminal, as columns of plain text elsewhere."""
    if sys.stdout.isatty():
        show_rich(slide)
        return
    if slide.title:
        say(slide.title)
    for line in lines(slide):
        say(line)


def lines(slide: Slide, indent: str = "  ") -> list[str]:
    """Columns as wide as their widest cell."""
    rows = [slide.headers, *slide.rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        indent
        + "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, slide.right, strict=True)
        ).rstrip()
        for row in rows
    ]


def records(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A block of lines for each row: what is wider than a screen reads better so."""
    width = max((len(name) for name in headers), default=0)
    found: list[str] = []
    for number, row in enumerate(rows, start=1):
        found.append(f"── row {number} {'─' * 20}")
        found += [f"{name.ljust(width)}  {cell}" for name, cell in zip(headers, row, strict=True)]
    return found


def screen_columns() -> int:
    """Width of the terminal."""
    return shutil.get_terminal_size().columns


def fitting(slide: Slide, columns: int) -> tuple[Slide, tuple[str, ...]]:
    """The table without the optional columns for which a terminal has no room, and these."""
    left_out: list[str] = []
    for name in (name for name in slide.optional if name in slide.headers):
        if _needed(slide) <= columns:
            break
        slide = _without(slide, name)
        left_out.append(name)
    return slide, tuple(left_out)


def headers_within(slide: Slide, columns: int) -> tuple[str, ...]:
    """Headers as they are where there is room for all of them together, else in lines as narrow as need be."""
    left = columns - _needed(slide)
    found = []
    for place, header in enumerate(slide.headers):
        width = _width(slide, place)
        halves = textwrap.wrap(header, max(width, len(header) // 2))
        narrowest = textwrap.wrap(header, width)
        for lines_of_it in ([header], halves, narrowest):
            more = max(map(len, lines_of_it), default=0) - width
            if more <= max(0, left):
                left -= max(0, more)
                found.append("\n".join(lines_of_it))
                break
    return tuple(found)


def _needed(slide: Slide) -> int:
    """Columns of a terminal that a table takes at least: headers may be wrapped, and so may some cells."""
    return sum(_width(slide, place) + _GAP for place in range(len(slide.headers)))


def _width(slide: Slide, place: int) -> int:
    header = slide.headers[place]
    words = [len(word) for word in header.split()]
    cells = [] if header in slide.wrapped else [len(row[place]) for row in slide.rows]
    return max([*words, *cells, 1])


def _without(slide: Slide, name: str) -> Slide:
    place = slide.headers.index(name)

    def rest(cells: Sequence[Any]) -> tuple[Any, ...]:
        return (*cells[:place], *cells[place + 1 :])

    return replace(
        slide, headers=rest(slide.headers), right=rest(slide.right), rows=tuple(rest(row) for row in slide.rows)
    )


def show_rich(slide: Slide) -> None:
    """On a terminal."""
    from rich import box
    from rich.table import Table

    from bench.console import Screen, text

    console = Screen()
    shown, left_out = fitting(slide, console.width)
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=text(shown.title) if shown.title else None, title_justify="left"
    )
    headers = headers_within(shown, console.width)
    for place, (header, right) in enumerate(zip(shown.headers, shown.right, strict=True)):
        table.add_column(
            text(headers[place]),
            justify="right" if right else "left",
            no_wrap=header not in shown.wrapped,
        )
    for place, row in enumerate(shown.rows):
        table.add_row(*map(text, row), style=shown.mark_style if place in shown.marked else None)
    console.print(table)
    if left_out:
        console.print(f"(no room for: {', '.join(left_out)}; a wider terminal has them)", style="dim")
