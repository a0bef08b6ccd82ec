"""``[[workload]]`` of a sweep file, with fio's terms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from permutations.errors import nearest
from permutations.reading import job_file
from permutations.reading.conditioning import parse_precondition, parse_steady_state
from permutations.reading.job_file import JobFileError, Option
from permutations.reading.regular import UnreadableError, read_regular
from permutations.reading.table import MAX_INTEGER, Table, quoted
from permutations.vocabulary import Vocabulary
from permutations.workload import RW_MODES, Workload
from stripelab.units import parse_size

WORKLOAD_KEYS = (
    "name",
    "engine",
    "rw",
    "bs",
    "iodepth",
    "numjobs",
    "runtime_s",
    "ramp_time_s",
    "rwmixread",
    "fsync",
    "direct",
    "ioengine",
    "io_size",
    "job_file",
    "options",
    "precondition",
    "steady_state",
)
DD_KEYS = ("name", "engine", "rw", "bs", "iodepth", "numjobs", "direct", "io_size", "options")
JOB_FILE_KEYS = ("name", "engine", "job_file", "runtime_s", "ramp_time_s", "precondition")

NATIVE_IOENGINE = "auto"
NATIVE_DEPTH = 4096
WEEK_S = 7 * 24 * 3600.0
MAX_JOB_FILE_BYTES = 1 << 20

OWNED_OPTIONS: Mapping[str, str] = {
    "blocksize": "bs",
    "bs": "bs",
    "direct": "direct",
    "fsync": "fsync",
    "io_size": "io_size",
    "iodepth": "iodepth",
    "ioengine": "ioengine",
    "numjobs": "numjobs",
    "ramp_time": "ramp_time_s",
    "readwrite": "rw",
    "runtime": "runtime_s",
    "rw": "rw",
    "rwmixread": "rwmixread",
}
"""Options of fio that have a key in a workload, with that key."""

MOST_CLONES = 1 << 20


@dataclass(frozen=True)
class JobFiles:
    """Source of job files: names are relative to ``folder``.

    ``kept`` has the contents from a store, by the name of the workload: with it no file is read.
    """

    folder: Path
    kept: Mapping[str, bytes] | None = None

    def content(self, workload: str, path: Path) -> bytes:
        """The job file of a workload; raises :class:`UnreadableError`."""
        if self.kept is None:
            return read_regular(path, MAX_JOB_FILE_BYTES)
        if workload not in self.kept:
            raise UnreadableError("is not in the store, which is of an earlier version")
        return self.kept[workload]


def parse_workloads(tables: tuple[Table, ...], files: JobFiles, vocabulary: Vocabulary | None) -> tuple[Workload, ...]:
    """The workloads in the order of the file."""
    workloads: dict[str, Workload] = {}
    for table in tables:
        workload = _workload(table, files, vocabulary)
        if workload.name in workloads:
            table.refuse("name", f'a workload named "{workload.name}" is there already: names must differ')
        if vocabulary is not None and vocabulary.workload_problem is not None:
            problem = vocabulary.workload_problem(workload)
            if problem is not None:
                table.source.refuse(table.at, problem)
        workloads[workload.name] = workload
    return tuple(workloads.values())


def _workload(table: Table, files: JobFiles, vocabulary: Vocabulary | None) -> Workload:
    table.only(WORKLOAD_KEYS)
    default = Workload(table.name("name"))
    if default.name == "global":
        table.refuse("name", '"global" is the name of a section of its own in fio')
    engines = vocabulary.engines if vocabulary is not None else ("fio", "dd", "native")
    engine = table.word("engine", engines, _default_engine(table, engines, vocabulary), "unknown engine")
    if table.has("job_file"):
        return _from_job_file(table, files, replace(default, engine=engine))
    table.require("rw", "bs")
    direct = table.flag("direct", default=default.direct)
    bs_bytes = table.size("bs", default.bs_bytes, 512 if direct else 1, 1 << 30)
    workload = Workload(
        name=default.name,
        engine=engine,
        rw=table.word("rw", RW_MODES, default.rw),
        bs_bytes=bs_bytes,
        iodepth=table.integer("iodepth", default.iodepth, 1, 65536),
        numjobs=table.integer("numjobs", default.numjobs, 1, 1024),
        runtime_s=table.number("runtime_s", default.runtime_s, 1.0, WEEK_S),
        ramp_time_s=table.number("ramp_time_s", default.ramp_time_s, 0.0, WEEK_S),
        rwmixread=table.integer("rwmixread", None, 0, 100),
        fsync=table.integer("fsync", None, 1, 1 << 31),
        direct=direct,
        ioengine=_ioengine(table, engine, vocabulary.ioengines_of(engine) if vocabulary else None),
        io_size_bytes=table.size("io_size", None, 512),
        options=_options(table.table("options"), engine, vocabulary.options_of(engine) if vocabulary else None),
        precondition=parse_precondition(table),
        steady_state=parse_steady_state(table, bs_bytes),
    )
    _check(table, workload)
    return workload


def _default_engine(table: Table, engines: tuple[str, ...], vocabulary: Vocabulary | None) -> str:
    """fio; but native, which measures commits, for a workload that syncs and has no option that only fio has."""
    options = table.values.get("options")
    listed = options if isinstance(options, dict) else {}
    known = vocabulary.native_options if vocabulary is not None else None
    valid = vocabulary.native_ioengines if vocabulary is not None else None
    fio_only = [key for key in listed if known is None or key not in known]
    fio_only += [key for key in ("ioengine",) if table.has(key) and (valid is None or table.values[key] not in valid)]
    commits = (table.has("fsync") or "fdatasync" in listed) and not table.has("job_file")
    return "native" if commits and not fio_only and "native" in engines else Workload.engine


def _check(table: Table, workload: Workload) -> None:
    """Raise an error for valid keys that contradict each other."""
    if workload.engine == "dd":
        _check_dd(table, workload)
    if workload.engine == "native" and workload.iodepth > (1 if workload.ioengine == "psync" else NATIVE_DEPTH):
        most = "1 with psync" if workload.ioengine == "psync" else NATIVE_DEPTH
        table.refuse("iodepth", f"{workload.iodepth} is too deep for the native engine: at most {most}")
    if workload.direct and workload.bs_bytes % 512:
        table.refuse("bs", f"{quoted(table.values['bs'])} is no multiple of 512 bytes, as direct I/O needs")
    if workload.io_size_bytes is not None and workload.io_size_bytes < workload.bs_bytes:
        table.refuse("io_size", "is smaller than bs")
    if table.has("io_size") and table.has("runtime_s"):
        table.refuse("runtime_s", "says when to end, and io_size says so too: leave one of them out")
    if workload.rwmixread is not None and workload.rw not in {"rw", "randrw"}:
        table.refuse("rwmixread", f'needs rw = "rw" or "randrw", not {quoted(workload.rw)}')
    if workload.fsync is not None and not workload.writes:
        table.refuse("fsync", "needs a workload that writes")


def _check_dd(table: Table, workload: Workload) -> None:
    """Raise an error for what dd cannot do."""
    for key in table.values:
        if key not in DD_KEYS:
            table.refuse(key, "is a matter of fio: dd has no such thing")
    if workload.rw not in {"read", "write"}:
        table.refuse("rw", f"dd reads or writes from the front: {quoted(workload.rw)} needs another engine", '"read"')
    if workload.iodepth != 1:
        table.refuse("iodepth", "must be 1 for dd: it has one I/O in flight")


def _from_job_file(table: Table, files: JobFiles, base: Workload) -> Workload:
    """A workload that runs an existing fio job file; direction and size come from the file.

    ``runtime_s`` and ``ramp_time_s`` of the sweep file override those of the job file.
    """
    if table.has("steady_state"):
        table.refuse("steady_state", "needs a workload that is written out here: rounds cannot be cut from a job file")
    for key in table.values:
        if key not in JOB_FILE_KEYS:
            table.refuse(key, "is set by the job file: leave it out here")
    if base.engine != "fio":
        table.refuse("job_file", f"is supported by the fio engine only, not by {base.engine}")
    path = files.folder / table.text("job_file", "")
    try:
        raw = files.content(base.name, path)
        text = job_file.decode(raw)
        jobs = job_file.jobs(job_file.sections(text))
        mode = _job_rw(jobs)
    except UnreadableError as error:
        table.refuse("job_file", f"{path} {error}")
    except JobFileError as error:
        table.refuse("job_file", error.at(path))
    workload = replace(
        base,
        rw=mode,
        job_file=str(path.resolve()),
        job_text=text,
        job_sha256=hashlib.sha256(raw).hexdigest(),
        precondition=parse_precondition(table),
    )
    return _with_extent(table, workload, jobs)


def _with_extent(table: Table, workload: Workload, jobs: tuple[Mapping[str, Option], ...]) -> Workload:
    """``workload`` with its duration: from the sweep's ``runtime_s``, else the job file's ``runtime``, else its size.

    If the job file sets none of them, each of its jobs transfers the data set once, and ``runtime_s`` is 0.
    """
    ramp_s = max(job_file.time_s(job, "ramp_time") or 0.0 for job in jobs)
    timed = replace(
        workload,
        ramp_time_s=table.number("ramp_time_s", ramp_s, 0.0, WEEK_S),
        job_replaced=tuple(key for key in ("runtime_s", "ramp_time_s") if table.has(key)) or None,
    )
    times = [job_file.time_s(job, "runtime") for job in jobs]
    if table.has("runtime_s") or None not in times:
        own_s = max((time_s for time_s in times if time_s is not None), default=workload.runtime_s)
        return replace(timed, runtime_s=table.number("runtime_s", own_s, 1.0, WEEK_S))
    sizes = [_job_bytes(job) for job, time_s in zip(jobs, times, strict=True) if time_s is None]
    if None in sizes:
        return replace(timed, runtime_s=0.0)
    # one job stands for all of them, with their total size
    return replace(timed, io_size_bytes=max(1, sum(size for size in sizes if size is not None)))


def _job_bytes(job: Mapping[str, Option]) -> int | None:
    """Bytes that a job transfers with its clones, from ``io_size`` or ``size``; None if neither is valid."""
    option = next((job[key] for key in ("io_size", "size") if key in job), None)
    size = parse_size(option.value) if option is not None else None
    clones, loops = (job[key].value if key in job else "1" for key in ("numjobs", "loops"))
    if size is None or not (clones.isdecimal() and loops.isdecimal()):
        return None
    return size * min(int(clones), MOST_CLONES) * min(int(loops), MOST_CLONES)


def _job_rw(jobs: tuple[Mapping[str, Option], ...]) -> str:
    """Direction of a job file over all its jobs; fio's default is ``read``."""
    modes: dict[str, int | None] = {}
    for job in jobs:
        option = job.get("rw")
        mode = job_file.RW_DEFAULT if option is None else option.value.partition(":")[0].strip()
        modes.setdefault("rw" if mode == "readwrite" else mode, None if option is None else option.line)
    for mode, line in sorted(modes.items()):
        if mode not in RW_MODES:
            raise JobFileError(line, f"rw={mode} is not supported; known are {', '.join(RW_MODES)}")
    if len(modes) == 1:
        return next(iter(modes))
    random = "rand" if all(mode.startswith("rand") for mode in modes) else ""
    kinds = {mode.removeprefix("rand") for mode in modes}
    return random + (kinds.pop() if len(kinds) == 1 else "rw")


def _options(table: Table, engine: str, known: tuple[str, ...] | None) -> tuple[tuple[str, str], ...]:
    """Additional options of fio, or of the native engine with fio's names, sorted by name."""
    options = []
    for key, value in sorted(table.values.items()):
        if key in OWNED_OPTIONS:
            table.refuse(key, "has a key of its own in [[workload]]", OWNED_OPTIONS[key])
        if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            table.refuse(key, "is no name of a fio option")
        if known is not None and key not in known:
            table.refuse(key, f"is not an option that is passed on to {engine}", nearest(key, known))
        if isinstance(value, bool):
            options.append((key, str(int(value))))
        elif isinstance(value, int):
            options.append((key, str(table.integer(key, 0, -MAX_INTEGER, MAX_INTEGER))))
        elif isinstance(value, float):
            options.append((key, str(table.number(key, 0.0, -1e18, 1e18))))
        else:
            options.append((key, table.text(key, "")))
    return tuple(options)


def _ioengine(table: Table, engine: str, known: tuple[str, ...] | None) -> str:
    """The I/O engine of fio or of the native engine, whose default picks the best one.

    Some of fio's I/O engines load libraries or write elsewhere, so the name must be plain.
    """
    default = NATIVE_IOENGINE if engine == "native" else Workload.ioengine
    if known is not None:
        return table.word("ioengine", known, default, "unknown I/O engine")
    value = table.text("ioengine", default)
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", value):
        table.refuse("ioengine", f"{quoted(value)} is no name of an I/O engine of {engine}")
    return value
