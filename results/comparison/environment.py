"""What differs between two sweeps beside the settings of their points: machines, programs, workloads."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from results.comparison.picking import Picked
from results.store.files import object_of
from results.store.schema import EnvironmentRow

_NOT_COMPARED = frozenset({"environment_id"})
_OF_TRIALS = {
    "dataset_bytes": "data set, bytes",
    "initial_sync": "initial_sync",
    "disk_iops_limit": "limit of a disk, IOPS",
    "disk_bw_bytes_s_limit": "limit of a disk, bytes/s",
}
"""Columns of trials that are no factor and belong to what was done to every point, each with its name."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same; ``what`` is a column of environments or a key of a workload."""

    what: str
    first: str
    second: str


def differences(first: Picked, second: Picked, workloads: Sequence[str]) -> tuple[Difference, ...]:
    """Columns of the environments and of the trials, then keys of the workloads and engines, that are not the same."""
    found = []
    for column in (spec.name for spec in dataclasses.fields(EnvironmentRow)):
        if column in _NOT_COMPARED:
            continue
        one, other = (_values(row, column) for row in (first.environments, second.environments))
        if one != other:
            found += _of_column(column, one, other)
    for column, name in _OF_TRIALS.items():
        one, other = (frozenset(getattr(row, column) for row in picked.trials) - {None} for picked in (first, second))
        if one != other:
            found += _of_column(name, one, other)
    for workload in dict.fromkeys(workloads):
        found += _of_workload(workload, first, second)
    return tuple(found)


def _values(rows: Iterable[EnvironmentRow], column: str) -> frozenset[Any]:
    """Values of a column; lists one by one, since the order of disks and programs says nothing."""
    values = [getattr(row, column) for row in rows]
    return frozenset(each for value in values for each in (value if isinstance(value, tuple) else (value,)))


def _of_column(column: str, one: frozenset[Any], other: frozenset[Any]) -> list[Difference]:
    """What only one of the two has."""
    return [Difference(column, _listed(one - other), _listed(other - one))]


def _of_workload(workload: str, first: Picked, second: Picked) -> list[Difference]:
    """Keys of a workload that were asked for differently, and the engine's version."""
    found = []
    one, other = (_asked(picked, workload) for picked in (first, second))
    if one and other:
        found += [
            Difference(f"{workload}: {key}", _text(one.get(key)), _text(other.get(key)))
            for key in sorted(one.keys() | other.keys())
            if one.get(key) != other.get(key)
        ]
    engines = [
        frozenset(f"{row.engine} {row.engine_version}" for row in picked.observations if row.workload == workload)
        for picked in (first, second)
    ]
    if engines[0] != engines[1]:
        found.append(Difference(f"{workload}: engine", _listed(engines[0]), _listed(engines[1])))
    return found


def _asked(picked: Picked, workload: str) -> dict[str, Any]:
    """The workload as it was asked for; empty where an older version did not keep it."""
    texts = (row.workload_json for row in picked.observations if row.workload == workload)
    kept = next((text for text in texts if text is not None), None)
    return object_of(kept)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(sorted(_text(value) for value in values)) or "-"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
