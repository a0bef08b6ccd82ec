"""How the jobs of a workload share its targets; the same for every engine that runs jobs side by side.

- One group of targets: all jobs work on it.  Several groups (layout ``per-disk``): job *j* works on
  group *j* mod *G* and stays there, as a database segment stays on its disk.  With fewer jobs than
  groups each job takes several groups, so that no disk idles and the load (``numjobs`` times
  ``iodepth``) is the same for every layout that is compared.
- Random: every job uses all files of its pool; each starts with another one, so that jobs do not
  move in step.
- Sequential: every job is one stream, which goes over its files one after the other.  Files are dealt
  to the jobs in turn, hence over the mount points; where there are more jobs than files, those that
  share a file each have a slice of it.  No two jobs go over the same bytes.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from bench.engine import Targets
from bench.errors import EngineError, SweepFileError
from permutations.workload import Workload


@dataclass(frozen=True)
class Portion:
    """What one job works on: its files, and the slice (bytes) of each where it has not the whole."""

    files: tuple[Path, ...]
    offset: int = 0
    size: int | None = None


def check_targets(targets: Targets) -> None:
    """Refuse targets that an engine would have to make or grow, or would misread; raises :class:`EngineError`."""
    if not targets.paths:
        raise EngineError("there is no target to run a workload on")
    wanted = stat.S_ISBLK if targets.device else stat.S_ISREG
    for path in targets.paths:
        if not path.is_absolute() or re.search(r"[$`'\"\\\n]", str(path)):
            raise EngineError(f"the target {str(path)!r} is no absolute path of plain characters")
        try:
            found = path.stat()
        except OSError as error:
            raise EngineError(f"the target {path} cannot be used: {error.strerror}") from None
        if not wanted(found.st_mode):
            raise EngineError(f"the target {path} is no {'block device' if targets.device else 'regular file'}")
        if not targets.device and found.st_size != targets.size_bytes:
            raise EngineError(f"the target {path} holds {found.st_size} bytes, not the {targets.size_bytes} laid out")


def portions(workload: Workload, targets: Targets) -> list[Portion]:
    """What each of ``numjobs`` jobs works on, in the order of the jobs."""
    groups, jobs = targets.groups, workload.numjobs
    found: list[Portion | None] = [None] * jobs
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


def _rotate(files: tuple[Path, ...], jobs: int) -> list[Portion]:
    """All files for every job, each starting with another."""
    turns = [index * len(files) // jobs for index in range(jobs)]
    return [Portion(files[turn:] + files[:turn]) for turn in turns]


def _deal(files: tuple[Path, ...], jobs: int, workload: Workload, targets: Targets) -> list[Portion]:
    """Files dealt out to the jobs, or slices of files where there are more jobs than files."""
    if len(files) >= jobs:
        return [Portion(files[index::jobs]) for index in range(jobs)]
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
        shares.append(Portion((files[index % len(files)],), offset, None if mates == 1 else size))
    return shares
