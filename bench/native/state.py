"""The shapes of what the C library and its Python twin hand back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from bench.native.buckets import BUCKETS

DIRECTIONS = 4
FINDINGS = 6
"""Whole, unwritten, lost, torn, misplaced and corrupt."""

Poll = Callable[[list[tuple[int, int]]], object]
"""Called about every 20 ms with ``(acked, durable)`` of each job; a true answer ends the run at once."""


class ClockState(TypedDict):
    """The clock that runs measure with."""

    source: str
    """``tsc`` (the CPU's counter, where the kernel itself keeps time by it) or ``clock_gettime``."""
    read_ns: int
    drift_ppm: float


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
    """One direction of a job: reads, writes, syncs or commits, in this order."""

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


def _no_latency() -> LatencyState:
    return {
        "samples": 0,
        "min_ns": (1 << 64) - 1,
        "max_ns": 0,
        "sum_ns": 0,
        "sum_square_high": 0,
        "sum_square_low": 0,
        "buckets": bytes(8 * BUCKETS),
    }


def _no_direction() -> DirectionState:
    return {"ios": 0, "bytes": 0, "lat": _no_latency(), "slat": _no_latency(), "clat": _no_latency()}


def empty_state() -> JobState:
    """Of a job that has done nothing."""
    return {
        "failed": 0,
        "where": "",
        "detail": "",
        "ioengine": "",
        "iodepth": 0,
        "batch_submit": 0,
        "batch_complete": 0,
        "abandoned": False,
        "series_short": False,
        "looked_at": 0,
        "completed_inline": 0,
        "tune_ns": 0,
        "runtime_ns": 0,
        "cpu_user_ns": 0,
        "cpu_system_ns": 0,
        "switches": 0,
        "short_ios": 0,
        "retries": 0,
        "late": 0,
        "late_max_ns": 0,
        "missed": 0,
        "clock_back": 0,
        "sequence": 0,
        "acked": 0,
        "durable": 0,
        "directions": [_no_direction() for _ in range(DIRECTIONS)],
        "errors": [],
        "findings": [(0, 0)] * FINDINGS,
        "series": b"",
    }
