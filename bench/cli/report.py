"""``stripelab report``: the report of a store, as one self-contained HTML file or as a PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import asking
from bench.cli.output import emit_json, prose, say


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report")(report)


def report(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write, .html or .pdf.")],
    margin_pct: asking.MarginPct = 5.0,
    require: asking.Require = None,
    prefer: asking.Prefer = "",
    baseline: asking.Baseline = None,
    demonstration: asking.Demonstration = False,
    nights: Annotated[
        str | None,
        typer.Option(
            "--nights",
            help="Nights to show trial by trial: 30 (the newest), FROM..TO (dates) or all; the newest that fit. "
            "Figures rest on every trial whatever is shown.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a report that needs nothing but a browser, or a PDF with the guarantee on page 1.

    Answer, plots, the guarantee or why there is none, evidence, methods.
    """
    from results.guarantee import Question
    from results.report import write

    written = write(
        store,
        output,
        margin_pct,
        asking.wishes(require, prefer, baseline),
        question=Question(demonstration=demonstration),
        nights=nights,
    )
    if as_json:
        emit_json(
            {
                "report": str(output),
                "bytes": written.size_bytes,
                "substrates": list(written.substrates),
                "virtual": written.virtual,
                "refused": list(written.refused),
                "left_out": list(written.left_out),
            }
        )
        return
    say(f"{output} ({written.size_bytes / 1024:.0f} KiB)")
    for line in (*written.refused, *written.left_out):
        prose(line)
    if written.notice:
        say(written.notice)
