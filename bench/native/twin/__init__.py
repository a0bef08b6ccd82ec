"""The C library in plain Python: used where the extension was not built, and as its check.

Same functions, same arguments, same results; :class:`bench.native.library.Library` documents them. It measures with
`preadv(2)`, `pwritev(2)` and `fsync(2)`, one thread for each I/O in flight. Every I/O costs it tens of microseconds of
Python, so that its figures are those of slow devices only, and each of its results says which implementation ran.
"""

from __future__ import annotations

from bench.native.buckets import BUCKETS, bucket_index
from bench.native.twin.clock import clock_state
from bench.native.twin.contents import judge, pattern
from bench.native.twin.generator import draw
from bench.native.twin.worker import close_job, drive, open_job, progress, state, stop

IMPLEMENTATION = "python"

__all__ = [
    "BUCKETS",
    "IMPLEMENTATION",
    "bucket_index",
    "clock_state",
    "close_job",
    "draw",
    "drive",
    "judge",
    "open_job",
    "pattern",
    "progress",
    "state",
    "stop",
]
