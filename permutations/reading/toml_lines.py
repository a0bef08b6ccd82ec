"""Line of each key and each array element of a TOML document.

``tomllib`` gives values without positions; an error in a sweep file needs the line.  This walks a
document that ``tomllib`` has already accepted, so it does not check anything: it only finds where
keys, tables and elements begin.  Grammar: TOML v1.0.0 (newlines inside inline tables, as in v1.1, pass).
"""

from __future__ import annotations

import bisect
import re
import tomllib

Path = tuple[str | int, ...]
"""Keys from the root down; an integer is a position in an array or array of tables, from 0."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_QUOTED = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def locate(text: str) -> dict[Path, int]:
    """Line, from 1, of every table, key and array element of the valid TOML document ``text``."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return scanner.lines


class _Scanner:
    """Walks a document once, left to right, and records lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._table: Path = ()
        self._array_tables: dict[Path, int] = {}

    def document(self) -> None:
        """Every statement: a header, or a key with its value."""
        self._skip_blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                self._header()
            else:
                self._pair(self._table)
            self._skip_blank()

    def _header(self) -> None:
        """``[table]`` or ``[[array of tables]]``."""
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        line = self._line()
        self.at += brackets
        keys = self._keys()
        self.at += brackets
        path: Path = ()
        for key in keys[:-1]:
            path = self._newest((*path, key))
            self.lines.setdefault(path, line)
        path = (*path, keys[-1])
        if brackets == 2:
            self._array_tables[path] = self._array_tables.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, self._array_tables[path])
        self._table = path
        # a dotted key may have made the table before its header: users look for the header
        self.lines[path] = line

    def _newest(self, path: Path) -> Path:
        """``path``, or the last table of it if it is an array of tables."""
        return (*path, self._array_tables[path]) if path in self._array_tables else path

    def _pair(self, base: Path) -> None:
        """``key = value``; a dotted key makes the tables of its path."""
        line = self._line()
        path = base
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip_blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        if self.text[self.at] == "[":
            self._array(path)
        elif self.text[self.at] == "{":
            self._inline_table(path)
        else:
            quoted = _QUOTED.match(self.text, self.at)
            self.at = quoted.end() if quoted else self._end_of(_SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        position = 0
        self._skip_separators()
        while self.text[self.at] != "]":
            element = (*path, position)
            self.lines[element] = self._line()
            self._value(element)
            position += 1
            self._skip_separators()
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        self._skip_separators()
        while self.text[self.at] != "}":
            self._pair(path)
            self._skip_separators()
        self.at += 1

    def _keys(self) -> list[str]:
        """The parts of a dotted key; moves the position behind it."""
        keys = [self._key()]
        self._skip_blank()
        while self.text[self.at] == ".":
            self.at += 1
            keys.append(self._key())
            self._skip_blank()
        return keys

    def _key(self) -> str:
        self._skip_blank()
        start = self.at
        quoted = _QUOTED.match(self.text, start)
        if quoted is None:
            self.at = self._end_of(_BARE_KEY)
            return self.text[start : self.at]
        self.at = quoted.end()
        decoded: str = tomllib.loads(f"key = {quoted[0]}")["key"]
        return decoded

    def _skip_separators(self) -> None:
        self._skip_blank()
        while self.text[self.at] == ",":
            self.at += 1
            self._skip_blank()

    def _skip_blank(self) -> None:
        """Move past white space, newlines and comments."""
        self.at = self._end_of(_BLANK)

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        return match.end() if match else self.at

    def _line(self) -> int:
        return bisect.bisect_left(self._newlines, self.at) + 1
