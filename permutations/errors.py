"""The error of this package, and the search for the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SweepError(Exception):
    """A sweep that cannot be read or that cannot be run.

    Args:
        path: The sweep file as the user named it; None for a sweep made in Python.
        line: Line of the file, from 1; None if the error has no line.
        key: Where in the file, such as ``[factors] chunk_kib``.
        message: What is wrong.
        suggestion: The valid name that the user probably meant.
    """

    def __init__(
        self,
        path: str | None,
        line: int | None,
        key: str | None,
        message: str,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.key = key
        self.message = message
        self.suggestion = suggestion

    def __str__(self) -> str:
        """The whole error on one line: file, line, key, problem, suggestion."""
        place = ":".join(str(part) for part in (self.path, self.line) if part is not None)
        hint = f"did you mean {self.suggestion}?" if self.suggestion else None
        problem = "; ".join(part for part in (self.message, hint) if part)
        return printable(": ".join(part for part in (place, self.key, problem) if part))


def printable(text: str) -> str:
    """``text`` on one line, with control characters escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The valid word that the user probably meant by ``word``, or None.

    The match is :mod:`difflib`'s, ignoring case; else the only one of ``words`` that ends in ``word``
    (``5`` for ``raid5``).
    """
    folded = {valid.casefold(): valid for valid in words}
    written = word.casefold()
    close = difflib.get_close_matches(written, folded, n=1, cutoff=0.6)
    if close:
        return folded[close[0]]
    endings = [valid for low, valid in folded.items() if written and low.endswith(written)]
    return endings[0] if len(endings) == 1 else None
