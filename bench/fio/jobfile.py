"""A user's own fio job file, read and vetted.

fio never sees the file: what :mod:`bench.fio.allowed` lets through is rendered anew, over the targets
that stripelab leased.  So what fio would make of the file beyond that cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import SweepFileError
from bench.fio import allowed
from permutations.reading import job_file
from permutations.reading.job_file import JobFileError, Section
from permutations.reading.regular import UnreadableError, read_regular
from permutations.reading.workload import MAX_JOB_FILE_BYTES
from permutations.workload import Workload

_PHASES = frozenset({"stonewall", "wait_for_previous"})


@dataclass(frozen=True)
class JobSection:
    """A job of the file: its name and its options, those of ``[global]`` included, in order."""

    name: str
    options: tuple[tuple[str, str], ...]

    @property
    def numjobs(self) -> int:
        """How many clones of it fio starts."""
        return int(dict(self.options).get("numjobs", "1"))


@dataclass(frozen=True)
class JobFile:
    """A vetted job file, and what was left out of it."""

    sections: tuple[JobSection, ...]
    warnings: tuple[str, ...]


def load(workload: Workload) -> JobFile:
    """Read and vet the job file of a workload; raises :class:`SweepFileError` with file and line.

    The text that was read with the sweep counts, whatever became of the file since.
    """
    path = str(workload.job_file)
    try:
        raw = read_regular(Path(path), MAX_JOB_FILE_BYTES) if workload.job_text is None else workload.job_text.encode()
        found = job_file.sections(job_file.decode(raw))
    except UnreadableError as error:
        raise SweepFileError(f"fio job file {path} {error}") from None
    except JobFileError as error:
        raise SweepFileError(error.at(path)) from None
    _check_depths(path, found)
    alone = sum(section.name != job_file.GLOBAL for section in found) == 1
    inherited: dict[str, str] = {}
    sections, warnings = [], []
    for section in found:
        kept, said = _vet(path, section, alone=alone)
        warnings += said
        if section.name == job_file.GLOBAL:
            inherited.update(kept)
        else:
            sections.append(JobSection(section.name, _timed({**inherited, **kept}, workload)))
    count = sum(section.numjobs for section in sections)
    if count > allowed.MOST_JOBS:
        raise SweepFileError(f"{path}: {count} jobs, clones included: at most {allowed.MOST_JOBS}")
    return JobFile(tuple(sections), tuple(dict.fromkeys(warnings)))


def replaced(workload: Workload) -> tuple[str, ...]:
    """What the sweep file sets in place of the job file, a sentence for each option that loses."""
    if workload.job_text is None:
        return ()
    said = []
    for section in job_file.sections(workload.job_text):
        for option in section.options:
            key = f"{job_file.ALIASES.get(option.key, option.key)}_s"
            if key in (workload.job_replaced or ()) and job_file.seconds_of(option.value) != getattr(workload, key):
                said.append(
                    f"workload {workload.name}: {key} = {getattr(workload, key):g} of the sweep file is used; "
                    f"{option.key}={option.value} at {workload.job_file}:{option.line} is not"
                )
    return tuple(said)


def _timed(options: dict[str, str], workload: Workload) -> tuple[tuple[str, str], ...]:
    """The options of a job, with the times of the sweep where it has them."""
    given = workload.job_replaced or ()
    if "runtime_s" in given:
        options = {key: value for key, value in options.items() if key != "time_based"}
        options |= {"time_based": "1", "runtime": milliseconds(workload.runtime_s)}
    if "ramp_time_s" in given:
        options = {**options, "ramp_time": milliseconds(workload.ramp_time_s)}
    return tuple(options.items())


def milliseconds(seconds: float) -> str:
    """A time as fio reads it whatever its unit is by default."""
    return f"{round(seconds * 1000)}ms"


def _check_depths(path: str, found: tuple[Section, ...]) -> None:
    """Refuse a queue depth that fio would cap at 1 in silence, since the I/O engine of the job is synchronous."""
    for job in job_file.jobs(found):
        engine = job["ioengine"].value if "ioengine" in job else allowed.DEFAULT_ENGINE
        depth = job.get("iodepth")
        if depth is not None and engine in allowed.SYNCHRONOUS and depth.value not in {"0", "1"}:
            given = f"ioengine {engine}" if "ioengine" in job else f"fio's default ioengine, {engine},"
            raise SweepFileError(
                f"{path}:{depth.line}: {given} is synchronous, so fio caps iodepth {allowed.shown(depth.value)} at 1: "
                "use libaio or io_uring, or raise numjobs"
            )


def _vet(path: str, section: Section, *, alone: bool) -> tuple[dict[str, str], list[str]]:
    """Options of a section that are passed on, and warnings."""
    kept: dict[str, str] = {}
    warnings: list[str] = []
    for each in section.options:
        where, key, value = f"{path}:{each.line}", each.key, each.value
        if key.startswith("include"):
            raise allowed.refusal(where, "include")
        if alone and key in _PHASES:
            continue  # with a single job there is nothing to wait for
        option, warning = allowed.keep_option(where, key, value)
        if option is not None:
            kept[job_file.ALIASES.get(option[0], option[0])] = option[1]
        if warning is not None:
            warnings.append(warning)
    return kept, warnings
