"""``stripelab guarantee``: a bound that may be signed, how often it will hold, and under which conditions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import asking
from bench.cli.output import emit_json, note, say

if TYPE_CHECKING:
    from results.guarantee import Guarantee, Question

NO = 1


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("guarantee")(guarantee)


def guarantee(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    workload: asking.Workload = None,
    point: asking.Point = None,
    metric: asking.Metric = None,
    direction: asking.Direction = None,
    share: asking.Share = 0.99,
    coverage: asking.Coverage = None,
    confidence: asking.Confidence = 0.95,
    bound: asking.Bound = None,
    chosen_beforehand: asking.ChosenBeforehand = False,
    limit_to_day: asking.LimitToDay = False,
    demonstration: asking.Demonstration = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File for the contract: text, or (.html, .pdf) the report."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """State what future runs will deliver, with which confidence, in how many of them, under which conditions.

    Exit status 1 means that the evidence does not reach, or that the asked bound is not met.
    """
    from results import guarantee as judge
    from results import outfile

    if output is not None:
        outfile.check(output)
    question = judge.Question(
        workload=workload,
        point=point,
        metric=metric,
        direction=direction,
        share=share,
        coverage=coverage,
        confidence=confidence,
        bound=bound,
        chosen_beforehand=chosen_beforehand,
        limit_to_day=limit_to_day,
        demonstration=demonstration,
    )
    found = judge.guarantee(store, question)
    if as_json:
        emit_json({**found.to_json(), "text": judge.contract(found)})
    else:
        say(_on_screen(found).rstrip())
    if output is not None:
        _write(found, question, store, output)
    if not found.holds:
        raise typer.Exit(NO)


def _on_screen(found: Guarantee) -> str:
    """The text as it is written, but no wider than a terminal."""
    from bench.cli.slides import screen_columns
    from results.guarantee.text import WIDTH, contract

    return contract(found, max(40, min(WIDTH, screen_columns())) if sys.stdout.isatty() else WIDTH)


def _write(found: Guarantee, question: Question, store: Path, output: Path) -> None:
    """Write the contract; a refusal, or a bound that is not met, leaves no file that could be signed."""
    from results import outfile
    from results.guarantee import contract
    from results.report import HTML, PDF, write

    if not found.holds:
        note(f"{output} was not written: there is nothing to sign")
        return
    if output.suffix.lower() in HTML | PDF:
        write(store, output, question=question)
    else:
        outfile.write(output, contract(found).encode())
    note(f"written: {output}")
