"""The store under every fault of the table: torn, flipped, full, killed, foreign, newer, older."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from results.errors import ResultsError
from results.store import sealed
from results.store.files import file_at
from results.store.folder import COMPANIONS, Store
from results.store.query import load
from results.store.schema import SCHEMA_VERSION, TrialRow, arrow_schema
from tests.results import synthetic
from tests.results.synthetic import Plan

SETTINGS = {"level": "raid5", "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"}
PLAN = Plan([(SETTINGS, 200.0)], replicates=2)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    synthetic.write(tmp_path / "store", PLAN)
    return tmp_path / "store"


def first_trial(path: Path) -> str:
    return min(Store.open(path).trial_ids())


def rows(block: int = 0, status: str = "ok") -> tuple[TrialRow, list, list, list]:
    row = synthetic.trial(PLAN, SETTINGS, block, block, status)
    observations = [synthetic.observation(PLAN, row, 200.0, "write", None)]
    return row, observations, synthetic.intervals(PLAN, row, 200.0, "write"), synthetic.telemetry(PLAN, row)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    store.put_environment(synthetic.environment())
    row, observations, intervals, telemetry = rows()
    store.append(row, observations, intervals, telemetry)
    frames = load(tmp_path / "s")
    assert frames.trial_rows() == [row]
    assert frames.observation_rows(histograms=True) == [replace(observations[0], raw_zlib=None)]
    assert frames.environment_rows() == [synthetic.environment()]
    assert len(frames.intervals()) == len(intervals)
    assert len(frames.telemetry()) == len(telemetry)
    assert frames.set_aside == ()


def test_other_programs_read_the_files_as_ordinary_parquet(store: Path) -> None:
    for path in store.rglob("*.parquet"):
        table = pq.read_table(path, page_checksum_verification=True)
        assert table.num_rows > 0
        assert table.schema.metadata[b"stripelab_schema"] == str(SCHEMA_VERSION).encode()


@pytest.mark.parametrize("table", ["trials", "observations", "intervals", "telemetry"])
def test_a_flipped_byte_is_found_wherever_it_is(store: Path, table: str) -> None:
    """Page checksums miss headers and the footer; the seal does not."""
    name = first_trial(store)
    path = store / table / f"{name}.parquet"
    whole = path.read_bytes()
    dice = random.Random(7)
    places = {0, 1, 3, len(whole) - 1, len(whole) - 5, len(whole) - 8, *dice.sample(range(len(whole)), 200)}
    for place in sorted(places):
        damaged = bytearray(whole)
        damaged[place] ^= dice.randrange(1, 256)
        with pytest.raises(sealed.DamagedFileError):
            sealed.check(bytes(damaged))
    path.write_bytes(bytes(damaged))
    assert name not in Store.open(store).trial_ids()


def test_every_single_byte_of_a_small_file_counts(store: Path) -> None:
    whole = (store / "environments" / "env-disk.parquet").read_bytes()
    missed = [place for place in range(len(whole)) if not is_damaged(whole, place)]
    assert missed == []


def is_damaged(whole: bytes, place: int) -> bool:
    damaged = bytearray(whole)
    damaged[place] ^= 0x10
    try:
        sealed.check(bytes(damaged))
    except sealed.DamagedFileError:
        return True
    return False


@pytest.mark.parametrize("table", ["trials", "observations", "intervals"])
@pytest.mark.parametrize("tear", ["truncate", "zero tail", "empty"])
def test_a_torn_file_takes_its_trial_out_and_no_other(store: Path, table: str, tear: str) -> None:
    name = first_trial(store)
    path = store / table / f"{name}.parquet"
    whole = path.read_bytes()
    kept = {"truncate": whole[: len(whole) // 2], "zero tail": whole[:-40] + bytes(40), "empty": b""}[tear]
    path.write_bytes(kept)
    opened = Store.open(store)
    assert len(opened.trial_ids()) == 1
    assert name not in opened.trial_ids()
    assert any(f"{table}/{name}" in each.reason for each in opened.set_aside)
    moved = list((store / "set-aside").glob("*.parquet"))
    assert kept in [each.read_bytes() for each in moved]
    assert len(list((store / "set-aside").glob("*.reason.txt"))) == len(moved)
    assert not any((store / each / f"{name}.parquet").exists() for each in ("trials", *COMPANIONS))
    assert Store.open(store).set_aside == ()
    assert len(load(store).observations()) == 1


def test_a_reader_moves_nothing_and_says_what_it_skips(store: Path) -> None:
    name = first_trial(store)
    path = store / "observations" / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    frames = load(store)
    assert len(frames.trials()) == 1
    assert frames.set_aside
    assert path.exists()
    assert not (store / "set-aside").exists()


def test_foreign_files_are_set_aside(store: Path) -> None:
    (store / "trials" / "notes.txt").write_text("hello")
    pq.write_table(pa.table({"a": [1]}), store / "observations" / "foreign.parquet")
    (store / "intervals" / "folder.parquet").mkdir()
    opened = Store.open(store)
    assert len(opened.trial_ids()) == 2
    reasons = " ".join(each.reason for each in opened.set_aside)
    assert len(opened.set_aside) == 3
    assert "notes.txt" in reasons
    assert "foreign.parquet" in reasons
    assert "folder" in reasons


def test_a_companion_that_vanished_takes_its_trial_out(store: Path) -> None:
    name = first_trial(store)
    (store / "intervals" / f"{name}.parquet").unlink()
    assert name not in Store.open(store).trial_ids()


def test_a_companion_of_another_outcome_is_found(store: Path) -> None:
    """Whole in itself, but not the file that this trial row was written with."""
    name = first_trial(store)
    row = next(row for row in load(store).trial_rows() if row.trial_id == name)
    observation = replace(synthetic.observation(PLAN, row, 999.0, "write", None), trial_id=name)
    from results.store.rows import to_table

    content, _ = sealed.encode(to_table("observations", [observation]))
    (store / "observations" / f"{name}.parquet").write_bytes(content)
    assert name not in Store.open(store).trial_ids()


def test_a_file_under_a_wrong_name_does_not_count(store: Path) -> None:
    name = first_trial(store)
    (store / "trials" / f"{name}.parquet").rename(store / "trials" / "0000.parquet")
    opened = Store.open(store)
    assert "0000" not in opened.trial_ids()
    assert len(opened.trial_ids()) == 1


def test_rows_without_a_trial_are_invisible(store: Path) -> None:
    name = first_trial(store)
    (store / "trials" / f"{name}.parquet").unlink()
    assert len(load(store).observations()) == 1
    assert len(load(store).intervals()) == PLAN.seconds


def test_a_failed_trial_is_replaced_and_an_ok_one_never(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    store.put_environment(synthetic.environment())
    row, observations, intervals, telemetry = rows(status="failed")
    store.append(row, observations, intervals, telemetry)
    assert store.trial_ids({"failed"}) == {row.trial_id}
    ok = replace(row, status="ok")
    store.append(ok, observations)
    assert Store.open(tmp_path / "s").trial_ids({"ok"}) == {row.trial_id}
    assert not (tmp_path / "s" / "intervals" / f"{row.trial_id}.parquet").exists()
    with pytest.raises(ResultsError, match="status ok and is not overwritten"):
        store.append(ok, observations)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"environment_id": "nowhere"}, "does not describe its environment"),
        ({"status": "fine"}, "no status"),
        ({"trial_id": "../../etc"}, "no id"),
        ({"sweep": None}, "may not be null"),
        ({"block": "one"}, "trials.block"),
    ],
)
def test_rows_that_mean_nothing_are_refused(tmp_path: Path, change: dict, words: str) -> None:
    store = Store.create(tmp_path / "s")
    store.put_environment(synthetic.environment())
    row, observations, _, _ = rows()
    wrong = replace(row, **change)
    observations = [replace(each, trial_id=wrong.trial_id) for each in observations]
    with pytest.raises(ResultsError, match=words):
        store.append(wrong, observations)
    assert list((tmp_path / "s" / "trials").iterdir()) == []


def test_an_ok_trial_needs_an_observation_and_its_own(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    store.put_environment(synthetic.environment())
    row, observations, _, _ = rows()
    with pytest.raises(ResultsError, match="no observation"):
        store.append(row)
    with pytest.raises(ResultsError, match="other trials"):
        store.append(row, [replace(observations[0], trial_id="other")])


def test_no_store_a_second_one_and_a_newer_one(tmp_path: Path, store: Path) -> None:
    with pytest.raises(ResultsError, match="no result store"):
        Store.open(tmp_path / "nothing")
    with pytest.raises(ResultsError, match="already"):
        Store.create(store)
    (store / "stripelab.json").write_text(json.dumps({"schema": SCHEMA_VERSION + 1}))
    with pytest.raises(ResultsError, match="newer one") as failure:
        raise_with_remedy(lambda: Store.open(store))
    assert str(SCHEMA_VERSION + 1) in str(failure.value)
    (store / "stripelab.json").write_text("{}")
    with pytest.raises(ResultsError, match="does not say which schema"):
        Store.open(store)


def raise_with_remedy(call) -> None:
    try:
        call()
    except ResultsError as error:
        raise ResultsError(f"{error.message} {error.remedy}") from error


def test_an_older_store_opens_with_its_new_columns_empty(store: Path) -> None:
    """Columns that were added since: null, and an empty list where lists are kept."""
    name = first_trial(store)
    path = store / "trials" / f"{name}.parquet"
    table = sealed.read(*file_at(path)).table.drop_columns(["nr_requests", "usable_bytes", "warnings", "disk_ids"])
    path.write_bytes(sealed.encode(table)[0])
    row = next(row for row in load(store).trial_rows() if row.trial_id == name)
    assert (row.nr_requests, row.usable_bytes, row.warnings, row.disk_ids) == (None, None, (), ())
    assert row.level == "raid5"


def test_a_file_without_a_required_column_does_not_count(store: Path) -> None:
    name = first_trial(store)
    path = store / "trials" / f"{name}.parquet"
    path.write_bytes(sealed.encode(sealed.read(*file_at(path)).table.drop_columns(["status"]))[0])
    opened = Store.open(store)
    assert name not in opened.trial_ids()
    assert "lacks the columns status" in opened.set_aside[0].reason


def test_frames_keep_whole_numbers_whole(store: Path) -> None:
    trials = load(store).trials()
    assert str(trials["chunk_kib"].dtype) == "Int64"
    assert str(trials["nr_requests"].dtype) == "Int64"
    assert set(trials.columns) == set(arrow_schema("trials").names)
    with pytest.raises(ResultsError, match="no column speed"):
        load(store).observations(columns=["speed"])


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "tiny"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(store: Store) -> None:
    for block in range(60):
        row = synthetic.trial(PLAN, SETTINGS, block, block)
        store.append(row, [synthetic.observation(PLAN, row, 200.0, "write", None)])


@pytest.mark.loop
def test_a_full_store_loses_nothing_and_leaves_nothing_half_written(tiny: Path) -> None:
    store = Store.create(tiny / "s")
    store.put_environment(synthetic.environment())
    with pytest.raises(ResultsError, match="no space left"):
        fill(store)
    kept = store.trial_ids()
    assert len(kept) > 2
    assert Store.open(tiny / "s").trial_ids() == kept
    assert not list((tiny / "s").rglob(".*"))


@pytest.mark.loop
def test_a_full_store_keeps_the_outcome_that_was_to_be_replaced(tiny: Path) -> None:
    store = Store.create(tiny / "s")
    store.put_environment(synthetic.environment())
    row, observations, _, _ = rows(status="failed")
    store.append(row)
    (tiny / "filler").write_bytes(os.urandom(os.statvfs(tiny).f_bavail * os.statvfs(tiny).f_frsize - 4096))
    with pytest.raises(ResultsError, match="no space left"):
        store.append(replace(row, status="ok"), observations)
    assert store.trial_ids({"failed"}) == {row.trial_id}
    assert Store.open(tiny / "s").trial_ids({"failed"}) == {row.trial_id}


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from results.store.folder import Store
from tests.results import synthetic
from tests.results.test_store import PLAN, SETTINGS

store = Store.open_or_create(Path(sys.argv[1]))
store.put_environment(synthetic.environment())
print("ready", flush=True)
plan = replace(PLAN, replicates=10**6)
for block in range(10**6):
    for status in ("failed", "ok"):
        row = synthetic.trial(plan, SETTINGS, block, block, status)
        if row.trial_id in store.trial_ids({"ok"}):
            continue
        value = 100.0 if status == "failed" else 200.0
        store.append(row, [synthetic.observation(plan, row, value, "write", None)],
                     synthetic.intervals(plan, row, value, "write"))
"""


def test_a_writer_that_is_killed_leaves_whole_trials(tmp_path: Path) -> None:
    """Each trial is written as failed and then as ok: no row of one may stand beside rows of the other."""
    path = tmp_path / "s"
    dice = random.Random(11)
    counts = []
    for _ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0.01, 0.6))
            writer.send_signal(signal.SIGKILL)
        opened = Store.open(path)
        assert opened.set_aside == ()
        counts.append(len(opened.trial_ids({"ok"})))  # a failed trial goes before the outcome that replaces it comes
        frames = load(path)
        status = {row.trial_id: row.status for row in frames.trial_rows()}
        seen = frames.observations(statuses=None)
        for trial_id, iops in zip(seen["trial_id"], seen["iops"], strict=True):
            assert iops == {"failed": 100.0, "ok": 200.0}[status[trial_id]]
        assert set(seen["trial_id"]) == set(status)
    assert counts == sorted(counts)
    assert counts[-1] > 5
