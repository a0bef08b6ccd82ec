"""Sizes as a sweep file writes them: ``4k``, ``1M``, ``128KiB``, or a plain number of bytes.

Every prefix is a power of 1024, whatever its spelling: ``4k``, ``4K``, ``4kb`` and ``4KiB`` are all
4096, as ``4k`` is to fio by default (fio(1), ``kb_base``).
"""

from __future__ import annotations

import re

_SIZE = re.compile(r"(?P<digits>\d{1,18})\s*(?:(?P<prefix>[kmgtp])(?:i?b)?|b)?", re.IGNORECASE | re.ASCII)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_UNITS = ("", "KiB", "MiB", "GiB", "TiB", "PiB")


def parse_size(word: str) -> int | None:
    """Bytes that ``word`` stands for, or None where it is no size."""
    found = _SIZE.fullmatch(word.strip())
    if found is None:
        return None
    prefix = found["prefix"]
    power = _POWERS[prefix.lower()] if prefix else 0
    return int(found["digits"]) << (10 * power)


def format_size(size_bytes: float) -> str:
    """``size_bytes`` for a person to read: at most three digits and a binary unit."""
    amount = float(size_bytes)
    for unit in _UNITS[:-1]:
        if abs(amount) < 1024:
            return f"{amount:.3g} {unit or 'B'}"
        amount /= 1024
    return f"{amount:.3g} {_UNITS[-1]}"
