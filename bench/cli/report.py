"""``stripelab report``: the report of a store, as one self-contained HTML file or as a PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_paragraph


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report")(report)


def report(
    store: common.Store,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="File to write, .html or .pdf.")],
    margin_pct: common.MarginPct = 5.0,
    require: common.Require = None,
    prefer: common.Prefer = "",
    baseline: common.Baseline = None,
    demonstration: common.Demonstration = False,
    nights: Annotated[
        str | None,
        typer.Option(
            help="Nights to show trial by trial: 30 (newest), DATE, DATE..DATE or all.", show_default="newest that fit"
        ),
    ] = None,
    as_json: common.Json = False,
) -> None:
    """Write an HTML report, or a PDF with the guarantee on page 1.

    It has the answer, plots, the guarantee or the reasons why there is none, evidence and methods. The HTML file needs
    nothing but a browser. Figures rest on every trial, also on those that --nights leaves out.
    """
    from results.guarantee import Question
    from results.report import write

    written = write(
        store,
        output,
        margin_pct,
        common.parse_criteria(require, prefer, baseline),
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
    print_line(f"{output} ({written.size_bytes / 1024:.0f} KiB)")
    for line in (*written.refused, *written.left_out):
        print_paragraph(line)
    if written.notice:
        print_line(written.notice)
