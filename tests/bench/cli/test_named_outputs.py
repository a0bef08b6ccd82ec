"""Every verb that writes a file which its user names: no disk is overwritten, and no measurement."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench.cli.main import attempt

RECORDED = Path(__file__).parents[2] / "data" / "fio" / "3.33"
SELECT = "SELECT trial_id FROM trials"
KINDS = ("csv", "jsonl", "parquet", "openmetrics")
VERBS: dict[str, tuple[str, ...]] = {
    **{f"export-{kind}": ("export", "S", "--format", kind, "-o") for kind in KINDS},
    **{f"sql-{kind}": ("sql", "S", SELECT, "--format", kind, "-o") for kind in ("table", "csv", "parquet", "json")},
    "plot.svg": ("plot", "S", "--kind", "ranking", "-o"),
    "plot.png": ("plot", "S", "--kind", "ranking", "-o"),
    "report.html": ("report", "S", "-o"),
}


def stripelab(folder: Path, *words: object) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "bench", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=120, cwd=folder)
    assert b"Traceback" not in done.stdout + done.stderr
    assert done.returncode != 70, done.stderr
    return done


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert stripelab(tmp_path, "import", RECORDED / "stages.json", "--store", "S").returncode == 0
    return tmp_path


@pytest.mark.loop
def test_no_disk_is_written_to_by_its_name_or_by_a_link(folder: Path, make_loop) -> None:
    disk = make_loop()
    disk.path.write_bytes(b"precious" * 512)
    for name, words in VERBS.items():
        (folder / name).symlink_to(disk.path)
        done = stripelab(folder, *words, name)
        assert (done.returncode, b"to which no output is written" in done.stderr) == (8, True), (words, done.stderr)
    for words in (VERBS["export-csv"], VERBS["sql-csv"]):
        assert stripelab(folder, *words, disk.path).returncode == 8
    assert disk.path.read_bytes()[:4096] == b"precious" * 512


def test_no_file_of_a_store_is_replaced_and_none_is_added(folder: Path) -> None:
    before = content(folder / "S")
    (trial,) = (folder / "S" / "trials").glob("*.parquet")
    for name, words in VERBS.items():
        (folder / name).symlink_to(trial)
        done = stripelab(folder, *words, name)
        assert (done.returncode, b"lies in the result store" in done.stderr) == (8, True), (words, done.stderr)
    for kind, place in (("csv", "stripelab.json"), ("jsonl", ".lock"), ("fio-json", "trials"), ("fio-json", "S")):
        target = "S" if place == "S" else f"S/{place}"
        assert stripelab(folder, "export", "S", "--format", kind, "-o", target).returncode == 8
    assert stripelab(folder, "evidence", "S", "-o", "S/trials/ev", "--no-pdf").returncode == 8
    assert content(folder / "S") == before


def test_names_that_cannot_be_are_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    long = "x" * 300
    for words in (
        ("evidence", "S", "--no-pdf", "-o", long),
        ("import", long, "--store", "S2"),
        ("export", "S", "--format", "csv", "-o", long),
        ("export", "S", "--format", "fio-json", "-o", long),
        ("report", "S", "-o", f"{long}.html"),
        ("report", "S", "-o", f"{long}/x.html"),
        ("nightly", "trend", "S", "-o", f"{long}/x.html"),
        ("nightly", "show", long),
        ("nightly", "show", "S", "--junit", f"{long}/x"),
        ("nightly", "install", long, "--store", "S", "--lab"),
        ("nightly", "uninstall", "x", "--directory", long),
        ("compare", long, "S"),
        ("verify", long),
        ("verify", "S", "--signers", long),
        ("evidence", "S", "--no-pdf", "-o", "E", "--sign", long),
        ("status", long),
        ("crosscheck", long),
        ("native", "--rw", "read", long),
        ("guarantee", "S", "-o", long),
        ("plan", long),
        ("run", long, "--store", "S", "--lab"),
        ("lab", "exec", "--share", long, "--", "true"),
    ):
        assert attempt(words) not in {0, 1, 70}, words


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_goes_on_to_what_reads_it(folder: Path, kind: str) -> None:
    done = stripelab(folder, "export", "S", "--format", kind, "-o", "/dev/stdout")
    assert stripelab(folder, "export", "S", "--format", kind, "-o", "file").returncode == 0
    assert (done.returncode, done.stdout) == (0, (folder / "file").read_bytes())
    if kind == "parquet":
        assert pq.read_table(folder / "file").num_rows == 3
