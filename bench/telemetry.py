"""What the disks and the CPUs did while a workload ran: a sample a second, from a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.inventory import Disk

PERIOD_S = 1.0


@dataclass(frozen=True)
class Sample:
    """Rates over one period that ended ``second`` seconds after the start; fields as in TelemetryRow."""

    second: float
    device: str
    disk_id: str | None = None
    read_bytes_s: float | None = None
    write_bytes_s: float | None = None
    read_iops: float | None = None
    write_iops: float | None = None
    util_pct: float | None = None
    user_pct: float | None = None
    system_pct: float | None = None
    iowait_pct: float | None = None


@dataclass(frozen=True)
class _Reading:
    """Counters at one moment: psutil's tuples, by device."""

    at_s: float
    disks: Mapping[str, Any]
    cpu: Any


@contextmanager
def sampling(disks: Sequence[Disk], on_sample: Callable[[Mapping[str, float]], None]) -> Iterator[list[Sample]]:
    """Sample every second for as long as the context lasts; yields the list that grows.

    ``on_sample`` is told the bytes per second of each disk by its name, read and written together, for a live
    view.  A last, shorter period is kept when it lasted a tenth of a second or more.
    """
    samples: list[Sample] = []
    ended = threading.Event()
    first = _read(disks)

    def sample() -> None:
        before = first
        running = True
        while running:
            running = not ended.wait(max(0.0, PERIOD_S - (time.monotonic() - before.at_s)))
            now = _read(disks)
            if now.at_s - before.at_s >= PERIOD_S / 10:
                fresh = _rates(before, now, first.at_s, disks)
                samples.extend(fresh)
                on_sample(_by_disk(fresh))
                before = now

    thread = threading.Thread(target=sample, name="telemetry", daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def _by_disk(samples: Sequence[Sample]) -> dict[str, float]:
    """Bytes per second of each disk."""
    return {
        each.device: (each.read_bytes_s or 0.0) + (each.write_bytes_s or 0.0)
        for each in samples
        if each.read_bytes_s is not None
    }


def _read(disks: Sequence[Disk]) -> _Reading:
    import psutil  # late: `stripelab --help` has no use for it

    counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    return _Reading(
        time.monotonic(),
        {disk.name: counters[disk.name] for disk in disks if disk.name in counters},
        psutil.cpu_times(),
    )


def _rates(before: _Reading, now: _Reading, started_s: float, disks: Sequence[Disk]) -> list[Sample]:
    """Differences of two readings, per second."""
    elapsed_s = now.at_s - before.at_s
    second = now.at_s - started_s
    samples = [_cpu(before.cpu, now.cpu, second)]
    for disk in disks:
        if disk.name not in before.disks or disk.name not in now.disks:
            continue
        old, new = before.disks[disk.name], now.disks[disk.name]
        samples.append(
            Sample(
                second=second,
                device=disk.name,
                disk_id=disk.id,
                read_bytes_s=(new.read_bytes - old.read_bytes) / elapsed_s,
                write_bytes_s=(new.write_bytes - old.write_bytes) / elapsed_s,
                read_iops=(new.read_count - old.read_count) / elapsed_s,
                write_iops=(new.write_count - old.write_count) / elapsed_s,
                util_pct=min(100.0, (new.busy_time - old.busy_time) / 10 / elapsed_s),
            )
        )
    return samples


def _cpu(old: Any, new: Any, second: float) -> Sample:
    """Shares of all CPU time, in per cent."""
    total = sum(new[:8]) - sum(old[:8])  # guest time is already in user time; proc_stat(5)
    scale = 100 / total if total > 0 else 0.0
    return Sample(
        second=second,
        device="cpu",
        user_pct=(new.user + new.nice - old.user - old.nice) * scale,
        system_pct=(new.system + new.irq + new.softirq - old.system - old.irq - old.softirq) * scale,
        iowait_pct=(new.iowait - old.iowait) * scale,
    )
