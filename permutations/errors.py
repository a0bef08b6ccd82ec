"""The one error of this package, and the search for the name that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SweepError(Exception):
    """A sweep that cannot be read, or that says something impossible.

    Args:
        path: The sweep file as the user named it; None for a sweep made in Python.
        line: Line of the file, from 1; None where no line is to blame.
        key: Where in the file, as a person says it: ``[factors] chunk_kib``.
        message: What is wrong.
        suggestion: The valid name that was probably meant.
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
        """The whole error on one line: file, line, key, what is wrong, what was meant."""
        place = ":".join(str(part) for part in (self.path, self.line) if part is not None)
        meant = f"did you mean {self.suggestion}?" if self.suggestion else None
        said = "; ".join(part for part in (self.message, meant) if part)
        return printable(": ".join(part for part in (place, self.key, said) if part))


def printable(text: str) -> str:
    """``text`` on one line: whatever a terminal would act upon is escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of ``words`` that ``word`` was probably meant to be, or None.

    Near is what :mod:`difflib` calls near, case aside; failing that, a word that alone ends in what
    was written (``5`` for ``raid5``).
    """
    folded = {known.casefold(): known for known in words}
    written = word.casefold()
    close = difflib.get_close_matches(written, folded, n=1, cutoff=0.6)
    if close:
        return folded[close[0]]
    endings = [known for low, known in folded.items() if written and low.endswith(written)]
    return endings[0] if len(endings) == 1 else None
