"""How a verb speaks: JSON alone on stdout where it was asked for, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer


def emit_json(answer: Any) -> None:
    """Print ``answer`` as JSON on stdout."""
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def say(line: str = "") -> None:
    """Print a line of the answer on stdout."""
    typer.echo(line)


def note(line: str) -> None:
    """Print a line of progress on stderr."""
    typer.echo(line, err=True)
