"""The native library: the C extension where it was built, its Python twin where it was not.

A wheel built without a compiler carries no extension and still installs, so whoever reports a
figure from here also reports :data:`IMPLEMENTATION`.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from bench.native.state import ClockState, JobState


class Library(Protocol):
    """What both implementations offer; :mod:`bench.native.twin` documents it."""

    BUCKETS: int
    IMPLEMENTATION: str

    def clock_state(self) -> ClockState:
        """Which clock runs measure with (``source``), what a reading costs (``read_ns``), its ``drift_ppm``."""
        ...

    def bucket_index(self, value_ns: int, /) -> int:
        """Bucket of fio's latency histogram that counts a value."""
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

    def open_job(self, text: bytes, index: int, descriptors: list[int], nowait: bool, grace_ns: int, /) -> Any:
        """Everything before the first I/O of a job, in the thread that will drive it.

        Args:
            text: the options (docs/native-engine.md); :func:`bench.native.text.parse` says what is wrong with one.
            index: which of its jobs.
            descriptors: of the job's files, in their order; they stay the caller's, and open until the job is closed.
            nowait: whether I/O that may not block works on the first file; else io_uring would need threads.
            grace_ns: how long the caller will wait for a job that was stopped; half of it for single I/Os.

        Raises:
            ValueError: the text makes no sense, or has no such job.
            OSError: something is not to be had; ``strerror`` is the step that failed.
        """
        ...

    def drive(self, job: Any, /) -> None:
        """The job, from its first I/O to its last; other threads of Python go on meanwhile."""
        ...

    def close_job(self, job: Any, /) -> None:
        """Give back what the job took of the kernel, but for memory that I/O may still touch; its state stays."""
        ...

    def stop(self, job: Any, /) -> None:
        """End the job at once; by any thread, any number of times."""
        ...

    def progress(self, job: Any, /) -> tuple[int, int]:
        """The last acknowledged and the last durable write; by any thread."""
        ...

    def state(self, job: Any, /) -> JobState:
        """What the job did so far; by any thread.  ``abandoned``: I/O is still in the kernel."""
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
