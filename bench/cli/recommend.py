"""``stripelab recommend``: which settings to use, how sure that is, and the commands that set them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import asking
from bench.cli.output import emit_json, note, say, wrapped
from results.text import plain, plain_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from results.recommendation.blocks import Block, Table

NO_ANSWER = 1
_INDENT = "    "
_OPTIONAL = ("trials", "usable", "of best", "rank", "survives", "usable capacity")
"""Columns that a narrow terminal does without, the first first; what it was measured on is always there."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("recommend")(recommend)


def recommend(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    workload: Annotated[str | None, typer.Option("--workload", help="Answer for this workload only.")] = None,
    margin_pct: asking.MarginPct = 5.0,
    require: asking.Require = None,
    prefer: asking.Prefer = "",
    baseline: asking.Baseline = None,
    weight: asking.Weight = None,
    full: Annotated[bool, typer.Option("--full", help="Print every ranking, effect, caveat and command.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say which settings to use, how sure that is, and the commands that apply them.

    Several workloads get one stack for all of them.  Exit status 1 means that the evidence is insufficient for a
    recommendation, or that no point is shown to meet the requirements.
    """
    from results.recommendation import full as whole
    from results.recommendation import recommend as judge
    from results.recommendation import summary

    found = judge.recommend(store, workload, margin_pct, asking.wishes(require, prefer, baseline, weight))
    if as_json:
        for warning in found.warnings:
            note(f"warning: {warning}")
        emit_json(found.to_json())
    else:
        _show(whole.blocks(found) if full else summary.blocks(found))
    if found.refused:
        raise typer.Exit(NO_ANSWER)


def _show(blocks: Sequence[Block]) -> None:
    """With rich on a terminal, as plain lines elsewhere."""
    if sys.stdout.isatty():
        _show_rich(blocks)
    else:
        _show_plain(blocks)


def _show_rich(blocks: Sequence[Block]) -> None:
    """Tables one would put on a slide."""
    from rich import box
    from rich.panel import Panel

    from bench.cli.slides import Slide, show_rich
    from bench.console import Screen, text
    from results.recommendation.blocks import CODE, HEADING, LOUD, Text

    console = Screen()
    after_table = False
    for block in blocks:
        if after_table and isinstance(block, Text):
            console.print()
        after_table = not isinstance(block, Text)
        if not isinstance(block, Text):
            marked = [place for place, stands_out in enumerate(block.marked) if stands_out]
            show_rich(Slide(block.headers, block.rows, block.right, marked, optional=_OPTIONAL))
        elif block.style == LOUD:
            console.print(Panel(text("\n".join(block.lines)), style="bold yellow", box=box.HEAVY))
        elif block.style == HEADING:
            console.rule(text(plain(" ".join(block.lines)), "bold"), align="left")
        elif block.style == CODE:
            for line in block.lines:  # not wrapped: the lines are to be copied
                console.print(text(f"{_INDENT}{line}", "cyan"), soft_wrap=True)
            console.print()
        else:
            lines = (wrapped(plain_lines(line), console.width) for line in block.lines)
            console.print(text("\n".join(lines)))


def _show_plain(blocks: Sequence[Block]) -> None:
    """The same without a terminal: no colours, no wrapping."""
    from results.recommendation.blocks import CODE, HEADING, LOUD, Text

    for block in blocks:
        if not isinstance(block, Text):
            _show_table(block)
        else:
            mark = "!!! " if block.style == LOUD else "== " if block.style == HEADING else ""
            indent = _INDENT if block.style == CODE else ""
            for line in block.lines:
                say(f"{mark}{indent}{line}")
        say()


def _show_table(table: Table) -> None:
    """Columns as wide as their widest cell."""
    from bench.cli.slides import Slide, lines

    for line in lines(Slide(table.headers, table.rows, table.right)):
        say(line)
