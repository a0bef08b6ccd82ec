"""The options that ask for a guarantee: the same for every verb that states one."""

from __future__ import annotations

from typing import Annotated

import typer

Workload = Annotated[str | None, typer.Option("--workload", help="Workload; the sweep's first objective.")]
Point = Annotated[
    str | None, typer.Option("--point", help="Id of a design point, or its beginning; the recommended one.")
]
Metric = Annotated[str | None, typer.Option("--metric", help="Figure of a second, such as iops.")]
Direction = Annotated[str | None, typer.Option("--direction", help="read or write alone; both together.")]
Share = Annotated[float, typer.Option("--share", help="Share of the 1-second intervals of a run.")]
Coverage = Annotated[
    float | None, typer.Option("--coverage", help="Share P of future runs that is wanted; what the runs give.")
]
Confidence = Annotated[float, typer.Option("--confidence", help="Confidence of the statement.")]
Bound = Annotated[float | None, typer.Option("--bound", help="Figure that must hold (IOPS, bytes/s or ns): is it met?")]
ChosenBeforehand = Annotated[
    bool, typer.Option("--chosen-beforehand", help="Declare that the point was fixed before its runs were seen.")
]
Demonstration = Annotated[
    bool, typer.Option("--demonstration", help="On virtual or loop substrates: show the method, marked throughout.")
]
MarginPct = Annotated[
    float, typer.Option("--margin-pct", help="Differences smaller than this are not worth acting on.")
]
