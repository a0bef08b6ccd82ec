"""``stripelab recommend``: the settings to use, the confidence in them, and the commands that apply them."""

from __future__ import annotations

import sys
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_stderr, wrap
from results.text import plain, plain_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from results.recommendation.blocks import Block, Table

NO_ANSWER = 1
_INDENT = "    "
_OPTIONAL = ("trials", "usable", "of best", "rank", "survives", "usable capacity")
"""Columns that are left out on a narrow terminal, in this order; the substrate always stays."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("recommend")(recommend)


def recommend(
    store: common.Store,
    workload: common.OnlyWorkload = None,
    margin_pct: common.MarginPct = 5.0,
    require: common.Require = None,
    prefer: common.Prefer = "",
    baseline: common.Baseline = None,
    weight: common.Weight = None,
    full: Annotated[bool, typer.Option("--full", help="Print every ranking, effect, caveat and command.")] = False,
    as_json: common.Json = False,
) -> None:
    """Recommend settings, and print the commands that apply them.

    The answer states how certain it is. Several workloads get one stack for all of them. Exit status 1: the evidence
    is insufficient for a recommendation, or no point is shown to meet the requirements.
    """
    from results.recommendation import full as complete
    from results.recommendation import recommend as judge
    from results.recommendation import summary

    recommendation = judge.recommend(
        store, workload, margin_pct, common.parse_criteria(require, prefer, baseline, weight)
    )
    if as_json:
        for warning in recommendation.warnings:
            print_stderr(f"warning: {warning}")
        emit_json(recommendation.to_json())
    else:
        _print(complete.blocks(recommendation) if full else summary.blocks(recommendation))
    if recommendation.refused:
        raise typer.Exit(NO_ANSWER)


def _print(blocks: Sequence[Block]) -> None:
    """Print with rich on a terminal, as plain lines elsewhere."""
    if sys.stdout.isatty():
        _print_rich(blocks)
    else:
        _print_plain(blocks)


def _print_rich(blocks: Sequence[Block]) -> None:
    """Print on a terminal."""
    from rich import box
    from rich.panel import Panel

    from bench.cli.terminal_table import TerminalTable, print_rich_table
    from bench.console import Screen, text
    from results.recommendation.blocks import CODE, HEADING, LOUD, Text

    console = Screen()
    for block in blocks:
        if not isinstance(block, Text):
            marked = [index for index, is_marked in enumerate(block.marked) if is_marked]
            table = TerminalTable(block.headers, block.rows, block.right, marked, optional=_OPTIONAL)
            print_rich_table(table, edge=False)
            console.print()
        elif block.style == LOUD:
            console.print(Panel(text("\n".join(block.lines)), style="bold yellow", box=box.HEAVY))
        elif block.style == HEADING:
            console.rule(text(plain(" ".join(block.lines)), "bold"), align="left")
        elif block.style == CODE:
            for line in block.lines:  # not wrapped, so that the lines can be copied
                console.print(text(f"{_INDENT}{line}", "cyan"), soft_wrap=True)
            console.print()
        else:
            lines = (wrap(plain_lines(line), console.width) for line in block.lines)
            console.print(text("\n".join(lines)))


def _print_plain(blocks: Sequence[Block]) -> None:
    """Print without colours and without wrapping."""
    from results.recommendation.blocks import BODY, CODE, HEADING, LOUD, Text

    for block, following in zip_longest(blocks, blocks[1:]):
        if not isinstance(block, Text):
            _print_plain_table(block)
        else:
            mark = "!!! " if block.style == LOUD else "== " if block.style == HEADING else ""
            indent = _INDENT if block.style == CODE else ""
            for line in block.lines:
                print_line(f"{mark}{indent}{line}")
            if block.style == HEADING or (
                block.style == BODY and following is not None and not isinstance(following, Text)
            ):
                continue
        print_line()


def _print_plain_table(table: Table) -> None:
    """Print columns as wide as their widest cell."""
    from bench.cli.terminal_table import TerminalTable, table_lines

    for line in table_lines(TerminalTable(table.headers, table.rows, table.right)):
        print_line(line)
