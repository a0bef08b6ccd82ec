"""The words of this version of ``bench`` that a sweep file may use."""

from __future__ import annotations

from bench import engines
from bench.errors import SweepFileError
from bench.fio import allowed
from bench.lab.profiles import DISK_PROFILES
from bench.native import words
from bench.stack import arrays, filesystems
from permutations.vocabulary import Vocabulary
from permutations.workload import Workload


def vocabulary(*, strict: bool = True) -> Vocabulary:
    """Levels, filesystems, engines, disk profiles, and options of programs, that can be used.

    Without ``strict`` a sweep that an earlier version ran can be read, whatever this version would refuse to run.
    """
    return Vocabulary(
        levels=arrays.levels(),
        filesystems=("raw", *filesystems.names()),
        engines=engines.NAMES,
        disk_profiles=DISK_PROFILES,
        fio_options=tuple(sorted(allowed.ALLOWED)),
        ioengines=tuple(sorted(allowed.ENGINES)),
        native_options=words.SWEEP_OPTIONS,
        native_ioengines=words.SWEEP_IOENGINES,
        option_problem=filesystems.option_problem,
        workload_problem=workload_problem if strict else None,
        strict=strict,
    )


def workload_problem(workload: Workload) -> str | None:
    """Why the engine of a workload cannot or must not run it; None where it can."""
    try:
        engines.by_name(workload.engine).check_workload(workload)
    except SweepFileError as error:
        return error.message
    return None
