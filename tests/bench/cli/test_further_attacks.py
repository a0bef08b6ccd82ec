"""Attacks through verbs that hold: SQL that reaches out, outputs in odd places, units of odd names, sealed nonsense."""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.cli.main import outcome
from bench.errors import StoreError
from bench.nightly import webhook
from results.store.folder import Store
from results.store.query import StoreFrames, load
from results.store.sql import QueryError, run
from tests.bench.cli.test_hostile_store import many
from tests.hostile_stores import SETTINGS, make
from tests.results import synthetic

DEFECT = 70
MIB = 1 << 20
LONGEST = 300
"""Characters of a name that no file system takes."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attacked") / "store"
    make(path)
    return path


REACHING_OUT = (
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{canary}'",
    "EXPLAIN ANALYZE ATTACH '{canary}'",
    "EXPLAIN ANALYZE INSTALL httpfs",
    "EXPLAIN ANALYZE LOAD httpfs",
    "EXPLAIN ANALYZE SET enable_external_access = true",
    "SELECT * FROM query('SELECT * FROM read_csv(''/etc/passwd'')')",
    "SELECT * FROM query_table('/etc/passwd')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM parquet_metadata('{store}/trials/*.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT getenv('HOME')",
    "SELECT getvariable('x') FROM read_json('/etc/hostname')",
)


@pytest.mark.parametrize("query", REACHING_OUT)
def test_a_query_reaches_no_file(store, tmp_path, query):
    canary = tmp_path / "canary"
    with pytest.raises(QueryError):
        run(load(store), query.format(canary=canary, store=store))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("statement", ["CREATE TABLE trials2 AS SELECT * FROM trials", "DROP VIEW results"])
def test_a_statement_that_explain_carries_out_changes_no_store(store, statement):
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    run(load(store), f"EXPLAIN ANALYZE {statement}")
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A loop device that is full of a canary."""
    file = tmp_path / "disk"
    file.write_bytes(b"canary!!" * (MIB // 8))
    attach = ["losetup", "--find", "--show", str(file)]
    device = subprocess.run(attach, capture_output=True, text=True, check=True).stdout.strip()
    yield Path(device)
    subprocess.run(["losetup", "--detach", device], check=True)
    assert file.read_bytes() == b"canary!!" * (MIB // 8)


@pytest.mark.loop
def test_a_report_raw_outputs_and_evidence_go_to_no_disk(store, tmp_path, disk):
    link = tmp_path / "out.html"
    link.symlink_to(disk)
    statuses = [
        outcome(["report", str(store), "-o", str(link)]),
        outcome(["export", str(store), "--format", "fio-json", "-o", str(disk)]),
        outcome(["evidence", str(store), "--no-pdf", "-o", str(disk)]),
    ]
    assert DEFECT not in statuses
    assert statuses[1:] == [8, 8]
    assert disk.is_block_device()


def test_a_report_to_a_fifo_that_nobody_reads_waits_for_nobody(store, tmp_path):
    os.mkfifo(tmp_path / "out.html")
    assert outcome(["report", str(store), "-o", str(tmp_path / "out.html")]) == StoreError.status
    assert (tmp_path / "out.html").is_fifo()


def test_names_that_no_file_system_takes_are_words_and_no_defect(store, tmp_path):
    long = str(tmp_path / ("a" * LONGEST))
    given = str(store)
    commands = [
        ["export", given, "--format", "csv", "-o", long],
        ["export", given, "--format", "csv", "-o", "/dev/full"],
        ["export", given, "--format", "parquet", "-o", "/dev/full"],
        ["sql", given, "SELECT 1", "-o", long],
        ["report", given, "-o", f"{long}.html"],
        ["status", long],
        ["plan", long],
        ["compact", long],
    ]
    done, said = many(commands, tmp_path / "commands")
    assert [status for status, _ in done if status not in {2, 3, 8}] == [], said
    assert [path.name for path in tmp_path.iterdir()] == ["commands"]


SWEEP = "examples/first-sweep.toml"
ODD_STORES = {
    "specifiers": "st %h %n ${HOME} $USER %%",
    "quotes": """st "x' \\" \\\\n""",
    "lines": "st\nExecStartPre=/bin/touch canary\n[Install]",
    "tabs": "st\t x",
    "a comment": "st # ; x",
    "options": "-st --user",
}


@pytest.mark.parametrize("odd", ODD_STORES)
def test_units_of_an_odd_store_start_one_program_with_these_words(tmp_path, odd):
    """Read as systemd reads it: one ExecStart=, nothing expanded, no line that the name made."""
    folder = tmp_path / "units"
    store = tmp_path / ODD_STORES[odd]
    words = ["nightly", "install", str(Path(__file__).parents[3] / SWEEP), "--lab", "--store", str(store)]
    status = outcome([*words, "--directory", str(folder), "--name", "odd"])
    if status != 0:
        assert status in {8, 15}
        assert not folder.exists() or list(folder.iterdir()) == []
        return
    lines = (folder / "stripelab-nightly-odd.service").read_text().splitlines()
    assert all(line.isprintable() for line in lines)
    keys = [line.partition("=")[0] for line in lines if line and not line.startswith(("#", "["))]
    assert [key for key in keys if key.startswith("Exec")] == ["ExecStart"]
    assert [line for line in lines if line.startswith("[")] == ["[Unit]", "[Service]"]
    start = next(line for line in lines if line.startswith("ExecStart="))
    assert "%" not in start.replace("%%", "")
    assert "$" not in start.replace("$$", "")


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "*", "", "x\n", "\udcff", "@.service"])
def test_units_of_an_odd_name_are_not_found_and_nothing_else_is_removed(tmp_path, name):
    canary = tmp_path / "x.timer"
    canary.touch()
    (tmp_path / "units").mkdir()
    assert outcome(["nightly", "uninstall", name, "--directory", str(tmp_path / "units")]) == 15
    assert canary.exists()


RETRY_AFTER = [
    "Mon, 01 Jan 0001 00:00:00 -0000", "Fri, 31 Dec 9999 23:59:59 -2359", "Fri, 31 Dec 9999 23:59:59 -9999", "1e9",
    "-5", "9" * 1000, "\u0661", "\u00b2", "Mon, 01 Jan 2020 99:99:99 GMT", "(" * 10000, '"\\', "nan", "inf", " ", ",",
]  # fmt: skip


@pytest.mark.parametrize("header", RETRY_AFTER)
def test_a_receiver_cannot_ask_for_an_endless_pause(header):
    asked_s = webhook._retry_after_s(header)
    assert asked_s is None or 0 <= webhook._pause_s(1, asked_s) <= webhook.LONGEST_PAUSE_S


LARGEST = 2**63 - 1
OBSERVED: Mapping[str, Mapping[str, Any]] = {
    "no number": {"iops": math.inf, "bw_bytes_s": math.nan},
    "far figures": {"iops": -1e308, "bw_bytes_s": 1e308, "lat_mean_ns": 1e308},
    "no time": {"ios": LARGEST, "total_bytes": LARGEST, "runtime_ns": 0},
    "a workload of no number": {"workload_json": '{"a": 1e999}'},
}
TRIALS: Mapping[str, Mapping[str, Any]] = {
    "after all time": {"started_at_ns": LARGEST},
    "before all time": {"started_at_ns": -(2**63)},
    "far blocks": {"block": 2**31 - 1, "run_order": 2**31 - 1},
    "a night that is none": {"night": "9999-99-99"},
    "a night that drives": {"night": "\x1b[2J", "night_role": "x"},
    "no disks": {"disks": 0},
    "many disks": {"disks": 2**31 - 1, "chunk_kib": 2**31 - 1},
}


def test_sealed_stores_of_absurd_figures_end_no_verb(tmp_path):
    """The seal has no key: whoever makes a store can seal anything."""
    commands = []
    synthetic.write(tmp_path / "source", synthetic.Plan([(SETTINGS, 200.0)], replicates=1))
    source = load(tmp_path / "source")
    for kind in (*OBSERVED, *TRIALS):
        path = tmp_path / kind / "store"
        path.parent.mkdir()
        _sealed(source, path, TRIALS.get(kind, {}), OBSERVED.get(kind, {}))
        commands += [
            ["status", str(path)],
            ["export", str(path), "--format", "openmetrics", "-o", str(path.with_name("out"))],
        ]
    done, said = many(commands, tmp_path / "commands")
    assert len(done) == len(commands)
    wrong = [words for words, (status, _) in zip(commands, done, strict=True) if status not in {0, 1, 2, 8}]
    assert wrong == [], said


def _sealed(source: StoreFrames, path: Path, of_trials: Mapping[str, Any], of_observations: Mapping[str, Any]) -> None:
    """A store with these values in every row, as the program itself would write them."""
    made = Store.create(path)
    for environment in source.environment_rows():
        made.put_environment(environment)
    rows = source.observation_rows()
    for trial in source.trial_rows():
        own = [replace(row, **of_observations) for row in rows if row.trial_id == trial.trial_id]
        made.append(replace(trial, **of_trials), own)
