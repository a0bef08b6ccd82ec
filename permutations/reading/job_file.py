"""A fio job file as sections of options with their lines; fio(1), "JOB FILE FORMAT".

This module reads the form and what a plan needs to know: direction and amount of I/O.  :mod:`bench.fio.jobfile`
decides which options may reach fio.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

GLOBAL = "global"
RW_DEFAULT = "read"
"""fio's default for ``rw``."""
ALIASES: Mapping[str, str] = MappingProxyType(
    {"timeout": "runtime", "readwrite": "rw", "io_limit": "io_size", "blocksize": "bs"}
)
"""Aliases of options; of an option and its alias the last one counts."""
TIME_UNITS_S: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("us", "usec"), 1e-6),
        **dict.fromkeys(("ms", "msec"), 1e-3),
        **dict.fromkeys(("", "s", "sec"), 1.0),
        **dict.fromkeys(("m", "min"), 60.0),
        **dict.fromkeys(("h", "hour"), 3600.0),
        "d": 86400.0,
    }
)
"""Time units of a job file, in seconds; a time without a unit is in seconds."""

_TIME = re.compile(r"([0-9]{1,12})([a-z]*)")


class JobFileError(Exception):
    """A text that is not a fio job file; ``line`` counts from 1, None if the error is about the whole file."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message

    def at(self, path: object) -> str:
        """The message with its place, such as ``pages.fio:7: …``."""
        return f"{path}: {self.message}" if self.line is None else f"{path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Option:
    """An option of a job file; a flag without ``=`` has an empty value."""

    line: int
    key: str
    value: str


@dataclass(frozen=True)
class Section:
    """A section of a job file, with its own options."""

    name: str
    options: tuple[Option, ...]


def decode(raw: bytes) -> str:
    """The text of a job file; raises :class:`JobFileError` with the line that is not UTF-8 text."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JobFileError(raw[: error.start].count(b"\n") + 1, "is not UTF-8 text") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.rstrip("\r").replace("\t", " ").isprintable():
            raise JobFileError(number, "has characters that are not printable: this is not a text file")
    return text


def sections(text: str) -> tuple[Section, ...]:
    """Split a job file as fio does: ``;`` and ``#`` start a comment only at the start of a line.

    Raises:
        JobFileError: a line before the first section, or no section besides ``[global]``.
    """
    parsed: list[tuple[str, list[Option]]] = []
    for number, raw_line in enumerate(text.split("\n"), start=1):
        line = raw_line.strip()
        if not line or line[0] in ";#":
            continue
        if line.startswith("["):
            name = line[1 : line.rfind("]")].strip() if "]" in line else ""
            if not name:
                raise JobFileError(number, f"{_quoted(line)} is not a section of a fio job file")
            parsed.append((name, []))
            continue
        key, _, value = (part.strip() for part in line.partition("="))
        if not parsed:
            raise JobFileError(number, f"{_quoted(line)} stands before the first [section]")
        parsed[-1][1].append(Option(number, key, value))
    if all(name == GLOBAL for name, _ in parsed):
        raise JobFileError(None, "a fio job file needs a section beside [global]")
    return tuple(Section(name, tuple(options)) for name, options in parsed)


def jobs(job_sections: Iterable[Section]) -> tuple[Mapping[str, Option], ...]:
    """The options of each job by name, with those of the ``[global]`` sections above it; the last one counts.

    An alias appears under the name that it stands for.
    """
    inherited: dict[str, Option] = {}
    merged = []
    for section in job_sections:
        options = {ALIASES.get(option.key, option.key): option for option in section.options}
        if section.name == GLOBAL:
            inherited.update(options)
        else:
            merged.append({**inherited, **options})
    return tuple(merged)


def time_s(job: Mapping[str, Option], key: str) -> float | None:
    """The time under a key of a job, in seconds; None if it is absent or not valid."""
    return seconds_of(job[key].value) if key in job else None


def seconds_of(text: str) -> float | None:
    """A time such as ``60``, ``500ms`` or ``2h`` in seconds; None if it is not a time."""
    match = _TIME.fullmatch(text)
    if match is None or match[2] not in TIME_UNITS_S:
        return None
    return int(match[1]) * TIME_UNITS_S[match[2]]


def _quoted(line: str) -> str:
    return repr(line if len(line) <= 60 else line[:57] + "...")
