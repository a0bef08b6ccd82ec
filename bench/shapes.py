"""Shapes of values: what a word from a sweep file or a job file must look like before a program gets it.

The tables of allowed options (:mod:`bench.fio.allowed`, :mod:`bench.stack.allowed`) give every option a shape.  A
shape holds its words to a closed form, so that no value can name a file or carry an option of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

_SIZE = re.compile(r"([0-9]{1,15})([kmgtp]?)", re.IGNORECASE | re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
LONGEST = 1000
"""Longest value, in characters: far above any that means something."""


@dataclass(frozen=True)
class Shape:
    """``accepts`` decides and ``description`` completes "must be"; ``bare``: the option may stand without a value."""

    description: str
    accepts: Callable[[str], bool]
    bare: bool = False

    def fits(self, text: str) -> bool:
        """Whether the program may be given ``text``."""
        return len(text) <= LONGEST and self.accepts(text)


ALONE = Shape("without a value", lambda _: False, bare=True)
"""An option that is switched on by its name."""


def alone(words: str) -> dict[str, Shape]:
    """Options that are switched on by their names."""
    return dict.fromkeys(words.split(), ALONE)


def optional(shape: Shape) -> Shape:
    """The same values, or none."""
    return replace(shape, bare=True)


def matching(description: str, pattern: str) -> Shape:
    """Text that matches a pattern as a whole."""
    compiled = re.compile(pattern, re.ASCII)
    return Shape(description, lambda text: compiled.fullmatch(text) is not None)


def one_of(*words: str) -> Shape:
    """A word of a closed set."""
    return Shape(" or ".join(words), lambda text: text in words)


def whole(low: int, high: int) -> Shape:
    """A whole number, in decimal digits."""
    return Shape(f"a whole number from {low} to {high}", lambda text: _is_whole(text, low, high))


def decimal(low: float, high: float) -> Shape:
    """A number with or without decimals; neither exponents nor ``inf``."""
    form = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)

    def accepts(text: str) -> bool:
        return form.fullmatch(text) is not None and low <= float(text) <= high

    return Shape(f"a number from {low:g} to {high:g}", accepts)


def size(low: int, high: int) -> Shape:
    """Bytes, with or without one of the letters k, m, g, t and p, which every program here reads as powers of 1024."""

    def accepts(text: str) -> bool:
        found = size_bytes(text)
        return found is not None and low <= found <= high

    return Shape(f"a size from {low} to {_in_words(high)}", accepts)


def fio_size(low: int, high: int) -> Shape:
    """As :func:`size`, in the units of fio, which knows ``KiB`` and ``kb`` as well."""
    within = size(low, high)
    units = re.compile(r"(?<=[kmgtp])i?b\Z|(?<=[0-9])b\Z", re.IGNORECASE)
    return Shape(within.description, lambda text: within.accepts(units.sub("", text)))


def either(*shapes: Shape) -> Shape:
    """A value of any of the shapes."""
    return Shape(
        ", or ".join(each.description for each in shapes), lambda text: any(each.accepts(text) for each in shapes)
    )


def power(low: int, high: int) -> Shape:
    """A power of two in plain digits, for programs that read no unit there."""
    return one_of(*(str(1 << n) for n in range(low.bit_length() - 1, high.bit_length())))


def power_of_two(low: int, high: int) -> Shape:
    """Bytes as of :func:`size`, and a power of two."""
    within = size(low, high)

    def accepts(text: str) -> bool:
        return within.accepts(text) and (size_bytes(text) or 0).bit_count() == 1

    return Shape(f"a power of two from {low} to {_in_words(high)}", accepts)


def several(shape: Shape, most: int, separator: str = ",", *, gaps: bool = False) -> Shape:
    """One to ``most`` values of a shape; with ``gaps`` some of them may be left out."""

    def accepts(text: str) -> bool:
        parts = text.split(separator)
        return len(parts) <= most and any(parts) and all((gaps and not part) or shape.accepts(part) for part in parts)

    return Shape(f"1 to {most} values with {separator!r} between, each {shape.description}", accepts)


def size_bytes(text: str) -> int | None:
    """Bytes that a word such as ``4k`` stands for; None where it is not a size."""
    found = _SIZE.fullmatch(text)
    return int(found[1]) << (10 * _POWERS[found[2].lower()]) if found else None


def _is_whole(text: str, low: int, high: int) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= 19 and low <= int(text) <= high


def _in_words(count: int) -> str:
    for power, unit in enumerate("PTGMk"):
        if count and count % (1 << (10 * (5 - power))) == 0:
            return f"{count >> (10 * (5 - power))}{unit}"
    return str(count)
