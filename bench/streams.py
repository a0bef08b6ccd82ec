"""Standard output and standard error as streams on which no text from outside drives a terminal.

Verbs clean what they print (:mod:`bench.cli.output`, :mod:`bench.cli.terminal_table`).  These streams hold for
everything else: a library's warning, a traceback, a verb that forgot.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from bench.errors import StreamError
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


class _Descriptor(io.FileIO):
    """A standard stream's descriptor, whose failures are told from those of other files."""

    def write(self, content: Any) -> int | None:  # type: ignore[override]
        """Write bytes; returns how many.

        Raises:
            StreamError: it cannot be written, for another reason than a reader that went away.
        """
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as failure:
            name = "standard output" if self.fileno() == 1 else "standard error"
            raise StreamError(f"{name} cannot be written: {failure.strerror}") from failure


def clean_standard_streams() -> None:
    """Open what is closed of the standard streams, and put clean ones in the place of output and error.

    Call it before any file is opened: a file that got the number of a closed stream would be written by whoever
    prints, and taken away from a child, whose standard streams have these numbers too.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            os.set_inheritable(opened, True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - stays open
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        setattr(sys, name, CleanStream(_stream(descriptor, getattr(sys, name))))


def _stream(descriptor: int, before: TextIO | None) -> TextIO:
    """A stream as Python made it for this descriptor, of which failures are told."""
    raw = io.BufferedWriter(_Descriptor(descriptor, "w", closefd=False))
    if not isinstance(before, io.TextIOWrapper):
        return io.TextIOWrapper(raw, encoding="utf-8", line_buffering=descriptor == 2)
    return io.TextIOWrapper(
        raw,
        encoding=before.encoding,
        line_buffering=before.line_buffering,
        write_through=before.write_through,
    )
