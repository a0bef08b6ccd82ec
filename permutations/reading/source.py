"""A sweep file as text: read once, with bounds, and the line of every key at hand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from permutations.errors import SweepError, nearest
from permutations.reading import toml_lines

MAX_BYTES = 1 << 20
"""Largest sweep file: a wrong file name must not read a disk image into memory."""

_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)$")
_LONG_NUMBER = re.compile(r"[0-9_]{4300,}")


@dataclass(frozen=True)
class Source:
    """Where the values came from: ``path`` as the user named it, and the lines of its keys."""

    path: str
    lines: Mapping[toml_lines.Path, int]

    def refuse(self, at: toml_lines.Path, message: str, suggestion: str | None = None) -> NoReturn:
        """Raise the :class:`SweepError` that blames the key ``at``."""
        raise SweepError(self.path, self.line(at), spoken(at), message, suggestion)

    def refuse_name(self, at: toml_lines.Path, message: str, written: str, known: tuple[str, ...]) -> NoReturn:
        """Raise the error for a wrong name: with the nearest known one, or with all of them."""
        meant = nearest(written, known)
        self.refuse(at, message if meant else f"{message}; known are {', '.join(known)}", meant)

    def line(self, at: toml_lines.Path) -> int | None:
        """Line of the key ``at``, or of the nearest table around it."""
        for end in range(len(at), 0, -1):
            if at[:end] in self.lines:
                return self.lines[at[:end]]
        return None


def spoken(at: toml_lines.Path) -> str:
    """A key as a person says it: ``[factors] disks``, ``[[workload]] 2 bs``, ``[workload.options] x``."""
    if len(at) == 1:
        return f"[{at[0]}]"
    words = [f"[[{at[0]}]] {at[1] + 1}" if isinstance(at[1], int) else f"[{at[0]}] {at[1]}"]
    words += [str(part) for part in at[2:] if isinstance(part, str)]
    return " ".join(words)


def read_text(path: Path) -> str:
    """The text of a sweep file; raises :class:`SweepError` where it cannot be read."""
    shown = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SweepError(shown, None, None, "there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SweepError(shown, None, None, f"cannot be read: {reason}") from None
    if len(raw) > MAX_BYTES:
        raise SweepError(shown, None, None, f"is over {MAX_BYTES} bytes: this is no sweep file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SweepError(shown, line, None, "is not UTF-8 text") from None


def parse(text: str, path: str) -> tuple[dict[str, Any], Source]:
    """The values of a TOML text and where they stand; raises :class:`SweepError` on bad syntax."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip("\n").count("\n") + 1
        message = _AT_LINE.sub("", str(error)).replace(" (at end of document)", " at the end of the file")
        raise SweepError(path, line, None, f"not valid TOML: {message}") from None
    except RecursionError:
        raise SweepError(path, None, None, "not valid TOML for a sweep: nested too deeply") from None
    except ValueError:  # Python refuses to convert very long numbers, and says so without a position
        number = _LONG_NUMBER.search(text)
        place = text[: number.start()].count("\n") + 1 if number else None
        raise SweepError(path, place, None, "not valid TOML: a number is too long") from None
    return values, Source(path, toml_lines.locate(text))
