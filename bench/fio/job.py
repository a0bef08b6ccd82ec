"""A fio run, rendered from a workload and its targets.

Every job gets a section of its own, so that each knows its files and fio keeps its figures apart
(``group_reporting`` is off: merging is exact here, and lossy there).

How the jobs share the targets:

- One group of targets: all jobs work on it.  Several groups (layout ``per-disk``): job *j* works on
  group *j* mod *G* and stays there, as a database segment stays on its disk.  With fewer jobs than
  groups each job takes several groups, so that no disk idles and the load (``numjobs`` times
  ``iodepth``) is the same for every layout that is compared.
- Random: every job uses all files of its pool.  fio's ``roundrobin`` deals I/Os to the files one by
  one, hence evenly; each job starts with another file, so that jobs do not move in step.
- Sequential: every job is one stream, which reads or writes its files to their end one after the
  other.  Files are dealt to the jobs in turn; where there are more jobs than files, those that share
  a file each have their own slice of it.  No two jobs go over the same bytes.

Offsets are random but the same in every run (``randrepeat``), and different for every job: what is
compared met the same offsets.  ``norandommap`` draws with replacement, as a real client does, and
costs no memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from bench.engine import Targets
from bench.errors import SweepFileError
from bench.fio import jobfile, rails
from bench.fio.logs import WINDOW_MS
from permutations.workload import RW_MODES, Workload

LOG_PREFIX = "log"
PERCENTILES = "1:5:10:25:50:75:90:95:99:99.5:99.9:99.95:99.99"
RANDSEED = 20261122
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


@dataclass(frozen=True)
class _Portion:
    """What one job works on: its files, and the slice of them where it has not the whole."""

    files: tuple[Path, ...]
    offset: int = 0
    size: int | None = None


def check_workload(workload: Workload) -> None:
    """Refuse a workload that fio cannot or must not run; touches nothing but a named job file.

    Raises :class:`SweepFileError`.  Refused are options that name targets, run programs, delete, or
    take figures away (see :mod:`bench.fio.rails`), and a queue depth that fio would cap in silence.
    """
    where = f"workload {workload.name!r}"
    for key, value in workload.options:
        rails.check_option(where, key, value)
    if workload.job_file is not None:
        if workload.options:
            raise SweepFileError(f"{where}: write the options into {workload.job_file}, beside the job")
        jobfile.load(workload.job_file)
        return
    rails.check_value(where, "ioengine", workload.ioengine)
    if workload.rw not in RW_MODES:
        raise SweepFileError(f"{where}: rw {workload.rw!r} is not one of {', '.join(RW_MODES)}")
    if workload.iodepth > 1 and workload.ioengine in rails.SYNCHRONOUS:
        raise SweepFileError(
            f"{where}: ioengine {workload.ioengine} is synchronous, so fio caps iodepth {workload.iodepth} at 1: "
            "use libaio or io_uring, or raise numjobs"
        )
    if workload.rwmixread is not None and not (workload.rw in {"rw", "randrw"} and 0 <= workload.rwmixread <= 100):
        raise SweepFileError(f"{where}: rwmixread is a share from 0 to 100, of rw and randrw only")
    if workload.direct and workload.bs_bytes % 512:
        raise SweepFileError(f"{where}: direct I/O needs a bs that is a multiple of 512, not {workload.bs_bytes}")


def render(workload: Workload, targets: Targets) -> FioJob:
    """The run of ``workload`` over ``targets``; raises :class:`SweepFileError` as :func:`check_workload` does."""
    check_workload(workload)
    if workload.job_file is not None:
        return _render_job_file(workload.job_file, targets)
    portions = _portions(workload, targets)
    engine = "psync" if workload.ioengine == "sync" else workload.ioengine
    shared = [
        ("ioengine", engine),
        ("direct", str(int(workload.direct))),
        ("rw", workload.rw),
        ("bs", str(workload.bs_bytes)),
        ("iodepth", str(workload.iodepth)),
        ("randrepeat", "1"),
        ("randseed", str(RANDSEED)),
        ("norandommap", "1"),
        ("file_service_type", "roundrobin" if workload.random else "sequential"),
        *_extent(workload),
    ]
    if workload.rwmixread is not None:
        shared.append(("rwmixread", str(workload.rwmixread)))
    if workload.fsync is not None:
        shared.append(("fsync", str(workload.fsync)))
    shared += workload.options
    sections = [Section(f"job{index}", tuple(_place(portion))) for index, portion in enumerate(portions)]
    return FioJob((*_own_options(), *shared), tuple(sections), len(sections), _warnings(workload))


def _own_options() -> tuple[tuple[str, str], ...]:
    """The rails, and what is recorded: the same for every run."""
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
        yield "runtime", _milliseconds(workload.runtime_s)
    if workload.ramp_time_s > 0:
        yield "ramp_time", _milliseconds(workload.ramp_time_s)


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _warnings(workload: Workload) -> tuple[str, ...]:
    said = []
    if workload.writes and not workload.direct and workload.fsync is None:
        said.append("buffered writes without fsync: the figure is that of the page cache as much as of the disks")
    if workload.ioengine == "libaio" and not workload.direct and workload.iodepth > 1:
        said.append(f"libaio submits buffered I/O synchronously: iodepth {workload.iodepth} is not reached")
    return tuple(said)


def _render_job_file(path: str, targets: Targets) -> FioJob:
    """A user's job file over all targets; each of its jobs shares all of them."""
    found = jobfile.load(path)
    place = tuple(_place(_Portion(targets.paths)))
    sections = [Section(section.name, (*section.options, *place)) for section in found.sections]
    return FioJob(_own_options(), tuple(sections), sum(section.numjobs for section in found.sections), found.warnings)


def _place(portion: _Portion) -> Iterator[tuple[str, str]]:
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


def _portions(workload: Workload, targets: Targets) -> list[_Portion]:
    """What each of ``numjobs`` jobs works on, in the order of the jobs."""
    groups, jobs = targets.groups, workload.numjobs
    found: list[_Portion | None] = [None] * jobs
    if jobs >= len(groups):
        pools = [(tuple(group), list(range(index, jobs, len(groups)))) for index, group in enumerate(groups)]
    else:
        pools = [(_interleave(groups[index::jobs]), [index]) for index in range(jobs)]
    for files, members in pools:
        shares = _rotate(files, len(members)) if workload.random else _deal(files, len(members), workload, targets)
        for job, share in zip(members, shares, strict=True):
            found[job] = share
    return [portion for portion in found if portion is not None]


def _interleave(groups: Sequence[Sequence[Path]]) -> tuple[Path, ...]:
    """Files of several groups, one of each in turn."""
    return tuple(path for path in chain.from_iterable(zip_longest(*groups)) if path is not None)


def _rotate(files: tuple[Path, ...], jobs: int) -> list[_Portion]:
    """All files for every job, each starting with another."""
    turns = [index * len(files) // jobs for index in range(jobs)]
    return [_Portion(files[turn:] + files[:turn]) for turn in turns]


def _deal(files: tuple[Path, ...], jobs: int, workload: Workload, targets: Targets) -> list[_Portion]:
    """Files dealt out to the jobs, or slices of files where there are more jobs than files."""
    if len(files) >= jobs:
        return [_Portion(files[index::jobs]) for index in range(jobs)]
    shares = []
    for index in range(jobs):
        mates = len(range(index % len(files), jobs, len(files)))
        size = targets.size_bytes // mates // workload.bs_bytes * workload.bs_bytes
        if size == 0:
            raise SweepFileError(
                f"workload {workload.name!r}: {mates} jobs on a file of {targets.size_bytes} bytes leave none of them "
                f"a block of {workload.bs_bytes}: use fewer jobs or larger files"
            )
        offset = index // len(files) * size
        shares.append(_Portion((files[index % len(files)],), offset, None if mates == 1 else size))
    return shares
