"""How a verb speaks: JSON alone on stdout where it was asked for, everything else on stderr."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import Any

import typer


def emit_json(answer: Any) -> None:
    """Print ``answer`` as JSON on stdout."""
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def say(line: str = "") -> None:
    """Print a line of the answer on stdout."""
    typer.echo(line)


def prose(line: str) -> None:
    """Print a sentence of the answer on stdout, on a terminal wrapped between words; lines of a list stay one block."""
    if sys.stdout.isatty():
        line = wrapped(line, shutil.get_terminal_size().columns)
    typer.echo(line)


def wrapped(line: str, columns: int) -> str:
    """A line as several of at most so many columns, those that follow set in as its first word is; no word is cut."""
    plain = line.lstrip(" ")
    indent = " " * (len(line) - len(plain) + (2 if plain.startswith("- ") else 0))
    first = line[: len(line) - len(plain)]
    return textwrap.fill(
        plain,
        max(columns, len(indent) + 20),
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def note(line: str) -> None:
    """Print a line of progress on stderr."""
    typer.echo(line, err=True)
