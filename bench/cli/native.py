"""``stripelab native``: one run of the native engine over files, and what it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from bench.cli import common_options as common
from bench.cli import native_options as fio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.native.options import Job
    from bench.native.result import Figures, Result

GOOD = frozenset({"whole", "unwritten"})
DEFAULT_RUNTIME_S = 5.0


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("native")(native)


def native(
    files: fio.Files = None,
    *,
    rw: common.Rw = "read",
    bs: fio.Bs = None,
    bssplit: fio.BsSplit = None,
    iodepth: fio.IoDepth = 1,
    numjobs: common.NumJobs = 1,
    runtime_s: fio.Runtime = None,
    ramp_time_s: fio.RampTime = None,
    io_size: fio.IoSize = None,
    time_based: fio.TimeBased = None,
    offset: fio.Offset = "0",
    size: fio.Size = None,
    ioengine: fio.IoEngine = "auto",
    direct: common.Direct = 1,
    rwmixread: fio.RwMixRead = None,
    fsync: fio.Fsync = None,
    fdatasync: fio.Fdatasync = None,
    norandommap: fio.NoRandomMap = None,
    random_distribution: fio.RandomDistribution = None,
    rate_iops: fio.RateIops = None,
    rate_process: fio.RateProcess = None,
    buffer_compress_percentage: fio.CompressPercentage = None,
    iodepth_batch_submit: fio.BatchSubmit = None,
    iodepth_batch_complete_min: fio.BatchComplete = None,
    randseed: fio.RandSeed = None,
    cpus_allowed: fio.CpusAllowed = "",
    verify: fio.Verify = False,
    verify_writes: fio.VerifyWrites = 0,
    job: fio.Job = None,
    overwrite: common.Overwrite = False,
    as_json: common.Json = False,
) -> None:
    """Run a load with the native engine and print its figures.

    Options and figures are those of fio. Block devices can be read but not written.
    """
    options: dict[str, Any] = {"bs": bs, "bssplit": bssplit, "runtime_s": runtime_s, "ramp_time_s": ramp_time_s}
    options |= {"io_size": io_size, "time_based": time_based, "rwmixread": rwmixread, "fsync": fsync}
    options |= {"fdatasync": fdatasync, "norandommap": norandommap, "random_distribution": random_distribution}
    options |= {"rate_iops": rate_iops, "rate_process": rate_process, "randseed": randseed}
    options |= {"buffer_compress_percentage": buffer_compress_percentage}
    options |= {"iodepth_batch_submit": iodepth_batch_submit}
    options |= {"iodepth_batch_complete_min": iodepth_batch_complete_min}
    given = {key: value for key, value in options.items() if value is not None}
    if runtime_s is None and io_size is None:
        given["runtime_s"] = DEFAULT_RUNTIME_S
    if time_based is not None:
        given["time_based"] = bool(time_based)
    given |= {"rw": rw, "iodepth": iodepth, "ioengine": ioengine, "direct": bool(direct)}
    placement = {"numjobs": numjobs, "offset": offset, "size": size, "cpus": cpus_allowed}
    pattern = (verify_writes,) if verify else ()
    result = run_load(given, files or (), job or (), placement, pattern, overwrite=overwrite, as_json=as_json)
    print_result(result, as_json=as_json)


def run_load(
    given: Mapping[str, Any],
    files: Sequence[Path],
    job_texts: Sequence[str],
    placement: Mapping[str, Any],
    pattern: Sequence[int],
    *,
    overwrite: bool,
    as_json: bool,
) -> Result:
    """Run the load and return its result; the partial result of a run that failed or was interrupted is printed."""
    from dataclasses import replace

    from bench.native import options, words
    from bench.native.api import NativeRunError, RunInterrupted, jobs_over, run_checked

    if bool(files) == bool(job_texts):
        raise typer.BadParameter("name either the files, or the files of each job with --job", param_hint="FILE…")
    cpus = words.cpu_list(placement["cpus"]) if placement["cpus"] else ()
    load = options.load(given)
    if pattern:
        load = replace(load, verify=options.Verify(random=load.random, writes=pattern[0]))
    jobs = _parse_jobs(job_texts, cpus)
    if not jobs:
        limit = options.size_bytes(placement["size"]) if placement["size"] is not None else None
        offset = options.size_bytes(placement["offset"])
        jobs = jobs_over(load, files, placement["numjobs"], cpus, offset=offset, limit=limit)
    try:
        return run_checked(load, jobs, overwrite=overwrite)
    except RunInterrupted as interruption:
        print_result(interruption.result, as_json=as_json)
        raise typer.Exit(130) from None
    except NativeRunError as failure:
        if failure.result is not None:
            print_result(failure.result, as_json=as_json)
            failure.answer_printed = True  # type: ignore[misc]  # of this error, not of its class
        raise


def _parse_jobs(job_texts: Sequence[str], cpus: Sequence[int]) -> list[Job]:
    from bench.native import words
    from bench.native.options import Job

    turn = cpus or (None,)
    return [Job(words.job_parts(text), turn[index % len(turn)]) for index, text in enumerate(job_texts)]


def print_result(result: Result, *, as_json: bool) -> None:
    """Print a result; exit with status 1 where verification found a block that it must not."""
    from bench.cli.output import emit_json, print_line
    from bench.native import dump

    if as_json:
        emit_json(dump.as_json(result))
    else:
        for line in result_lines(result):
            print_line(line)
    if any(finding.kind not in GOOD for finding in result.findings):
        raise typer.Exit(1)


def result_lines(result: Result) -> Iterator[str]:
    """A result for a person."""
    from bench.native.engine import oddities, ways
    from stripelab.metrics import figure

    yield f"{'':<6}{'IOPS':>12}{'MB/s':>11}{'p50':>10}{'p99':>10}{'p99.9':>10}{'max':>10}"
    for figures in result.directions:
        yield _row(figures)
    if result.directions:
        yield f"CPU per I/O  {figure('cpu_ns', result.cpu_ns_per_io)}, including the kernel's share"
    for error in result.errors:
        yield f"error  {error.message}"
    for finding in result.findings:
        yield f"verify  {finding.blocks} block(s) {finding.kind}, the first at offset {finding.first_offset}"
    yield from ways(result)
    yield from oddities(result)
    if result.stopped:
        yield f"stopped after {result.runtime_ns / 1e9:.3g} s: the figures cover that time"


def _row(figures: Figures) -> str:
    from stripelab.metrics import figure
    from stripelab.units import number

    latencies_ns = [figures.lat.percentile_ns(percent) for percent in (50.0, 99.0, 99.9)]
    latencies_ns.append(figures.lat.max_ns if figures.lat.samples else None)
    cells = "".join(f"{'-' if ns is None else figure('lat_ns', ns):>10}" for ns in latencies_ns)
    return f"{figures.direction:<6}{number(figures.iops):>12}{number(figures.bw_bytes_s / 1e6):>11}{cells}"
