"""``stripelab guarantee``: a bound on future runs, the share of runs that meets it, and its conditions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_stderr

if TYPE_CHECKING:
    from results.guarantee import Guarantee, Question

NO = 1


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("guarantee")(guarantee)


def guarantee(
    store: common.Store,
    workload: common.Workload = None,
    point: common.Point = None,
    metric: common.Metric = None,
    direction: common.Direction = None,
    share: common.Share = 0.99,
    coverage: common.Coverage = None,
    confidence: common.Confidence = 0.95,
    bound: common.Bound = None,
    chosen_beforehand: common.ChosenBeforehand = False,
    limit_to_day: common.LimitToDay = False,
    demonstration: common.Demonstration = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="File to write: the report for .html and .pdf, else the contract as text.",
        ),
    ] = None,
    as_json: common.Json = False,
) -> None:
    """State a bound that a share of future runs will meet.

    The statement has a confidence and conditions. Exit status 1: the evidence is insufficient, or --bound is not met.
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
    answer = judge.guarantee(store, question)
    if as_json:
        emit_json({**answer.to_json(), "text": judge.contract(answer)})
    else:
        print_line(_terminal_text(answer).rstrip())
    if output is not None:
        _write(answer, question, store, output)
    if not answer.holds:
        raise typer.Exit(NO)


def _terminal_text(answer: Guarantee) -> str:
    """The text of the contract, no wider than the terminal."""
    from bench.cli.terminal_table import terminal_columns
    from results.guarantee.text import WIDTH, contract

    return contract(answer, max(40, min(WIDTH, terminal_columns())) if sys.stdout.isatty() else WIDTH)


def _write(answer: Guarantee, question: Question, store: Path, output: Path) -> None:
    """Write the contract; for a refusal or a bound that is not met there is no file that somebody might sign."""
    from results import outfile
    from results.guarantee import contract
    from results.report import HTML, PDF, write

    if not answer.holds:
        print_stderr(f"{output} was not written: there is no guarantee to sign")
        return
    if output.suffix.lower() in HTML | PDF:
        write(store, output, question=question)
    else:
        outfile.write(output, contract(answer).encode())
    print_stderr(f"written: {output}")
