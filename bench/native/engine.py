"""The native engine in sweeps: a workload as a load, its result as observations.

What runs is what fio would run: the same portions of the same files (:mod:`bench.spread`), random
offsets with replacement from one seed that differ from job to job, direct I/O unless the workload
says otherwise.
"""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event, Timer
from typing import Any

from bench.engine import DirectionResult, IntervalResult, Measurement, Targets
from bench.errors import EngineError, HostTaintedError, SweepFileError
from bench.native import api, dump, options, text, words
from bench.native.library import IMPLEMENTATION
from bench.native.options import Job, Load, Part
from bench.native.result import Figures, Result
from bench.spread import Portion, check_targets, portions
from bench.version import stripelab_version
from permutations.workload import Workload

KILL_GRACE_S = 10.0
"""How long I/O may take after a run was ended before the host counts as tainted; half of it for single I/Os."""


class NativeEngine:
    """Drives workloads with the native engine."""

    name = "native"

    def version(self) -> str:
        """Version of stripelab, and which implementation of the engine runs: ``c`` or ``python`` (the twin)."""
        return f"{stripelab_version()} ({IMPLEMENTATION})"

    def check_workload(self, workload: Workload) -> None:
        """Raise :class:`SweepFileError` where the native engine cannot run ``workload``."""
        where = f"workload {workload.name!r}"
        if workload.job_file is not None:
            raise SweepFileError(f"{where}: a job_file is a matter of fio: write its options as keys")
        if workload.ioengine not in words.SWEEP_IOENGINES:
            known = ", ".join(words.SWEEP_IOENGINES)
            raise SweepFileError(f"{where}: ioengine {workload.ioengine!r} is not one of {known}")
        for key, _ in workload.options:
            if key not in words.SWEEP_OPTIONS:
                known = ", ".join(words.SWEEP_OPTIONS)
                raise SweepFileError(f"{where}: the native engine has no option {key!r}; known are {known}")
        load = options.load(load_words(workload))
        words.cpu_list(dict(workload.options).get("cpus_allowed", "0"))
        _check_sizes(where, load)
        if load.fsync and load.fdatasync:
            raise SweepFileError(f"{where}: fsync and fdatasync both say when to sync: leave one of them out")
        if load.fdatasync and not load.writes:
            raise SweepFileError(f"{where}: fdatasync needs a workload that writes")
        try:  # the ranges of numbers
            text.parse(options.render(load, [Job((Part(Path("/"), 0, 1 << 62),))]))
        except ValueError as failure:
            raise SweepFileError(f"{where}: native engine: {failure}") from None

    def run(self, workload: Workload, targets: Targets, *, scratch: Path, timeout_s: float) -> Measurement:  # noqa: ARG002
        """Run ``workload`` over ``targets``; nothing is written to ``scratch``.

        Raises :class:`EngineError` where a job fails, does no I/O or is not done after ``timeout_s``,
        :class:`HostTaintedError` where I/O is still in the kernel :data:`KILL_GRACE_S` after that.
        """
        check_targets(targets)
        try:
            self.check_workload(workload)
            given = load_words(workload)
            load, jobs = options.load(given), jobs_of(workload, targets)
        except SweepFileError as error:
            raise EngineError(error.message, remedy=error.next_step) from None
        cpus = dict(workload.options).get("cpus_allowed", "")
        command = targets.named(words.command(given, jobs, cpus_allowed=cpus, overwrite=load.writes))
        result = _run(load, jobs, timeout_s, command, claimed=bool(targets.descriptors))
        return Measurement(
            engine=self.name,
            engine_version=self.version(),
            command=command,
            directions=tuple(_direction(each, result) for each in result.directions),
            intervals=_intervals(result),
            warnings=(*_warnings(workload), *oddities(result)),
            raw=json.dumps(dump.as_json(result), separators=(",", ":")).encode(),
        )


def load_words(workload: Workload) -> dict[str, Any]:
    """A workload in the words of :func:`bench.native.options.load`; offsets are drawn as the fio engine draws them."""
    found: dict[str, Any] = {
        "rw": workload.rw,
        "bs": workload.bs_bytes,
        "iodepth": workload.iodepth,
        "ioengine": workload.ioengine,
        "direct": workload.direct,
        "norandommap": 1,
    }
    if workload.io_size_bytes is not None:
        found["io_size"] = workload.io_size_bytes
    else:
        found |= {"time_based": True, "runtime_s": workload.runtime_s}
    if workload.ramp_time_s > 0:
        found["ramp_time_s"] = workload.ramp_time_s
    optional = {"rwmixread": workload.rwmixread, "fsync": workload.fsync}
    found |= {key: value for key, value in optional.items() if value is not None}
    passed_on = {key: words.value(key, said) for key, said in workload.options if key != "cpus_allowed"}
    if "bssplit" in passed_on:
        del found["bs"]
    return found | passed_on


def jobs_of(workload: Workload, targets: Targets) -> list[Job]:
    """What each job of a workload works on, and the CPU that it is bound to."""
    listed = dict(workload.options).get("cpus_allowed")
    cpus = words.cpu_list(listed) if listed else (None,)
    shares = portions(workload, targets)
    return [Job(_parts(share, targets), cpus[index % len(cpus)]) for index, share in enumerate(shares)]


def _parts(share: Portion, targets: Targets) -> tuple[Part, ...]:
    size = share.size if share.size is not None else targets.size_bytes - share.offset
    return tuple(Part(path, share.offset, size) for path in share.files)


def _check_sizes(where: str, load: Load) -> None:
    for split in (*load.bs, *(load.bs_write or ())):
        if load.direct and split.bs_bytes % 512:
            raise SweepFileError(f"{where}: direct I/O needs a bs that is a multiple of 512, not {split.bs_bytes}")


def _run(load: Load, jobs: list[Job], timeout_s: float, command: str, *, claimed: bool) -> Result:
    """The result of a run that did what it was asked for, in time."""
    cancel = Event()
    alarm = Timer(timeout_s, cancel.set)
    alarm.daemon = True
    alarm.start()
    try:
        result = api.run_jobs(load, jobs, cancel=cancel, grace_s=KILL_GRACE_S, claimed=claimed)
    except api.NativeRunError as failure:
        if failure.result is not None:
            refuse_stuck(failure.result, command)
        raise EngineError(failure.message, command=command, remedy=failure.next_step) from None
    except SweepFileError as error:
        raise EngineError(error.message, command=command, remedy=error.next_step) from None
    finally:
        alarm.cancel()
    refuse_stuck(result, command)
    if result.stopped:
        raise EngineError(f"the native engine was not done after {timeout_s:g} s and was stopped", command=command)
    if not any(each.direction in {"read", "write"} for each in result.directions):
        raise EngineError("the native engine did no I/O in the measured time", command=command)
    return result


def refuse_stuck(result: Result, command: str) -> None:
    """Raise :class:`HostTaintedError` where I/O never came back."""
    stuck = [str(number) for number, job in enumerate(result.jobs) if job.abandoned]
    if stuck:
        raise HostTaintedError(
            f"I/O of job(s) {', '.join(stuck)} was still in the kernel {KILL_GRACE_S:g} s after the run was ended",
            command=command,
        )


def _direction(figures: Figures, result: Result) -> DirectionResult:
    lat, sampled = figures.lat, figures.lat.samples > 0
    return DirectionResult(
        direction=figures.direction,
        ios=figures.ios,
        total_bytes=figures.total_bytes,
        runtime_ns=result.runtime_ns,
        iops=figures.iops,
        bw_bytes_s=figures.bw_bytes_s,
        errors=sum(error.count for error in result.errors if error.direction == figures.direction),
        slat_mean_ns=figures.slat.mean_ns if figures.slat.samples else None,
        clat_mean_ns=figures.clat.mean_ns if figures.clat.samples else None,
        lat_min_ns=lat.min_ns if sampled else None,
        lat_mean_ns=lat.mean_ns if sampled else None,
        lat_stddev_ns=lat.stddev_ns if sampled else None,
        lat_p50_ns=lat.percentile_ns(50.0),
        lat_p95_ns=lat.percentile_ns(95.0),
        lat_p99_ns=lat.percentile_ns(99.0),
        lat_p999_ns=lat.percentile_ns(99.9),
        lat_max_ns=lat.max_ns if sampled else None,
        lat_bins_ns=lat.histogram.bins_ns,
        lat_counts=lat.histogram.counts,
    )


def _intervals(result: Result) -> tuple[IntervalResult, ...]:
    """Every whole second; rates of a second are its counts."""
    return tuple(
        IntervalResult(
            direction=each.direction,
            second=each.second,
            iops=float(each.ios),
            bw_bytes_s=float(each.total_bytes),
            lat_mean_ns=each.lat_mean_ns,
            lat_p50_ns=each.lat_p50_ns,
            lat_p99_ns=each.lat_p99_ns,
            lat_p999_ns=each.lat_p999_ns,
            lat_max_ns=each.lat_max_ns,
        )
        for each in result.seconds
    )


def ways(result: Result) -> tuple[str, ...]:
    """How it was measured: the way to the kernel of each job, the implementation, the clock, its own cost."""
    picked = dict.fromkeys(job.picked for job in result.jobs)
    own = f"{result.implementation} implementation, {result.harness_ns:.0f} ns of its own for each I/O"
    return (*picked, f"{own}, clock {result.clock.source}")


def oddities(result: Result) -> tuple[str, ...]:
    """What was unusual; how it was measured as ever is no warning (:func:`ways`, and the raw output)."""
    said = list(result.warnings)
    late, short = sum(job.late for job in result.jobs), sum(job.short_ios for job in result.jobs)
    if late:
        most_ms = max(job.late_max_ns for job in result.jobs) / 1e6
        said.append(
            f"{late} I/Os started over 100 us behind the schedule, {most_ms:.3g} ms at most: their wait is counted"
        )
    if missed := sum(job.missed for job in result.jobs):
        said.append(f"{missed} I/Os were due by the schedule and not started when the time was over: in no figure")
    if short:
        said.append(f"{short} short I/Os were taken up again")
    if back := sum(job.clock_back for job in result.jobs):
        said.append(f"the clock went back {back} times: those latencies count as 0")
    return tuple(said)


def _warnings(workload: Workload) -> tuple[str, ...]:
    if workload.writes and not workload.direct and workload.fsync is None and "fdatasync" not in dict(workload.options):
        return ("buffered writes without fsync: the figure is that of the page cache as much as of the disks",)
    return ()
