"""``stripelab plot``: plots of a store as SVG and PNG files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import emit_json, note, say


class Kind(StrEnum):
    """What is drawn."""

    RANKING = "ranking"
    EFFECTS = "effects"
    HEATMAP = "heatmap"
    INTERACTION = "interaction"
    PARETO = "pareto"
    SERIES = "series"
    LATENCY = "latency"
    MEMBERS = "members"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("plot")(plot)


def plot(
    store: Annotated[Path, typer.Argument(help="Result store.")],
    kind: Annotated[Kind, typer.Option("--kind", help="What to draw.")],
    x: Annotated[str | None, typer.Option("--x", help="Factor across, or figure of a Pareto plot.")] = None,
    y: Annotated[str | None, typer.Option("--y", help="Factor down (or lines), or figure of a Pareto plot.")] = None,
    workload: Annotated[
        str | None, typer.Option("--workload", help="Workload; that of the sweep's first objective.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Figure, such as iops or lat_p99_ns; the objective's.")
    ] = None,
    point: Annotated[
        list[str] | None,
        typer.Option("--point", help="Id of a point, its beginning, or its label; may be given again."),
    ] = None,
    direction: Annotated[
        str | None, typer.Option("--direction", help="Of latency: read, write, sync or commit alone.")
    ] = None,
    margin_pct: Annotated[
        float, typer.Option("--margin-pct", help="Of a ranking: smaller differences are not worth acting on.")
    ] = 5.0,
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", help="File to write, .svg or .png; may be given again. KIND.svg."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Draw one plot of a store: ranking, effects, heatmap, interaction, pareto, series, latency or members.

    The same store gives the same bytes. What was not measured on real disks is marked in the plot.
    """
    from results import outfile
    from results.plotting import Question, draw, encode
    from results.store.query import load

    files = output or [Path(f"{kind.value}.svg")]
    for file in files:
        if file.suffix not in {".svg", ".png"}:
            raise typer.BadParameter(f"{file} ends neither in .svg nor in .png", param_hint="-o")
        outfile.check(file)
    question = Question(kind.value, workload, metric, x, y, tuple(point or ()), direction, margin_pct)
    drawing, virtual = draw(load(store, tables=("observations",)), question)
    sizes = [_write(file, encode(drawing, file.suffix[1:])) for file in files]
    if as_json:
        written = [{"path": str(file), "bytes": size} for file, size in zip(files, sizes, strict=True)]
        emit_json(
            {
                "kind": kind.value,
                "title": drawing.title,
                "description": drawing.description,
                "virtual": virtual,
                "files": written,
            }
        )
        return
    for file, size in zip(files, sizes, strict=True):
        say(f"{file} ({size / 1024:.0f} KiB)")
    if virtual:
        note("NOT REAL HARDWARE: drawn from the virtual lab or loop devices, and marked so")


def _write(file: Path, content: bytes) -> int:
    from results import outfile

    outfile.write(file, content)
    return len(content)
