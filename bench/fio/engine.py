"""The fio engine: render, run, judge, merge.

fio is judged by what it reports, not by its exit status alone: it can print "Aborting" (a mounted
disk, say) and end with status 0.  A result needs status 0, no job with an error, as many jobs as
were asked for, and I/O done by each of them.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import proc
from bench.engine import IntervalResult, Measurement, Targets
from bench.errors import EngineError, SweepFileError
from bench.fio import commits, merge
from bench.fio.job import LOG_PREFIX, FioJob, check_workload, render
from bench.fio.logs import JobLogs, Sample, intervals, parse_log
from bench.fio.model import DIRECTIONS, Document, Job
from bench.fio.parser import parse
from bench.spread import check_targets
from permutations.workload import Workload

OUTPUT = "fio.json"
BLKFLSBUF = 0x1261
"""<linux/fs.h>, _IO(0x12, 97)"""
_ABORTING = re.compile(r"\baborting\b", re.IGNORECASE)


class FioEngine:
    """Drives workloads with fio."""

    name = "fio"

    def version(self) -> str:
        """Version as fio prints it, without its ``fio-``; asked for once."""
        return _version(proc.require("fio"))

    def check_workload(self, workload: Workload) -> None:
        """Raise :class:`SweepFileError` where fio cannot or must not run ``workload``."""
        check_workload(workload)

    def run(self, workload: Workload, targets: Targets, *, scratch: Path, timeout_s: float) -> Measurement:
        """Run ``workload`` over ``targets``, which exist and are never created or grown.

        Raises :class:`EngineError` where fio gives no result, :class:`bench.errors.HostTaintedError`
        where it cannot be killed after ``timeout_s``.
        """
        version = self.version()
        try:
            job = render(workload, targets)
        except SweepFileError as error:
            raise EngineError(error.message, remedy=error.next_step) from None
        check_targets(targets)
        _flush(targets)
        words = ("fio", "--output-format=json+", f"--output={OUTPUT}", "--eta=never", *job.arguments)
        command = targets.named(shlex.join(words))
        scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="fio-", dir=scratch) as folder:
            finished = _start(words, targets, Path(folder), timeout_s)
            raw = _read(Path(folder) / OUTPUT, finished, command)
            try:
                output = parse(proc.decode(raw))
                _judge(output.result, finished, job, command)
                rows = _intervals(output.result.jobs, Path(folder))
            except EngineError as error:
                raise EngineError(_with_said(error.message, finished), command=command) from None
        found = merge.results(output.result.jobs, [output.result.options_of(each) for each in output.result.jobs])
        said = [*job.warnings, *_lines(output.prefix), *_lines(finished.stdout), *_lines(finished.stderr)]
        return Measurement(
            engine=self.name,
            engine_version=version,
            command=command,
            directions=found,
            intervals=commits.seconds(found, rows),
            warnings=tuple(dict.fromkeys([*said, *_not_steady(output.result.jobs)])),
            raw=raw,
        )


@cache
def _version(executable: str) -> str:
    finished = proc.run([executable, "--version"], timeout_s=30.0, error=EngineError)
    return finished.stdout.strip().removeprefix("fio-")


def _flush(targets: Targets) -> None:
    """Write back and drop what is cached of devices: fio's own ``invalidate`` may not, without CAP_SYS_ADMIN.

    fio says nothing of that as root.  Where this process may not either, fio says it as any other user.
    """
    for path in targets.paths if targets.device else ():
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, BLKFLSBUF)
        except PermissionError:
            return
        finally:
            os.close(descriptor)


def _start(words: Sequence[str], targets: Targets, folder: Path, timeout_s: float) -> proc.Finished:
    return proc.run(
        words,
        timeout_s=timeout_s,
        check=False,
        error=EngineError,
        cwd=folder,
        opening=targets.paths,
        descriptors=targets.descriptors,
        ends_with_us=True,
    )


def _read(path: Path, finished: proc.Finished, command: str) -> bytes:
    """The JSON file; where there is none, fio died before it wrote."""
    try:
        return path.read_bytes()
    except OSError:
        raise EngineError(f"fio wrote no result and {proc.describe(finished)}", command=command) from None


def _judge(document: Document, finished: proc.Finished, job: FioJob, command: str) -> None:
    """Raise :class:`EngineError` where the run is no result."""
    for found in document.jobs:
        if found.error:
            raise EngineError(f"fio's job {found.name} failed: {os.strerror(found.error)} (error {found.error})")
    if finished.status != 0:
        raise EngineError(f"fio {proc.describe(finished)}", command=command)
    if any(_ABORTING.search(line) for line in (*_lines(finished.stdout), *_lines(finished.stderr))):
        raise EngineError("fio aborted a job, with status 0")
    if len(document.jobs) != job.jobs:
        raise EngineError(f"fio reported {len(document.jobs)} jobs where {job.jobs} were asked for")
    for found in document.jobs:
        if found.ios == 0:
            raise EngineError(f"fio's job {found.name} did no I/O")


def _with_said(message: str, finished: proc.Finished) -> str:
    """The message, with what fio printed beside its JSON."""
    said = [line for line in (*_lines(finished.stderr), *_lines(finished.stdout)) if line not in message]
    return f"{message}: {' | '.join(said[-4:])}" if said else message


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _not_steady(jobs: Sequence[Job]) -> list[str]:
    return [
        f"job {job.name}: steady state ({job.steady_state.criterion}) was not attained"
        for job in jobs
        if job.steady_state is not None and not job.steady_state.attained
    ]


def _intervals(jobs: Sequence[Job], folder: Path) -> tuple[IntervalResult, ...]:
    """Rows per second from the logs that fio left in ``folder``."""
    directions = [
        name
        for name in DIRECTIONS[:3]
        if any(part.name == name and part.ios for job in jobs for part in job.directions)
    ]
    runtime_ms = max((part.runtime_ms for job in jobs for part in job.directions), default=0)
    logs = [
        JobLogs(*(_log(folder / f"{LOG_PREFIX}_{kind}.{number}.log") for kind in ("bw", "iops", "lat")))
        for number in range(1, len(jobs) + 1)
    ]
    return intervals(logs, runtime_ms, directions, _io_bytes(jobs, directions))


def _log(path: Path) -> tuple[Sample, ...]:
    return parse_log(path.read_text(encoding="ascii", errors="replace")) if path.exists() else ()


def _io_bytes(jobs: Sequence[Job], directions: Sequence[str]) -> Mapping[str, float | None]:
    """Size of the I/Os of each direction, where all jobs did I/Os of that one size."""
    found: dict[str, float | None] = {}
    for name in directions:
        sizes = {
            part.total_bytes / part.ios for job in jobs for part in job.directions if part.name == name and part.ios
        }
        size = sizes.pop() if len(sizes) == 1 else 0.5
        found[name] = size if size.is_integer() else None
    return found
