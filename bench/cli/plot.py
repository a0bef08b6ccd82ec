"""``stripelab plot``: plots of a store as SVG and PNG files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import common_options as common
from bench.cli.output import emit_json, print_line, print_stderr


class Kind(StrEnum):
    """A kind of plot."""

    RANKING = "ranking"
    EFFECTS = "effects"
    HEATMAP = "heatmap"
    INTERACTION = "interaction"
    PARETO = "pareto"
    SERIES = "series"
    LATENCY = "latency"
    MEMBERS = "members"


X = Annotated[
    str | None,
    typer.Option(
        help="Factor (or, for pareto, metric) on the x axis.",
        show_default="a factor that varies, or the metric of the objective",
    ),
]
Y = Annotated[
    str | None,
    typer.Option(
        help="Factor (or, for pareto, metric) on the y axis or of the lines.",
        show_default="a factor that varies, or p99 latency or IOPS",
    ),
]
Points = Annotated[
    list[str] | None,
    typer.Option(
        help="Point to draw, given by its label, its id or the beginning of it (repeatable).",
        show_default="the best, or all for members",
    ),
]
Direction = Annotated[str | None, typer.Option(help="Direction of a latency plot: read, write, sync or commit.")]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o", "--output", metavar="FILE", help="File to write, .svg or .png (repeatable).", show_default="KIND.svg"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("plot")(plot)


def plot(
    store: common.Store,
    kind: Annotated[Kind, typer.Option(help="Kind of plot.")],
    x: X = None,
    y: Y = None,
    workload: common.Workload = None,
    metric: Annotated[
        str | None, typer.Option(help="Metric, such as iops or lat_p99_ns.", show_default="metric of the objective")
    ] = None,
    point: Points = None,
    direction: Direction = None,
    margin_pct: Annotated[float, typer.Option(help="Practical margin of a ranking, in per cent.")] = 5.0,
    output: Outputs = None,
    as_json: common.Json = False,
) -> None:
    """Draw one plot of a store as SVG or PNG.

    docs/reference-plots.md describes each kind. The same store gives the same bytes. Results that were not measured on
    real disks are marked in the plot.
    """
    from results import outfile
    from results.plotting import Question, draw, encode
    from results.store.query import load

    files = output or [Path(f"{kind.value}.svg")]
    for file in files:
        if file.suffix not in {".svg", ".png"}:
            raise typer.BadParameter(f"must end in .svg or .png (got {file})", param_hint="-o")
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
        print_line(f"{file} ({size / 1024:.0f} KiB)")
    if virtual:
        print_stderr("NOT REAL HARDWARE: measured in the virtual lab or on loop devices, and marked so in the plot")


def _write(file: Path, content: bytes) -> int:
    from results import outfile

    outfile.write(file, content)
    return len(content)
