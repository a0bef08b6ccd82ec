"""Stores of many nights with a known truth, made in bundles as merging would make them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from results.store import bundles, sealed
from results.store.contents import PARTS
from results.store.folder import Store
from results.store.rows import conform, to_table
from results.store.schema import NIGHT, ObservationRow, TrialRow
from tests.results import synthetic

FIRST = date(2026, 1, 1)


@dataclass(frozen=True)
class Nights:
    """``effect`` gives the logarithm that a night, a point and a workload add to the truth.

    The trials of ``nights_a_bundle`` nights lie in one file of each table.  ``seconds`` of each workload are kept, and
    histograms of ``buckets`` buckets.
    """

    count: int
    points: int = 2
    replicates: int = 2
    workloads: tuple[str, ...] = ("random-write",)
    cv: float = 0.02
    seed: int = 1
    role: str = NIGHT
    first: int = 0
    nights_a_bundle: int = 1
    seconds: int = 0
    buckets: int = 0
    effect: Callable[[int, int, str], float] = lambda _night, _point, _workload: 0.0
    change: Callable[[TrialRow], TrialRow] = lambda row: row


def night_name(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def settings(point: int) -> synthetic.Settings:
    return {"level": "raid0", "disks": 4, "chunk_kib": 64 * (point + 1), "filesystem": "xfs", "layout": "flat"}


def write(path: Path, nights: Nights) -> None:
    """Make the store, or add nights to it."""
    if not path.exists():
        Store.create(path).put_environment(synthetic.environment())
    rng = np.random.default_rng(nights.seed)
    numbers = range(nights.first, nights.first + nights.count)
    for begin in range(0, len(numbers), nights.nights_a_bundle):
        rows, observed = [], []
        for number in numbers[begin : begin + nights.nights_a_bundle]:
            own = [
                _trial(nights, number, point, block)
                for block in range(nights.replicates)
                for point in range(nights.points)
            ]
            rows += own
            observed += [_observed(nights, number, row, rng) for row in own]
        _bundle(path, rows, observed, _seconds(nights, observed, rng) if nights.seconds else None)


def _trial(nights: Nights, night: int, point: int, block: int) -> TrialRow:
    row = synthetic.trial(synthetic.Plan([]), settings(point), block, block * nights.points + point)
    name = night_name(night)
    identity = f"{name}-{nights.role}-{point}-{block}"
    began_ns = synthetic.START_NS + night * 86_400 * 10**9 + row.run_order * 60 * 10**9
    return nights.change(replace(row, trial_id=identity, night=name, night_role=nights.role, started_at_ns=began_ns))


def _observed(nights: Nights, night: int, row: TrialRow, rng: np.random.Generator) -> list[ObservationRow]:
    found = []
    point = int(row.chunk_kib or 64) // 64 - 1
    for workload in nights.workloads:
        log = nights.effect(night, point, workload) + rng.normal(0, nights.cv)
        plan = synthetic.Plan([], workload=workload)
        seen = synthetic.observation(plan, row, 8000 * math.exp(log), "write", None)
        bins, counts = _histogram(nights.buckets, seen)
        found.append(replace(seen, raw_zlib=None, lat_bins_ns=bins, lat_counts=counts))
    return found


def _histogram(buckets: int, seen: ObservationRow) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """I/Os by latency, fewer from bucket to bucket; the buckets are those of one grid, as an engine's are."""
    first = round(math.log(int(seen.lat_mean_ns or 2) / 2, 1.03))
    counts = (max(1, int(seen.ios / 20 * 0.95**place)) for place in range(buckets))
    return tuple(int(1.03 ** (first + place)) for place in range(buckets)), tuple(counts)


def _seconds(nights: Nights, observed: Sequence[list[ObservationRow]], rng: np.random.Generator) -> pa.Table:
    """Every second of each workload, a twentieth above and below the mean."""
    rows = [row for group in observed for row in group]
    iops = np.array([row.iops for row in rows]).repeat(nights.seconds)
    iops *= np.exp(rng.normal(0, 0.05, len(iops)))
    known = {
        "trial_id": np.repeat([row.trial_id for row in rows], nights.seconds),
        "workload": np.repeat([row.workload for row in rows], nights.seconds),
        "direction": np.repeat([row.direction for row in rows], nights.seconds),
        "second": np.tile(np.arange(nights.seconds), len(rows)),
        "iops": iops,
        "bw_bytes_s": iops * 4096,
        "lat_mean_ns": 1e9 / iops,
    }
    return conform("intervals", pa.table(known))


def _bundle(
    path: Path, rows: Sequence[TrialRow], observed: Sequence[list[ObservationRow]], seconds: pa.Table | None
) -> None:
    ids = [row.trial_id for row in rows]
    name = bundles.bundle_name(ids)
    figures = to_table("observations", [each for group in observed for each in group])
    index = [(trial_id, len(group)) for trial_id, group in zip(ids, observed, strict=True)]
    parts = {"observations": _put(path, "observations", name, figures, index, {})}
    if seconds is not None:
        per_row = seconds.num_rows // figures.num_rows
        index = [(trial_id, len(group) * per_row) for trial_id, group in zip(ids, observed, strict=True)]
        parts["intervals"] = _put(path, "intervals", name, seconds, index, {})
    told = {PARTS: json.dumps(parts).encode()}
    _put(path, "trials", name, to_table("trials", rows), [(each, 1) for each in ids], told)


def _put(path: Path, table: str, name: str, rows: pa.Table, index: list, metadata: dict) -> str:
    told = {**metadata, bundles._INDEX: json.dumps(index).encode()}
    content, digest = sealed.encode_groups(table, [rows], lambda: told)
    (path / table / f"{name}.parquet").write_bytes(content)
    return digest
