"""What is left of a trial's seconds and telemetry: each figure summed up, as rows of ``summaries``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from results.runs.seconds import FIGURES
from results.store.schema import DISK_CHECK, DISK_HEALTH, SummaryRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]

TELEMETRY_FIGURES = (
    "read_bytes_s",
    "write_bytes_s",
    "read_iops",
    "write_iops",
    "util_pct",
    "user_pct",
    "system_pct",
    "iowait_pct",
)
"""Columns of ``telemetry`` that hold a figure."""

QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)
_KEYS = {"intervals": ("workload", "direction"), "telemetry": ("workload", "device", "disk_id")}
_FIGURES = {"intervals": FIGURES, "telemetry": TELEMETRY_FIGURES}


def summaries(trial_id: str, source: str, rows: pa.Table) -> Iterator[SummaryRow]:
    """Rows of one trial in ``source`` (intervals or telemetry) summed up; not the checks of disks and their health."""
    import numpy as np

    keys = _KEYS[source]
    names = list(zip(*(rows[key].to_pylist() for key in keys), strict=True))
    when = rows["second"].to_numpy()
    figures = {name: rows[name].to_numpy().astype(np.float64, copy=False) for name in _FIGURES[source]}
    own: dict[tuple[str | None, ...], list[int]] = {}
    for number, name in enumerate(names):
        own.setdefault(name, []).append(number)
    for name, numbers in own.items():
        if name[0] in {DISK_CHECK, DISK_HEALTH}:
            continue
        at = np.asarray(numbers)
        at = at[np.argsort(when[at], kind="stable")]
        named = dict(zip(keys, name, strict=True))
        for figure, values in figures.items():
            found = _summary(trial_id, source, figure, named, values[at])
            if found is not None:
                yield found


def _summary(
    trial_id: str, source: str, figure: str, named: Mapping[str, str | None], values: Floats
) -> SummaryRow | None:
    """One figure summed up; None where there is no value at all."""
    import numpy as np

    from results.runs.within import lag_one

    known = values[~np.isnan(values)]
    count = len(known)
    if not count:
        return None
    third = max(1, count // 3)
    ordered = np.sort(known)
    places = [max(0, math.ceil(share * count - 1e-9) - 1) for share in QUANTILES]
    p01, p05, p50, p95, p99 = (float(ordered[place]) for place in places)
    return SummaryRow(
        trial_id=trial_id,
        source=source,
        workload=named["workload"] or "",
        direction=named.get("direction"),
        device=named.get("device"),
        disk_id=named.get("disk_id"),
        figure=figure,
        count=count,
        missing=len(values) - count,
        mean=float(known.mean()),
        sd=float(known.std(ddof=1)) if count > 1 else None,
        lag_one=lag_one(known) if count > 2 else None,
        minimum=float(ordered[0]),
        p01=p01,
        p05=p05,
        p50=p50,
        p95=p95,
        p99=p99,
        maximum=float(ordered[-1]),
        first_third=float(known[:third].mean()),
        last_third=float(known[-third:].mean()),
    )
