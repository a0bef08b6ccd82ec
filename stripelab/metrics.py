"""Metrics: their names, units and direction, and what a plain latency stands for where a workload syncs.

``lat_p99_ns`` is of the reads and writes of a workload.  Where they are made durable as it goes, the write alone says
nothing of how long a client waits: there the name stands for ``commit_lat_p99_ns``, of a sync with the writes that it
makes durable.  ``write_lat_p99_ns`` and ``sync_lat_p99_ns`` are the parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stripelab.units import binary_scale, number

DIRECTIONS = ("read", "write", "sync", "commit")
SYNC, COMMIT = DIRECTIONS[2:]
APART = frozenset({SYNC, COMMIT})
"""Directions that move no data of their own: their rates are never added to those of reads and writes."""

RATES = ("iops", "bw_bytes_s")
"""Metrics of which more is better."""

SUMMARIES = ("lat_mean_ns", "lat_p50_ns", "lat_p95_ns", "lat_p99_ns", "lat_p999_ns", "lat_max_ns")
"""Latencies that an objective or a constraint may name, of reads and writes."""

PLAIN_LATENCIES = ("lat_min_ns", *SUMMARIES)
DIRECTED_LATENCIES = tuple(f"{direction}_{name}" for direction in DIRECTIONS for name in PLAIN_LATENCIES)
LATENCIES = (*PLAIN_LATENCIES, "slat_mean_ns", "clat_mean_ns", *DIRECTED_LATENCIES)
"""Metrics of which less is better: ``lat_p99_ns``, ``commit_lat_p99_ns``."""

METRICS = RATES + LATENCIES
"""Every metric that is measured of a workload."""

OBJECTIVES = (*RATES, *SUMMARIES, *(f"{direction}_{name}" for direction in DIRECTIONS for name in SUMMARIES))
"""Metrics that an objective of a sweep may name."""

FACTS = ("disk_failures_survived", "usable_bytes")
"""Figures that follow from the settings of a point and the size of its disks."""

CPU = "cpu_ns_per_io"

_TITLES = {
    "iops": "IOPS",
    "bw_bytes_s": "bandwidth",
    "lat_min_ns": "minimum latency",
    "lat_mean_ns": "mean latency",
    "lat_p50_ns": "median latency",
    "lat_p95_ns": "95th percentile of latency",
    "lat_p99_ns": "99th percentile of latency",
    "lat_p999_ns": "99.9th percentile of latency",
    "lat_max_ns": "maximum latency",
    "slat_mean_ns": "mean submission latency",
    "clat_mean_ns": "mean completion latency",
    CPU: "CPU time per I/O",
    "usable_bytes": "usable capacity",
    "disk_failures_survived": "disk failures survived",
}
LAST_BUCKET_NS = 17_112_760_320
"""Middle of the last bucket of fio's histogram (``stat.c``), which holds every longer latency as well."""
_PERCENTILE = re.compile(r"(?:(?:read|write|sync|commit)_|c)?lat_p\d+_ns")


def parts(metric: str) -> tuple[str | None, str]:
    """The direction that a metric is of, None where it is of all, and its column: ``("commit", "lat_p99_ns")``."""
    direction, _, column = metric.partition("_")
    return (direction, column) if direction in DIRECTIONS and column in PLAIN_LATENCIES else (None, metric)


def metric_name(metric: str) -> str:
    """What a metric is called in a sentence."""
    direction, column = parts(metric)
    title = _TITLES.get(column, column)
    return title if direction is None else title.replace("latency", f"{direction} latency")


def is_time(metric: str) -> bool:
    """Whether its unit is the nanosecond."""
    return metric.endswith("_ns") or metric == CPU


def lower_is_better(metric: str) -> bool:
    """Whether less of it is better."""
    return is_time(metric)


def as_measured(metric: str, *, syncs: bool) -> str:
    """The metric that a name stands for: where the workload syncs, a plain latency is the one of its commits."""
    return f"{COMMIT}_{metric}" if syncs and metric in PLAIN_LATENCIES else metric


def listed(metrics: Iterable[str]) -> str:
    """A list of metrics for a person: the latencies of one direction in a word."""
    prefixes = tuple(f"{direction}_" for direction in DIRECTIONS)
    plain = ", ".join(metric for metric in metrics if not metric.startswith(prefixes))
    return f"{plain}; of latencies also those of one kind, with {', '.join(prefixes)} in front"


def is_least(metric: str, value: float) -> bool:
    """Whether a figure is a percentile in the last bucket of its histogram: the true one is that or more."""
    return value >= LAST_BUCKET_NS * (1 - 1e-9) and _PERCENTILE.fullmatch(metric) is not None


def figure(metric: str, value: float) -> str:
    """A figure with its unit: ``398``, ``79.6 MiB/s``, ``12.1 ms``; ``at least 17.1 s`` where no more is known."""
    if is_least(metric, value):
        return f"at least {number(value / 1e9)} s"
    if metric == "disk_failures_survived":
        return f"{value:.0f}"
    scale, unit = scale_of(metric, value)
    return f"{number(value / scale)} {unit}".rstrip()


def scale_of(metric: str, largest: float) -> tuple[float, str]:
    """Divisor and unit in which figures up to ``largest`` read well; one for all figures of a table."""
    if metric == "bw_bytes_s":
        scale, unit = binary_scale(largest)
        return scale, f"{unit}/s"
    if metric == "usable_bytes":
        return binary_scale(largest)
    if is_time(metric):
        for scale, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
            if largest >= scale:
                return scale, unit
        return 1.0, "ns"
    return 1.0, ""


def input_units(metric: str) -> Mapping[str, float]:
    """Units in which a user may give a figure of this metric, each with its size; empty where it has none."""
    if is_time(metric):
        return {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
    sizes = {unit: 1024.0**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB"))}
    if metric == "bw_bytes_s":
        return {f"{unit}/s": size for unit, size in sizes.items()}
    return sizes if metric == "usable_bytes" else {}
