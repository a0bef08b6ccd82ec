from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from results.export.tables import TRIAL_COLUMNS, observation_columns, write_csv, write_jsonl, write_parquet
from results.store.folder import Store
from results.store.query import StoreFrames, load
from results.store.schema import arrow_schema
from tests.results import synthetic


@pytest.fixture
def frames(tmp_path: Path) -> StoreFrames:
    """Two points, two directions, a failed trial without any figure."""
    plan = synthetic.Plan(truth=synthetic.raid_truth()[:2], replicates=2, directions=("read", "write"))
    synthetic.write(tmp_path / "S", plan)
    failed = synthetic.trial(plan, plan.truth[0][0], 7, 99, status="failed")
    Store.open(tmp_path / "S").append(failed)
    return load(tmp_path / "S")


def test_csv_has_a_row_for_each_observation_with_the_factors_of_its_trial(frames: StoreFrames) -> None:
    out = io.StringIO()
    count = write_csv(frames, out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(rows) == count == 2 * 2 * 2 + 1
    assert list(rows[0]) == [*TRIAL_COLUMNS, *observation_columns(histograms=False)]
    stored = {(row.trial_id, row.direction): row for row in frames.observation_rows()}
    levels = {row.trial_id: row.level for row in frames.trial_rows()}
    for row in rows:
        if row["status"] == "ok":
            assert float(row["iops"]) == stored[row["trial_id"], row["direction"]].iops
            assert row["level"] == levels[row["trial_id"]]
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert (failed["iops"], failed["workload"], failed["level"]) == ("", "", "jbod")


def test_every_figure_says_its_unit() -> None:
    bare = {"iops", "ios", "errors", "disks", "block", "run_order"}
    for name in (*TRIAL_COLUMNS, *observation_columns(histograms=True)):
        for table in ("trials", "observations"):
            schema = arrow_schema(table)
            if name in schema.names and str(schema.field(name).type) in {"int64", "double"} and name not in bare:
                assert name.rsplit("_", 1)[1] in {"ns", "s", "bytes", "kib", "iops", "pages", "requests"} or name in {
                    "nr_requests",
                    "total_bytes",
                }, name


def test_json_lines_are_objects_with_histograms(frames: StoreFrames) -> None:
    out = io.StringIO()
    count = write_jsonl(frames, out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(rows) == count
    stored = {(row.trial_id, row.direction): row for row in frames.observation_rows(histograms=True)}
    for row in rows:
        if row["status"] == "ok":
            assert row["lat_counts"] == list(stored[row["trial_id"], row["direction"]].lat_counts)
            assert all(value is None or not isinstance(value, float) or math.isfinite(value) for value in row.values())


def test_parquet_keeps_types_and_documentation(frames: StoreFrames, tmp_path: Path) -> None:
    count = write_parquet(frames, tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.num_rows == count
    assert found.schema.field("lat_p99_ns").type == arrow_schema("observations").field("lat_p99_ns").type
    assert (
        found.schema.field("chunk_kib").metadata[b"doc"] == arrow_schema("trials").field("chunk_kib").metadata[b"doc"]
    )
    assert sorted(found["status"].to_pylist()) == ["failed", *["ok"] * (count - 1)]


def test_an_empty_store_is_an_empty_export(tmp_path: Path) -> None:
    Store.create(tmp_path / "E")
    out = io.StringIO()
    assert write_csv(load(tmp_path / "E"), out) == 0
    assert write_parquet(load(tmp_path / "E"), tmp_path / "e.parquet") == 0
    assert pq.read_table(tmp_path / "e.parquet").num_rows == 0
