"""By which figure a workload is judged, and which way is better."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.errors import ResultsError
from results.schema import ObservationRow

RATES = ("iops", "bw_bytes_s")
LATENCIES = (
    "lat_min_ns",
    "lat_mean_ns",
    "lat_p50_ns",
    "lat_p95_ns",
    "lat_p99_ns",
    "lat_p999_ns",
    "lat_max_ns",
    "slat_mean_ns",
    "clat_mean_ns",
)
METRICS = RATES + LATENCIES
SWEEP_FILE = "sweep.toml"
_SMALL_IO_BYTES = 64 << 10


@dataclass(frozen=True)
class Objective:
    """One figure of one workload; ``stated`` says that the sweep file asked for it."""

    workload: str
    metric: str
    maximise: bool
    stated: bool


def stated_objectives(store: Path) -> tuple[Objective, ...]:
    """Objectives of the sweep file that the store keeps, in its order; none where there is no such file.

    Raises:
        ResultsError: the file is no TOML, or an objective names no known figure.
    """
    path = store / SWEEP_FILE
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("objective", [])
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ResultsError(f"cannot read {path}: {error}", remedy="Put the sweep file back as it was run.") from error
    return tuple(_objective(path, table) for table in (tables if isinstance(tables, list) else [tables]))


def _objective(path: Path, table: Any) -> Objective:
    """One table of the sweep file; raises ResultsError where it says nothing usable."""
    remedy = f"An objective has a workload, and maximise or minimise with one of: {', '.join(METRICS)}."
    if not isinstance(table, dict) or not isinstance(table.get("workload"), str):
        raise ResultsError(f"{path}: an objective names no workload", remedy=remedy)
    ways = [key for key in ("maximise", "minimise") if key in table]
    if len(ways) != 1 or table[ways[0]] not in METRICS:
        raise ResultsError(f"{path}: the objective of {table['workload']} names no figure known here", remedy=remedy)
    return Objective(table["workload"], table[ways[0]], maximise=ways[0] == "maximise", stated=True)


def usual_objective(workload: str, observations: Iterable[ObservationRow]) -> Objective:
    """What a workload is judged by where the sweep does not say: IOPS where I/Os are small, else bandwidth."""
    rows = [row for row in observations if row.workload == workload]
    small = all(row.iops is not None and row.total_bytes < _SMALL_IO_BYTES * max(1, row.ios) for row in rows)
    return Objective(workload, "iops" if rows and small else "bw_bytes_s", maximise=True, stated=False)


def objectives(store: Path, observations: list[ObservationRow], workload: str | None = None) -> tuple[Objective, ...]:
    """What to answer: the sweep's objectives first, then the usual one of each workload that has none.

    Raises:
        ResultsError: ``workload`` is given and the store has nothing of it.
    """
    known = list(dict.fromkeys(row.workload for row in observations))
    stated = [objective for objective in stated_objectives(store) if objective.workload in known]
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
