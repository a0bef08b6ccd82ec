"""A user's own fio job file, read and vetted.

fio never sees the file: what :mod:`bench.fio.rails` lets through is rendered anew, over the targets
that stripelab leased.  So what fio would make of the file beyond that cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.errors import SweepFileError
from bench.fio import rails
from permutations.reading.regular import UnreadableError, read_regular
from permutations.reading.workload import MAX_JOB_FILE_BYTES

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


@dataclass
class _Raw:
    """A section as it stands in the file: ``lines`` are (where, key, value)."""

    name: str
    lines: list[tuple[str, str, str]]


def load(path: str) -> JobFile:
    """Read and vet a job file; raises :class:`SweepFileError` with file and line."""
    try:
        text = read_regular(Path(path), MAX_JOB_FILE_BYTES).decode("utf-8")
    except UnreadableError as error:
        raise SweepFileError(f"fio job file {path} {error}") from None
    except UnicodeDecodeError:
        raise SweepFileError(f"fio job file {path} is not UTF-8 text") from None
    raw = _sections(path, text)
    jobs = [section for section in raw if section.name != "global"]
    if not jobs:
        raise SweepFileError(f"{path}: a fio job file needs a section beside [global]")
    inherited: dict[str, str] = {}
    sections, warnings = [], []
    for section in raw:
        kept, said = _vet(section, alone=len(jobs) == 1)
        warnings += said
        if section.name == "global":
            inherited.update(kept)
        else:
            sections.append(JobSection(section.name, tuple({**inherited, **kept}.items())))
    count = sum(section.numjobs for section in sections)
    if count > rails.MOST_JOBS:
        raise SweepFileError(f"{path}: {count} jobs, clones included: at most {rails.MOST_JOBS}")
    return JobFile(tuple(sections), tuple(dict.fromkeys(warnings)))


def _sections(path: str, text: str) -> list[_Raw]:
    """Split a job file as fio does: ``;`` and ``#`` start a comment only at the start of a line."""
    sections: list[_Raw] = []
    for number, raw_line in enumerate(text.splitlines(), start=1):
        line, where = raw_line.strip(), f"{path}:{number}"
        if not line or line[0] in ";#":
            continue
        if line.startswith("["):
            name = line[1 : line.rfind("]")].strip() if "]" in line else ""
            if not name:
                raise SweepFileError(f"{where}: {line!r} is no section of a fio job file")
            sections.append(_Raw(name, []))
            continue
        key, _, value = (part.strip() for part in line.partition("="))
        if key.startswith("include"):
            raise rails.refusal(where, "include")
        if not sections:
            raise SweepFileError(f"{where}: {line!r} stands before the first [section]")
        sections[-1].lines.append((where, key, value))
    return sections


def _vet(section: _Raw, *, alone: bool) -> tuple[dict[str, str], list[str]]:
    """Options of a section that are passed on, and warnings."""
    kept: dict[str, str] = {}
    warnings: list[str] = []
    for where, key, value in section.lines:
        if alone and key in _PHASES:
            continue  # with a single job there is nothing to wait for
        option, warning = rails.keep_option(where, key, value)
        if option is not None:
            kept[option[0]] = option[1]
        if warning is not None:
            warnings.append(warning)
    return kept, warnings
