"""What throttle and RAID arithmetic say a workload will reach, written down before it runs.

Only where the model holds: a limit per disk is enforced (the virtual lab), there is no filesystem
effect to speak of (direct I/O over files laid out before), and one request stays on one chunk.
Elsewhere there is no prediction rather than a bad one.
"""

from __future__ import annotations

from dataclasses import dataclass

from permutations.point import DesignPoint
from permutations.workload import DiskProfile, Workload
from stripelab import raid

SHAPING = frozenset(
    (
        *("bssplit", "bsrange", "random_distribution", "percentage_random"),
        *("rate", "rate_iops", "thinktime", "fsync", "fdatasync", "sync"),
    )
)
"""Options of a workload under which it is no longer the plain load that the arithmetic is about."""


@dataclass(frozen=True)
class Prediction:
    """IOPS and bytes per second; None where the model says nothing."""

    iops: float | None = None
    bw_bytes_s: float | None = None


def predict(point: DesignPoint, workload: Workload, profile: DiskProfile | None) -> Prediction:
    """The prediction for one workload over one point under a limit per disk."""
    if (
        profile is None
        or not point.raid.spread
        or not workload.direct
        or workload.job_file is not None
        or workload.fsync is not None
    ):
        return Prediction()
    if SHAPING & dict(workload.options).keys():
        return Prediction()
    if workload.rw == "read":
        return _streams(point, workload, profile)
    if workload.rw not in {"randread", "randwrite"} or workload.bs_bytes > chunk_bytes(point):
        return Prediction()
    each = min(float(profile.iops), profile.bw_bytes_s / workload.bs_bytes)
    if workload.rw == "randwrite":
        iops = point.raid.random_write_iops(point.disks, each)
    else:
        iops = raid.random_read_iops(point.disks, each)
    return Prediction(iops, iops * workload.bs_bytes)


def _streams(point: DesignPoint, workload: Workload, profile: DiskProfile) -> Prediction:
    """Sequential reads that keep every disk busy: a stream for each disk of a jbod, or stripes of raid0.

    A request larger than the chunk reaches the disks in pieces of a chunk, and the limit counts these.
    """
    if point.level not in {"jbod", "raid0"} or workload.numjobs < point.disks or workload.numjobs % point.disks:
        return Prediction()
    request_bytes = round(min(workload.bs_bytes, chunk_bytes(point)))
    each = raid.throttled_bw(profile.iops, profile.bw_bytes_s, request_bytes)
    bw_bytes_s = raid.sequential_read_bw(point.disks, each)
    return Prediction(bw_bytes_s / workload.bs_bytes, bw_bytes_s)


def chunk_bytes(point: DesignPoint) -> float:
    """The chunk in bytes; without bound where the level has none."""
    if point.raid.stripe_width_kib(point.disks, point.chunk_kib) is None:
        return float("inf")
    return (point.chunk_kib or raid.DEFAULT_CHUNK_KIB) * 1024
