"""Standard output and standard error as streams on which no text from outside drives a terminal.

Verbs clean what they print (:mod:`bench.cli.output`, :mod:`bench.cli.slides`).  These streams hold for everything
else: a library's warning, a traceback, a verb that forgot.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from results.text import plain_lines


class CleanStream:
    """A text stream that escapes what :func:`plain_lines` escapes, and what its encoding cannot hold.

    Colours come from :class:`bench.console.Screen` alone, which cleans each piece of text before it is styled and
    writes to the stream below: rich takes that from ``rich_proxied_file``.  Bytes (``buffer``) pass as they are.
    """

    def __init__(self, stream: TextIO) -> None:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Write text, escaped; returns the characters that were given."""
        self.rich_proxied_file.write(plain_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of the lines, escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def clean_standard_streams() -> None:
    """Put a clean stream in the place of standard output and of standard error."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:  # None where the descriptor was closed from the start
            setattr(sys, name, CleanStream(stream))
