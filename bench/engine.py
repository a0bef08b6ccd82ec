"""What an engine is: something that drives a workload over targets and reports observations.

:mod:`bench.engines` holds the engines that there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.nodes import named
from permutations.workload import Workload
from results.store.filled import filled_at_once


@dataclass(frozen=True)
class Targets:
    """What a workload runs over.

    ``groups`` are the places that I/O is spread over: with the layout ``per-disk`` one group per
    disk (each job stays within one group, as a database segment does), otherwise a single group
    that every job shares.  The files of a group lie on all of its mount points, in turn.
    ``size_bytes`` is the size of each target.  ``device`` says that the targets are block devices.  They are reached
    through ``descriptors`` then, which a program must inherit, and which this process holds for itself (O_EXCL).
    """

    groups: tuple[tuple[Path, ...], ...]
    size_bytes: int
    device: bool
    descriptors: tuple[int, ...] = ()

    def named(self, text: str) -> str:
        """A text, such as a command, with the devices by their names in place of the descriptors."""
        return named(text, self.descriptors)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every target, group after group."""
        return tuple(path for group in self.groups for path in group)


@filled_at_once
@dataclass(frozen=True, kw_only=True)
class DirectionResult:
    """An engine's figures for one direction; fields as in :class:`results.store.schema.ObservationRow`."""

    direction: str
    ios: int
    total_bytes: int
    runtime_ns: int
    iops: float | None
    bw_bytes_s: float
    errors: int
    slat_mean_ns: float | None = None
    clat_mean_ns: float | None = None
    clat_p50_ns: int | None = None
    clat_p95_ns: int | None = None
    clat_p99_ns: int | None = None
    clat_p999_ns: int | None = None
    lat_min_ns: int | None = None
    lat_mean_ns: float | None = None
    lat_stddev_ns: float | None = None
    lat_p50_ns: int | None = None
    lat_p95_ns: int | None = None
    lat_p99_ns: int | None = None
    lat_p999_ns: int | None = None
    lat_max_ns: int | None = None
    lat_bins_ns: tuple[int, ...] = ()
    lat_counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class IntervalResult:
    """One second of one direction; a second without I/O is present, as zeros."""

    direction: str
    second: int
    iops: float | None
    bw_bytes_s: float | None
    lat_mean_ns: float | None
    lat_p50_ns: int | None = None
    lat_p99_ns: int | None = None
    lat_p999_ns: int | None = None
    lat_max_ns: int | None = None


@dataclass(frozen=True)
class Measurement:
    """What one run of an engine yields."""

    engine: str
    engine_version: str
    command: str
    directions: tuple[DirectionResult, ...]
    intervals: tuple[IntervalResult, ...]
    warnings: tuple[str, ...]
    raw: bytes


class Engine(Protocol):
    """Drives workloads.  Raises :class:`bench.errors.EngineError` on anything but a result."""

    name: str

    def version(self) -> str:
        """The engine's version; raises :class:`bench.errors.MissingToolError` where it is absent."""
        ...

    def check_workload(self, workload: Workload) -> None:
        """Raise :class:`bench.errors.SweepFileError` where the engine cannot or may not run ``workload``."""
        ...

    def run(self, workload: Workload, targets: Targets, *, scratch: Path, timeout_s: float) -> Measurement:
        """Run ``workload`` over ``targets``; files of the engine's own go to the folder ``scratch``."""
        ...
