"""Names that are not UTF-8, wherever a command line can have one: no verb ends as by a defect."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.bench.cli.test_hostile_store import DEFECT, RECORDED, is_json, many

ROOT = Path(__file__).parents[3]
NAME = os.fsdecode(b"caf\xe9")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("bytes") / NAME
    path.mkdir()
    (path / "in").mkdir()
    shutil.copy(RECORDED, path / "in" / f"{NAME}.json")
    shutil.copy(min((ROOT / "examples").glob("*.toml")), path / f"{NAME}.toml")
    return path


def test_a_store_below_such_a_name_is_written_read_and_exported(folder: Path, tmp_path: Path) -> None:
    store, sweep = str(folder / f"S{NAME}"), str(folder / f"{NAME}.toml")
    to = f"{store}-out"
    commands = [
        ["import", str(folder / "in"), "--store", store, "--factors", "{site}.json", "--json"],
        ["recommend", store],
        ["recommend", store, "--json", "--require", NAME],
        ["status", store, "--json"],
        ["compare", store, store],
        ["compare", store, f"{store}@{NAME}"],
        ["guarantee", store, "--json"],
        ["guarantee", store, "--point", NAME],
        ["export", store, "--format", "csv", "-o", f"{to}.csv", "--json"],
        ["export", store, "--format", "parquet", "-o", f"{to}.parquet"],
        ["export", store, "--format", "fio-json", "-o", f"{to}.fio"],
        ["export", store, "--format", "openmetrics"],
        ["sql", store, "SELECT workload, iops FROM results", "--json"],
        ["report", store, "-o", f"{to}.html", "--json"],
        ["plot", store, "--kind", "ranking", "-o", f"{to}.svg"],
        ["evidence", store, "--no-pdf", "-o", f"{to}.evidence", "--json"],
        ["verify", f"{to}.evidence", "--json"],
        ["compact", store, "--json"],
        ["plan", sweep],
        ["plan", sweep, "--json"],
        ["plan", sweep, "--explain", NAME],
        ["plan", NAME],
        ["nightly", "show", store, "--night", NAME],
        ["nightly", "trend", store, "-o", f"{to}.html"],
        ["nightly", "baseline", store, "--name", NAME, "--reason", NAME],
        ["nightly", "show", f"{to}.csv", "--webhook", f"http://{NAME}"],
        ["native", "--rw", NAME, f"{to}.file"],
        [NAME],
        [f"--{NAME}", "--json"],
    ]
    found, _ = many(commands, tmp_path / "commands")
    for words, (status, out) in zip(commands, found, strict=True):
        assert status != DEFECT, words
        if "--json" in words:
            is_json(out)
    done = {words[0] for words, (status, _) in zip(commands, found, strict=True) if status == 0}
    assert {"import", "status", "compare", "export", "sql", "report", "plot", "compact", "plan"} <= done
    with Path(f"{to}.parquet").open("rb") as file:
        assert set(pq.read_table(file)["label_site"].to_pylist()) == {r"caf\xe9"}
