"""The native engine's options as text: what a sweep file's ``options`` and the command line write, in fio's words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.native.options import Job, Part, refuse

SWEEP_IOENGINES = ("auto", "io_uring", "libaio", "psync")
SWEEP_OPTIONS = (
    "bssplit",
    "buffer_compress_percentage",
    "cpus_allowed",
    "fdatasync",
    "iodepth_batch_complete_min",
    "iodepth_batch_submit",
    "norandommap",
    "randseed",
    "random_distribution",
    "rate_iops",
    "rate_process",
)
"""Options that a workload of a sweep may pass on; everything else is a key of its own, or not for a sweep."""
NUMBERS = frozenset(SWEEP_OPTIONS) - {"bssplit", "cpus_allowed", "random_distribution", "rate_process"}
LARGEST_CPU = 1 << 16
_PART = re.compile(r"(?P<path>.+)@(?P<offset>\d+)\+(?P<size>\d+)")


def value(key: str, text: str) -> str | int:
    """The value of an option of a sweep: a number where it is one; raises :class:`bench.errors.SweepFileError`."""
    if key not in NUMBERS:
        return text
    if not re.fullmatch(r"\d{1,18}", text):
        refuse(f"{key} {text!r} is no whole number")
    return int(text)


def cpu_list(text: str) -> tuple[int, ...]:
    """CPUs of a list in fio's notation, ``0,2-3``."""
    found: list[int] = []
    for entry in text.split(","):
        ends = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", entry.strip())
        if not ends or not int(ends[1]) <= int(ends[2] or ends[1]) < LARGEST_CPU:
            refuse(f"cpus_allowed {text!r} is no list of CPUs such as 0,2-3")
        found += range(int(ends[1]), int(ends[2] or ends[1]) + 1)
    return tuple(found)


def job_text(job: Job) -> str:
    r"""What a job works on as one word, ``PATH@OFFSET+SIZE`` with colons between; ``\:`` is a colon of a path."""
    parts = (f"{part.path}@{part.offset}+{part.size}" for part in job.parts)
    return ":".join(each.replace("\\", "\\\\").replace(":", "\\:") for each in parts)


def job_parts(text: str) -> tuple[Part, ...]:
    """The parts of :func:`job_text`."""
    entries = re.findall(r"(?:[^:\\]|\\.)+", text, flags=re.DOTALL)
    return tuple(_part(re.sub(r"\\(.)", r"\1", entry, flags=re.DOTALL)) for entry in entries) or refuse(
        f"job {text!r} names no file"
    )


def _part(text: str) -> Part:
    found = _PART.fullmatch(text)
    if not found:
        refuse(f"{text!r} of a job is not like PATH@OFFSET+SIZE, both in bytes")
    return Part(Path(found["path"]), int(found["offset"]), int(found["size"]))


def command(words: Mapping[str, Any], jobs: Sequence[Job], *, cpus_allowed: str = "", overwrite: bool = False) -> str:
    """The ``stripelab native`` that does the same, ready to paste."""
    given = [f"--{key.replace('_', '-')}={_shown(each)}" for key, each in words.items()]
    given += [f"--cpus-allowed={cpus_allowed}"] if cpus_allowed else []
    given += [f"--job={job_text(job)}" for job in jobs]
    return shlex.join(["stripelab", "native", *given, *(["--overwrite"] if overwrite else [])])


def _shown(each: Any) -> str:
    return f"{each:g}" if isinstance(each, float) else str(int(each) if isinstance(each, bool) else each)
