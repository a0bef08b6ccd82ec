"""Arguments and options that several verbs share, so that they are defined and described once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from results.recommendation.recommend import Wishes

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

SweepFile = Annotated[Path, typer.Argument(metavar="SWEEP", help="Sweep file (TOML).")]
Store = Annotated[Path, typer.Argument(metavar="STORE", help="Result store.")]
NightStore = Annotated[Path, typer.Argument(metavar="STORE", help="Result store of the nights.")]
OutputStore = Annotated[Path, typer.Option(metavar="STORE", help="Result store to create or to add the results to.")]

Lab = Annotated[bool, typer.Option("--lab", help="Run in the virtual lab, without touching disks of this machine.")]
Disks = Annotated[
    str,
    typer.Option(
        metavar="ID,…", help="Serials or WWNs of the disks to use: THEIR CONTENT IS DESTROYED.", show_default=False
    ),
]
Erase = Annotated[
    str,
    typer.Option(
        metavar="ID,…",
        help="Serials or WWNs of disks to use although they hold data that stripelab did not write.",
        show_default=False,
    ),
]
LOOP_HELP = "Number of loop files to create in the store and use instead of disks."
LOOP_SIZE_HELP = "Size of each loop file."

Workload = Annotated[
    str | None, typer.Option(help="Workload to evaluate.", show_default="workload of the sweep's first objective")
]
OnlyWorkload = Annotated[str | None, typer.Option(help="Evaluate this workload only.", show_default="all workloads")]
Point = Annotated[
    str | None,
    typer.Option(help="Design point, given by its id or the beginning of it.", show_default="recommended point"),
]
Metric = Annotated[
    str | None,
    typer.Option(help="Metric that is recorded every second, such as iops.", show_default="metric of the objective"),
]
Direction = Annotated[
    str | None, typer.Option(help="Direction to restrict the metric to: read, write, sync or commit.")
]
Share = Annotated[float, typer.Option(help="Share of the 1-second intervals of a run that must meet the bound.")]
Coverage = Annotated[
    float | None,
    typer.Option(
        help="Minimum share P of future days that must meet the bound.",
        show_default="largest share that the runs support",
    ),
]
Confidence = Annotated[float, typer.Option(help="Confidence of the statement.")]
Bound = Annotated[
    float | None,
    typer.Option(
        help="Bound to test against the runs, in IOPS, bytes/s or ns.", show_default="best bound that the runs support"
    ),
]
ChosenBeforehand = Annotated[
    bool, typer.Option("--chosen-beforehand", help="Declare that the point was fixed before its runs were seen.")
]
LimitToDay = Annotated[
    bool, typer.Option("--limit-to-day", help="Limit the statement to the single day on which all runs were made.")
]
Demonstration = Annotated[
    bool,
    typer.Option("--demonstration", help="Show the method on virtual or loop disks, with the result marked as such."),
]
MarginPct = Annotated[
    float, typer.Option(help="Practical margin, the largest difference that does not matter, in per cent.")
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONSTRAINT", help="Requirement on the points, such as 'survives >= 2' or 'p99 < 20 ms' (repeatable)."
    ),
]
Prefer = Annotated[
    str,
    typer.Option(
        metavar="WORD,…",
        help="Preferences among tied points, in order of priority, unless the sweep states its own.",
        show_default="redundancy,capacity,cost,simplicity",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        help="Point to compare the recommended one with, such as 'level=raid5 chunk_kib=512'.",
        show_default="[baseline] of the sweep",
    ),
]
Weight = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORKLOAD=NUMBER",
        help="Weight of a workload in the joint recommendation (repeat for every workload).",
        show_default="weights in the sweep",
    ),
]

Rw = Annotated[str, typer.Option(help="Access pattern: read, write, rw, randread, randwrite or randrw.")]
NumJobs = Annotated[int, typer.Option(help="Number of jobs that run at once.", min=1, max=1024)]
Direct = Annotated[int, typer.Option(help="Whether to bypass the page cache (O_DIRECT): 1 or 0.", min=0, max=1)]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Allow a load that writes, which destroys the content of the files.")
]


def parse_criteria(
    require: list[str] | None, prefer: str, baseline: str | None, weight: list[str] | None = None
) -> Wishes:
    """The criteria of a recommendation from its options."""
    from results.recommendation.joint import parse_weights
    from results.recommendation.recommend import Wishes

    preferences = tuple(word.strip() for word in prefer.split(",") if word.strip())
    return Wishes(tuple(require or ()), preferences, baseline, parse_weights(weight or ()))
