"""A fio run, rendered from a workload and its targets.

Every job gets a section of its own, so that each knows its files and fio keeps its figures apart
(``group_reporting`` is off: merging is exact here, and lossy there).

How the jobs share the targets is :mod:`bench.spread`.  For random I/O fio's ``roundrobin`` deals the
I/Os to a job's files one by one, hence evenly; for sequential I/O a job takes one file after the other.

Offsets are random but the same in every run (``randrepeat``), and different for every job: what is
compared met the same offsets.  ``norandommap`` draws with replacement, as a real client does, and
costs no memory.

Written blocks are filled anew each time (``refill_buffers``).  Without it fio writes each buffer again and again, so
that 128 KiB of a file in blocks of 4 KiB compress to 4 % (zstd), and those of 1 MiB to 91 %.  Making the data costs a
job its time, 1 to 3 GB/s of a core; ``options`` have the last word (``refill_buffers``,
``buffer_compress_percentage``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bench.engine import Targets
from bench.errors import SweepFileError
from bench.fio import allowed, jobfile
from bench.fio.logs import WINDOW_MS
from bench.spread import Portion, portions
from permutations.workload import RW_MODES, Workload

LOG_PREFIX = "log"
INCOMPRESSIBLE = ("refill_buffers", "1")
PERCENTILES = "1:5:10:25:50:75:90:95:99:99.5:99.9:99.95:99.99"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")
_OPTION_CHARS = 3000  # fio cuts an option near 4096 characters, and then misses the files beyond


@dataclass(frozen=True)
class Section:
    """One section of a job file: options in order, a key may come more than once."""

    name: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FioJob:
    """What fio is to run: options for all, a section per job, and how many jobs that makes."""

    shared: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    jobs: int
    warnings: tuple[str, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        """As command-line options: what comes before the first ``--name`` holds for every job."""
        words = [f"--{key}={value}" for key, value in self.shared]
        for section in self.sections:
            words.append(f"--name={_UNSAFE.sub('-', section.name)}")
            words += [f"--{key}={value}" for key, value in section.options]
        return tuple(words)


def check_workload(workload: Workload) -> None:
    """Refuse a workload that fio cannot or must not run; touches nothing but a named job file.

    Raises :class:`SweepFileError`.  Refused are options that name targets, run programs, delete, or
    take figures away (see :mod:`bench.fio.allowed`), and a queue depth that fio would cap in silence.
    """
    where = f"workload {workload.name!r}"
    for key, value in workload.options:
        allowed.check_option(where, key, value)
    if workload.job_file is not None:
        if workload.options:
            raise SweepFileError(f"{where}: write the options into {workload.job_file}, beside the job")
        jobfile.load(workload)
        return
    allowed.check_value(where, "ioengine", workload.ioengine)
    if workload.rw not in RW_MODES:
        raise SweepFileError(f"{where}: rw {workload.rw!r} is not one of {', '.join(RW_MODES)}")
    if workload.iodepth > 1 and workload.ioengine in allowed.SYNCHRONOUS:
        raise SweepFileError(
            f"{where}: ioengine {workload.ioengine} is synchronous, so fio caps iodepth {workload.iodepth} at 1: "
            "use libaio or io_uring, or raise numjobs"
        )
    if workload.io_size_bytes is not None and workload.ramp_time_s > 0:
        raise SweepFileError(
            f"{where}: fio counts the I/O of the ramp against io_size: give a runtime_s, or no ramp_time_s"
        )
    if workload.io_size_bytes is None and workload.ramp_time_s > workload.runtime_s:
        raise SweepFileError(
            f"{where}: fio leaves out a ramp that is longer than the run: give a runtime_s of at least that"
        )
    if workload.rwmixread is not None and not (workload.rw in {"rw", "randrw"} and 0 <= workload.rwmixread <= 100):
        raise SweepFileError(f"{where}: rwmixread is a share from 0 to 100, of rw and randrw only")
    if workload.direct and workload.bs_bytes % 512:
        raise SweepFileError(f"{where}: direct I/O needs a bs that is a multiple of 512, not {workload.bs_bytes}")


def render(workload: Workload, targets: Targets) -> FioJob:
    """The run of ``workload`` over ``targets``; raises :class:`SweepFileError` as :func:`check_workload` does."""
    check_workload(workload)
    if workload.job_file is not None:
        return _render_job_file(workload, targets)
    shares = portions(workload, targets)
    engine = "psync" if workload.ioengine == "sync" else workload.ioengine
    shared = [
        ("ioengine", engine),
        ("direct", str(int(workload.direct))),
        ("rw", workload.rw),
        ("bs", str(workload.bs_bytes)),
        ("iodepth", str(workload.iodepth)),
        ("randrepeat", "1"),
        ("norandommap", "1"),
        ("file_service_type", "roundrobin" if workload.random else "sequential"),
        *_extent(workload),
    ]
    if workload.writes:
        shared.append(INCOMPRESSIBLE)
    if workload.rwmixread is not None:
        shared.append(("rwmixread", str(workload.rwmixread)))
    if workload.fsync is not None:
        shared.append(("fsync", str(workload.fsync)))
    shared += workload.options
    sections = [Section(f"job{index}", tuple(_place(portion))) for index, portion in enumerate(shares)]
    return FioJob((*_own_options(), *shared), tuple(sections), len(sections), _warnings(workload))


def _own_options() -> tuple[tuple[str, str], ...]:
    """The options that keep fio on its targets, and what is recorded: the same for every run."""
    window = str(WINDOW_MS)
    return (
        ("thread", "1"),  # one process: it ends as a whole
        ("allow_mounted_write", "0"),
        ("allow_file_create", "0"),
        ("fallocate", "none"),
        ("unlink", "0"),
        ("invalidate", "1"),
        ("lat_percentiles", "1"),
        ("clat_percentiles", "0"),
        ("percentile_list", PERCENTILES),
        ("write_bw_log", LOG_PREFIX),
        ("write_iops_log", LOG_PREFIX),
        ("write_lat_log", LOG_PREFIX),
        ("per_job_logs", "1"),
        ("log_avg_msec", window),
        ("bwavgtime", window),
        ("iopsavgtime", window),
    )


def _extent(workload: Workload) -> Iterator[tuple[str, str]]:
    """How long: a time, or an amount of I/O per job."""
    if workload.io_size_bytes is not None:
        yield "io_size", str(workload.io_size_bytes)
    else:
        yield "time_based", "1"
        yield "runtime", jobfile.milliseconds(workload.runtime_s)
    if workload.ramp_time_s > 0:
        yield "ramp_time", jobfile.milliseconds(workload.ramp_time_s)


def _warnings(workload: Workload) -> tuple[str, ...]:
    said = []
    if workload.writes and not workload.direct and workload.fsync is None:
        said.append("buffered writes without fsync: the figure is that of the page cache as much as of the disks")
    if workload.ioengine == "libaio" and not workload.direct and workload.iodepth > 1:
        said.append(f"libaio submits buffered I/O synchronously: iodepth {workload.iodepth} is not reached")
    if workload.ramp_time_s > 0 and any(key.startswith("thinktime") for key, _ in workload.options):
        said.append("thinktime with a ramp: fio before 3.35 makes up for it in a burst when the ramp ends")
    return tuple(said)


def _render_job_file(workload: Workload, targets: Targets) -> FioJob:
    """A user's job file over all targets; each of its jobs shares all of them."""
    found = jobfile.load(workload)
    place = tuple(_place(Portion(targets.paths)))
    sections = [Section(section.name, (*section.options, *place)) for section in found.sections]
    return FioJob(
        (*_own_options(), INCOMPRESSIBLE),
        tuple(sections),
        sum(section.numjobs for section in found.sections),
        found.warnings,
    )


def _place(portion: Portion) -> Iterator[tuple[str, str]]:
    """Options that name the files of a portion, and its slice of them.

    No ``size`` stands for all of every file: fio would divide a size by the number of files.
    """
    names: list[str] = []
    for path in portion.files:
        name = str(path).replace(":", "\\:")
        if names and sum(len(known) + 1 for known in names) + len(name) > _OPTION_CHARS:
            yield "filename", ":".join(names)
            names = []
        names.append(name)
    yield "filename", ":".join(names)
    if portion.size is not None:
        yield "offset", str(portion.offset)
        yield "size", str(portion.size)
