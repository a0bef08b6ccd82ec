"""Following a guest: its console, its kernel's messages, its exit status, and the time."""

from __future__ import annotations

import codecs
import os
import re
import select
import time
from collections.abc import Callable, Sequence
from typing import Self

from bench.errors import LabError
from bench.lab.sandbox import Contained

Text = Callable[[str], None]
Tick = Callable[[], None]

TICK_S = 0.2
LAST_LINES = 12
PANIC = "Kernel panic"
MOST_STATUS = 255

CONSOLE_BYTES = 16 << 20
"""Kept of the console where the caller gets it at the end alone."""
PASSED_ON_BYTES = 1 << 20
"""Kept of the console where it was passed on as it came."""
KERNEL_BYTES = 64 << 10
STATUS_BYTES = 16
"""More than an exit status and the line's end take."""


class Line:
    """A pipe that the guest writes: the last ``most_bytes`` that came, the terminal's line ends made plain.

    A guest may write for ever, and what the host keeps of it is bounded.
    """

    def __init__(self, most_bytes: int, on_text: Text | None = None) -> None:
        self.read, self.write = os.pipe()
        self.cut = False
        """Whether more came than is kept."""
        self._most_bytes = most_bytes
        self._on_text = on_text
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._kept = bytearray()
        self._held = ""

    @property
    def text(self) -> str:
        """The end of what came so far."""
        return self._kept[-self._most_bytes :].decode("utf-8", "ignore")  # it may begin within a character

    def _keep(self, text: str) -> None:
        self._kept += text.encode()
        self.cut = self.cut or len(self._kept) > self._most_bytes
        if len(self._kept) > 2 * self._most_bytes:  # seldom: it moves what stays
            del self._kept[: -self._most_bytes]

    def close_write(self) -> None:
        """Close our copy of the guest's end, so that its end is seen."""
        if self.write >= 0:
            os.close(self.write)
            self.write = -1

    def close(self) -> None:
        """Close both ends."""
        self.close_write()
        os.close(self.read)

    def take(self) -> bool:
        """Take what can be read; False at the end of file."""
        chunk = os.read(self.read, 65536)
        text = self._held + self._decoder.decode(chunk, final=not chunk)
        self._held = "\r" if chunk and text.endswith("\r") else ""
        text = text[: len(text) - len(self._held)].replace("\r\n", "\n")
        if text:
            self._keep(text)
            if self._on_text is not None:
                self._on_text(text)
        return bool(chunk)


class Watch:
    """The lines of one guest; a context manager that closes them."""

    def __init__(self, on_console: Text | None = None) -> None:
        self.console = Line(CONSOLE_BYTES if on_console is None else PASSED_ON_BYTES, on_console)
        self.kernel = Line(KERNEL_BYTES)
        self.status = Line(STATUS_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()

    @property
    def _lines(self) -> tuple[Line, ...]:
        return (self.console, self.kernel, self.status)

    def until_end(self, guest: Contained, *, timeout_s: float, on_tick: Tick | None) -> None:
        """Take what comes until the guest has ended; LabError after ``timeout_s``.

        A sandbox that somebody else ended takes the guest with it.
        """
        deadline = time.monotonic() + timeout_s
        for line in self._lines:
            line.close_write()
        waiting = {line.read: line for line in self._lines}
        running = [guest.ended]
        while waiting:
            ready = select.select([*waiting, *running], [], [], TICK_S)[0]
            if guest.ended in ready:
                running.clear()
                guest.kill()
            self._take(waiting, ready)
            if on_tick is not None:
                on_tick()
            if time.monotonic() > deadline:
                raise LabError(
                    f"the virtual lab's guest had not ended after {timeout_s:g} s and was killed{self.ending()}"
                )

    def drain(self) -> None:
        """Take what a guest that has ended left in its lines."""
        for line in self._lines:
            line.close_write()
            while line.take():
                pass

    @staticmethod
    def _take(waiting: dict[int, Line], ready: Sequence[int]) -> None:
        for descriptor in waiting.keys() & set(ready):
            if not waiting[descriptor].take():
                del waiting[descriptor]

    @property
    def exit_status(self) -> int | None:
        """What the guest wrote on its serial line; None where that is not an exit status."""
        written = None if self.status.cut else re.fullmatch(r"[0-9]{1,3}", self.status.text.strip())
        status = int(written[0]) if written else None
        return status if status is not None and status <= MOST_STATUS else None

    def ending(self) -> str:
        """The last lines of the console and what the kernel said, for an error message."""
        said = _shown(self.kernel)
        panic = next((number for number, line in enumerate(said) if PANIC in line), None)
        before_the_trace = said if panic is None else said[: panic + 1]
        last = [*_shown(self.console)[-LAST_LINES:], *before_the_trace[-LAST_LINES:]]
        return "".join([";\nits last lines:", *(f"\n  {line}" for line in last)]) if last else "; it printed nothing"


def _shown(line: Line) -> list[str]:
    return [row.rstrip() for row in line.text[-KERNEL_BYTES:].splitlines() if row.strip()]
