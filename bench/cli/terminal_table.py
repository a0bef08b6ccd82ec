"""Tables on a terminal, and the same tables as plain lines where there is no terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.cli.output import print_line
from results.text import plain

_GAP = 3  # between columns of rich's tables


@dataclass(frozen=True)
class TerminalTable:
    """A table for people; ``right`` tells which columns are right-aligned, ``marked`` are the rows to highlight.

    Cells are wrapped in the ``wrapped`` columns alone. Where a terminal is too narrow, ``optional`` columns are left
    out, in the order given, and a line names them. ``title`` is printed above the table.
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
        """Clean every cell before the layout: columns are as wide as what is shown."""
        object.__setattr__(self, "headers", tuple(map(plain, self.headers)))
        object.__setattr__(self, "rows", tuple(tuple(map(plain, row)) for row in self.rows))
        object.__setattr__(self, "title", plain(self.title))


def print_table(table: TerminalTable) -> None:
    """Print with rich on a terminal, as columns of plain text elsewhere."""
    if sys.stdout.isatty():
        print_rich_table(table)
        return
    if table.title:
        print_line(table.title)
    for line in table_lines(table):
        print_line(line)


def table_lines(table: TerminalTable, indent: str = "  ") -> list[str]:
    """The header and the rows as plain lines; columns are as wide as their widest cell."""
    rows = [table.headers, *table.rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        indent
        + "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, table.right, strict=True)
        ).rstrip()
        for row in rows
    ]


def record_lines(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A block of lines per row, for tables that are wider than the screen."""
    width = max((len(name) for name in headers), default=0)
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        lines.append(f"── row {number} {'─' * 20}")
        lines += [f"{name.ljust(width)}  {cell}" for name, cell in zip(headers, row, strict=True)]
    return lines


def terminal_columns() -> int:
    """Width of the terminal."""
    return shutil.get_terminal_size().columns


def drop_optional_columns(table: TerminalTable, columns: int) -> tuple[TerminalTable, tuple[str, ...]]:
    """The table without the optional columns that do not fit into ``columns``, and their names."""
    left_out: list[str] = []
    for name in (name for name in table.optional if name in table.headers):
        if _min_width(table) <= columns:
            break
        table = _without(table, name)
        left_out.append(name)
    return table, tuple(left_out)


def wrap_headers(table: TerminalTable, columns: int) -> tuple[str, ...]:
    """Headers on one line where all of them fit into ``columns``, else wrapped as narrow as necessary."""
    room = columns - _min_width(table)
    wrapped = []
    for index, header in enumerate(table.headers):
        width = _column_width(table, index)
        halves = textwrap.wrap(header, max(width, len(header) // 2))
        narrowest = textwrap.wrap(header, width)
        for lines in ([header], halves, narrowest):
            excess = max(map(len, lines), default=0) - width
            if excess <= max(0, room):
                room -= max(0, excess)
                wrapped.append("\n".join(lines))
                break
    return tuple(wrapped)


def _min_width(table: TerminalTable) -> int:
    """Columns of a terminal that a table needs at least: headers and cells of ``wrapped`` columns may be wrapped."""
    return sum(_column_width(table, index) + _GAP for index in range(len(table.headers)))


def _column_width(table: TerminalTable, index: int) -> int:
    header = table.headers[index]
    words = [len(word) for word in header.split()]
    cells = [] if header in table.wrapped else [len(row[index]) for row in table.rows]
    return max([*words, *cells, 1])


def _without(table: TerminalTable, name: str) -> TerminalTable:
    index = table.headers.index(name)

    def others(cells: Sequence[Any]) -> tuple[Any, ...]:
        return (*cells[:index], *cells[index + 1 :])

    return replace(
        table, headers=others(table.headers), right=others(table.right), rows=tuple(others(row) for row in table.rows)
    )


def print_rich_table(table: TerminalTable, *, edge: bool = True) -> None:
    """Print on a terminal; ``edge`` is a blank line above and below."""
    from rich import box
    from rich.table import Table

    from bench.console import Screen, text

    console = Screen()
    shown, left_out = drop_optional_columns(table, console.width)
    rich_table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=edge,
        title=text(shown.title) if shown.title else None,
        title_justify="left",
    )
    headers = wrap_headers(shown, console.width)
    for index, (header, right) in enumerate(zip(shown.headers, shown.right, strict=True)):
        rich_table.add_column(
            text(headers[index]), justify="right" if right else "left", no_wrap=header not in shown.wrapped
        )
    for index, row in enumerate(shown.rows):
        rich_table.add_row(*map(text, row), style=shown.mark_style if index in shown.marked else None)
    console.print(rich_table)
    if left_out:
        console.print(f"(columns left out on this narrow terminal: {', '.join(left_out)})", style="dim")
