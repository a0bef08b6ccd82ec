"""``stripelab native``: one run of the native engine over files, and what it measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.native.options import Job
    from bench.native.result import Figures, Result

GOOD = frozenset({"whole", "unwritten"})
FILES = Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="Files to work on; they must exist.")]
JOBS = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH@OFFSET+SIZE[:…]", help="A job with files of its own, in place of FILE; once for each."),
]
WRITE = Annotated[bool, typer.Option("--overwrite", help="Allow a load that writes: what the files hold is lost.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("native")(native)


def native(
    files: FILES = None,
    *,
    rw: Annotated[str, typer.Option(help="read, write, rw, randread, randwrite or randrw.")] = "read",
    bs: Annotated[str | None, typer.Option(help="Block size, such as 4k; 4k by default.")] = None,
    bssplit: Annotated[str | None, typer.Option(help="Block sizes and shares, such as 4k/60:64k/40.")] = None,
    iodepth: Annotated[int, typer.Option(help="I/Os in flight of each job.")] = 1,
    numjobs: Annotated[int, typer.Option(help="Jobs, a thread each.", min=1, max=1024)] = 1,
    runtime_s: Annotated[float | None, typer.Option(help="Measured time; 5 unless there is an --io-size.")] = None,
    ramp_time_s: Annotated[float | None, typer.Option(help="Time before it that is not counted.")] = None,
    io_size: Annotated[str | None, typer.Option(help="How much each job moves, such as 1G.")] = None,
    time_based: Annotated[int | None, typer.Option(min=0, max=1, help="1: go over the files until time is up.")] = None,
    offset: Annotated[str, typer.Option(help="Where in each FILE the load begins.")] = "0",
    size: Annotated[str | None, typer.Option(help="How much of each FILE from there; to its end by default.")] = None,
    ioengine: Annotated[str, typer.Option(help="auto, io_uring, libaio or psync.")] = "auto",
    direct: Annotated[int, typer.Option(min=0, max=1, help="1: past the page cache (O_DIRECT).")] = 1,
    rwmixread: Annotated[int | None, typer.Option(help="Share of reads of rw and randrw, percent.")] = None,
    fsync: Annotated[int | None, typer.Option(help="fsync after so many writes.")] = None,
    fdatasync: Annotated[int | None, typer.Option(help="fdatasync after so many writes.")] = None,
    norandommap: Annotated[int | None, typer.Option(min=0, max=1, help="1: random with replacement.")] = None,
    random_distribution: Annotated[str | None, typer.Option(help="random, zipf:1.1 or pareto:0.2.")] = None,
    rate_iops: Annotated[int | None, typer.Option(help="Open loop: I/Os a second of each job.")] = None,
    rate_process: Annotated[str | None, typer.Option(help="linear or poisson.")] = None,
    buffer_compress_percentage: Annotated[int | None, typer.Option(help="Share of zeros in what is written.")] = None,
    iodepth_batch_submit: Annotated[int | None, typer.Option(help="I/Os handed over at a time; 0: picked.")] = None,
    iodepth_batch_complete_min: Annotated[int | None, typer.Option(help="I/Os waited for; 0: picked.")] = None,
    randseed: Annotated[int | None, typer.Option(help="Seed of offsets, directions and sizes.")] = None,
    cpus_allowed: Annotated[str, typer.Option(help="CPUs for the jobs in turn, such as 0,2-3.")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="Write, or look for, the verify pattern.")] = False,
    verify_writes: Annotated[int, typer.Option(help="Reading: the first so many writes must be found.")] = 0,
    job: JOBS = None,
    overwrite: WRITE = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole result as JSON.")] = False,
) -> None:
    """Drive a load over files and print what was measured, in the words of fio.  Devices can be read, not written."""
    named = {"bs": bs, "bssplit": bssplit, "runtime_s": runtime_s, "ramp_time_s": ramp_time_s, "io_size": io_size}
    named |= {"time_based": time_based, "rwmixread": rwmixread, "fsync": fsync, "fdatasync": fdatasync}
    named |= {"norandommap": norandommap, "random_distribution": random_distribution, "rate_iops": rate_iops}
    named |= {"rate_process": rate_process, "buffer_compress_percentage": buffer_compress_percentage}
    named |= {"iodepth_batch_submit": iodepth_batch_submit, "randseed": randseed}
    named |= {"iodepth_batch_complete_min": iodepth_batch_complete_min}
    given = {key: value for key, value in named.items() if value is not None}
    if runtime_s is None and io_size is None:
        given["runtime_s"] = 5.0
    if time_based is not None:
        given["time_based"] = bool(time_based)
    given |= {"rw": rw, "iodepth": iodepth, "ioengine": ioengine, "direct": bool(direct)}
    place = {"numjobs": numjobs, "offset": offset, "size": size, "cpus": cpus_allowed}
    pattern = (verify_writes,) if verify else ()
    show(
        carry_out(given, files or (), job or (), place, pattern, overwrite=overwrite, as_json=as_json), as_json=as_json
    )


def carry_out(
    given: Mapping[str, Any],
    files: Sequence[Path],
    job_words: Sequence[str],
    place: Mapping[str, Any],
    pattern: Sequence[int],
    *,
    overwrite: bool,
    as_json: bool,
) -> Result:
    """The result of a run; what a run that failed or was interrupted measured is shown before it is left."""
    from dataclasses import replace

    from bench.native import options, words
    from bench.native.api import NativeRunError, RunInterrupted, jobs_over, run_checked

    if bool(files) == bool(job_words):
        raise typer.BadParameter("name the files to work on, or the files of each job with --job", param_hint="FILE…")
    cpus = words.cpu_list(place["cpus"]) if place["cpus"] else ()
    load = options.load(given)
    if pattern:
        load = replace(load, verify=options.Verify(random=load.random, writes=pattern[0]))
    jobs = _own_jobs(job_words, cpus)
    if not jobs:
        limit = options.size_bytes(place["size"]) if place["size"] is not None else None
        jobs = jobs_over(load, files, place["numjobs"], cpus, offset=options.size_bytes(place["offset"]), limit=limit)
    try:
        return run_checked(load, jobs, overwrite=overwrite)
    except RunInterrupted as stopped:
        show(stopped.result, as_json=as_json)
        raise typer.Exit(130) from None
    except NativeRunError as failure:
        if failure.result is not None:
            show(failure.result, as_json=as_json)
            failure.answered = True  # type: ignore[misc]  # of this one, not of its class
        raise


def _own_jobs(job_words: Sequence[str], cpus: Sequence[int]) -> list[Job]:
    from bench.native import words
    from bench.native.options import Job

    turn = cpus or (None,)
    return [Job(words.job_parts(text), turn[index % len(turn)]) for index, text in enumerate(job_words)]


def show(result: Result, *, as_json: bool) -> None:
    """Print a result; leaves with status 1 where verification found what it must not."""
    from bench.cli.output import emit_json, say
    from bench.native import dump

    if as_json:
        emit_json(dump.as_json(result))
    else:
        for line in lines(result):
            say(line)
    if any(each.kind not in GOOD for each in result.findings):
        raise typer.Exit(1)


def lines(result: Result) -> Iterator[str]:
    """A result for a person."""
    from bench.native.engine import oddities, ways
    from stripelab.metrics import figure

    yield f"{'':<6}{'IOPS':>12}{'MB/s':>11}{'p50':>10}{'p99':>10}{'p99.9':>10}{'max':>10}"
    for each in result.directions:
        yield _row(each)
    if result.directions:
        yield f"CPU per I/O  {figure('cpu_ns', result.cpu_ns_per_io)}, the kernel's share included"
    for error in result.errors:
        yield f"error  {error.message}"
    for found in result.findings:
        yield f"verify  {found.blocks} block(s) {found.kind}, the first at offset {found.first_offset}"
    yield from ways(result)
    yield from oddities(result)
    if result.stopped:
        yield f"stopped after {result.runtime_ns / 1e9:.3g} s: the figures are of that time"


def _row(each: Figures) -> str:
    from stripelab.metrics import figure
    from stripelab.units import number

    shown = [each.lat.percentile_ns(percent) for percent in (50.0, 99.0, 99.9)]
    shown.append(each.lat.max_ns if each.lat.samples else None)
    waits = "".join(f"{'-' if ns is None else figure('lat_ns', ns):>10}" for ns in shown)
    return f"{each.direction:<6}{number(each.iops):>12}{number(each.bw_bytes_s / 1e6):>11}{waits}"
