"""`sql` as a user calls it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.bench.cli.test_recommend_and_report import stripelab
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth

QUERY = "SELECT level, count(*) AS trials, max(iops) AS iops FROM results GROUP BY level ORDER BY level"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "store"
    synthetic.write(path, Plan(raid_truth()[:6], replicates=2, substrate="uml"))
    return path


def test_rows_are_a_table_and_the_mark_of_the_lab_is_beside_them(store: Path) -> None:
    done = stripelab("sql", store, QUERY)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split() == ["level", "trials", "iops"]
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [["jbod", "4"], ["raid0", "8"]]
    assert "NOT REAL HARDWARE" in done.stderr
    assert "2 rows" in done.stderr


def test_every_format_has_the_same_rows(store: Path, tmp_path: Path) -> None:
    rows = json.loads(stripelab("sql", store, QUERY, "--json").stdout)
    assert json.loads(stripelab("sql", store, QUERY, "--format", "json").stdout) == rows
    assert [row["trials"] for row in rows] == [4, 8]
    fields = list(csv.DictReader(io.StringIO(stripelab("sql", store, QUERY, "--format", "csv").stdout)))
    assert [float(row["iops"]) for row in fields] == [row["iops"] for row in rows]
    done = stripelab("sql", store, QUERY, "--format", "parquet", "-o", tmp_path / "rows.parquet")
    assert (done.returncode, done.stdout) == (0, "")
    assert pd.read_parquet(tmp_path / "rows.parquet").to_dict("records") == rows


def test_a_wrong_query_is_a_line_from_duckdb_and_the_columns(store: Path) -> None:
    done = stripelab("sql", store, "SELECT iop FROM observations")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert 'DuckDB: Binder Error: Referenced column "iop" not found' in lines[0]
    assert lines[1].startswith("observations has: trial_id, workload")
    told = json.loads(stripelab("sql", store, "DROP TABLE trials", "--json").stdout)
    assert told["error"]["status"] == 2


def test_a_file_that_cannot_be_written_is_said(store: Path, tmp_path: Path) -> None:
    done = stripelab("sql", store, QUERY, "--format", "csv", "-o", tmp_path / "no" / "rows.csv")
    assert done.returncode == 8
    assert "cannot write" in done.stderr
