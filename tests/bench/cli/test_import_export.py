from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

RECORDED = Path(__file__).parents[2] / "data" / "fio" / "3.33"


def stripelab(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "bench", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("import") / "S"
    stripelab("import", RECORDED / "stages.json", RECORDED / "clat-by-default.json", "--store", path)
    return path


def test_import_answers_in_json_and_names_what_it_skipped(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    done = stripelab("import", tmp_path / "bad.json", RECORDED, "--store", tmp_path / "S", "--json")
    found = json.loads(done.stdout)
    assert found["trials"] > 15
    assert {Path(each["path"]).name for each in found["skipped"]} == {"bad.json", "cut.txt"}
    assert "bad.json: fio's output holds no complete result: its JSON is cut short" in done.stderr


def test_nothing_to_import_is_a_no(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("")
    stripelab("import", tmp_path / "bad.json", "--store", tmp_path / "S", status=1)
    said = stripelab("import", tmp_path / "none", "--store", tmp_path / "S", status=17).stderr
    assert "next: " in said
    stripelab("import", tmp_path, "--store", tmp_path / "S", "--factors", "{a", status=17)


def test_the_other_verbs_read_an_imported_store_and_say_so(store: Path, tmp_path: Path) -> None:
    found = json.loads(stripelab("recommend", store, "--json", status=1).stdout)
    assert found["notice"].startswith("IMPORTED")
    assert found["substrates"] == ["imported"]
    stripelab("report", store, "-o", tmp_path / "r.html")
    assert "IMPORTED" in (tmp_path / "r.html").read_text()
    said = stripelab("guarantee", store, "--workload", "randread 4k qd4 io_size=1m", status=8).stderr
    assert "workload" in said
    assert "3 trials ok" in stripelab("status", store).stdout
    assert json.loads(stripelab("status", store, "--json").stdout)["imported"] is True


def test_a_sweep_is_not_run_into_an_imported_store(store: Path) -> None:
    sweep = Path(__file__).parents[3] / "examples" / "first-sweep.toml"
    said = stripelab("run", sweep, "--store", store, "--lab", status=8).stderr
    assert "trials of no sweep" in said


def test_csv_goes_to_stdout_and_nothing_else(store: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(stripelab("export", store, "--format", "csv").stdout)))
    assert [row["direction"] for row in rows].count("write") == 2
    assert all(row["imported_from"].endswith(".json") for row in rows)


def test_each_format_is_written_to_a_file(store: Path, tmp_path: Path) -> None:
    for kind in ("csv", "parquet", "jsonl", "openmetrics"):
        out = tmp_path / kind
        said = json.loads(stripelab("export", store, "--format", kind, "-o", out, "--json").stdout)
        assert said["written"] > 0
    assert pq.read_table(tmp_path / "parquet").num_rows == len((tmp_path / "jsonl").read_text().splitlines()) == 4
    assert list(text_string_to_metric_families((tmp_path / "openmetrics").read_text()))


def test_fio_json_comes_back_as_it_was_and_goes_in_again(store: Path, tmp_path: Path) -> None:
    stripelab("export", store, "--format", "fio-json", "-o", tmp_path / "raw")
    written = {path.read_bytes() for path in (tmp_path / "raw").iterdir()}
    assert written == {(RECORDED / name).read_bytes() for name in ("stages.json", "clat-by-default.json")}
    again = json.loads(stripelab("import", tmp_path / "raw", "--store", store, "--json").stdout)
    assert (again["trials"], again["files_known"]) == (0, 2)
    assert (
        "is there already"
        in stripelab("export", store, "--format", "fio-json", "-o", tmp_path / "raw", status=8).stderr
    )


def test_an_export_that_needs_a_place_says_so(store: Path) -> None:
    for words in (("--format", "parquet"), ("--format", "fio-json"), ("--format", "csv", "--json")):
        assert "-o" in stripelab("export", store, *words, status=2).stderr, words
    refused = stripelab("export", store, "--format", "csv", "-o", "/no/such/folder/x.csv", status=8)
    assert "/no/such/folder/x.csv" in refused.stderr
    assert refused.stdout == ""
