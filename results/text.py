r"""Text from outside, made safe to show: names, paths, labels, output of tools, contents of a store.

Such text may hold characters that drive a terminal (ESC, C1), reverse or hide what stands beside them (bidirectional
and other format characters), or cannot be written at all (a byte of a file name that is not UTF-8, which Python keeps
as a lone surrogate).  Each becomes an escape that is read as what it is: a byte ``\x80``, a character ``\x1b``,
``\u202e`` or ``\U000e0041``.

A backslash is not escaped: a path or a pattern stays as it can be copied, and text that is cleaned again stays the
same.  A literal ``\x1b`` therefore looks like an escaped one; the ``--json`` form tells them apart.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

_SHORT = {ord("\t"): r"\t", ord("\n"): r"\n", ord("\r"): r"\r"}
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF
"""Surrogates that stand for a byte which is not UTF-8 (PEP 383)."""


def plain(text: str) -> str:
    r"""One line that no terminal, parser or reader is misled by: what is not visible becomes an escape, as ``\x1b``."""
    return text if text.isprintable() else text.translate(_ONE_LINE)


def plain_lines(text: str) -> str:
    """As :func:`plain`, but text may have lines and tabs."""
    return text if text.isprintable() else text.translate(_LINES)


def encodable(text: str) -> str:
    """Text that UTF-8 can hold: bytes of a name that are not UTF-8 are escaped, everything else stays."""
    return text if text.isascii() else text.translate(_SURROGATES)


def json_text(value: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    r"""A value as JSON (RFC 8259) that drives no terminal and gives a parser the text as it was.

    What :func:`plain` would escape is escaped as JSON does, ``\u001b``.  Lone surrogates, which many parsers refuse,
    are replaced as by :func:`encodable`; a figure that is not finite is null.
    """
    found = json.dumps(_finite(value), indent=indent, ensure_ascii=False, allow_nan=False)
    return found.translate(_ASCII_JSON if ascii_only else _JSON)


def shows(character: str) -> bool:
    """Whether a character is shown as itself: letters, marks, figures, symbols and spaces, as Unicode has them."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(code: int) -> str:
    """The escape of a character."""
    if code in _SHORT:
        return _SHORT[code]
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_json(code: int) -> str:
    """The escape of a character within a string of JSON."""
    if 0xD800 <= code < 0xE000:
        return f"\\{_escaped(code)}"
    if code < 0x10000:
        return f"\\u{code:04x}"
    above = code - 0x10000
    return f"\\u{0xD800 + (above >> 10):04x}\\u{0xDC00 + (above & 0x3FF):04x}"


def _finite(value: Any) -> Any:
    """The same value with null for figures that are not finite."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {name: _finite(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case _:
            return value


class _Table(dict[int, str]):
    """For ``str.translate``: what does not stay is escaped; an escape is made when its character first occurs."""

    def __init__(self, stays: Callable[[str], bool], escaped: Callable[[int], str] = _escaped) -> None:
        super().__init__()
        self._stays = stays
        self._escaped = escaped

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = found = character if self._stays(character) else self._escaped(code)
        return found


_ONE_LINE = _Table(shows)
_LINES = _Table(lambda character: character in "\n\t" or shows(character))
_SURROGATES = _Table(lambda character: unicodedata.category(character) != "Cs")
_JSON = _Table(lambda character: character == "\n" or shows(character), _escaped_json)
_ASCII_JSON = _Table(lambda character: character == "\n" or " " <= character <= "~", _escaped_json)
