"""The options that ask for a guarantee or a recommendation: the same for every verb that states one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from results.recommendation.recommend import Wishes

Workload = Annotated[str | None, typer.Option("--workload", help="Workload; the sweep's first objective.")]
Point = Annotated[
    str | None, typer.Option("--point", help="Id of a design point, or its beginning; the recommended one.")
]
Metric = Annotated[str | None, typer.Option("--metric", help="Figure of a second, such as iops.")]
Direction = Annotated[str | None, typer.Option("--direction", help="read, write, sync or commit alone.")]
Share = Annotated[float, typer.Option("--share", help="Share of the 1-second intervals of a run.")]
Coverage = Annotated[
    float | None, typer.Option("--coverage", help="Minimum share P of future days that must meet the bound.")
]
Confidence = Annotated[float, typer.Option("--confidence", help="Confidence of the statement.")]
Bound = Annotated[float | None, typer.Option("--bound", help="Figure that must hold (IOPS, bytes/s or ns): is it met?")]
ChosenBeforehand = Annotated[
    bool, typer.Option("--chosen-beforehand", help="Declare that the point was fixed before its runs were seen.")
]
LimitToDay = Annotated[
    bool, typer.Option("--limit-to-day", help="Limit the statement to the one day on which all runs were made.")
]
Demonstration = Annotated[
    bool, typer.Option("--demonstration", help="On virtual or loop substrates: show the method, marked throughout.")
]
MarginPct = Annotated[
    float, typer.Option("--margin-pct", help="Differences smaller than this are not worth acting on.")
]
Require = Annotated[
    list[str] | None,
    typer.Option("--require", help="A constraint, such as 'survives >= 2' or 'p99 < 20 ms'; may be given again."),
]
Prefer = Annotated[
    str, typer.Option("--prefer", help="What breaks ties, the first first: redundancy,capacity,cost,simplicity.")
]
Baseline = Annotated[
    str | None, typer.Option("--baseline", help="Say what is gained over this point: 'level=raid5 chunk_kib=512'.")
]
Weight = Annotated[
    list[str] | None,
    typer.Option(
        "--weight", help="Weight of a workload in the joint recommendation, as NAME=NUMBER; repeat for each workload."
    ),
]


def wishes(require: list[str] | None, prefer: str, baseline: str | None, weight: list[str] | None = None) -> Wishes:
    """What was asked of a recommendation."""
    from results.recommendation.joint import parse_weights
    from results.recommendation.recommend import Wishes

    preferences = tuple(word.strip() for word in prefer.split(",") if word.strip())
    return Wishes(tuple(require or ()), preferences, baseline, parse_weights(weight or ()))
