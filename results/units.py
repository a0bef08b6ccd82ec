"""Figures as people read them: three or four significant digits and a unit."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

_MINUS = "\N{MINUS SIGN}"
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
METRIC_NAMES = {
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
    "cpu_ns_per_io": "CPU time per I/O",
    "usable_bytes": "usable capacity",
    "disk_failures_survived": "disk failures survived",
}
METRIC_NAMES |= {
    f"{direction}_{column}": words.replace("latency", f"{direction} latency")
    for direction in ("read", "write", "sync", "commit")
    for column, words in METRIC_NAMES.items()
    if column.startswith("lat_")
}


def metric_name(metric: str) -> str:
    """What a column is called in a sentence."""
    return METRIC_NAMES.get(metric, metric)


def number(value: float) -> str:
    """Three significant digits, thousands: ``0.0123``, ``9.87``, ``398``, ``12,300``."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{abs(value):,.{digits}f}" if abs(value) < 1000 else f"{round(abs(value)):,}"
    return f"{_MINUS if value < 0 else ''}{text}"


def counted(count: int, noun: str) -> str:
    """``1 run``, ``20 days``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


LAST_BUCKET_NS = 17_112_760_320
"""Middle of the last bucket of fio's histogram (``stat.c``), which holds every longer latency as well."""
_PERCENTILE = re.compile(r"(?:(?:read|write|sync|commit)_|c)?lat_p\d+_ns")


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
        scale, unit = _binary_scale(largest)
        return scale, f"{unit}/s"
    if metric == "usable_bytes":
        return _binary_scale(largest)
    if metric.endswith("_ns") or metric == "cpu_ns_per_io":
        for scale, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
            if largest >= scale:
                return scale, unit
        return 1.0, "ns"
    return 1.0, ""


def capacity(size_bytes: float) -> str:
    """Bytes in binary units."""
    scale, unit = _binary_scale(size_bytes)
    return f"{number(size_bytes / scale)} {unit}"


def _binary_scale(size_bytes: float) -> tuple[float, str]:
    step = 0
    while size_bytes >= 1024 ** (step + 1) and step < len(_BINARY) - 1:
        step += 1
    return float(1024**step), _BINARY[step]


def pct(value: float) -> str:
    """``38 %``, ``0.4 %``."""
    return f"{abs(value):.0f} %" if abs(value) >= 10 else f"{abs(value):.1f} %"


def signed_pct(value: float) -> str:
    """``+38 %``, ``-0.4 %``, with a true minus sign."""
    sign = "" if abs(value) < 0.05 else "+" if value > 0 else _MINUS
    return f"{sign}{pct(value)}"


def date(time_ns: int) -> str:
    """UTC, to the minute."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(seconds: float) -> str:
    """``42 s``, ``12 min``, ``3 h 05 min``; an en dash for what is no time."""
    if not math.isfinite(seconds):
        return "\N{EN DASH}"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
