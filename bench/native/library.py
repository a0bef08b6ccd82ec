"""The native library: the C extension where it was built, its Python twin where it was not.

A wheel built without a compiler carries no extension and still installs, so whoever reports a
figure from here also reports :data:`IMPLEMENTATION`.
"""

from __future__ import annotations

from typing import Protocol, cast

from bench.native.state import ClockState, JobState, Poll, TargetState


class Library(Protocol):
    """What both implementations offer; :mod:`bench.native.twin` documents it."""

    BUCKETS: int
    IMPLEMENTATION: str

    def clock_ns(self) -> int:
        """Monotonic clock, nanoseconds."""
        ...

    def clock_state(self) -> ClockState:
        """Which clock runs measure with (``source``), what a reading costs (``read_ns``), its ``drift_ppm``."""
        ...

    def bucket_index(self, value_ns: int, /) -> int:
        """Bucket of fio's latency histogram that counts a value."""
        ...

    def bucket_midpoint_ns(self, index: int, /) -> int:
        """Value that stands for a bucket."""
        ...

    def probe(self, path: str | bytes, direct: bool, /) -> TargetState:
        """Size and alignment of a target; raises OSError."""
        ...

    def draw(self, text: bytes, job: int, count: int, /) -> list[tuple[int, int, int, int, int]]:
        """The first I/Os of a job, not done: direction, file, offset, length, sequence; raises ValueError."""
        ...

    def pattern(self, length: int, offset: int, generation: int, /) -> bytes:
        """A block with the verify pattern."""
        ...

    def judge(self, block: bytes, offset: int, expected: int, /) -> int:
        """What the verify pattern of a block says: an index into :data:`bench.native.result.FINDINGS`."""
        ...

    def run(self, text: bytes, poll: Poll | None, grace_ns: int, /) -> tuple[list[JobState], BaseException | None]:
        """Run the jobs of a text; a mapping for each, and the exception that ended them, if one did."""
        ...


def by_name(implementation: str) -> Library:
    """The library called ``c`` or ``python``; raises ImportError where the extension was not built."""
    if implementation == "python":
        from bench.native import twin

        return cast("Library", twin)
    from bench.native import _engine

    return cast("Library", _engine)


def _choose() -> Library:
    try:
        return by_name("c")
    except ImportError:
        return by_name("python")


LIBRARY = _choose()
IMPLEMENTATION = LIBRARY.IMPLEMENTATION
"""``c`` (the extension) or ``python`` (its twin)."""
