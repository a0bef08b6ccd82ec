"""What is counted: sums and full histograms, for the whole run and for every second of it."""

from __future__ import annotations

import array
import struct

from bench.native.buckets import BUCKETS, bucket_index
from bench.native.state import DirectionState, LatencyState
from bench.native.text import DIRECTIONS, UINT64_MAX

SERIES_HEADER = struct.Struct("=IIIQQQQQ")
"""Second, direction, pairs; then ios, bytes, sum, least and most of the latency."""


class Latency:
    """Latencies of one kind and direction."""

    __slots__ = ("buckets", "max_ns", "min_ns", "samples", "sum_ns", "sum_square_ns")

    def __init__(self) -> None:
        self.samples = 0
        self.min_ns = UINT64_MAX
        self.max_ns = 0
        self.sum_ns = 0
        self.sum_square_ns = 0
        self.buckets: dict[int, int] = {}

    def add(self, value_ns: int) -> None:
        """Count one."""
        self.samples += 1
        self.sum_ns += value_ns
        self.sum_square_ns += value_ns * value_ns
        self.min_ns = min(self.min_ns, value_ns)
        self.max_ns = max(self.max_ns, value_ns)
        index = bucket_index(value_ns)
        self.buckets[index] = self.buckets.get(index, 0) + 1

    def fold(self, other: Latency) -> None:
        """Take over what another one counted."""
        self.samples += other.samples
        self.sum_ns += other.sum_ns
        self.sum_square_ns += other.sum_square_ns
        self.min_ns = min(self.min_ns, other.min_ns)
        self.max_ns = max(self.max_ns, other.max_ns)
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count

    def state(self) -> LatencyState:
        """In the layout of the C library."""
        buckets = array.array("Q", bytes(8 * BUCKETS))
        for index, count in self.buckets.items():
            buckets[index] = count
        return {
            "samples": self.samples,
            "min_ns": self.min_ns,
            "max_ns": self.max_ns,
            "sum_ns": self.sum_ns,
            "sum_square_high": self.sum_square_ns >> 64,
            "sum_square_low": self.sum_square_ns & UINT64_MAX,
            "buckets": buckets.tobytes(),
        }


class Recorder:
    """Counts the I/Os of one job; a second is folded into the whole at its end."""

    def __init__(self) -> None:
        self.ios = [0] * DIRECTIONS
        self.bytes = [0] * DIRECTIONS
        self.lat = [Latency() for _ in range(DIRECTIONS)]
        self.slat = [Latency() for _ in range(DIRECTIONS)]
        self.clat = [Latency() for _ in range(DIRECTIONS)]
        self.series = bytearray()
        self._second = 0
        self._now = [Latency() for _ in range(DIRECTIONS)]
        self._now_bytes = [0] * DIRECTIONS

    def count(self, direction: int, length: int) -> None:
        """An I/O without its latency."""
        self.ios[direction] += 1
        self.bytes[direction] += length

    def record(self, direction: int, lat_ns: int, length: int) -> None:
        """An I/O in the second that runs."""
        self._now[direction].add(lat_ns)
        self._now_bytes[direction] += length

    def roll(self, second: int) -> None:
        """End the seconds before ``second``; one without I/O leaves no trace in the series."""
        for direction in range(DIRECTIONS):
            if self._now[direction].samples:
                self._close(direction)
        self._second = second

    def _close(self, direction: int) -> None:
        now, length = self._now[direction], self._now_bytes[direction]
        self.series += SERIES_HEADER.pack(
            self._second,
            direction,
            len(now.buckets),
            now.samples,
            length,
            now.sum_ns,
            now.min_ns,
            now.max_ns,
        )
        for pair in sorted(now.buckets.items()):
            self.series += struct.pack("=II", *pair)
        self.ios[direction] += now.samples
        self.bytes[direction] += length
        self.lat[direction].fold(now)
        self._now[direction] = Latency()
        self._now_bytes[direction] = 0

    def states(self) -> list[DirectionState]:
        """Each direction in the layout of the C library."""
        return [
            {
                "ios": self.ios[direction],
                "bytes": self.bytes[direction],
                "lat": self.lat[direction].state(),
                "slat": self.slat[direction].state(),
                "clat": self.clat[direction].state(),
            }
            for direction in range(DIRECTIONS)
        ]
