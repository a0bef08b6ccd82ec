"""The outcome of a night on the terminal: a coloured table, or plain lines where there is no terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.cli.output import print_line, wrap
from results.nightly import words
from results.nightly.answer import (
    DRIFT,
    IMPROVEMENT,
    KNOWN,
    NO_VERDICT,
    OK,
    RECOVERED,
    REGRESSION,
    TONIGHT,
    UNCONFIRMED,
)
from results.runs.changes import changed_text
from results.text import plain

if TYPE_CHECKING:
    from rich.console import Console

    from results.nightly.answer import Nightly

STYLES = {
    REGRESSION: "bold red",
    DRIFT: "bold yellow",
    TONIGHT: "bold yellow",
    UNCONFIRMED: "yellow",
    KNOWN: "magenta",
    RECOVERED: "bold green",
    NO_VERDICT: "dim",
    IMPROVEMENT: "bold green",
    OK: "green",
}

_MIN_COLUMNS = 76
"""Width of a terminal from which figures are not wrapped."""


def print_night(night: Nightly) -> None:
    """Print the outcome of a night on stdout."""
    if sys.stdout.isatty():
        from bench.console import Screen

        print_rich_night(night, Screen())
    else:
        for line in night_lines(night):
            print_line(line)


def print_rich_night(night: Nightly, console: Console) -> None:
    """Print with colours; the table is as wide as the terminal, and long names are wrapped."""
    from rich import box
    from rich.panel import Panel
    from rich.table import Table

    from bench.console import text

    if night.notice:
        console.print(Panel(text(plain(night.notice)), style="bold yellow", box=box.HEAVY))
    console.print(text(words.headline(night), "bold red" if night.regressions else "bold"))
    for line in _problems(night):
        console.print(text(line, "bold red"))
    if night.verdicts:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for header, right in zip(words.HEADERS, words.RIGHT, strict=True):
            no_wrap = right and console.width >= _MIN_COLUMNS  # a wrapped interval is hard to read, a name is not
            table.add_column(header, justify="right" if right else "left", overflow="fold", no_wrap=no_wrap)
        ordered = night.ordered()
        for verdict, row in zip(ordered, words.rows(ordered), strict=True):
            style = STYLES[verdict.word]
            table.add_row(text(row[0], style), *map(text, row[1:]))
        console.print(table)
    for line in _detail_lines(night)[1:]:  # the table ends with a blank line
        console.print(text(wrap(line, console.width)))


def night_lines(night: Nightly) -> tuple[str, ...]:
    """The outcome as plain lines, not wrapped; columns are as wide as their widest cell."""
    lines = [f"!!! {plain(night.notice)}"] if night.notice else []
    lines += [words.headline(night), *_problems(night), ""]
    table = [words.HEADERS, *words.rows(night.ordered())]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for row in table if night.verdicts else ():
        cells = zip(row, widths, words.RIGHT, strict=True)
        lines.append("  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells))
    return tuple(line.rstrip() for line in (*lines, *_detail_lines(night)))


def _problems(night: Nightly) -> list[str]:
    return [f"problem: {plain(problem)}" for problem in night.problems]


def _detail_lines(night: Nightly) -> list[str]:
    """The lines below the table: reasons, broken bounds, changes, facts about the night."""
    lines = []
    for verdict in night.ordered():
        if words.noteworthy(verdict):
            lines += ["", f"{verdict.word}: {plain(verdict.metric.name)}"]
            lines += [f"    {line}" for line in words.details(verdict)]
    for verdict, bound in words.broken(night):
        if not words.noteworthy(verdict):
            lines.append(f"{plain(verdict.metric.name)}: {words.watched_text(verdict.metric.figure, bound)}")
    if night.changes:
        lines += ["", "Changed since the baseline:", *(f"    {changed_text(change)}" for change in night.changes)]
    return [*lines, "", *(f"{name}: {value}" for name, value in words.facts(night))]
