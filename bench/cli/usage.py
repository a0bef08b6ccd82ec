"""Checks of options that Typer cannot express."""

from __future__ import annotations

from collections.abc import Mapping

import typer

MOST_BYTES = (1 << 63) - 1
"""Largest offset in a file (off_t)."""

MOST_HOURS = 24 * 366


def budget_s(hours: float) -> float:
    """A budget in seconds."""
    if not hours <= MOST_HOURS:  # nor is "not a number"
        raise typer.BadParameter(f"{hours:g} is more than a year of {MOST_HOURS} hours", param_hint="--budget")
    return hours * 3600


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
    from stripelab.units import parse_size

    size = parse_size(text)
    if size is None or not 0 < size <= MOST_BYTES:
        raise typer.BadParameter(f"{text} is not a size such as 512MiB or 1GiB", param_hint=option)
    return size
