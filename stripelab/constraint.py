"""Constraints: ``NAME OPERATOR NUMBER [UNIT]``, such as ``survives >= 2``, ``p99 < 20 ms``, ``usable >= 10 TiB``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stripelab.metrics import (
    CPU,
    DIRECTIONS,
    FACTS,
    OBJECTIVES,
    figure,
    input_units,
    listed,
    lower_is_better,
    metric_name,
)
from stripelab.units import capacity

_FORM = re.compile(
    r"\s*(?P<name>[a-z][a-z0-9_]*)\s*(?P<operator><=|>=|<|>)\s*(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(?P<unit>[A-Za-z]*(?:/s)?)\s*"
)
_PERCENTILES = {name: f"lat_{name}_ns" for name in ("p50", "p95", "p99", "p999")}
SHORT_NAMES: Mapping[str, str] = {
    "survives": "disk_failures_survived",
    "usable": "usable_bytes",
    "bandwidth": "bw_bytes_s",
    **_PERCENTILES,
    **{f"{each}_{name}": f"{each}_{column}" for each in DIRECTIONS for name, column in _PERCENTILES.items()},
    "cpu": CPU,
}
"""Metrics by the short names that a constraint may use."""
CONSTRAINED = (*FACTS, *OBJECTIVES, CPU)
"""Metrics that a constraint may name."""
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MAX_SLACK = 50.0
"""Slack of a figure or a limit of zero, whose logarithm is not finite."""

MET = "met"
NOT_MET = "not met"
INCONCLUSIVE = "not shown"
"""Verdict on a measured figure whose interval contains the limit."""
UNMEASURED = "not measured"
"""Verdict on a point that has no such figure."""


class ConstraintError(ValueError):
    """A text that is not a constraint; ``hint`` says how to write it."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}: {hint}")
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True)
class Constraint:
    """A limit on a metric; ``limit`` is in the unit of the metric, ``text`` is as it was written."""

    metric: str
    operator: str
    limit: float
    text: str

    def holds(self, value: float) -> bool:
        """Whether a figure meets it."""
        return _OPERATORS[self.operator](value, self.limit)

    def judge(self, low: float, high: float) -> str:
        """Verdict on a figure that lies between ``low`` and ``high``."""
        holds = (self.holds(low), self.holds(high))
        return MET if all(holds) else INCONCLUSIVE if any(holds) else NOT_MET

    def slack(self, value: float) -> float:
        """By how much a figure meets it, on the log scale: below 0 it is missed."""
        if value <= 0 or self.limit <= 0:
            return math.copysign(MAX_SLACK, 1 if self.holds(value) else -1)
        ratio = math.log(value / self.limit)
        return -ratio if lower_is_better(self.metric) else ratio

    @property
    def words(self) -> str:
        """For a person: ``99th percentile of latency < 20 ms``."""
        if self.metric == "usable_bytes":
            return f"usable capacity {self.operator} {capacity(self.limit)}"
        if self.metric == "disk_failures_survived":
            return f"disk failures survived {self.operator} {self.limit:g}"
        return f"{metric_name(self.metric)} {self.operator} {figure(self.metric, self.limit)}"


def parse(text: str) -> Constraint:
    """A constraint from its text.

    Raises:
        ConstraintError: the text has another form, or names a metric or unit that is not known.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ConstraintError(
            f'"{text}" is not a constraint', 'write NAME OPERATOR NUMBER [UNIT], as in "p99 < 20 ms" or "survives >= 2"'
        )
    metric = SHORT_NAMES.get(match["name"], match["name"])
    if metric not in CONSTRAINED:
        raise ConstraintError(
            f'"{match["name"]}" is not a metric that a constraint can name',
            f"use {listed((*SHORT_NAMES, *CONSTRAINED))}",
        )
    lower = lower_is_better(metric)
    if lower is not match["operator"].startswith("<"):
        raise ConstraintError(
            f'"{text}": {metric} is better the {"lower" if lower else "higher"} it is', f"use {'<' if lower else '>='}"
        )
    units = input_units(metric)
    if match["unit"] not in (units or ("",)):
        problem = f"has no unit {match['unit']}" if match["unit"] else "needs a unit"
        hint = f"use {', '.join(units)}" if units else "leave it out"
        raise ConstraintError(f'"{text}": {metric} {problem}', hint)
    limit = float(match["number"]) * units.get(match["unit"], 1.0)
    return Constraint(metric, match["operator"], limit, " ".join(text.split()))
