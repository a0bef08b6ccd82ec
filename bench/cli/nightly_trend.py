"""``stripelab nightly trend``: every metric over the nights, as one light HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import emit_json, say


def register(group: typer.Typer) -> None:
    """Add the verb."""
    group.command("trend")(trend)


def trend(
    store: Annotated[Path, typer.Argument(help="Store of the nights.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write, .html.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Draw each metric over the nights with its verdicts, change points, baselines and what changed.

    The same chapter stands in `stripelab report`, which has every trial too and is heavy after years.
    """
    from results.report.nights_alone import write_nights

    written = write_nights(store, output)
    if as_json:
        emit_json(
            {"page": str(output), "bytes": written.size_bytes, "metrics": written.metrics, "nights": written.nights}
        )
        return
    say(f"{output} ({written.size_bytes / 1024:.0f} KiB): {written.metrics} metrics, {written.nights} nights")
    if written.notice:
        say(written.notice)
