"""Options of ``stripelab native``, which are fio's; docs/native-engine.md describes them in full."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="Existing files to run the load on.")]
Bs = Annotated[str | None, typer.Option(help="Block size.", show_default="4k")]
BsSplit = Annotated[str | None, typer.Option(help="Block sizes with weights, such as 4k/60:64k/40.")]
IoDepth = Annotated[int, typer.Option(help="Queue depth of each job.")]
Runtime = Annotated[
    float | None, typer.Option(help="Measured time in seconds.", show_default="5, or no limit with --io-size")
]
RampTime = Annotated[float | None, typer.Option(help="Warm-up in seconds, which is not measured.", show_default="0")]
IoSize = Annotated[str | None, typer.Option(help="Amount of data that each job moves, such as 1G.")]
TimeBased = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=1,
        help="Whether to start over at the end of the files until the time is up: 1 or 0.",
        show_default="1, or 0 with --io-size",
    ),
]
Offset = Annotated[str, typer.Option(help="Start of the load in each FILE.")]
Size = Annotated[str | None, typer.Option(help="Length of the load in each FILE.", show_default="to its end")]
IoEngine = Annotated[str, typer.Option(help="Kernel interface: io_uring, libaio, psync or auto.")]
RwMixRead = Annotated[int | None, typer.Option(help="Share of reads in rw and randrw, in per cent.", show_default="50")]
Fsync = Annotated[int | None, typer.Option(help="Number of writes per fsync.", show_default="no fsync")]
Fdatasync = Annotated[int | None, typer.Option(help="Number of writes per fdatasync.", show_default="no fdatasync")]
NoRandomMap = Annotated[
    int | None,
    typer.Option(min=0, max=1, help="Whether to draw random blocks with replacement: 1 or 0.", show_default="0"),
]
RandomDistribution = Annotated[
    str | None,
    typer.Option(help="Distribution of random blocks: random, zipf:1.1 or pareto:0.2.", show_default="random"),
]
RateIops = Annotated[
    int | None, typer.Option(help="I/Os per second that each job starts (open loop).", show_default="closed loop")
]
RateProcess = Annotated[
    str | None, typer.Option(help="Arrival process of --rate-iops: linear or poisson.", show_default="linear")
]
CompressPercentage = Annotated[
    int | None, typer.Option(help="Share of zeros in the data that is written, in per cent.", show_default="0")
]
BatchSubmit = Annotated[
    int | None, typer.Option(help="Largest number of I/Os per submission.", show_default="chosen by the engine")
]
BatchComplete = Annotated[
    int | None, typer.Option(help="Number of completions to wait for.", show_default="chosen by the engine")
]
RandSeed = Annotated[int | None, typer.Option(help="Seed of offsets, directions and sizes.", show_default="20261122")]
CpusAllowed = Annotated[
    str, typer.Option(help="CPUs to bind the jobs to in turn, such as 0,2-3.", show_default="not bound")
]
Verify = Annotated[bool, typer.Option("--verify", help="Write the verify pattern, or check it in what is read.")]
VerifyWrites = Annotated[
    int,
    typer.Option(
        help="Number of first writes of the writing run that a reading run must find.",
        show_default="0, which checks each block on its own",
    ),
]
Job = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH@OFFSET+SIZE[:…]", help="Files of one job, in place of FILE (repeat for each job)."),
]
