"""Bundles: nothing changes but the number of files, whatever moment their making is interrupted at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from results.errors import ResultsError
from results.recommendation.recommend import recommend
from results.runs.seconds import series
from results.store import folder as store_module
from results.store import sealed
from results.store.contents import Contents, MovedError
from results.store.files import Folder, cannot_write
from results.store.folder import COMPANIONS, Store
from results.store.query import load
from tests.results import synthetic
from tests.results.synthetic import Plan

POINT = {"level": "raid5", "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"}
PLAN = Plan([(POINT, 200.0), ({**POINT, "chunk_kib": 512}, 250.0)], replicates=4, directions=("read", "write"))
TABLES = ("trials", *COMPANIONS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Eight trials, one of them failed and one invalid."""
    how = {(0, 1): "failed", (1, 2): "invalid"}
    synthetic.write(tmp_path / "s", PLAN, status=lambda point, block: how.get((point, block), "ok"))
    return tmp_path / "s"


def content(path: Path) -> list:
    """Everything that a reader sees."""
    frames = load(path)
    seconds = frames.arrow("intervals").to_pylist() + frames.arrow("telemetry").to_pylist()
    rows = [*frames.trial_rows(), *frames.observation_rows(histograms=True), *map(repr, seconds)]
    return sorted(map(repr, rows))


def test_a_bundled_store_reads_the_same_and_has_fewer_files(path: Path) -> None:
    before = content(path)
    assert Store.open(path).bundle() == 6
    assert content(path) == before
    assert load(path).set_aside == ()
    assert [len(list((path / table).iterdir())) for table in TABLES] == [3, 2, 2, 2, 0]  # the failed one has no rows
    assert Store.open(path).bundle() == 0


def test_a_recommendation_is_the_same_from_bundles(tmp_path: Path) -> None:
    plan = Plan(synthetic.raid_truth(), replicates=3, seconds=40, disk_speeds={"SERIAL-2": 0.33}, busy={"*": 50.0})
    store = synthetic.write(tmp_path / "s", plan)
    before = recommend(tmp_path / "s")
    assert store.bundle() > 0
    assert recommend(tmp_path / "s") == before
    assert any("SERIAL-2" in line for line in before.warnings)
    assert before.answers[0].within is not None


def test_a_reader_of_some_trials_checks_their_files_alone(path: Path) -> None:
    one, other = sorted(load(path).store.trial_ids({"ok"}))[:2]
    damaged = path / "intervals" / f"{one}.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-20] + bytes(20))
    frames = load(path, tables=())
    assert {each.trial_id for each in series(frames, trial_ids=[other])} == {other}
    assert frames.set_aside == ()
    assert list(series(frames, trial_ids=[one])) == []
    assert one not in frames.store.trial_ids()


def test_a_trial_of_a_bundle_is_read_alone(path: Path) -> None:
    columns = ("trial_id", "direction", "second", "iops")
    before = {trial: load(path).of_trial("intervals", trial, columns) for trial in load(path).store.trial_ids()}
    Store.open(path).bundle()
    frames = load(path)
    for trial, rows in before.items():
        assert frames.of_trial("intervals", trial, columns).to_pylist() == rows.to_pylist()
    assert frames.of_trial("intervals", "nobody", columns).num_rows == 0


def test_a_bundle_is_ordinary_parquet_with_page_checksums(path: Path) -> None:
    Store.open(path).bundle()
    for file in path.rglob("bundle+*.parquet"):
        assert pq.read_table(file, page_checksum_verification=True).num_rows > 0
        sealed.check(file.read_bytes())


def test_a_run_bundles_by_itself_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "BUNDLE_TRIALS", 3)
    store = synthetic.write(tmp_path / "s", PLAN)
    assert len(list((tmp_path / "s" / "trials").glob("bundle+*"))) == 2
    assert len(store.trial_ids({"ok"})) == 8
    assert len(Store.open(tmp_path / "s").trial_ids({"ok"})) == 8
    with pytest.raises(ResultsError, match="not overwritten"):
        store.append(load(tmp_path / "s").trial_rows()[0])


def test_no_bundle_is_larger_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = synthetic.write(tmp_path / "s", PLAN)
    size = sum(file.stat().st_size for file in (tmp_path / "s").rglob("*.parquet"))
    monkeypatch.setattr(store_module, "BUNDLE_BYTES", size // 4)
    store.bundle()
    assert len(list((tmp_path / "s" / "trials").glob("bundle+*"))) >= 4


@pytest.mark.parametrize("table", TABLES[:-1])
def test_a_damaged_bundle_takes_its_trials_out_and_no_other(path: Path, table: str) -> None:
    Store.open(path).bundle()
    (file,) = (path / table).glob("bundle+*")
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    assert len(load(path).store.trial_ids()) == 2
    assert load(path).store.trial_ids({"ok"}) == set()
    opened = Store.open(path)
    assert any(f"{table}/{file.name}" in each.reason for each in opened.set_aside)
    assert len(list((path / "set-aside").glob("*.parquet"))) == 4
    assert Store.open(path).set_aside == ()


def test_a_table_that_was_left_out_is_checked_before_it_is_read(path: Path) -> None:
    file = next(iter(sorted((path / "telemetry").iterdir())))
    file.write_bytes(file.read_bytes()[:-1])
    frames = load(path, tables=("observations",))
    assert len(frames.store.trial_ids()) == 8
    assert frames.set_aside == ()
    assert file.stem not in set(frames.telemetry(columns=["trial_id"])["trial_id"])
    assert file.stem not in frames.store.trial_ids()
    assert frames.set_aside[0].path == path / "trials" / file.name


class Killed(BaseException):
    """Stands for kill -9: nothing that catches exceptions or cleans up after them sees it."""


def steps(monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    """Let ``last`` renames and removals happen, and none after them."""
    left = [last]

    def counted(function):
        def call(*arguments, **options):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return function(*arguments, **options)

        return call

    monkeypatch.setattr(os, "rename", counted(os.rename))
    monkeypatch.setattr(os, "unlink", counted(os.unlink))


def test_a_kill_at_any_moment_of_bundling_loses_nothing(path: Path, tmp_path: Path) -> None:
    before = content(path)
    for last in range(200):
        copy = tmp_path / f"copy-{last}"
        shutil.copytree(path, copy)
        with pytest.MonkeyPatch.context() as patch:
            steps(patch, last)
            try:
                Store.open(copy).bundle()
                killed = False
            except Killed:
                killed = True
        assert content(copy) == before
        opened = Store.open(copy)
        assert opened.set_aside == ()
        assert content(copy) == before
        opened.bundle()
        assert content(copy) == before
        assert [len(list((copy / table).iterdir())) for table in TABLES] == [3, 2, 2, 2, 0]
        if not killed:
            break
    assert last > 20


def test_a_reader_looks_again_when_files_are_bundled_under_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(path)
    listing = Contents._listing
    done = []

    def bundled_after_the_listing(self: Contents, table: str) -> list[str]:
        found = listing(self, table)
        if table == "trials" and self.read_only and not done:
            done.append(True)
            Store.open(path).bundle()
        return found

    monkeypatch.setattr(Contents, "_listing", bundled_after_the_listing)
    assert content(path) == before
    assert done


def test_a_store_that_never_rests_is_said_to_change(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(*_: object) -> Iterator[None]:
        raise MovedError

    monkeypatch.setattr(Contents, "scan", moved)
    with pytest.raises(ResultsError, match="changed while it was read"):
        load(path)


def test_a_full_disk_leaves_the_trials_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "BUNDLE_TRIALS", 4)

    replace = Folder.replace

    def full(self: Folder, name: str, content: bytes) -> None:
        if "bundle" in name:
            raise cannot_write(self.path / name, OSError(28, os.strerror(28)))
        replace(self, name, content)

    monkeypatch.setattr(Folder, "replace", full)
    store = synthetic.write(tmp_path / "s", PLAN)
    assert len(store.trial_ids({"ok"})) == 8
    with pytest.raises(ResultsError, match="no space left"):
        store.bundle()
    assert len(Store.open(tmp_path / "s").trial_ids({"ok"})) == 8
