"""Sizes, durations, times and shares: parsed from what a user writes, and printed for a person."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

_MINUS = "\N{MINUS SIGN}"
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SIZE = re.compile(r"(?P<digits>\d{1,18})\s*(?:(?P<prefix>[kmgtp])(?:i?b)?|b)?", re.IGNORECASE | re.ASCII)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def parse_size(text: str) -> int | None:
    """Bytes that ``text`` stands for (``4k``, ``1M``, ``128KiB``, ``4096``); None where it is not a size.

    Every prefix is a power of 1024, whatever its spelling, as ``4k`` is to fio by default (fio(1), ``kb_base``).
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    prefix = match["prefix"]
    return int(match["digits"]) << (10 * _POWERS[prefix.lower()] if prefix else 0)


def format_size(size_bytes: float) -> str:
    """A size that a user set: ``64 MiB``, ``1.5 GiB``; :func:`capacity` is for one that was measured."""
    scale, unit = binary_scale(size_bytes)
    return f"{size_bytes / scale:.3g} {unit}"


def number(value: float) -> str:
    """Three significant digits, thousands: ``0.0123``, ``9.87``, ``398``, ``12,300``."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{abs(value):,.{digits}f}" if abs(value) < 1000 else f"{round(abs(value)):,}"
    return f"{_MINUS if value < 0 else ''}{text}"


def counted(count: int, noun: str) -> str:
    """``1 run``, ``20 days``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def capacity(size_bytes: float) -> str:
    """Bytes in binary units."""
    scale, unit = binary_scale(size_bytes)
    return f"{number(size_bytes / scale)} {unit}"


def binary_scale(size_bytes: float) -> tuple[float, str]:
    """Divisor and binary unit in which a size reads well."""
    step = 0
    while size_bytes >= 1024 ** (step + 1) and step < len(_BINARY) - 1:
        step += 1
    return float(1024**step), _BINARY[step]


def pct(value: float) -> str:
    """``38 %``, ``0.4 %``."""
    return f"{abs(value):.0f} %" if abs(value) >= 10 else f"{abs(value):.1f} %"


def signed_pct(value: float) -> str:
    """``+38 %``, ``-0.4 %``, with a true minus sign."""
    sign = "" if abs(value) < 0.05 else "+" if value > 0 else _MINUS
    return f"{sign}{pct(value)}"


def date(time_ns: int) -> str:
    """UTC, to the minute."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(seconds: float) -> str:
    """``42 s``, ``12 min``, ``3 h 05 min``; an en dash for what is no time."""
    if not math.isfinite(seconds):
        return "\N{EN DASH}"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
