"""The user's terminal, joined to the console of a guest through a pseudo-terminal.

The guest gets a terminal of its own and never the user's: it cannot push input into the session
that started it, and whatever it does to its terminal's settings ends with it.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import LabError

STDIN = 0
STDOUT = 1


def require_terminal() -> None:
    """LabError where there is no terminal to talk over."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LabError(
            "the prompt of the virtual lab needs a terminal",
            remedy="Without one, run a single command: stripelab lab exec -- COMMAND",
        )


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal of the size of the user's: (our end, the guest's end)."""
    ours, theirs = os.openpty()
    try:
        _copy_size(theirs)
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def raw() -> Iterator[None]:
    """The user's terminal in raw mode, put back at the end."""
    before = termios.tcgetattr(STDIN)
    try:
        tty.setraw(STDIN)
        yield
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, before)


@contextmanager
def size_followed(ours: int) -> Iterator[None]:
    """While it lasts, a change of the window's size reaches the guest's terminal."""
    before = signal.signal(signal.SIGWINCH, lambda *_: _copy_size(ours))
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def relay(ours: int, ended: int) -> None:
    """Copy keys to the guest and its output back, until ``ended`` can be read or the user is gone."""
    while True:
        ready = select.select([STDIN, ours, ended], [], [])[0]
        if ours in ready:
            _write_all(STDOUT, os.read(ours, 65536))
        elif ended in ready:
            return
        if STDIN in ready:
            keys = os.read(STDIN, 4096)
            if not keys:
                return
            _write_all(ours, keys)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _copy_size(target: int) -> None:
    size = fcntl.ioctl(STDIN, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    fcntl.ioctl(target, termios.TIOCSWINSZ, size)
