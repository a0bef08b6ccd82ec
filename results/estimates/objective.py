"""By which figure a workload is judged, and which way is better."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from results.errors import ResultsError
from results.estimates.latencies import as_measured, usual_of_commits
from results.store.files import file_at
from results.store.schema import ObservationRow
from stripelab.metrics import METRICS, listed
from stripelab.preference import PREFERENCES, problem

SWEEP_FILE = "sweep.toml"
JOB_FILES = "job-files"
"""Folder of a store with the fio job file of each workload that names one, as WORKLOAD.fio."""
_SMALL_IO_BYTES = 64 << 10


@dataclass(frozen=True)
class Objective:
    """One figure of one workload; ``stated`` says that the sweep file asked for it.

    ``require`` and ``prefer`` are the sweep file's constraints and order of preferences; ``weight`` is its weight
    in the joint recommendation, None where the worst share decides.  ``written`` is the metric as the sweep file has
    it, where that stands for another (:mod:`results.estimates.latencies`).
    """

    workload: str
    metric: str
    maximise: bool
    stated: bool
    require: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    weight: float | None = None
    written: str | None = None


def stated_objectives(store: Path) -> tuple[Objective, ...]:
    """Objectives of the sweep file that the store keeps, in its order; none where there is no such file.

    Raises:
        ResultsError: the file is no TOML, or an objective names no known figure.
    """
    path = store / SWEEP_FILE
    tables = _tables(path).get("objective", [])
    return tuple(_objective(path, table) for table in (tables if isinstance(tables, list) else [tables]))


def stated_baseline(store: Path) -> dict[str, str | int] | None:
    """The settings of ``[baseline]`` in the sweep file that the store keeps; None where it has none.

    Raises:
        ResultsError: the file is no TOML.
    """
    table = _tables(store / SWEEP_FILE).get("baseline")
    if not isinstance(table, dict):
        return None
    flat = {name: value[0] if isinstance(value, list) and value else value for name, value in table.items()}
    return {name: value for name, value in flat.items() if isinstance(value, (str, int))}


def _tables(path: Path) -> dict[str, Any]:
    """The sweep file's tables; empty where there is no such file."""
    try:
        folder, name = file_at(path)
        return tomllib.loads((folder.read_there(name) or b"").decode())
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"cannot read {path}: {error}", remedy="Put the sweep file back as it was run.") from error


def _objective(path: Path, table: Any) -> Objective:
    """One table of the sweep file; raises ResultsError where it says nothing usable."""
    remedy = f"An objective has a workload, and maximise or minimise with one of: {listed(METRICS)}."
    if not isinstance(table, dict) or not isinstance(table.get("workload"), str):
        raise ResultsError(f"{path}: an objective names no workload", remedy=remedy)
    ways = [key for key in ("maximise", "minimise") if key in table]
    if len(ways) != 1 or table[ways[0]] not in METRICS:
        raise ResultsError(f"{path}: the objective of {table['workload']} names no figure known here", remedy=remedy)
    lists = {key: table.get(key, []) for key in ("require", "prefer")}
    if not all(isinstance(each, list) and all(isinstance(word, str) for word in each) for each in lists.values()):
        raise ResultsError(f"{path}: require and prefer of an objective are lists of text", remedy=remedy)
    weight = table.get("weight")
    if weight is not None and not (isinstance(weight, (int, float)) and 0 < weight < math.inf):
        raise ResultsError(f"{path}: the weight of an objective must be a positive number", remedy=remedy)
    return Objective(
        table["workload"],
        table[ways[0]],
        maximise=ways[0] == "maximise",
        stated=True,
        require=tuple(lists["require"]),
        prefer=checked_preferences(lists["prefer"]) if lists["prefer"] else (),
        weight=float(weight) if weight is not None else None,
    )


def checked_preferences(prefer: Sequence[str]) -> tuple[str, ...]:
    """An order of preferences; the default order where none is given.

    Raises:
        ResultsError: a word is not known, or is given twice.
    """
    wrong = problem(prefer)
    if wrong is not None:
        raise ResultsError(
            wrong, remedy=f"Use each of these at most once, in order of priority: {', '.join(PREFERENCES)}."
        )
    return tuple(prefer) or tuple(PREFERENCES)


def measured_by(objective: Objective, observations: Iterable[ObservationRow]) -> Objective:
    """An objective with the metric that its name stands for."""
    metric = as_measured(objective.metric, observations, objective.workload)
    return replace(objective, metric=metric, written=objective.metric) if metric != objective.metric else objective


def usual_objective(workload: str, observations: Iterable[ObservationRow]) -> Objective:
    """What a workload is judged by where the sweep does not say.

    Commit latency where it syncs and that was measured; else IOPS where I/Os are small, else bandwidth.
    """
    rows = [row for row in observations if row.workload == workload]
    commits = usual_of_commits(rows, workload)
    if commits is not None:
        return Objective(workload, commits, maximise=False, stated=False)
    small = all(row.iops is not None and row.total_bytes < _SMALL_IO_BYTES * max(1, row.ios) for row in rows)
    return Objective(workload, "iops" if rows and small else "bw_bytes_s", maximise=True, stated=False)


def objectives(store: Path, observations: list[ObservationRow], workload: str | None = None) -> tuple[Objective, ...]:
    """What to answer: the sweep's objectives first, then the usual one of each workload that has none.

    Raises:
        ResultsError: ``workload`` is given and the store has nothing of it.
    """
    known = list(dict.fromkeys(row.workload for row in observations))
    stated = [measured_by(each, observations) for each in stated_objectives(store) if each.workload in known]
    judged = {objective.workload for objective in stated}
    found = [*stated, *(usual_objective(name, observations) for name in known if name not in judged)]
    if workload is None:
        return tuple(found)
    if workload not in known:
        raise ResultsError(
            f"{store} has no result of the workload {workload!r}",
            remedy=f"It has: {', '.join(known) or 'none that is ok'}.",
        )
    return tuple(objective for objective in found if objective.workload == workload)
