"""Typed access to a TOML table: every value is checked, every error has file, line and key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from permutations.reading import toml_lines
from permutations.reading.source import Source
from stripelab.units import format_size, parse_size

T = TypeVar("T")

MOST_TABLES = 256
"""Maximum tables of one kind: each rule and each workload is compared with every other."""
MAX_INTEGER = (1 << 63) - 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KINDS = {bool: "true or false", str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table"}


@dataclass(frozen=True)
class Table:
    """A table of a sweep file, read key by key."""

    values: Mapping[str, Any]
    at: toml_lines.Path
    source: Source

    def has(self, key: str) -> bool:
        """Whether the file has the key."""
        return key in self.values

    def only(self, known: tuple[str, ...]) -> None:
        """Raise an error for any key that is not in ``known``."""
        for key in self.values:
            if key not in known:
                self.source.refuse_name((*self.at, key), "unknown key", key, known)

    def require(self, *keys: str) -> None:
        """Raise an error if one of ``keys`` is missing."""
        for key in keys:
            if key not in self.values:
                self.source.refuse(self.at, f"{key} is missing")

    def refuse(self, key: str, message: str, suggestion: str | None = None) -> NoReturn:
        """Raise the error about the value of ``key``."""
        self.source.refuse((*self.at, key), message, suggestion)

    def text(self, key: str, default: T) -> str | T:
        """Text of one printable line; ``default`` if the key is absent."""
        if key not in self.values:
            return default
        value = self._typed(key, str)
        if not value.strip() or not value.isprintable():
            self.refuse(key, "must be one line of text, and not empty")
        return str(value)

    def name(self, key: str) -> str:
        """A name that is safe as a file name and as the name of a fio job."""
        self.require(key)
        value = self.text(key, "")
        if not _NAME.fullmatch(value):
            self.refuse(key, "must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit")
        return value

    def word(self, key: str, known: tuple[str, ...], default: str, unknown: str = "unknown value") -> str:
        """One of the words ``known``."""
        value = self.text(key, default)
        if value not in known:
            self.source.refuse_name((*self.at, key), f"{unknown} {quoted(value)}", value, known)
        return value

    def integer(self, key: str, default: T, low: int, high: int = MAX_INTEGER) -> int | T:
        """A whole number from ``low`` to ``high``."""
        if key not in self.values:
            return default
        value = int(self._typed(key, int))
        if not low <= value <= high:
            self.refuse(key, f"{quoted(value)} is out of range: from {low} to {high}")
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """A finite number from ``low`` to ``high``."""
        if key not in self.values:
            return default
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._refuse_type(key, float)
        if isinstance(value, float) and not math.isfinite(value):
            self.refuse(key, f"{value} is not a number that can be used")
        if not low <= value <= high:
            self.refuse(key, f"{quoted(value)} is out of range: from {low:g} to {high:g}")
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        return bool(self._typed(key, bool)) if key in self.values else default

    def size(self, key: str, default: T, low: int, high: int = MAX_INTEGER) -> int | T:
        """Bytes, from a number or a size word such as ``4k`` or ``1GiB``."""
        if key not in self.values:
            return default
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            self.refuse(key, f'must be a size such as "4k", "1M" or 4096, not {quoted(value)}')
        size = value if isinstance(value, int) else parse_size(value)
        if size is None:
            self.refuse(key, f'{quoted(value)} is no size: write for example "4k", "1M", "128KiB" or 4096')
        if size < low:
            self.refuse(key, f"{quoted(value)} is too small: at least {format_size(low)}")
        if size > high:
            self.refuse(key, f"{quoted(value)} is too large: at most {format_size(high)}")
        return size

    def elements(self, key: str) -> Iterator[tuple[toml_lines.Path, Any]]:
        """The elements of a list that must not be empty, with their paths."""
        values = self._typed(key, list)
        if not values:
            self.refuse(key, "the list is empty")
        for position, value in enumerate(values):
            yield (*self.at, key, position), value

    def table(self, key: str) -> Table:
        """A table within this one; an empty table if the key is absent."""
        at = (*self.at, key)
        if key not in self.values:
            return Table({}, at, self.source)
        if isinstance(self.values[key], list):
            self.refuse(key, f"must be one table: write [{key}], once")
        return Table(self._typed(key, dict), at, self.source)

    def tables(self, key: str, most: int = MOST_TABLES) -> tuple[Table, ...]:
        """The tables of an array of tables; empty if the key is absent."""
        if key not in self.values:
            return ()
        values = self.values[key]
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.refuse(key, f"must be tables: write [[{key}]], with two brackets")
        if len(values) > most:
            self.refuse(key, f"there are {len(values)} tables: at most {most}")
        return tuple(Table(value, (*self.at, key, position), self.source) for position, value in enumerate(values))

    def _typed(self, key: str, kind: type) -> Any:
        """The value of ``key``, which must be of type ``kind``; true is not a whole number."""
        value = self.values[key]
        if type(value) is not kind:
            self._refuse_type(key, kind)
        return value

    def _refuse_type(self, key: str, kind: type) -> NoReturn:
        self.refuse(key, f"must be {_KINDS[kind]}, not {quoted(self.values[key])}")


def quoted(value: Any) -> str:
    """A value as TOML writes it, shortened."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, list):
        text = "a list"
    else:
        text = str(value) if not isinstance(value, int) or value.bit_length() < 10000 else "a very long number"
    return text if len(text) <= 60 else text[:57] + "..."
