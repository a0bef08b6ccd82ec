"""Bytes that the disks moved beside those that the engine did: where they are fewer, something compressed or cached.

Without compression each written byte reaches the disks, with its copies and its parity, and each byte that is read
comes from them.  What a page cache may take away from that is bounded by how many different bytes were touched.  So the
least that incompressible data cause is known from arithmetic, and metadata only add to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.engine import Targets
from bench.inventory import Disk
from bench.telemetry import Sample
from permutations.workload import Workload
from stripelab.raid import LEVELS

CONFINING = frozenset(
    {"random_distribution", "percentage_random", "size", "filesize", "nrfiles", "openfiles", "offset", "buffered"}
)
"""Options of fio and of the native engine that let a cache take more than its share; those of zones do too."""


@dataclass(frozen=True)
class DiskBytes:
    """Bytes that disks read and wrote, all of them together."""

    read: int
    write: int

    def since(self, before: DiskBytes) -> DiskBytes:
        """The difference."""
        return DiskBytes(self.read - before.read, self.write - before.write)

    def of(self, direction: str) -> int | None:
        """Those of one direction; None where an engine names it otherwise."""
        return {"read": self.read, "write": self.write}.get(direction)


def disk_bytes(disks: Sequence[Disk]) -> DiskBytes:
    """What the kernel counted of these disks until now; a disk that it does not know counts as nothing."""
    import psutil  # late: as in bench.telemetry

    counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    found = [counters[disk.name] for disk in disks if disk.name in counters]
    return DiskBytes(sum(each.read_bytes for each in found), sum(each.write_bytes for each in found))


def measured_bytes(moved: DiskBytes, samples: Sequence[Sample], workload: Workload) -> DiskBytes:
    """Without what was moved in the ramp, which the engine does not count.

    Only of direct I/O: what was cached in the ramp may be written, and need not be read, after it.
    """
    if workload.ramp_time_s <= 0 or not workload.direct or workload.job_file is not None:
        return moved
    read, write, before_s = 0.0, 0.0, dict[str, float]()
    for each in samples:
        if each.read_bytes_s is not None and each.second <= workload.ramp_time_s:
            lasted_s = each.second - before_s.get(each.device, 0.0)
            before_s[each.device] = each.second
            read += each.read_bytes_s * lasted_s
            write += (each.write_bytes_s or 0.0) * lasted_s
    return DiskBytes(moved.read - round(read), moved.write - round(write))


def least_bytes(
    workload: Workload, targets: Targets, direction: str, moved_bytes: int, *, level: str, disks: int
) -> int | None:
    """The least that member disks move for so many bytes that cannot be compressed; None where nobody can know.

    Through a page cache overwritten blocks may reach the disks once, and blocks that were read come again from memory:
    then the bytes that are certainly different count.  Drawn with replacement these are D (1 - exp(-n / D)) of D bytes
    on average (Feller, An Introduction to Probability Theory, volume 1, IV.2).
    """
    copies = LEVELS[level].write_amplification(disks, small=False) if direction == "write" else 1.0
    own = {key for key, _ in workload.options}
    through_cache = not workload.direct or workload.job_file is not None or "buffered" in own
    if not through_cache or (direction == "write" and workload.fsync == 1):
        return int(moved_bytes * copies)
    if workload.job_file is not None or own & CONFINING or any(key.startswith("zone") for key in own):
        return None
    if direction == "read" and (workload.writes or workload.steady_state is not None):
        return None  # what it wrote, or an earlier round read, is in memory
    total = targets.size_bytes * len(targets.paths)
    one_stream = not workload.random and workload.numjobs == 1 and not (workload.reads and workload.writes)
    different = min(moved_bytes, total) if one_stream else total * -math.expm1(-moved_bytes / total)
    return int(different * copies)
