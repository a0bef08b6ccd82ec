"""The monotonic clock, as Python reads it."""

from __future__ import annotations

import time

from bench.native.state import ClockState

READINGS = 1000


def clock_ns() -> int:
    """Monotonic clock, nanoseconds; its zero is unspecified."""
    return time.monotonic_ns()


def clock_state() -> ClockState:
    """The clock, and what one reading costs from Python; it is the kernel's own, so it drifts against nothing."""
    started = time.monotonic_ns()
    for _ in range(READINGS):
        time.monotonic_ns()
    return {
        "source": "clock_gettime",
        "read_ns": (time.monotonic_ns() - started) // READINGS,
        "drift_ppm": 0.0,
    }
