"""Checks and conversions of option values that Typer cannot express."""

from __future__ import annotations

from collections.abc import Mapping

import typer

MAX_BYTES = (1 << 63) - 1
"""Largest offset in a file (off_t)."""

MAX_HOURS = 24 * 366


def hours_to_seconds(hours: float) -> float:
    """Seconds of ``--budget``."""
    if not hours <= MAX_HOURS:  # also rejects NaN
        raise typer.BadParameter(f"must be at most {MAX_HOURS} hours, a year (got {hours:g})", param_hint="--budget")
    return hours * 3600


def require_exactly_one(given: Mapping[str, bool]) -> None:
    """Raise a usage error unless exactly one of these options is given."""
    chosen = [name for name, present in given.items() if present]
    if len(chosen) != 1:
        raise typer.BadParameter(f"give exactly one of {', '.join(given)}", param_hint=" / ".join(chosen) or None)


def split_list(text: str) -> list[str]:
    """The items of a comma-separated option."""
    return [item.strip() for item in text.split(",") if item.strip()]


def parse_bytes(text: str, option: str) -> int:
    """Bytes of a size such as 1GiB."""
    from stripelab.units import parse_size

    size = parse_size(text)
    if size is None or not 0 < size <= MAX_BYTES:
        raise typer.BadParameter(f"{text} is not a size such as 512MiB or 1GiB", param_hint=option)
    return size
