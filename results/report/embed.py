"""What the page's script draws on demand, packed: seconds, histograms, and what each trial ran.

Seconds are whole numbers of 16 bits, little-endian, in base64 (RFC 4648): a figure is its share of the trial's largest,
in steps of 1/65534 (0.0015 % of the scale, finer than a pixel and than the four digits of the table), and
65535 is a second that was not measured.  That takes 2.7 bytes a second where JSON's digits take five to seven.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from results.report.gather import LatencyRow, WorkloadSeries
from results.store.schema import ObservationRow, TrialRow
from results.text import plain
from stripelab.units import date

Figures = Mapping[str, Sequence[tuple[str, str]]]
"""What was measured and its figure, by trial."""

OWN_ID = "\N{SYMBOL FOR RECORD SEPARATOR}"
UNKNOWN = 65535
STEPS = 65534


def pack(values: Sequence[float | None]) -> tuple[float, str]:
    """The largest value, and the values as shares of it in base64; None is :data:`UNKNOWN`."""
    import numpy as np

    top = max((value for value in values if value is not None), default=0.0)
    shares = [UNKNOWN if value is None else round(STEPS * value / top) if top > 0 else 0 for value in values]
    return top, base64.b64encode(np.array(shares, dtype="<u2").tobytes()).decode("ascii")


def unpack(top: float, text: str) -> list[float | None]:
    """What :func:`pack` packed, each value to 1/65534 of the largest."""
    import numpy as np

    found = np.frombuffer(base64.b64decode(text), dtype="<u2")
    return [None if share == UNKNOWN else top * int(share) / STEPS for share in found]


def series_json(every: Sequence[WorkloadSeries], names: Mapping[str, str]) -> str:
    """Throughput over time of every workload, point and trial."""
    return _json(
        [
            {
                "workload": plain(series.workload),
                "metric": names[series.metric],
                "binary": series.metric == "bw_bytes_s",
                "step_s": series.step_s,
                "points": [
                    {
                        "label": plain(point.label),
                        "trials": [_series(each.trial_id, each.block, each.values) for each in point.trials],
                    }
                    for point in series.points
                ],
            }
            for series in every
        ]
    )


def _series(trial_id: str, block: int, values: Sequence[float | None]) -> dict[str, Any]:
    top, packed = pack(values)
    return {"id": trial_id, "block": block + 1, "top": top, "values": packed}


def histograms_json(rows: Mapping[str, Sequence[LatencyRow]]) -> str:
    """Merged latency histograms by workload: of each bucket its midpoint, as a step from the last, and its I/Os."""
    return _json(
        [
            {
                "workload": plain(workload),
                "rows": [
                    {
                        "label": plain(row.label),
                        "direction": plain(row.direction),
                        "steps_ns": _steps(row.bins_ns),
                        "counts": list(row.counts),
                    }
                    for row in own
                ],
            }
            for workload, own in rows.items()
            if own
        ]
    )


def _steps(bins_ns: Sequence[int]) -> list[int]:
    """Differences from one to the next, the first from zero: shorter digits."""
    return [high - low for low, high in zip((0, *bins_ns), bins_ns, strict=False)]


def trials_json(
    trials: Iterable[TrialRow], labels: Mapping[str, str], observations: Iterable[ObservationRow], values: Figures
) -> str:
    """What each trial was, built and ran; a line that occurs more than once is kept once.

    Paths of a trial carry its id: :data:`OWN_ID` stands for it, so that trials share their lines.  ``values`` are
    (what, figure) by trial.
    """
    lines: dict[str, int] = {}

    def place(line: str, trial_id: str) -> int:
        return lines.setdefault(plain(line.replace(trial_id, OWN_ID)), len(lines))

    ran: dict[str, list[list[int]]] = {}
    for row in observations:
        engine = row.engine_version if row.engine in row.engine_version else f"{row.engine} {row.engine_version}"
        entry = [place(f"{row.workload} ({engine})", row.trial_id), place(row.command, row.trial_id)]
        own = ran.setdefault(row.trial_id, [])
        if entry not in own:
            own.append(entry)
    found = {
        row.trial_id: {
            "point": place(labels[row.point_id], row.trial_id),
            "block": row.block + 1,
            "status": plain(row.status),
            "started": date(row.started_at_ns),
            "state": [place(line, row.trial_id) for line in state_lines(row)],
            "build": [place(line, row.trial_id) for line in row.build_commands],
            "ran": ran.get(row.trial_id, []),
            "figures": [list(map(plain, each)) for each in values.get(row.trial_id, ())],
            "why": [place(line, row.trial_id) for line in _reasons(row)],
        }
        for row in trials
    }
    return _json({"lines": list(lines), "trials": found})


def state_lines(row: TrialRow) -> tuple[str, ...]:
    """The array before and after the workloads, as md told it."""
    found = []
    for when in ("before", "after"):
        known = {
            "array_state": getattr(row, f"array_state_{when}"),
            "sync_action": getattr(row, f"sync_action_{when}"),
            "members missing": getattr(row, f"degraded_{when}"),
        }
        words = ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)
        if words:
            found.append(f"{when} the workloads: {words}")
    return tuple(found)


def _reasons(row: TrialRow) -> tuple[str, ...]:
    """Why a trial failed or does not count."""
    said = (row.error, f"failed command: {row.error_command}" if row.error_command else None, *row.invalid_reasons)
    return tuple(line for line in said if line)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
