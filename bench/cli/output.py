"""How a verb speaks: JSON alone on stdout where it was asked for, everything else on stderr.

What is printed may come from outside (a name, a path, the output of a tool), so that every line is cleaned here.
"""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from results.text import json_text, plain, plain_lines


def emit_json(answer: Any) -> None:
    """Print ``answer`` as JSON on stdout; in ASCII alone where stdout cannot hold all of Unicode."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(f"{json_text(answer, indent=2, ascii_only=ascii_only)}\n")


@contextmanager
def data_stream() -> Iterator[TextIO]:
    """Stdout for data of a format of its own (CSV, JSON lines): UTF-8 as in a file, lines end as the format has it."""
    sys.stdout.flush()
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()


def say(line: str = "") -> None:
    """Print a line of the answer on stdout."""
    sys.stdout.write(f"{plain_lines(line)}\n")


def prose(line: str) -> None:
    """Print a sentence of the answer on stdout, on a terminal wrapped between words; lines of a list stay one block."""
    line = plain_lines(line)  # before it is wrapped: escapes take room
    if sys.stdout.isatty():
        line = wrapped(line, shutil.get_terminal_size().columns)
    say(line)


def wrapped(line: str, columns: int) -> str:
    """A line as several of at most so many columns, those that follow set in as its first word is; no word is cut."""
    words = line.lstrip(" ")
    indent = " " * (len(line) - len(words) + (2 if words.startswith("- ") else 0))
    first = line[: len(line) - len(words)]
    return textwrap.fill(
        words,
        max(columns, len(indent) + 20),
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def note(line: str) -> None:
    """Print a line of progress on stderr."""
    sys.stderr.write(f"{plain_lines(line)}\n")
    sys.stderr.flush()


def overwrite(line: str, *, last: bool) -> None:
    """Print a line of progress on stderr, a terminal, over the one before; the last one ends."""
    below = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # the clean stream would escape the carriage return
    end = "\n" if last else ""
    below.write(f"\r{plain(line)}{end}")
    below.flush()
