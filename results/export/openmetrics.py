"""Observations in the text format of OpenMetrics 1.0, for a node exporter's textfile folder or a push gateway.

One gauge for each figure, named ``stripelab_<column>`` with the unit in base units, as the specification asks
(seconds, bytes); labels say what was measured.  Of a trial that is repeated, the newest figures count: a scrape
knows the present only.  (OpenMetrics 1.0, "Metric naming" and "Text format".)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO

from results.export.tables import joined, labels_of
from results.store.query import StoreFrames
from results.text import plain_lines
from stripelab.settings import FACTOR_NAMES

_NS = 1e-9
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class Metric:
    """A gauge: the column it is made from, its unit in OpenMetrics, and what a figure is multiplied by."""

    name: str
    column: str
    unit: str
    factor: float
    doc: str


METRICS = (
    Metric("stripelab_iops", "iops", "", 1.0, "I/Os per second"),
    Metric("stripelab_bandwidth_bytes_per_second", "bw_bytes_s", "bytes_per_second", 1.0, "Bandwidth"),
    Metric("stripelab_io_errors", "errors", "", 1.0, "I/O errors counted by the engine"),
    Metric("stripelab_runtime_seconds", "runtime_ns", "seconds", _NS, "Measured time"),
    *(
        Metric(f"stripelab_{kind}_{which}_seconds", f"{kind}_{which}_ns", "seconds", _NS, f"{words}, {which}")
        for kind, words, every in (
            ("lat", "Total latency", ("min", "mean", "p50", "p95", "p99", "p999", "max")),
            ("clat", "Completion latency", ("mean", "p50", "p95", "p99", "p999")),
        )
        for which in every
    ),
)

_LABELS = ("workload", "direction", "engine", "substrate", "status")
"""Columns that are labels of every sample, before the factors."""


def write_openmetrics(frames: StoreFrames, out: IO[str]) -> int:
    """Write every metric family that has a sample, and the end mark.  Returns the samples."""
    names = labels_of(frames.trial_rows())
    columns = ["workload", "direction", "engine", *(metric.column for metric in METRICS)]
    newest: dict[tuple[tuple[str, str], ...], Mapping[str, object]] = {}
    for rows in joined(frames, columns):
        for row in rows:
            if row["status"] == "ok" and row["workload"] is not None:
                key = _labels(row, names)
                known = newest.get(key)
                if known is None or _started(row) >= _started(known):
                    newest[key] = row
    count = 0
    for metric in METRICS:
        samples = [(key, row[metric.column]) for key, row in newest.items()]
        count += _family(out, metric, [(key, value) for key, value in samples if isinstance(value, (int, float))])
    out.write("# EOF\n")
    return count


def _started(row: Mapping[str, object]) -> int:
    value = row["started_at_ns"]
    return value if isinstance(value, int) else 0


def _labels(row: Mapping[str, object], names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Labels of a sample that are not empty: what was measured, factors, labels of an import."""
    wanted = [(name, row[name]) for name in (*_LABELS, *FACTOR_NAMES)]
    wanted += [(_label_name(name), row[f"label_{name}"]) for name in names]
    found: dict[str, str] = {}
    for name, value in wanted:
        if value is not None:
            while name in found:  # two names that differ in other letters only
                name += "_"  # noqa: PLW2901
            found[name] = str(value)
    return tuple(found.items())


def _label_name(name: str) -> str:
    """A label of an import under a name that no column and no other program uses, in the letters of the format."""
    return f"label_{_NOT_OF_A_NAME.sub('_', name)}"


def _family(out: IO[str], metric: Metric, samples: Iterable[tuple[tuple[tuple[str, str], ...], int | float]]) -> int:
    """One metric family; nothing where it has no sample."""
    lines = [
        f"{metric.name}{{{','.join(f'{name}={_quoted(value)}' for name, value in labels)}}} {_number(value, metric)}\n"
        for labels, value in samples
        if math.isfinite(value)
    ]
    if lines:
        out.write(f"# TYPE {metric.name} gauge\n")
        if metric.unit:
            out.write(f"# UNIT {metric.name} {metric.unit}\n")
        out.write(f"# HELP {metric.name} {metric.doc}\n")
        out.writelines(lines)
    return len(lines)


def _number(value: float, metric: Metric) -> str:
    """A figure as text, without the noise of a conversion to seconds."""
    return f"{value * metric.factor:.12g}" if metric.factor != 1.0 else repr(value)


def _quoted(value: str) -> str:
    """A label's value, cleaned, and escaped as the format asks."""
    escaped = plain_lines(value).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'
