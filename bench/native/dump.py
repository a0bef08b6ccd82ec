"""A result of the native engine as plain data for JSON: whole, every histogram of every second included."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bench.histogram import Histogram
from bench.native.result import Figures, Latency, Result, Second

KINDS = ("lat", "slat", "clat")
PERCENTILES = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}


def as_json(result: Result) -> dict[str, Any]:
    """Names are those of :class:`Result`'s fields; a histogram is a list of midpoint (ns), count, midpoint, count."""
    return {
        "implementation": result.implementation,
        "stopped": result.stopped,
        "runtime_ns": result.runtime_ns,
        "iops": result.iops,
        "bw_bytes_s": result.bw_bytes_s,
        "cpu_ns_per_io": result.cpu_ns_per_io if result.directions else None,
        "clock": asdict(result.clock),
        "harness_ns": result.harness_ns,
        "directions": [_figures(each) for each in result.directions],
        "errors": [asdict(each) for each in result.errors],
        "findings": [asdict(each) for each in result.findings],
        "jobs": [{**asdict(each), "picked": each.picked} for each in result.jobs],
        "warnings": list(result.warnings),
        "seconds": [_second(each) for each in result.seconds],
    }


def _figures(figures: Figures) -> dict[str, Any]:
    names = ("direction", "ios", "total_bytes", "iops", "bw_bytes_s")
    return {name: getattr(figures, name) for name in names} | {
        f"{kind}_ns": _latency(getattr(figures, kind)) for kind in KINDS
    }


def _latency(latency: Latency) -> dict[str, Any] | None:
    if not latency.samples:
        return None
    percentiles = {name: latency.percentile_ns(percent) for name, percent in PERCENTILES.items()}
    return {
        "samples": latency.samples,
        "min": latency.min_ns,
        "mean": latency.mean_ns,
        "stddev": latency.stddev_ns,
        **percentiles,
        "max": latency.max_ns,
        "histogram": _pairs(latency.histogram),
    }


def _second(second: Second) -> dict[str, Any]:
    kept = {name: getattr(second, name) for name in second.__dataclass_fields__ if name != "histogram"}
    return {**kept, "histogram": _pairs(second.histogram)}


def _pairs(histogram: Histogram) -> list[int]:
    pairs = zip(histogram.bins_ns, histogram.counts, strict=True)
    return [number for pair in pairs for number in pair]
