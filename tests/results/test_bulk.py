from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from results.errors import ResultsError
from results.store import bulk
from results.store.folder import Store
from results.store.query import load
from tests.results import synthetic

PLAN = synthetic.Plan(truth=synthetic.raid_truth()[:2])


def trials(count: int) -> list[bulk.Rows]:
    found = []
    for number in range(count):
        row = synthetic.trial(PLAN, PLAN.truth[number % 2][0], number // 2, number)
        seconds = synthetic.intervals(PLAN, row, 100.0, "write") if number % 3 else []
        found.append((row, [synthetic.observation(PLAN, row, 100.0 + number, "write", None)], seconds))
    return found


def test_what_is_sealed_at_once_is_read_like_what_was_appended(tmp_path: Path) -> None:
    one, other = Store.create(tmp_path / "one"), Store.create(tmp_path / "other")
    for store in (one, other):
        store.put_environment(synthetic.environment())
    rows = trials(1100)
    for trial, observations, intervals in rows[:40]:
        one.append(trial, observations, intervals)
    for bundle in bulk.seal(rows[:40]):
        other.put_bundle(bundle)
    frames = [load(tmp_path / name) for name in ("one", "other")]
    assert frames[0].trial_rows() == frames[1].trial_rows()
    assert {row.trial_id: row for row in frames[0].observation_rows(histograms=True)} == {
        row.trial_id: row for row in frames[1].observation_rows(histograms=True)
    }
    assert len(frames[0].intervals()) == len(frames[1].intervals())
    bundles = list(bulk.seal(rows))
    assert [len(bundle.trials) for bundle in bundles] == [1024, 76]


def test_a_trial_is_put_once_and_only_with_its_machine(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    (bundle,) = bulk.seal(trials(3))
    with pytest.raises(ResultsError, match="does not describe its environment"):
        store.put_bundle(bundle)
    store.put_environment(synthetic.environment())
    store.put_bundle(bundle)
    with pytest.raises(ResultsError, match="in the store already"):
        store.put_bundle(bundle)
    with pytest.raises(ResultsError, match="read only"):
        Store.open(tmp_path / "s", read_only=True).put_bundle(bundle)


def test_large_outputs_close_a_bundle_early() -> None:
    raw = bytes(bulk.RAW_BYTES // 3)
    rows = [(trial, [replace(seen[0], raw_zlib=raw)], seconds) for trial, seen, seconds in trials(7)]
    assert [len(bundle.trials) for bundle in bulk.seal(rows)] == [3, 3, 1]
