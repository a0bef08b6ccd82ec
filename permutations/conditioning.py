"""Steps before the measured run: preconditioning, and rounds until the figure is steady."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEADY_METRICS = ("iops", "bw_bytes_s", "lat_mean_ns")


@dataclass(frozen=True)
class Precondition:
    """Writes over the data set that bring the storage into the state of long use (SNIA PTS: purge, then twice).

    ``passes`` is how many times the bytes of the data set are written, all jobs together.
    """

    rw: str = "write"
    bs_bytes: int = 128 << 10
    iodepth: int = 16
    numjobs: int = 1
    passes: float = 2.0

    def io_size_bytes(self, dataset_bytes: int) -> int:
        """Bytes that each job writes: its share of the passes, in whole blocks."""
        blocks = math.ceil(self.passes * dataset_bytes / self.numjobs / self.bs_bytes)
        return max(1, blocks) * self.bs_bytes


@dataclass(frozen=True)
class SteadyState:
    """Rounds of the workload before it is measured, until ``metric`` is steady or ``rounds_max`` are done."""

    metric: str
    round_s: float = 60.0
    rounds_max: int = 25
