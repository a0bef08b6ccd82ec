"""Constraints and preferences of ``[objective]``, checked when a sweep file is read.

The form is ``NAME OPERATOR NUMBER [UNIT]``: ``survives >= 2``, ``p99 < 20 ms``.  What they mean is for the
analysis, which reads the sweep file that the store keeps; here a mistake is found before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
_TIMES = ("ns", "us", "ms", "s")
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
PREFERENCES = ("redundancy", "capacity", "cost", "simplicity")
"""What may decide between points that are tied for best."""


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


def figure_of(text: str) -> str:
    """The figure that a constraint without fault is about."""
    found = FORM.fullmatch(text)
    return SHORT.get(found["name"], found["name"]) if found is not None else ""


def units_of(name: str) -> tuple[str, ...]:
    """Units in which a figure may be given."""
    if name in AT_MOST:
        return _TIMES
    if name == "bw_bytes_s":
        return tuple(f"{unit}/s" for unit in _SIZES)
    return _SIZES if name == "usable_bytes" else ()
