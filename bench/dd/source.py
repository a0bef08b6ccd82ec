"""What dd writes: random data from memory, through a pipe.

``/dev/zero`` measures the compressor wherever there is one, and ``/dev/urandom`` is slower than disks.  So a memory
file of random bytes is spliced into dd's standard input again and again: the pipe takes pages and copies nothing.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

BYTES = (4 << 20) + 509
"""Odd, so that the content of a 4 KiB block comes again after 4,096 rounds (16 GiB): deduplication finds nothing."""
PIPE_BYTES = 1 << 20
FILE = "/dev/shm/stripelab-noise"  # noqa: S108 - a name in a line for a person's shell; nothing here opens it
SHELL = (
    f"head -c {BYTES} /dev/urandom >{FILE}; noise() {{ while cat {FILE}; do :; done 2>/dev/null; }}",
    "noise | ",
)
"""The same for a shell: once at its beginning, and before each dd."""


@cache
def _noise() -> int:
    """A memory file of random bytes; it lives as long as this process."""
    descriptor = os.memfd_create("stripelab-noise")
    left = memoryview(os.urandom(BYTES))
    while left:
        left = left[os.write(descriptor, left) :]
    return descriptor


@contextmanager
def noise() -> Iterator[int]:
    """The reading end of a pipe that never runs dry, for a program that is started meanwhile; then it is closed."""
    source = _noise()
    reading, writing = os.pipe()
    try:
        with suppress(OSError):  # above the limit of pipes of this user
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        threading.Thread(target=_feed, args=(source, writing), name="noise for dd", daemon=True).start()
        yield reading
    finally:
        os.close(reading)


def _feed(source: int, writing: int) -> None:
    """Until nobody reads any more."""
    offset = 0
    try:
        while True:
            offset = (offset + os.splice(source, writing, BYTES - offset, offset_src=offset)) % BYTES
    except BrokenPipeError:
        pass
    finally:
        os.close(writing)
