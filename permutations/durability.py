"""Whether a workload makes its writes durable, and what its engine measures of a commit.

A commit is a sync with the writes that it makes durable.  The native engine measures each one.  fio reports separate
latencies for writes and syncs: for a write that is itself durable (O_SYNC, O_DSYNC) all figures are known, for a write
and an fsync after it only the mean, because means can be added and percentiles cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from permutations.reading import job_file
from permutations.workload import Workload

DURABLE_WRITES = frozenset({"", "1", "sync", "dsync"})
"""Values of fio's option ``sync`` that open files with O_SYNC or O_DSYNC; a flag without a value is the first."""
SYNCS = ("fsync", "fdatasync")
"""Options whose value is the number of writes after which a job syncs."""


class Commits(Enum):
    """Figures that are available for the commits of a workload."""

    ALL = "all"
    """Mean, percentiles, maximum."""
    MEAN = "mean"
    NONE = "none"


def syncs(workload: Workload) -> bool:
    """Whether a workload makes its writes durable while it runs."""
    return workload.writes and any(_syncs(options) for options in _jobs(workload))


def commits(workload: Workload) -> Commits:
    """Figures that the engine of a workload that syncs has for its commits."""
    if workload.engine == "native":
        return Commits.ALL
    kinds = {fio_commits(options) for options in _jobs(workload)}
    return kinds.pop() if len(kinds) == 1 and workload.engine == "fio" else Commits.NONE


def fio_commits(options: Mapping[str, str]) -> Commits:
    """Figures that fio has for the commits of a job.

    A mix of reads and writes has additional syncs after its reads (fio 3.33), and with a queue depth above 1 a sync
    covers other writes than the one before it.
    """
    counts = [options[key] for key in SYNCS if _is_count(options.get(key))]
    if not counts:
        return Commits.ALL if options.get("sync") in DURABLE_WRITES else Commits.NONE
    single_writes = (
        options.get("rw", options.get("readwrite", "")).partition(":")[0] in {"write", "randwrite"}
        and options.get("iodepth", "1") == "1"
    )
    return Commits.MEAN if counts == ["1"] and single_writes else Commits.NONE


def _syncs(options: Mapping[str, str]) -> bool:
    return options.get("sync") in DURABLE_WRITES or any(_is_count(options.get(key)) for key in SYNCS)


def _is_count(text: str | None) -> bool:
    return text is not None and text.isdecimal() and int(text) > 0


def _jobs(workload: Workload) -> Iterator[Mapping[str, str]]:
    """The options of each job, with fio's names and values."""
    if workload.job_text is not None:
        for job in job_file.jobs(job_file.sections(workload.job_text)):
            yield {key: option.value for key, option in job.items()}
        return
    options = {"rw": workload.rw, "iodepth": str(workload.iodepth)}
    if workload.fsync is not None:
        options["fsync"] = str(workload.fsync)
    yield {**options, **dict(workload.options)}
