"""Stores of any number of seconds, made column by column and written as bundles by the store's own code.

Every trial has its telemetry too: a sample a second of each disk and of the CPUs, and before each block what each
disk read on its own.  Rows are as engines and the kernel report them: whole numbers of I/Os around a level that
wanders from second to second.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from results.store import bundles
from results.store.contents import PARTS
from results.store.files import Folder
from results.store.folder import Store
from results.store.rows import to_table
from results.store.schema import DISK_CHECK, ObservationRow, TelemetryRow, TrialRow, arrow_schema
from tests.results import synthetic
from tests.results.synthetic import Plan

Floats = npt.NDArray[np.float64]

SECONDS = 1250
SERIES = (("mixed", "read"), ("mixed", "write"), ("scan", "read"), ("log", "write"))
WORKLOADS = tuple(dict.fromkeys(name for name, _ in SERIES))
ROWS_OF_A_TRIAL = SECONDS * len(SERIES)
DISKS = tuple(f"SERIAL-{number}" for number in range(4))
IOPS = 8000.0
MOST_POINTS = 500
TRIALS_OF_A_BUNDLE = 192
"""About as many as the store merges of this size."""


@dataclass(frozen=True)
class Run:
    """A trial with what it reached."""

    row: TrialRow
    value: float
    first_of_block: bool


def generate(path: Path, rows: int) -> int:
    """A bundled store with about ``rows`` seconds, and the telemetry that goes with them; returns how many seconds."""
    trials = max(16, rows // ROWS_OF_A_TRIAL)
    blocks = max(4, trials // MOST_POINTS)
    settings = [
        {"level": "raid0", "disks": len(DISKS), "chunk_kib": 4 * (n % 25 + 1), "nr_requests": 32 * (n // 25 + 1)}
        for n in range(trials // blocks)
    ]
    plan = Plan([(each, IOPS + 10 * n) for n, each in enumerate(settings)], replicates=blocks, seconds=SECONDS)
    Store.create(path).put_environment(synthetic.environment())
    runs = [
        Run(synthetic.trial(plan, settings[point], block, place), value, place % len(settings) == 0)
        for place, (point, block, value) in enumerate(synthetic.values(plan))
    ]
    columns = Columns(np.random.default_rng(5))
    for first in range(0, len(runs), TRIALS_OF_A_BUNDLE):
        write_bundle(path, plan, runs[first : first + TRIALS_OF_A_BUNDLE], columns)
    return len(runs) * ROWS_OF_A_TRIAL


def write_bundle(path: Path, plan: Plan, runs: Sequence[Run], columns: Columns) -> None:
    """One bundle, as merging the trials' own files would make it."""
    ids = [run.row.trial_id for run in runs]
    name = bundles.bundle_name(ids)
    tables: Mapping[str, Iterator[pa.Table]] = {
        "observations": rows_apart("observations", [observations(plan, run) for run in runs]),
        "intervals": (columns.intervals(run) for run in runs),
        "telemetry": (columns.telemetry(run) for run in runs),
        "trials": rows_apart("trials", [[run.row] for run in runs]),
    }
    parts: dict[str, str] = {}
    for table, made in tables.items():
        told = {PARTS: json.dumps(parts).encode()} if table == "trials" else {}
        content, parts[table] = bundles.encode(table, zip(ids, made, strict=True), told)
        Folder(path).replace(f"{table}/{name}.parquet", content)


def rows_apart(table: str, rows: Sequence[Sequence[TrialRow] | Sequence[ObservationRow]]) -> Iterator[pa.Table]:
    """Tables of the rows of each trial, made at once and cut."""
    whole = to_table(table, [row for own in rows for row in own])
    start = 0
    for own in rows:
        yield whole.slice(start, len(own))
        start += len(own)


def observations(plan: Plan, run: Run) -> list[ObservationRow]:
    return [
        replace(synthetic.observation(plan, run.row, run.value, direction, None), workload=workload)
        for workload, direction in SERIES
    ]


class Columns:
    """The seconds and the telemetry of trials; columns that are the same for every trial are made once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        devices = ("cpu", *(f"sd{chr(ord('b') + number)}" for number in range(len(DISKS))))
        self._second = np.arange(SECONDS)
        self._words = {
            "workload": pa.array(np.repeat([name for name, _ in SERIES], SECONDS)),
            "direction": pa.array(np.repeat([way for _, way in SERIES], SECONDS)),
            "second": pa.array(np.tile(self._second, len(SERIES))),
        }
        samples = SECONDS * len(devices)
        self._of_disks = np.tile(np.arange(len(devices)) > 0, SECONDS * len(WORKLOADS))
        self._samples = {
            "workload": pa.array(np.repeat(WORKLOADS, samples)),
            "second": pa.array(np.tile(np.repeat(self._second + 1.0, len(devices)), len(WORKLOADS))),
            "device": pa.array(np.tile(devices, SECONDS * len(WORKLOADS))),
            "disk_id": pa.array(np.tile(np.array([None, *DISKS], dtype=object), SECONDS * len(WORKLOADS))),
        }

    def intervals(self, run: Run) -> pa.Table:
        """A trial's seconds, around a level that wanders."""
        wander = np.cumsum(self._rng.normal(0, 0.002, (len(SERIES), SECONDS)), axis=1)
        noise = self._rng.normal(0, 0.02, wander.shape)
        iops = np.rint(run.value * np.exp(wander + noise)).ravel()
        made = {"iops": iops, "bw_bytes_s": iops * 4096, "lat_mean_ns": np.rint(16e9 / iops)}
        return _whole("intervals", run, len(iops), self._words, {name: pa.array(each) for name, each in made.items()})

    def telemetry(self, run: Run) -> pa.Table:
        """A sample a second of each disk and of the CPUs, and the disk check where it is due."""
        disks = self._of_disks
        each = np.rint(run.value / len(DISKS) * np.exp(self._rng.normal(0, 0.05, disks.size)))
        made = {
            "read_iops": each,
            "write_iops": each[::-1],
            "read_bytes_s": each * 4096,
            "write_bytes_s": each[::-1] * 4096,
            "util_pct": np.rint(each / each.max() * 1000) / 10,
        }
        cpu = np.rint(each / each.max() * 100) / 10
        columns = {name: pa.array(values, mask=~disks) for name, values in made.items()}
        columns |= {name: pa.array(cpu, mask=disks) for name in ("user_pct", "system_pct", "iowait_pct")}
        found = _whole("telemetry", run, disks.size, self._samples, columns)
        return pa.concat_tables([to_table("telemetry", self._checks(run)), found]) if run.first_of_block else found

    def _checks(self, run: Run) -> list[TelemetryRow]:
        """What each disk read on its own before a block."""
        speeds = np.exp(self._rng.normal(0, 0.02, len(DISKS)))
        return [
            TelemetryRow(
                trial_id=run.row.trial_id,
                workload=DISK_CHECK,
                second=1.0,
                device="sdb",
                disk_id=disk,
                read_iops=200 * speed,
                read_bytes_s=150e6 * speed,
            )
            for disk, speed in zip(DISKS, speeds.tolist(), strict=True)
        ]


def _whole(table: str, run: Run, rows: int, same: Mapping[str, pa.Array], own: Mapping[str, pa.Array]) -> pa.Table:
    """Columns of one trial as the schema has them; null are those that are not given."""
    schema = arrow_schema(table)
    columns = {"trial_id": pa.repeat(run.row.trial_id, rows), **same, **own}
    arrays = [columns.get(field.name) for field in schema]
    return pa.table(
        [
            pa.nulls(rows, field.type) if array is None else array.cast(field.type)
            for field, array in zip(schema, arrays, strict=True)
        ],
        schema=schema,
    )
