"""Constraints and preferences of ``[objective]``, checked when a sweep file is read.

The form is ``NAME OPERATOR NUMBER [UNIT]``: ``survives >= 2``, ``p99 < 20 ms``.  Whether a recommended point meets one
is for the analysis, which reads the sweep file that the store keeps (a test holds the two to the same limits); here a
mistake is found before anything runs, and :mod:`permutations.requirement` asks what a point can meet.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from permutations.objective import DIRECTIONS, LATENCIES, spelt

FORM = re.compile(
    r"\s*(?P<name>[a-z][a-z0-9_]*)\s*(?P<operator><=|>=|<|>)\s*(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(?P<unit>[A-Za-z/]*)\s*"
)
AT_MOST = (*LATENCIES, "cpu_ns_per_io")
"""Figures of which less is better."""
AT_LEAST = ("iops", "bw_bytes_s", "usable_bytes", "disk_failures_survived")
"""Figures of which more is better."""
_PERCENTILES = {name: f"lat_{name}_ns" for name in ("p50", "p95", "p99", "p999")}
SHORT: Mapping[str, str] = {
    "survives": "disk_failures_survived",
    "usable": "usable_bytes",
    "bandwidth": "bw_bytes_s",
    **_PERCENTILES,
    **{f"{each}_{name}": f"{each}_{column}" for each in DIRECTIONS for name, column in _PERCENTILES.items()},
    "cpu": "cpu_ns_per_io",
}
"""Short names of the figures that people ask for."""
KNOWN_BEFORE = ("usable_bytes", "disk_failures_survived")
"""Figures that follow from the settings of a point and the size of its disks; all others are measured."""
_TIMES: Mapping[str, float] = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
_SIZES: Mapping[str, float] = {
    unit: 1024.0**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB"))
}
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
PREFERENCES = ("redundancy", "capacity", "cost", "simplicity")
"""What may decide between points that are tied for best."""
MOST_SLACK = 50.0
"""Slack of a figure or a limit of zero, whose logarithm is not finite."""


@dataclass(frozen=True)
class Constraint:
    """A constraint as it was written (``text``) and in the unit of its figure (``limit``)."""

    metric: str
    operator: str
    limit: float
    text: str

    def holds(self, value: float) -> bool:
        """Whether a figure meets it."""
        return _OPERATORS[self.operator](value, self.limit)

    def slack(self, value: float) -> float:
        """By how much a figure meets it, on the log scale: below 0 it is missed."""
        if value <= 0 or self.limit <= 0:
            return math.copysign(MOST_SLACK, 1 if self.holds(value) else -1)
        ratio = math.log(value / self.limit)
        return ratio if self.metric in AT_LEAST else -ratio


def parse(text: str) -> Constraint:
    """A constraint from its text; raises ValueError where :func:`why_not` names a mistake."""
    wrong = why_not(text)
    found = FORM.fullmatch(text)
    if wrong is not None or found is None:
        raise ValueError(wrong)
    metric = SHORT.get(found["name"], found["name"])
    limit = float(found["number"]) * units_of(metric).get(found["unit"], 1.0)
    return Constraint(metric, found["operator"], limit, " ".join(text.split()))


def why_not(text: str) -> str | None:
    """What is wrong with a constraint; None where nothing is."""
    found = FORM.fullmatch(text)
    if found is None:
        return f'"{text}" is no constraint: write NAME OPERATOR NUMBER [UNIT], as in "p99 < 20 ms" or "survives >= 2"'
    name = SHORT.get(found["name"], found["name"])
    if name not in AT_MOST + AT_LEAST:
        known = spelt((*SHORT, *AT_MOST, *AT_LEAST))
        return f'"{found["name"]}" is no figure that can be asked for: known are {known}'
    if (name in AT_MOST) is not found["operator"].startswith("<"):
        return f'"{text}": {name} is better the {"lower" if name in AT_MOST else "higher"} it is'
    units = units_of(name)
    if units and not found["unit"]:
        return f'"{text}": {name} needs a unit: {", ".join(units)}'
    if found["unit"] and found["unit"] not in units:
        return f'"{text}": {name} has no unit {found["unit"]}' + (f"; it has {', '.join(units)}" if units else "")
    return None


def units_of(name: str) -> Mapping[str, float]:
    """Units in which a figure may be given, each with its size."""
    if name in AT_MOST:
        return _TIMES
    if name == "bw_bytes_s":
        return {f"{unit}/s": size for unit, size in _SIZES.items()}
    return _SIZES if name == "usable_bytes" else {}
