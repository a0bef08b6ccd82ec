"""Output of the verbs: the answer on stdout (with ``--json`` JSON alone), everything else on stderr.

Text may come from outside (a name, a path, the output of a tool), so that every line is cleaned here.
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
    """Print ``answer`` as JSON on stdout, in ASCII where stdout cannot encode all of Unicode."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(f"{json_text(answer, indent=2, ascii_only=ascii_only)}\n")


@contextmanager
def data_stream() -> Iterator[TextIO]:
    """Stdout for data in a format of its own (CSV, JSON lines): UTF-8 and line ends as in a file."""
    sys.stdout.flush()
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()


def print_line(line: str = "") -> None:
    """Print a line of the answer on stdout."""
    sys.stdout.write(f"{plain_lines(line)}\n")


def print_paragraph(line: str) -> None:
    """Print a sentence of the answer on stdout, wrapped between words on a terminal; list items keep their indent."""
    line = plain_lines(line)  # before it is wrapped: escapes take columns
    if sys.stdout.isatty():
        line = wrap(line, shutil.get_terminal_size().columns)
    print_line(line)


def wrap(line: str, columns: int) -> str:
    """A line as lines of at most ``columns``, continued at the indent of its first word; words are not cut."""
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


def print_stderr(line: str) -> None:
    """Print a line of progress, a warning or an error on stderr."""
    sys.stderr.write(f"{plain_lines(line)}\n")
    sys.stderr.flush()


def print_progress(line: str, *, last: bool) -> None:
    """Print a line of progress over the previous one on stderr, which is a terminal; ``last`` ends the line."""
    stream = getattr(sys.stderr, "rich_proxied_file", sys.stderr)  # the clean stream would escape the carriage return
    end = "\n" if last else ""
    stream.write(f"\r{plain(line)}{end}")
    stream.flush()
