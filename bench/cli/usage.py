"""Checks of options that Typer cannot express."""

from __future__ import annotations

from collections.abc import Mapping

import typer


def exactly_one(given: Mapping[str, bool]) -> None:
    """One and only one of these options must be given."""
    chosen = [name for name, present in given.items() if present]
    if len(chosen) != 1:
        raise typer.BadParameter(f"give exactly one of {', '.join(given)}", param_hint=" / ".join(chosen) or None)


def words(text: str) -> list[str]:
    """The parts of a comma-separated option."""
    return [word.strip() for word in text.split(",") if word.strip()]


def size_bytes(text: str, option: str) -> int:
    """A size such as 1GiB, in bytes."""
    from permutations.reading.sizes import parse_size

    size = parse_size(text)
    if size is None or size <= 0:
        raise typer.BadParameter(f"{text} is not a size such as 512MiB or 1GiB", param_hint=option)
    return size
