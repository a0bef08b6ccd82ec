"""From a store to a series per metric."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from results.nightly.history import Key, read_history
from results.store.query import load
from results.store.schema import FRESH, NIGHT
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name


def test_a_night_is_the_mean_of_the_logarithms_of_its_trials(tmp_path):
    stored.write(tmp_path / "s", Nights(count=3, points=2, replicates=4, workloads=("scan", "log")))
    frames = load(tmp_path / "s")
    series = {each.key: each for each in read_history(frames).all_series()}
    assert len(series) == 2 * 2 * 2  # points, workloads, IOPS and the 99th percentile
    rows = frames.trial_rows()
    seen = frames.observation_rows()
    for key, each in series.items():
        assert each.nights == tuple(night_name(n) for n in range(3))
        assert each.trials.tolist() == [4, 4, 4]
        for night, value in zip(each.nights, each.values, strict=True):
            own = {row.trial_id for row in rows if (row.night, row.point_id) == (night, key.point_id)}
            figures = [getattr(o, key.figure) for o in seen if o.trial_id in own and o.workload == key.workload]
            assert value == pytest.approx(np.mean(np.log(figures)), rel=1e-12)


def test_what_was_measured_to_confirm_is_no_part_of_the_series(tmp_path):
    stored.write(tmp_path / "s", Nights(count=2))
    stored.write(tmp_path / "s", Nights(count=1, first=1, role=FRESH, effect=lambda *_: -1.0))
    history = read_history(load(tmp_path / "s"))
    assert history.nights == (night_name(0), night_name(1))
    for each in history.all_series():
        assert each.trials.tolist() == [2, 2]
    key = Key(synthetic.point_id(stored.settings(0)), "random-write", "write", "iops")
    fresh = history.by_block(key, night_name(1), FRESH)
    assert sorted(fresh) == [0, 1]
    assert all(value == pytest.approx(math.log(8000) - 1, abs=0.2) for value in fresh.values())


def test_latency_is_better_where_it_is_lower(tmp_path):
    stored.write(tmp_path / "s", Nights(count=1))
    found = {
        each.metric.figure: each.metric.higher_is_better for each in read_history(load(tmp_path / "s")).all_series()
    }
    assert found == {"iops": True, "lat_p99_ns": False}


def test_trials_outside_of_nights_are_left_alone(tmp_path):
    synthetic.write(tmp_path / "s", synthetic.Plan([({"level": "raid0", "disks": 4}, 100.0)]))
    history = read_history(load(tmp_path / "s"))
    assert history.nights == ()
    assert history.all_series() == ()


def test_what_became_of_the_trials_of_any_night_is_told(tmp_path):
    """Of the last night, which is read at once, and of one before it."""
    settings = {"level": "raid0", "disks": 4}
    store = synthetic.write(tmp_path / "s", synthetic.Plan([(settings, 100.0)]), status=lambda *_: "missing")
    plan = synthetic.Plan([])
    for number in range(2):
        for block, status in enumerate(("ok", "failed")):
            row = synthetic.trial(plan, settings, block, block)
            identity, why = f"{number}-{block}", "it broke" if status == "failed" else None
            row = replace(row, trial_id=identity, night=night_name(number), night_role=NIGHT, status=status, error=why)
            row = replace(row, disk_ids=(f"DISK-{number}",))
            store.append(row, [synthetic.observation(plan, row, 100.0, "read", None)] if status == "ok" else [])
    history = read_history(load(tmp_path / "s"))
    point_id = synthetic.point_id(settings)
    for number in range(2):
        night = night_name(number)
        assert history.members(point_id, night) == (f"DISK-{number}",)
        assert history.all_members(night) == ((f"DISK-{number}",),) * 2
        assert history.failures(night) == ((history.labels[point_id], "it broke"),)
        assert history.trial_ids_of(point_id, night) == {f"{number}-0"}
        assert history.trial_ids(night, statuses=("failed",)) == {f"{number}-1"}
    assert history.nights == (night_name(0), night_name(1))
