"""fio's logs of bandwidth, IOPS and latency, made into one row per second.

fio writes a log per job and kind (``per_job_logs``), a line per window in which something happened:
``time_ms, value, direction, block size[, offset][, priority][, …]``; values are KiB/s, IOPS or ns.
Windows of a quarter of a second are asked for (:data:`WINDOW_MS`): the window in which a run ends
is seldom written, and of a second that would be a whole one.  Traps taken care of:

- A window without I/O is left out, so a stall is a gap: here it is zeros.
- The sampling thread is late now and then, so that windows drift against the seconds: a rate is
  spread over the seconds that its window overlaps.
- Rates are cut to whole KiB/s and whole IOPS, which for a slow job loses much of the IOPS: where all
  I/Os have one size, IOPS are taken from the bandwidth.
- Logs exclude the ramp; time starts at its end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.engine import IntervalResult
from bench.errors import EngineError

WINDOW_MS = 250
"""Length of the windows that fio averages over for its logs."""
_DIRECTIONS = ("read", "write", "trim")
_UNSAMPLED_MS = 500
"""Most of a last second that is made up for where fio did not sample it."""
_LATE_MS = 10
"""How much a run may end early by its clock and still count its last second as whole."""


@dataclass(frozen=True)
class Sample:
    """A line of a log: the window that ended at ``time_ms``, its value, its direction, and the size of an I/O."""

    time_ms: int
    value: int
    direction: str
    io_bytes: int = 0


@dataclass(frozen=True)
class JobLogs:
    """The logs of one job: KiB/s, I/Os per second, nanoseconds."""

    bw: tuple[Sample, ...]
    iops: tuple[Sample, ...]
    lat: tuple[Sample, ...]


def parse_log(text: str) -> tuple[Sample, ...]:
    """Samples of one log file; raises :class:`EngineError` naming the first line that is none."""
    samples = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        fields = line.split(",")
        try:
            time_ms, value, direction, *further = (int(field) for field in fields[:4])
        except ValueError:
            raise EngineError(f"line {number} of a fio log is no sample: {line[:80]!r}") from None
        if min(time_ms, value, *further) < 0 or direction not in range(len(_DIRECTIONS)):
            raise EngineError(f"line {number} of a fio log is out of range: {line[:80]!r}")
        samples.append(Sample(time_ms, value, _DIRECTIONS[direction], *further))
    return tuple(samples)


def intervals(
    jobs: Sequence[JobLogs],
    runtime_ms: int,
    directions: Iterable[str],
    io_bytes: Mapping[str, float | None],
    window_ms: int = WINDOW_MS,
) -> tuple[IntervalResult, ...]:
    """One row per whole second and direction, summed over the jobs.

    ``io_bytes`` is the size of the I/Os of each direction where they all have the same, else None.
    ``window_ms`` is what fio averaged over, a second at most.
    A last second that is not whole is left out.
    """
    seconds = (runtime_ms + _LATE_MS) // 1000
    rows = []
    for direction in directions:
        bw_logs = [_only(job.bw, direction) for job in jobs]
        bw = _per_second(bw_logs, seconds, window_ms)
        size = io_bytes.get(direction)
        if size:
            iops = [rate * 1024 / size for rate in bw]
        else:
            iops = _per_second([_only(job.iops, direction) for job in jobs], seconds, window_ms)
        lat = _mean_latency([_only(job.lat, direction) for job in jobs], bw_logs, seconds, window_ms)
        rows += [
            IntervalResult(direction, second, iops[second], bw[second] * 1024, lat[second]) for second in range(seconds)
        ]
    return tuple(rows)


def _only(samples: Iterable[Sample], direction: str) -> list[Sample]:
    return sorted((sample for sample in samples if sample.direction == direction), key=lambda sample: sample.time_ms)


def _per_second(logs: Sequence[Sequence[Sample]], seconds: int, window_ms: int) -> list[float]:
    """Mean rate of each second, summed over ``logs``; a second without a sample is zero."""
    total = [0.0] * seconds
    for samples in logs:
        previous = 0
        for sample in samples:
            begin = previous if sample.time_ms - previous < 2 * window_ms else sample.time_ms - window_ms
            _spread(total, begin, sample.time_ms, sample.value)
            previous = sample.time_ms
    if total:
        total[-1] *= _share_not_sampled(logs, seconds, window_ms)
    return total


def _spread(total: list[float], begin_ms: int, end_ms: int, rate: float) -> None:
    """Add a rate that held from ``begin_ms`` to ``end_ms`` to the means of the seconds it overlaps."""
    for second in range(max(0, begin_ms) // 1000, min(len(total), -(-end_ms // 1000))):
        overlap = min(end_ms, 1000 * second + 1000) - max(begin_ms, 1000 * second)
        total[second] += rate * overlap / 1000


def _share_not_sampled(logs: Sequence[Sequence[Sample]], seconds: int, window_ms: int) -> float:
    """Factor that makes up for the end of the last second, which fio does not sample.

    Up to two windows are taken for unsampled; a longer silence is a stall, and stays.
    """
    last = max((samples[-1].time_ms for samples in logs if samples), default=0)
    missing = 1000 * seconds - last
    return 1000 / (1000 - missing) if 0 < missing <= min(2 * window_ms, _UNSAMPLED_MS) else 1.0


def _mean_latency(
    lat_logs: Sequence[Sequence[Sample]], bw_logs: Sequence[Sequence[Sample]], seconds: int, window_ms: int
) -> list[float | None]:
    """Mean latency of each second, weighted by what moved; None in a second in which nothing did.

    fio writes the latency of a window with the first I/O after it, which after a stall is much later.
    So a line holds for all that the job moved since the line before: for the windows of the bandwidth
    log whose middle lies there.
    """
    weight, weighted = [0.0] * seconds, [0.0] * seconds
    for lines, rates in zip(lat_logs, bw_logs, strict=True):
        middles = [rate.time_ms - window_ms // 2 for rate in rates]
        done = 0
        for line in lines:
            reached = bisect_right(middles, line.time_ms, lo=done)
            for rate in rates[done:reached]:
                second = max(0, rate.time_ms - window_ms // 2) // 1000
                if second < seconds:
                    weight[second] += rate.value
                    weighted[second] += rate.value * line.value
            done = reached
    return [total / share if share else None for total, share in zip(weighted, weight, strict=True)]
