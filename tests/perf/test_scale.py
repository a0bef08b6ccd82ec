"""``stripelab recommend`` and sums over all seconds on stores of 10^6 seconds and more: time and peak memory.

``SCALE_ROWS=1000000,10000000,100000000 make perf`` makes the whole curve (10^8 rows take minutes to generate and a
few GB in the folder of temporary files).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from results import bundles, sealed
from results.contents import PARTS
from results.rows import to_table
from results.schema import arrow_schema
from results.store import Store
from tests.results import synthetic
from tests.results.synthetic import Plan

ROWS = [int(each) for each in os.environ.get("SCALE_ROWS", "1000000,10000000").split(",")]
SECONDS = 1250
SERIES = (("mixed", "read"), ("mixed", "write"), ("scan", "read"), ("log", "write"))
TRIALS_OF_A_BUNDLE = 64
MEASURE = """
import json, resource, sys, time
from pathlib import Path
started = time.perf_counter()
if sys.argv[1] == "recommend":
    from results.recommend import recommend
    assert recommend(Path(sys.argv[2]), "mixed").answers[0].refusal is None
else:
    from results.query import load
    from results.seconds import summaries
    assert sum(each.seconds for each in summaries(load(Path(sys.argv[2]), tables=()), "iops")) == int(sys.argv[3])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.perf_counter() - started, time.process_time(), peak / 1024]))
"""


def seconds_of(trial_id: str, rng: np.random.Generator) -> pa.Table:
    """A trial's seconds: whole numbers of I/Os around a level that wanders, as engines report them."""
    rows = SECONDS * len(SERIES)
    wander = np.cumsum(rng.normal(0, 0.002, rows))
    iops = np.rint(8000 * np.exp(wander + rng.normal(0, 0.02, rows)))
    words = [np.repeat([pair[place] for pair in SERIES], SECONDS) for place in (0, 1)]
    columns = {
        "trial_id": pa.array([trial_id] * rows),
        "workload": pa.array(words[0]),
        "direction": pa.array(words[1]),
        "second": pa.array(np.tile(np.arange(SECONDS), len(SERIES))),
        "iops": pa.array(iops),
        "bw_bytes_s": pa.array(iops * 4096),
        "lat_mean_ns": pa.array(16e9 / iops * np.exp(rng.normal(0, 0.01, rows))),
    }
    schema = arrow_schema("intervals")
    return pa.table(
        [columns.get(name, pa.nulls(rows, schema.field(name).type)) for name in schema.names], schema=schema
    )


def generate(path: Path, rows: int) -> int:
    """A bundled store of the store's own format with about so many seconds; returns how many."""
    trials = rows // (SECONDS * len(SERIES))
    blocks = max(4, trials // 500)
    points = trials // blocks
    settings = [
        {"level": "raid0", "disks": 4, "chunk_kib": 4 * (n % 25 + 1), "nr_requests": 32 * (n // 25 + 1)}
        for n in range(points)
    ]
    rng = np.random.default_rng(5)
    plan = Plan([(each, 8000.0 + 10 * n) for n, each in enumerate(settings)], replicates=blocks)
    Store.create(path).put_environment(synthetic.environment())
    runs = synthetic.values(plan)
    for first in range(0, len(runs), TRIALS_OF_A_BUNDLE):
        own = [
            (synthetic.trial(plan, settings[point], block, first + place), value)
            for place, (point, block, value) in enumerate(runs[first : first + TRIALS_OF_A_BUNDLE])
        ]
        write_bundle(path, plan, own, rng)
    return len(runs) * SECONDS * len(SERIES)


def write_bundle(path: Path, plan: Plan, own: list, rng: np.random.Generator) -> None:
    """One bundle, as merging the trials' own files would make it."""
    ids = [row.trial_id for row, _ in own]
    name = bundles.bundle_name(ids)
    observed = []
    for row, value in own:
        for workload, direction in SERIES:
            seen = synthetic.observation(plan, row, value, direction, None)
            observed.append(to_table("observations", [seen.__class__(**{**vars(seen), "workload": workload})]))
    parts = {}
    parts["observations"] = put(path, "observations", name, observed, [(each, len(SERIES)) for each in ids], {})
    seconds = [seconds_of(each, rng) for each in ids]
    parts["intervals"] = put(path, "intervals", name, seconds, [(t, SECONDS * len(SERIES)) for t in ids], {})
    told = {PARTS: json.dumps(parts).encode()}
    put(path, "trials", name, [to_table("trials", [row for row, _ in own])], [(each, 1) for each in ids], told)


def put(path: Path, table: str, name: str, rows: list, index: list, metadata: dict) -> str:
    step = max(1, bundles.ROW_GROUP_ROWS // rows[0].num_rows) if table == "intervals" else len(rows)
    groups = [pa.concat_tables(rows[place : place + step]) for place in range(0, len(rows), step)]
    told = {**metadata, bundles._INDEX: json.dumps(index).encode()}
    content, digest = sealed.encode_groups(table, groups, lambda: told)
    (path / table / f"{name}.parquet").write_bytes(content)
    return digest


@pytest.mark.timeout(1800)
def test_time_and_memory_over_the_number_of_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for rows in ROWS:
        path = tmp_path / str(rows)
        started = time.perf_counter()
        made = generate(path, rows)
        spent = time.perf_counter() - started
        size = sum(file.stat().st_size for file in path.rglob("*.parquet"))
        lines.append(f"{made:>11,} seconds, {size / 1e6:7.0f} MB, generated in {spent:.0f} s")
        for what in ("recommend", "summaries"):
            argv = [sys.executable, "-c", MEASURE, what, str(path), str(made)]
            said = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
            wall, cpu, peak = json.loads(said.stdout)
            lines.append(f"{'':11} {what:<10} {wall:7.1f} s ({cpu:.1f} s of CPU), peak {peak:.0f} MiB")
            assert peak < 2048
    with capsys.disabled():
        print("", *lines, sep="\n")
