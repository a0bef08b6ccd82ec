"""A night on the terminal: a table in colours, or plain lines where there is no terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.cli.output import say, wrapped
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


_ROOM = 76
"""Columns of a terminal on which figures stand in one line."""


def show(night: Nightly) -> None:
    """Print the summary of a night on stdout."""
    if sys.stdout.isatty():
        from bench.console import Screen

        show_rich(night, Screen())
    else:
        for line in lines(night):
            say(line)


def show_rich(night: Nightly, console: Console) -> None:
    """With colours; the table is as wide as the terminal, and long names wrap."""
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
            whole = right and console.width >= _ROOM  # an interval in two lines is hard to read; the name wraps for it
            table.add_column(header, justify="right" if right else "left", overflow="fold", no_wrap=whole)
        ordered = night.ordered()
        for verdict, row in zip(ordered, words.rows(ordered), strict=True):
            style = STYLES[verdict.word]
            table.add_row(text(row[0], style), *map(text, row[1:]))
        console.print(table)
    for line in _rest(night)[1:]:  # the table ends with a blank line of its own
        console.print(text(wrapped(line, console.width)))


def lines(night: Nightly) -> tuple[str, ...]:
    """Without colours and without wrapping: the columns are as wide as their widest cell."""
    found = [f"!!! {plain(night.notice)}"] if night.notice else []
    found += [words.headline(night), *_problems(night), ""]
    table = [words.HEADERS, *words.rows(night.ordered())]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for row in table if night.verdicts else ():
        cells = zip(row, widths, words.RIGHT, strict=True)
        found.append("  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells))
    return tuple(line.rstrip() for line in (*found, *_rest(night)))


def _problems(night: Nightly) -> list[str]:
    return [f"problem: {plain(problem)}" for problem in night.problems]


def _rest(night: Nightly) -> list[str]:
    """What stands below the table: reasons, broken bounds, what changed, what the night was."""
    found = []
    for verdict in night.ordered():
        if words.noteworthy(verdict):
            found += ["", f"{verdict.word}: {plain(verdict.metric.name)}"]
            found += [f"    {line}" for line in words.details(verdict)]
    quiet = [(each, bound) for each, bound in words.broken(night) if not words.noteworthy(each)]
    found += [f"{plain(each.metric.name)}: {words.watched_text(each.metric.figure, bound)}" for each, bound in quiet]
    if night.changes:
        found += ["", "Changed since the baseline:", *(f"    {changed_text(each)}" for each in night.changes)]
    return [*found, "", *(f"{name}: {value}" for name, value in words.facts(night))]
