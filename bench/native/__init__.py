"""The native library: the C extension where it was built, its Python twin where it was not.

A wheel built without a compiler carries no extension and still installs, so whoever reports a
figure from here also reports :data:`IMPLEMENTATION`.
"""

from __future__ import annotations

from typing import Protocol


class Library(Protocol):
    """What both implementations offer; :mod:`bench.native.twin` documents it."""

    BUCKETS: int

    def clock_ns(self) -> int:
        """Monotonic clock, nanoseconds."""
        ...

    def bucket_index(self, value_ns: int, /) -> int:
        """Bucket of fio's latency histogram that counts a value."""
        ...

    def bucket_midpoint_ns(self, index: int, /) -> int:
        """Value that stands for a bucket."""
        ...


def _choose() -> tuple[str, Library]:
    """Name and module of the implementation in use."""
    try:
        from bench.native import _engine
    except ImportError:
        from bench.native import twin

        return "python", twin
    return "c", _engine


IMPLEMENTATION, _library = _choose()
"""``c`` (the extension) or ``python`` (its twin)."""

BUCKETS = _library.BUCKETS
clock_ns = _library.clock_ns
bucket_index = _library.bucket_index
bucket_midpoint_ns = _library.bucket_midpoint_ns
