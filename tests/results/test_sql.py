"""SQL over a store: the same rows as everywhere, damaged files left out, and no way to another file."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.store import sql
from results.store.folder import Store
from results.store.query import load
from results.store.rows import to_table
from results.store.schema import TABLES, arrow_schema
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "store"
    truth = raid_truth()[:6]
    failed = {(0, 0): "failed", (1, 1): "invalid"}
    synthetic.write(path, Plan(truth, replicates=3, scans=("scan",)), status=lambda *at: failed.get(at, "ok"))
    return path


def rows(store: Path, text: str) -> list[dict[str, object]]:
    return sql.run(load(store, tables=()), text).to_pylist()


@pytest.mark.parametrize("table", TABLES)
def test_a_view_has_every_row_and_every_column_of_its_table(store, table):
    frames = load(store)
    key = "environment_id" if table == "environments" else "trial_id"
    names = (key, "workload", "direction", "second", "device", "util_pct", "read_iops")
    order = [(name, "ascending") for name in names if name in arrow_schema(table).names]
    found = sql.run(frames, f"SELECT * FROM {table}")
    expected = frames.arrow(table)
    assert found.column_names == expected.column_names == list(sql.columns_of(table))
    assert found.sort_by(order).to_pylist() == expected.sort_by(order).to_pylist()


def test_the_view_results_has_the_factors_and_the_machine_of_each_observation(store):
    frames = load(store)
    observations = frames.observations(statuses=None)
    joined = observations.merge(frames.trials(), on="trial_id", suffixes=("", "_of_trial"))
    expected = joined[joined["status"] == "ok"].groupby(["level", "workload"])["iops"].mean().to_dict()
    found = rows(store, "SELECT level, workload, avg(iops) AS iops FROM results WHERE status = 'ok' GROUP BY ALL")
    assert {(row["level"], row["workload"]): row["iops"] for row in found} == pytest.approx(expected)
    (machine,) = rows(store, "SELECT DISTINCT hostname, cpus, disk_models FROM results")
    assert machine == {"hostname": "bench-01", "cpus": 16, "disk_models": ["EXAMPLE HDD"] * 4}
    assert sql.run(frames, "SELECT * FROM results").column_names == list(sql.columns_of("results"))


def test_bundles_are_read_as_files_are(store, tmp_path):
    path = tmp_path / "store"
    synthetic.write(path, Plan(raid_truth()[:6], replicates=3))
    before = rows(path, "SELECT count(*) AS n, sum(ios) AS ios FROM observations")
    assert Store.open(path).bundle() == 18
    assert rows(path, "SELECT count(*) AS n, sum(ios) AS ios FROM observations") == before


def test_a_trial_that_lies_in_a_bundle_and_in_a_file_of_its_own_counts_once(tmp_path):
    """What an interrupted bundling leaves: the bundle is whole, and the files that it holds are there still."""
    path = tmp_path / "store"
    synthetic.write(path, Plan(raid_truth()[:4], replicates=2))
    kept = {file: file.read_bytes() for file in path.glob("*/*.parquet")}
    Store.open(path).bundle()
    for file, content in list(kept.items())[::3]:
        file.write_bytes(content)
    expected = load(path).observations()
    found = rows(path, "SELECT trial_id FROM observations")
    assert sorted(row["trial_id"] for row in found) == sorted(expected["trial_id"])
    assert len(found) == 8


def test_a_torn_file_is_set_aside_and_its_trial_does_not_count(tmp_path):
    path = tmp_path / "store"
    synthetic.write(path, Plan(raid_truth()[:4], replicates=2))
    torn = min((path / "intervals").iterdir())
    torn.write_bytes(torn.read_bytes()[:-20])
    frames = load(path, tables=())
    found = sql.run(frames, "SELECT DISTINCT trial_id FROM intervals").to_pylist()
    assert torn.stem not in {row["trial_id"] for row in found}
    assert len(found) == 7
    assert any(torn.name in str(each.path) for each in frames.set_aside)


def test_an_empty_store_has_its_tables(tmp_path):
    Store.create(tmp_path / "s")
    assert rows(tmp_path / "s", "SELECT * FROM results") == []
    listed = {row["name"] for row in rows(tmp_path / "s", "SHOW TABLES")}
    assert listed >= {"results", *TABLES}


def test_columns_of_the_same_name_are_told_apart(store):
    assert sql.run(load(store), "SELECT 1 AS a, 2 AS a, 3 AS a").column_names == ["a", "a_1", "a_2"]


OUTSIDE = (
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM read_parquet('{store}/trials/*.parquet')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM parquet_metadata('{store}/trials/x.parquet')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM read_json('{file}')",
    "SELECT * FROM 'https://localhost/x.parquet'",
    "SELECT * FROM trials, read_csv('{file}')",
    "SELECT * FROM query('COPY trials TO ''{folder}/out.csv''')",
    "COPY trials TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet'",
    "EXPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/out.db'",
    "INSTALL httpfs",
    "LOAD '{file}'",
    "CREATE TABLE x AS SELECT 1",
    "SET enable_external_access = true",
    "SELECT 1; COPY trials TO '{folder}/out.csv'",
    "PRAGMA database_list",
    "EXPLAIN ANALYZE COPY trials TO '{folder}/out.csv'",
    "DROP VIEW trials",
)


@pytest.mark.parametrize("text", OUTSIDE)
def test_a_query_reaches_no_file_and_changes_nothing(store, tmp_path, text):
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    before = {file: file.stat().st_mtime_ns for file in [*store.rglob("*"), *tmp_path.rglob("*")]}
    query = text.format(file=tmp_path / "secret.csv", folder=tmp_path, store=store)
    with pytest.raises(sql.QueryError):
        sql.run(load(store), query)
    assert {file: file.stat().st_mtime_ns for file in [*store.rglob("*"), *tmp_path.rglob("*")]} == before


def test_an_error_says_what_duckdb_says_and_which_columns_there_are(store):
    with pytest.raises(sql.QueryError) as told:
        sql.run(load(store), "SELECT trial_idd\nFROM trials")
    assert "\n" not in told.value.message
    assert '"trial_idd" not found' in told.value.message
    assert told.value.remedy.startswith("trials has: trial_id, point_id")
    with pytest.raises(sql.QueryError, match=r"Table with name nope does not exist") as told:
        sql.run(load(store), "SELECT * FROM nope")
    assert "The tables are results, trials, observations" in told.value.remedy


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.text("selctfromria *;'\"()-/,", max_size=40).map("SELECT ".__add__))
def test_no_text_brings_anything_but_rows_or_our_own_error(store, text):
    with contextlib.suppress(sql.QueryError):
        sql.run(load(store, tables=()), text)


def test_columns_that_an_older_file_lacks_are_null_and_lists_empty(tmp_path, monkeypatch):
    def older(table, some):
        made = to_table(table, some)
        return made.drop_columns(["steady_rounds", "steady_verdict"]) if table == "observations" else made

    path = tmp_path / "s"
    with monkeypatch.context() as patched:
        patched.setattr("results.store.folder.to_table", older)
        synthetic.write(path, Plan(raid_truth()[:2], replicates=1))
    (found,) = rows(path, "SELECT DISTINCT steady_rounds, steady_verdict, bw_bytes_s > 0 AS there FROM observations")
    assert found == {"steady_rounds": [], "steady_verdict": None, "there": True}
