"""``stripelab guarantee``: a bound that may be signed, how often it will hold, and under which conditions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import emit_json, note, say

if TYPE_CHECKING:
    from results.guarantee import Guarantee

NO = 1


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("guarantee")(guarantee)


def guarantee(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    workload: Annotated[str | None, typer.Option("--workload", help="Workload; the sweep's first objective.")] = None,
    point: Annotated[
        str | None, typer.Option("--point", help="Id of a design point, or its beginning; the recommended one.")
    ] = None,
    metric: Annotated[str | None, typer.Option("--metric", help="Figure of a second, such as iops.")] = None,
    direction: Annotated[str | None, typer.Option("--direction", help="read or write alone; both together.")] = None,
    share: Annotated[float, typer.Option("--share", help="Share of the 1-second intervals of a run.")] = 0.99,
    coverage: Annotated[
        float | None, typer.Option("--coverage", help="Share P of future runs that is wanted; what the runs give.")
    ] = None,
    confidence: Annotated[float, typer.Option("--confidence", help="Confidence of the statement.")] = 0.95,
    bound: Annotated[
        float | None, typer.Option("--bound", help="Figure that must hold (IOPS, bytes/s or ns): is it met?")
    ] = None,
    chosen_beforehand: Annotated[
        bool, typer.Option("--chosen-beforehand", help="Declare that the point was fixed before its runs were seen.")
    ] = False,
    demonstration: Annotated[
        bool, typer.Option("--demonstration", help="On virtual or loop substrates: show the method, marked throughout.")
    ] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File for the text of the contract.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """State what future runs will deliver, with which confidence, in how many of them, under which conditions.

    Exit status 1 means that the evidence does not reach, or that the asked bound is not met.
    """
    from results import guarantee as judge

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
        demonstration=demonstration,
    )
    found = judge.guarantee(store, question)
    if as_json:
        emit_json({**found.to_json(), "text": judge.contract(found)})
    else:
        say(judge.contract(found).rstrip())
    if output is not None:
        _write(found, judge.contract(found), output)
    if not found.holds:
        raise typer.Exit(NO)


def _write(found: Guarantee, text: str, output: Path) -> None:
    """Write the contract; a refusal, or a bound that is not met, leaves no file that could be signed."""
    from results.errors import ResultsError

    if not found.holds:
        note(f"{output} was not written: there is nothing to sign")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as failure:
        raise ResultsError(
            f"cannot write {output}: {failure.strerror}", remedy="Name a file in a folder that can be written."
        ) from failure
    note(f"written: {output}")
