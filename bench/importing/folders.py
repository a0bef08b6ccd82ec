"""Factors from folders where no pattern names any: folder names that differ are different points.

Levels are counted from the deepest folder that all files have in common: ``folder1`` is the first below it.  Levels
whose names only tell repetitions apart (``run-3``, ``night-7``, dates) or repeat what jobs do (``randread``, ``qd16``)
are no factors.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from bench.importing.batch import File, Remark
from bench.importing.run import Folder

_REPETITION = re.compile(
    r"(?:run|rep|replicate|repeat|night|day|week|date|iter|iteration|round|trial|try|pass|attempt)s?[-_. ]?\d{1,9}"
    r"|(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_. T]?[0-2]\d[-_.:hH]?[0-5]\d(?:[-_.:mM]?[0-5]\d)?)?[zZsS]?",
    re.IGNORECASE,
)
_OF_THE_LOAD = re.compile(
    r"(?:seq|rand)?[-_]?(?:read|write|rw|readwrite)|(?:qd|iodepth|depth|numjobs|jobs|j|t|threads)[-_]?\d{1,6}",
    re.IGNORECASE,
)
_SHOWN = 4


def with_folders(files: Sequence[File]) -> tuple[list[File], Remark | None]:
    """The same files with the folders that tell them apart, and what is to be said of that; None where none does."""
    parts = [Path(os.path.abspath(file.path)).parts[:-1] for file in files]  # noqa: PTH100 - names as they were given
    if not parts:
        return [], None
    lowest, highest = min(parts), max(parts)
    first = sum(takewhile(bool, (one == other for one, other in zip(lowest, highest, strict=False))))
    names: dict[int, set[str]] = {}
    for each in set(parts):
        for level in range(first, len(each)):
            names.setdefault(level, set()).add(each[level])
    levels = [level for level, found in sorted(names.items()) if not _same_point(found)]
    if not levels:
        return list(files), None
    cache: dict[tuple[str, ...], tuple[Folder, ...]] = {}
    found = []
    for file, each in zip(files, parts, strict=True):
        if each not in cache:
            cache[each] = tuple(
                Folder(f"folder{level - first + 1}", each[level], len(each) - level)
                for level in levels
                if level < len(each)
            )
        found.append(replace(file, folders=cache[each]))
    words = "; ".join(f"folder{level - first + 1} ({_listed(names[level])})" for level in levels)
    example = "/".join("{NAME}" if level in levels else "{}" for level in range(first, max(names) + 1))
    return found, Remark(
        str(Path(*lowest[:first])),
        f"folder names that differ became factors: {words}; name them with --factors, as in '{example}/{{}}'",
    )


def _same_point(names: set[str]) -> bool:
    """Whether names of one level say nothing of what was measured."""
    every = (_REPETITION, _OF_THE_LOAD)
    return any(all(form.fullmatch(name) for name in names) for form in every)


def _listed(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
