"""Tables on a terminal that one would put on a slide, and the same as plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bench.cli.output import say


@dataclass(frozen=True)
class Slide:
    """A table for people; ``right`` are the columns set to the right, ``marked`` the rows that stand out.

    ``fixed`` are columns that are never wrapped; ``title`` stands above it.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]
    marked: Collection[int] = ()
    fixed: Collection[str] = ()
    title: str = ""
    mark_style: str = "bold green"


def show(slide: Slide) -> None:
    """With rich on a terminal, as columns of plain text elsewhere."""
    if sys.stdout.isatty():
        _show_rich(slide)
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


def _show_rich(slide: Slide) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=slide.title or None, title_justify="left")
    for header, right in zip(slide.headers, slide.right, strict=True):
        table.add_column(header, justify="right" if right else "left", no_wrap=header in slide.fixed)
    for place, row in enumerate(slide.rows):
        table.add_row(*(Text(cell) for cell in row), style=slide.mark_style if place in slide.marked else None)
    Console(highlight=False).print(table)
