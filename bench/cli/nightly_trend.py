"""``stripelab nightly trend``: every metric over the nights, as one small HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("trend")(trend)


def trend(
    store: common.NightStore,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="File to write, .html.")],
    as_json: common.Json = False,
) -> None:
    """Draw every metric over the nights as an HTML page.

    The page has verdicts, change points, baselines and changes of the machine. `stripelab report` has the same chapter
    and every trial, and so grows large over the years.
    """
    from results.report.nights_alone import write_nights

    written = write_nights(store, output)
    if as_json:
        emit_json(
            {"page": str(output), "bytes": written.size_bytes, "metrics": written.metrics, "nights": written.nights}
        )
        return
    print_line(f"{output} ({written.size_bytes / 1024:.0f} KiB): {written.metrics} metrics, {written.nights} nights")
    if written.notice:
        print_line(written.notice)
