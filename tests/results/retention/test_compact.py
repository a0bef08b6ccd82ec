"""Compacting: what is dropped, what is kept for ever, and that a kill at any moment leaves a whole store."""

from __future__ import annotations

import json
import os
import shutil
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pytest

from results.errors import ResultsError
from results.guarantee import Question, guarantee
from results.nightly.disks import shares
from results.nightly.history import read_history
from results.plotting.measured import sweep_of
from results.plotting.over_time import series as plot_series
from results.recommendation.recommend import recommend
from results.retention.compact import Asked, Compacted, compact
from results.retention.referred import referred
from results.store.bundles import is_bundle
from results.store.contents import COMPANIONS
from results.store.files import Folder, cannot_write
from results.store.folder import Store
from results.store.query import StoreFrames, load
from results.store.schema import DISK_CHECK, DISK_HEALTH, NIGHT, TelemetryRow, TrialRow
from results.store.sql import run
from tests.results import synthetic

POINT = {"level": "raid5", "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"}
PLAN = synthetic.Plan([], seconds=6, disk_speeds={"SERIAL-2": 0.9})
NIGHTS = tuple(f"2026-01-0{number}" for number in range(1, 6))
OVER = frozenset(NIGHTS)
TABLES = ("trials", *COMPANIONS)


def fill(path: Path, nights: tuple[str, ...] = NIGHTS, failed_in: str = NIGHTS[1]) -> Store:
    """Two trials a night and two of a sweep, and a trial of a night that failed."""
    store = Store.create(path)
    store.put_environment(synthetic.environment())
    for order, (night, block) in enumerate([(each, block) for each in (*nights, None) for block in range(2)]):
        row = synthetic.trial(PLAN, POINT, block, order)
        role = None if night is None else NIGHT
        row = replace(row, trial_id=f"{night or 'sweep'}-{block}", night=night, night_role=role)
        value = 200.0 + order
        seconds = synthetic.intervals(PLAN, row, value, "write")
        figures = [synthetic.observation(PLAN, row, value, "write", None)]
        store.append(row, figures, seconds, [*synthetic.telemetry(PLAN, row), healthy(row, 30.0 + order)])
    failed = replace(synthetic.trial(PLAN, POINT, 2, 99, "failed"), trial_id="failed", night=failed_in)
    store.append(replace(failed, night_role=NIGHT, error="x"), (), (), synthetic.telemetry(PLAN, failed))
    return store


def healthy(row: TrialRow, temperature_c: float) -> TelemetryRow:
    """A disk's temperature and wear after a trial."""
    named = {"trial_id": row.trial_id, "workload": DISK_HEALTH, "device": "sdb", "disk_id": row.disk_ids[0]}
    return TelemetryRow(**named, second=42.5, temperature_c=temperature_c, used_pct=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    fill(tmp_path / "s")
    return tmp_path / "s"


def asked(keep: int | None = 2, **how: object) -> Asked:
    return Asked(**{"keep_raw_nights": keep, "over": OVER, **how})  # type: ignore[arg-type]


def kept_for_ever(path: Path) -> list[str]:
    return for_ever(load(path))


def for_ever(frames: StoreFrames) -> list[str]:
    """What no compacting may change, as text."""
    rows = [replace(row, dropped_at_ns=None) for row in frames.trial_rows()]
    telemetry = frames.arrow("telemetry").to_pylist()
    alone = [each for each in telemetry if each["workload"] in {DISK_CHECK, DISK_HEALTH}]
    assert {each["workload"] for each in alone} == {DISK_CHECK, DISK_HEALTH}
    return sorted(map(repr, [*rows, *frames.observation_rows(histograms=True), *alone, *frames.environment_rows()]))


def seconds_of(path: Path) -> dict[str, int]:
    return seconds_in(load(path))


def seconds_in(frames: StoreFrames) -> dict[str, int]:
    counted: dict[str, int] = {}
    for trial_id in frames.arrow("intervals", ("trial_id",))["trial_id"].to_pylist():
        counted[trial_id] = counted.get(trial_id, 0) + 1
    return counted


def test_old_nights_lose_their_raw_data_and_nothing_else(path: Path) -> None:
    before = kept_for_ever(path)
    done = compact(Store.open(path), asked())
    assert done.nights == NIGHTS[:3]
    assert (done.trials, done.kept) == (7, ())
    assert done.freed_bytes > 0
    assert kept_for_ever(path) == before
    raw = {f"{night}-{block}" for night in (*NIGHTS[3:], "sweep") for block in range(2)}
    assert seconds_of(path) == dict.fromkeys(raw, 6)
    observations = load(path).arrow("observations", ("trial_id", "raw_zlib"))
    with_raw = observations.filter(pc.is_valid(observations["raw_zlib"]))
    assert set(with_raw["trial_id"].to_pylist()) == raw
    dropped = {row.trial_id for row in load(path).trial_rows() if row.dropped_at_ns is not None}
    assert dropped == {row.trial_id for row in load(path).trial_rows()} - raw
    assert load(path).set_aside == ()


def test_the_summaries_are_those_of_the_seconds_that_were_there(path: Path) -> None:
    trial_id = f"{NIGHTS[0]}-0"
    values = load(path).of_trial("intervals", trial_id, ("iops",))["iops"].to_pylist()
    compact(Store.open(path), asked())
    rows = [row for row in load(path).arrow("summaries").to_pylist() if row["trial_id"] == trial_id]
    (found,) = (row for row in rows if (row["source"], row["figure"]) == ("intervals", "iops"))
    assert (found["count"], found["missing"], found["direction"]) == (6, 0, "write")
    assert found["mean"] == pytest.approx(statistics.fmean(values))
    assert found["sd"] == pytest.approx(statistics.stdev(values))
    assert (found["minimum"], found["maximum"]) == (min(values), max(values))
    assert found["p50"] == statistics.median_low(values)
    assert found["first_third"] == pytest.approx(statistics.fmean(values[:2]))
    assert found["last_third"] == pytest.approx(statistics.fmean(values[-2:]))
    busy = {row["disk_id"]: row["mean"] for row in rows if row["figure"] == "util_pct"}
    assert busy == dict.fromkeys(synthetic.environment().disk_ids, 50.0)
    assert {row["workload"] for row in rows} == {PLAN.workload}


def test_what_verdicts_and_baselines_rest_on_is_the_same_afterwards(path: Path) -> None:
    def basis() -> object:
        frames = load(path)
        history = read_history(frames)
        series = [(each.key, each.nights, each.values.tolist()) for each in history.all_series()]
        alone = {night: dict(shares(frames, history.trial_ids(night))) for night in history.nights}
        return series, alone

    before = basis()
    assert before[1][NIGHTS[0]]  # type: ignore[index]
    compact(Store.open(path), asked())
    assert basis() == before


def test_a_dry_run_says_what_would_go_and_changes_nothing(path: Path) -> None:
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    told = compact(Store.open(path, read_only=True), asked(), dry_run=True)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    done = compact(Store.open(path), asked())
    assert (told.nights, told.trials, told.bytes_before) == (done.nights, done.trials, done.bytes_before)
    assert abs(told.bytes_after - done.bytes_after) < 64  # the moment of dropping is another


def test_compacting_again_changes_nothing_and_later_nights_join_the_bundle(path: Path) -> None:
    compact(Store.open(path), asked(3))
    files = sorted(path.rglob("*.parquet"))
    again = compact(Store.open(path), asked(3))
    assert (again.nights, again.trials, again.files_before) == ((), 0, again.files_after)
    assert sorted(path.rglob("*.parquet")) == files
    before = kept_for_ever(path)
    for keep in (2, 1):
        assert compact(Store.open(path), asked(keep)).trials == 2
        assert kept_for_ever(path) == before
    assert len([file for file in (path / "trials").iterdir() if is_bundle(file.stem)]) == 2


def test_without_a_number_of_nights_files_are_merged_and_nothing_is_dropped(path: Path) -> None:
    before = [sorted(map(repr, load(path).arrow(table).to_pylist())) for table in TABLES]
    done = compact(Store.open(path), asked(None))
    assert [sorted(map(repr, load(path).arrow(table).to_pylist())) for table in TABLES] == before
    assert done.files_after is not None
    assert done.files_after < done.files_before


def test_a_night_without_an_outcome_keeps_everything(path: Path) -> None:
    done = compact(Store.open(path), asked(over=OVER - {NIGHTS[0]}))
    assert done.nights == NIGHTS[1:3]
    (kept,) = done.kept
    assert (kept.night, kept.trials, kept.why) == (NIGHTS[0], 2, "the night has no outcome")
    assert seconds_of(path)[f"{NIGHTS[0]}-0"] == 6


def test_runs_that_a_guarantee_counts_keep_everything(path: Path) -> None:
    text = json.dumps({"granted": True, "runs": [{"trial_id": f"{NIGHTS[1]}-1"}]})
    (path / "promise.json").write_text(text)
    done = compact(Store.open(path), asked(referred=referred(path, [])))
    assert [(kept.night, kept.trials) for kept in done.kept] == [(NIGHTS[1], 1)]
    assert seconds_of(path)[f"{NIGHTS[1]}-1"] == 6
    assert f"{NIGHTS[1]}-0" not in seconds_of(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"granted": 1, "runs": []}', '{"granted": true, "runs": [3]}'])
def test_a_file_that_is_named_and_is_no_guarantee_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "g.json").write_text(text)
    with pytest.raises(ResultsError, match="no guarantee"):
        referred(tmp_path, [tmp_path / "g.json"])


@pytest.mark.parametrize("table", ["trials", "observations", "intervals", "telemetry"])
def test_a_damaged_store_is_refused_and_nothing_is_dropped(path: Path, table: str) -> None:
    file = path / table / f"{NIGHTS[0]}-0.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ResultsError, match="nothing was dropped"):
        compact(Store.open(path), asked())
    assert seconds_of(path)[f"{NIGHTS[0]}-1"] == 6


def test_seconds_that_were_dropped_are_told_from_missing_ones(path: Path) -> None:
    compact(Store.open(path), asked(1))
    found = guarantee(path, Question(share=0.5))
    refused = {each.kind: each.reason for each in found.refusals}
    assert "intervals-missing" not in refused
    assert "dropped on purpose" in refused["seconds-dropped"]
    assert any("dropped on purpose" in line for line in recommend(path).warnings)
    rows = run(load(path), "SELECT count(*) AS n FROM summaries WHERE figure = 'iops'").to_pylist()
    assert rows == [{"n": 8}]


def test_a_plot_of_dropped_seconds_says_why_there_are_none(tmp_path: Path) -> None:
    fill(tmp_path / "s")
    for table in TABLES:
        for file in (tmp_path / "s" / table).iterdir():
            if file.stem.startswith(("sweep", NIGHTS[-1])):
                file.unlink()
    store = Store.open(tmp_path / "s")
    compact(store, asked(1))
    last = [trial_id for trial_id in store.trial_ids() if trial_id.startswith(NIGHTS[3])]
    assert len(last) == 2
    sweep = sweep_of(load(tmp_path / "s"))
    trials = tuple(trial for trial in sweep.trials if trial.trial_id not in last)
    with pytest.raises(ResultsError, match="no trial of") as failure:
        plot_series(replace(sweep, trials=trials), PLAN.workload, "iops", trials[0].point_id)
    assert "dropped on purpose" in failure.value.remedy


def test_a_trial_of_a_night_that_was_compacted_is_not_replaced(path: Path) -> None:
    compact(Store.open(path), asked())
    store = Store.open(path)
    (failed,) = (row for row in load(path).trial_rows() if row.status == "failed")
    with pytest.raises(ResultsError, match="not overwritten"):
        store.append(failed)


class Killed(BaseException):
    """Stands for kill -9: nothing that catches exceptions or cleans up after them sees it."""


STEPS = ((os, "rename"), (os, "unlink"), (os, "write"))


def kill_after(patch: pytest.MonkeyPatch, last: int) -> None:
    """Let ``last`` calls that write, rename or remove happen, and none after them."""
    left = [last]

    def counted(function: Callable) -> Callable:
        def call(*arguments: object, **options: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return function(*arguments, **options)

        return call

    for owner, name in STEPS:
        patch.setattr(owner, name, counted(getattr(owner, name)))


DROPPED = (f"{NIGHTS[0]}-0", f"{NIGHTS[0]}-1", "failed")


def state(path: Path) -> tuple[object, ...]:
    """Everything that readers see, the moment of dropping left out."""
    frames = load(path)
    assert frames.set_aside == ()
    told = {row.trial_id: row.dropped_at_ns is not None for row in frames.trial_rows()}
    seconds = seconds_in(frames)
    summed = set(frames.arrow("summaries", ("trial_id",))["trial_id"].to_pylist())
    # Of each trial the seconds are there or their summary, and never both or neither.
    assert {each for each, gone in told.items() if gone} == summed
    assert {each for each, gone in told.items() if not gone} == set(seconds) | ({"failed"} - summed)
    assert set(seconds.values()) <= {6}
    return (for_ever(frames), tuple(sorted(summed)))


def test_a_kill_at_any_step_of_compacting_leaves_the_old_store_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # no power is cut here
    fill(tmp_path / "s", NIGHTS[:2], NIGHTS[0])
    old = state(tmp_path / "s")
    last = 0
    seen = set()
    while True:
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "s", copy)
        with pytest.MonkeyPatch.context() as patch:
            kill_after(patch, last)
            try:
                compact(Store.open(copy), asked(1))
                killed = False
            except Killed:
                killed = True
        found = state(copy)
        assert found[0] == old[0], f"killed after {last} steps"
        seen.add(found[1])
        store = Store.open(copy)
        assert store.set_aside == ()
        compact(store, asked(1))
        assert state(copy) == (old[0], DROPPED)
        leftovers = [file.name for file in copy.rglob(".*.tmp")]
        assert leftovers == []
        assert [len(list((copy / table).iterdir())) for table in TABLES] == [2, 2, 1, 2, 1]
        shutil.rmtree(copy)
        if not killed:
            break
        last += 1
    assert last > 30
    assert seen == {(), DROPPED}


def test_a_full_disk_leaves_the_old_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(path)
    original = Folder.create

    def full(self: Folder, name: str, content: bytes) -> None:
        if name.startswith("telemetry/"):
            raise cannot_write(self.path / name, OSError(28, os.strerror(28)))
        original(self, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "create", full)
        with pytest.raises(ResultsError, match="no space left"):
            compact(Store.open(path), asked())
    assert state(path) == before
    assert isinstance(compact(Store.open(path), asked()), Compacted)


def test_a_bundle_that_replaced_others_and_is_damaged_gives_way_to_them(path: Path, monkeypatch) -> None:
    before = state(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", lambda *_a, **_k: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            compact(Store.open(path), asked())
    assert len(state(path)[1]) == 7
    (damaged,) = (path / "summaries").glob("bundle+-*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    frames: StoreFrames = load(path)
    assert len(frames.set_aside) > 0
    assert seconds_of(path)[f"{NIGHTS[0]}-0"] == 6
    Store.open(path)
    assert state(path) == before
