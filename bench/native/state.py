"""The shapes of what the C library and its Python twin hand back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

Poll = Callable[[list[tuple[int, int]]], object]
"""Called about every 20 ms with ``(acked, durable)`` of each job; a true answer ends the run at once."""


class ClockState(TypedDict):
    """The clock that runs measure with."""

    source: str
    """``tsc`` (the CPU's counter, where the kernel itself keeps time by it) or ``clock_gettime``."""
    read_ns: int
    drift_ppm: float


class TargetState(TypedDict):
    """What the kernel says of a file or device."""

    size_bytes: int
    memory_align: int
    """Of buffers for direct I/O, bytes; 0: the kernel does not say, or cannot do direct I/O here."""
    offset_align: int
    device: bool
    nowait: bool
    """Whether I/O that may not block works: where it does not, io_uring hands every I/O to a thread."""


class LatencyState(TypedDict):
    """Latencies of one kind (``lat``, ``slat`` or ``clat``) and direction."""

    samples: int
    min_ns: int
    """2^64 - 1 where there is no sample."""
    max_ns: int
    sum_ns: int
    sum_square_high: int
    """The sum of squares has 128 bits: ``high * 2**64 + low``, ns^2."""
    sum_square_low: int
    buckets: bytes
    """``BUCKETS`` counts of 64 bits each, in the machine's byte order."""


class DirectionState(TypedDict):
    """One direction of a job: reads, writes or syncs, in this order."""

    ios: int
    bytes: int
    lat: LatencyState
    slat: LatencyState
    clat: LatencyState


class ErrorState(TypedDict):
    """One errno of one direction."""

    errno: int
    direction: int
    count: int
    first_offsets: list[int]
    """Of the first four, bytes."""


class JobState(TypedDict):
    """What one job did; docs/native-engine.md says what each entry means."""

    failed: int
    where: str
    detail: str
    ioengine: str
    iodepth: int
    batch_submit: int
    batch_complete: int
    abandoned: bool
    series_short: bool
    looked_at: int
    completed_inline: int
    tune_ns: int
    runtime_ns: int
    cpu_user_ns: int
    cpu_system_ns: int
    switches: int
    short_ios: int
    retries: int
    late: int
    late_max_ns: int
    missed: int
    clock_back: int
    sequence: int
    acked: int
    durable: int
    directions: list[DirectionState]
    errors: list[ErrorState]
    findings: list[tuple[int, int]]
    """``(count, offset of the first)`` of whole, unwritten, lost, torn, misplaced and corrupt blocks."""
    series: bytes
