"""What a recommended point must meet, and how sure it is that it does.

A constraint is written ``NAME OPERATOR NUMBER [UNIT]``: ``survives >= 2``, ``p99 < 20 ms``,
``usable >= 10 TiB``.  What was measured is uncertain, so a measured figure meets a constraint only where
its whole confidence interval does; a fact, such as the capacity, either meets it or does not.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from results.errors import ResultsError
from results.estimates.latencies import DIRECTIONS, OF_ANY, OF_ONE, as_measured, parts, spelt, syncs
from results.store.schema import ObservationRow
from results.units import capacity, figure, metric_name

_FORM = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-z]*(?:/s)?)\s*")
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_PERCENTILES = {name: f"lat_{name}_ns" for name in ("p50", "p95", "p99", "p999")}
SHORT = {
    "survives": "disk_failures_survived",
    "usable": "usable_bytes",
    "bandwidth": "bw_bytes_s",
    **_PERCENTILES,
    **{f"{each}_{name}": f"{each}_{column}" for each in DIRECTIONS for name, column in _PERCENTILES.items()},
    "cpu": "cpu_ns_per_io",
}
FACTS = ("disk_failures_survived", "usable_bytes")
MEASURED = ("iops", "bw_bytes_s", *OF_ANY[1:], "cpu_ns_per_io", *OF_ONE)
_TIMES = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
_SIZES = {unit: 1024.0**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB"))}

MET = "met"
NOT_MET = "not met"
UNSURE = "not shown"


@dataclass(frozen=True)
class Constraint:
    """``limit`` is in the unit of the column ``metric``; ``text`` is as it was written."""

    metric: str
    operator: str
    limit: float
    text: str

    def judge(self, low: float, high: float) -> str:
        """Whether a figure that lies between ``low`` and ``high`` meets it: met, not met, or not shown."""
        holds = [_OPERATORS[self.operator](value, self.limit) for value in (low, high)]
        return MET if all(holds) else UNSURE if any(holds) else NOT_MET

    @property
    def words(self) -> str:
        """For a person: ``99th percentile of latency < 20 ms``."""
        if self.metric == "usable_bytes":
            return f"usable capacity {self.operator} {capacity(self.limit)}"
        if self.metric == "disk_failures_survived":
            return f"disk failures survived {self.operator} {self.limit:g}"
        return f"{metric_name(self.metric)} {self.operator} {figure(self.metric, self.limit)}"


@dataclass(frozen=True)
class Judged:
    """How points meet a constraint, by label: those that do, do not, and of which it is not shown."""

    constraint: str
    met: tuple[str, ...]
    not_met: tuple[str, ...]
    not_shown: tuple[str, ...]


def parse(text: str) -> Constraint:
    """A constraint from its text.

    Raises:
        ResultsError: it is none, or names a figure or unit that is not known.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ResultsError(
            f'"{text}" is no constraint',
            remedy='Write NAME OPERATOR NUMBER [UNIT], as in "p99 < 20 ms" or "survives >= 2".',
        )
    short, sign, value, unit = found.groups()
    metric = SHORT.get(short, short)
    if metric not in FACTS + MEASURED:
        raise ResultsError(
            f'"{short}" is no figure that a constraint can ask for',
            remedy=f"Known are {spelt((*SHORT, *FACTS, *MEASURED))}.",
        )
    less = metric.endswith("_ns") or metric == "cpu_ns_per_io"
    if less is not sign.startswith("<"):
        raise ResultsError(
            f'"{text}" asks for the worse: {metric} is better the {"lower" if less else "higher"} it is',
            remedy=f"Turn the sign round: {'<' if less else '>='}.",
        )
    units = _units(metric)
    if units and not unit:
        raise ResultsError(
            f'"{text}": {metric} needs a unit', remedy=f"Add one of {', '.join(units)}, as in p99 < 20 ms."
        )
    if unit and unit not in units:
        raise ResultsError(
            f'"{text}": {metric} has no unit {unit}', remedy=f"Its units are: {', '.join(units) or 'none'}."
        )
    return Constraint(metric, sign, float(value) * units.get(unit, 1.0), " ".join(text.split()))


def of_workload(
    stated: Sequence[str], wished: Sequence[Constraint], rows: Sequence[ObservationRow], workload: str
) -> tuple[Constraint, ...]:
    """The constraints on a workload: those of the sweep file, and what the reader asks of every workload.

    A plain latency of a workload that syncs is the one of its commits.  A wish about reads, syncs or the like passes by
    the workloads that have none.  What is asked for twice counts once.
    """
    own = [row for row in rows if row.workload == workload]
    there = {row.direction for row in own} | ({"commit"} if syncs(own, workload) else set())
    asked = [each for each in wished if parts(each.metric)[0] in {None, *there}]
    every = (*(parse(text) for text in stated), *asked)
    named = (replace(each, metric=as_measured(each.metric, own, workload)) for each in every)
    return tuple({(each.metric, each.operator, each.limit): each for each in named}.values())


def _units(metric: str) -> Mapping[str, float]:
    if metric.endswith("_ns") or metric == "cpu_ns_per_io":
        return _TIMES
    if metric == "usable_bytes":
        return _SIZES
    return {f"{unit}/s": size for unit, size in _SIZES.items()} if metric == "bw_bytes_s" else {}


def summarise(constraint: Constraint, verdicts: Mapping[str, str], labels: Mapping[str, str]) -> Judged:
    """Verdicts by point as lists of labels."""

    def named(verdict: str) -> tuple[str, ...]:
        return tuple(sorted(labels[point] for point, each in verdicts.items() if each == verdict))

    return Judged(constraint.words, named(MET), named(NOT_MET), named(UNSURE))


def meeting(verdicts: Sequence[Mapping[str, str]], points: Sequence[str]) -> list[str]:
    """The points that meet every constraint."""
    return [point for point in points if all(each.get(point) == MET for each in verdicts)]
