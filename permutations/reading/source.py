"""The text of a sweep file, read with limits, and the line of every key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from permutations.errors import SweepError, nearest
from permutations.reading import toml_lines
from permutations.reading.regular import UnreadableError, read_regular

MAX_BYTES = 1 << 20
"""Maximum size of a sweep file: a wrong file name must not read a disk image into memory."""

LONGEST_SHOWN = 64
"""Maximum characters of a key in a message."""

MOST_DOTS = 50
"""Maximum dots in a line: time and memory for a dotted key of n parts grow with the square of n."""

_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)$")
_LONG_NUMBER = re.compile(r"[0-9_]{4300,}")


@dataclass(frozen=True)
class Source:
    """Origin of the values: ``path`` as the user gave it, and the lines of the keys."""

    path: str
    lines: Mapping[toml_lines.Path, int]

    def refuse(self, at: toml_lines.Path, message: str, suggestion: str | None = None) -> NoReturn:
        """Raise the :class:`SweepError` about the key ``at``."""
        raise SweepError(self.path, self.line(at), key_text(at), message, suggestion)

    def refuse_name(self, at: toml_lines.Path, message: str, written: str, known: tuple[str, ...]) -> NoReturn:
        """Raise the error for an unknown name: with the nearest valid one, or with all of them."""
        suggestion = nearest(written, known)
        self.refuse(at, message if suggestion else f"{message}; known are {', '.join(known)}", suggestion)

    def line(self, at: toml_lines.Path) -> int | None:
        """Line of the key ``at``, or of the nearest table around it."""
        for end in range(len(at), 0, -1):
            if at[:end] in self.lines:
                return self.lines[at[:end]]
        return None


def key_text(at: toml_lines.Path) -> str:
    """A key as messages show it: ``[factors] disks``, ``[[workload]] 2 bs``, ``[workload.options] x``."""
    parts = [part if isinstance(part, int) or len(part) <= LONGEST_SHOWN else f"{part[:LONGEST_SHOWN]}…" for part in at]
    if len(parts) == 1:
        return f"[{parts[0]}]"
    words = [f"[[{parts[0]}]] {parts[1] + 1}" if isinstance(parts[1], int) else f"[{parts[0]}] {parts[1]}"]
    words += [part for part in parts[2:] if isinstance(part, str)]
    return " ".join(words)


def read_text(path: Path) -> str:
    """The text of a sweep file; raises :class:`SweepError` if it cannot be read."""
    name = str(path)
    try:
        raw = read_regular(path, MAX_BYTES)
    except UnreadableError as error:
        raise SweepError(name, None, None, str(error)) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SweepError(name, line, None, "is not UTF-8 text") from None


def parse(text: str, path: str) -> tuple[dict[str, Any], Source]:
    """The values of a TOML text, and their source; raises :class:`SweepError` for bad syntax."""
    lines_of_keys = (
        (at, line) for at, line in enumerate(text.split("\n"), start=1) if not line.lstrip().startswith("#")
    )
    dotted = next((at for at, line in lines_of_keys if line.count(".") > MOST_DOTS), None)
    if dotted is not None:
        raise SweepError(path, dotted, None, f"not valid TOML for a sweep: more than {MOST_DOTS} dots in one line")
    try:
        values = tomllib.loads(text)
        lines = toml_lines.locate(text)
    except tomllib.TOMLDecodeError as error:
        position = _AT_LINE.search(str(error))
        line = int(position[1]) if position else text.rstrip("\n").count("\n") + 1
        message = _AT_LINE.sub("", str(error)).replace(" (at end of document)", " at the end of the file")
        raise SweepError(path, line, None, f"not valid TOML: {message}") from None
    except RecursionError:
        raise SweepError(path, None, None, "not valid TOML for a sweep: nested too deeply") from None
    except ValueError:  # Python rejects very long numbers without a position
        number = _LONG_NUMBER.search(text)
        place = text[: number.start()].count("\n") + 1 if number else None
        raise SweepError(path, place, None, "not valid TOML: a number is too long") from None
    return values, Source(path, lines)
