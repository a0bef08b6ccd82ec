"""The C library in plain Python: used where the extension was not built, and as its check.

Same functions, same arguments, same results; :class:`bench.native.library.Library` documents them. It measures with
`preadv(2)`, `pwritev(2)` and `fsync(2)`, one thread for each I/O in flight. Every I/O costs it tens of microseconds of
Python, so that its figures are those of slow devices only, and each of its results says which implementation ran.
"""

from __future__ import annotations

from bench.native.twin.clock import clock_ns, clock_state
from bench.native.twin.contents import judge, pattern
from bench.native.twin.generator import draw
from bench.native.twin.histogram import BUCKETS, bucket_index, bucket_midpoint_ns
from bench.native.twin.run import run
from bench.native.twin.target import probe

IMPLEMENTATION = "python"

__all__ = [
    "BUCKETS",
    "IMPLEMENTATION",
    "bucket_index",
    "bucket_midpoint_ns",
    "clock_ns",
    "clock_state",
    "draw",
    "judge",
    "pattern",
    "probe",
    "run",
]
