"""A race and its store: every trial is read once, and a new process decides what the old one would have."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from bench import race
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.sweep import Sweep
from results.store import query
from results.store.folder import Store
from tests.results import synthetic

SWEEP = """\
[sweep]
seed = 3
design = "racing"
[racing]
budget_trials = 40
finalists = 3
[factors]
level = ["raid0", "raid10"]
disks = [4]
chunk_kib = [64, 128, 256, 512]
[[workload]]
name = "random-write"
rw = "randwrite"
bs = "4k"
[objective]
maximise = "iops"
workload = "random-write"
"""


@pytest.fixture
def told(tmp_path):
    return history_of(tmp_path, SWEEP)


def history_of(tmp_path, text):
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    store = Store.create(tmp_path / "store")
    store.put_environment(synthetic.environment())
    return race.History(make_plan(Sweep.load(path, vocabulary())), store)


def run(told, planned, status="ok", usable_bytes=None):
    """A trial of the race, stored."""
    plan = synthetic.Plan(())
    made = synthetic.trial(plan, {"level": planned.point.level, "disks": 4}, planned.block, planned.run_order, status)
    if usable_bytes is not None:
        made = replace(made, usable_bytes=usable_bytes)
    row = replace(
        made,
        trial_id=planned.trial_id,
        point_id=planned.point.id,
        protocol_id=told.plan.sweep.protocol_id,
        phase=planned.phase,
    )
    speed = 1000 + int(planned.point.id, 16) % 997
    value = speed * np.random.default_rng([planned.block, speed]).normal(1, 0.01)
    seen = [synthetic.observation(plan, row, value, "write", None)] if status == "ok" else []
    told.store.append(row, seen)


def test_each_trial_is_read_once_and_a_new_process_decides_the_same(told, monkeypatch):
    read = Counter()

    def counted(store, table, columns, trial_ids=None, dictionaries=()):
        assert trial_ids is not None, "the whole store is read"
        if table == "observations":
            read.update(trial_ids)
        return original(store, table, columns, trial_ids, dictionaries)

    original = query.pieces
    monkeypatch.setattr(query, "pieces", counted)
    blocks = []
    while block := race.next_trials(told):
        blocks.append(block)
        for planned in block:
            run(told, planned)
    assert set(read) == told.store.trial_ids()
    assert set(read.values()) == {1}
    assert [trial.run_order for block in blocks for trial in block] == list(range(sum(map(len, blocks))))
    assert len({len(block) for block in blocks}) >= 3  # all points, ever fewer, the finalists
    afresh = race.History(told.plan, Store.open(told.store.path))
    assert afresh.outcomes() == told.outcomes()
    assert race.standing_line(afresh) == "race: over"
    assert race.asked(afresh) == told.store.trial_ids()


def test_a_trial_that_failed_is_asked_for_again_where_that_is_wanted(told):
    first = race.next_trials(told)
    for place, planned in enumerate(first):
        run(told, planned, "failed" if place == 2 else "ok")
    lost = first[2]
    assert lost.point.id not in {trial.point.id for trial in race.next_trials(told)}
    assert lost in race.next_trials(told, retry=True)
    assert lost not in race.next_trials(told, retry=True, attempted={lost.trial_id})
    run(told, lost)
    assert [each.value is None for each in told.outcomes()] == [False] * len(first)


def test_the_standing_of_a_race_says_who_dropped_out_and_why(told):
    for planned in race.next_trials(told):
        run(told, planned)
    said = race.standing_line(told)
    points = len(told.plan.points)
    assert said.startswith("race: ")
    assert f"cut for want of budget after the last block, {len(race.next_trials(told))} of {points} points live" in said


def requiring(tmp_path, *wanted):
    return history_of(tmp_path, SWEEP + f"require = {json.dumps(wanted)}\n")


def to_the_end(told, usable_bytes=None):
    while block := race.next_trials(told):
        for planned in block:
            run(told, planned, usable_bytes=usable_bytes)


def test_points_that_cannot_meet_a_requirement_never_start(tmp_path):
    told = requiring(tmp_path, "survives >= 1")
    to_the_end(told)
    levels = {point.id: point.level for point in make_plan(Sweep.load(tmp_path / "sweep.toml", vocabulary())).points}
    assert {levels[each.point_id] for each in told.outcomes()} == {"raid10"}
    assert len(told.outcomes()) > 30


def test_the_size_of_the_disks_of_the_store_decides_who_starts(tmp_path):
    told = requiring(tmp_path, "usable >= 3 GiB")  # the sweep file does not say how large they are
    assert {point.level for point in told.plan.points} == {"raid0", "raid10"}
    assert {trial.point.level for trial in race.next_trials(told)} == {"raid0"}


def test_a_requirement_on_a_measured_figure_decides_the_race_and_a_new_process_agrees(tmp_path):
    told = requiring(tmp_path, "iops >= 1500")
    to_the_end(told)
    speeds = {each.point_id: 1000 + int(each.point_id, 16) % 997 for each in told.outcomes()}
    state = told.state()
    assert state.missing
    assert all(speeds[point] < 1500 for point in state.missing)
    assert all(speeds[point] >= 1500 for point in state.finalists)
    afresh = race.History(told.plan, Store.open(told.store.path))
    assert afresh.state() == state


def test_where_no_point_meets_a_requirement_the_closest_is_named(tmp_path):
    told = requiring(tmp_path, "iops >= 9000")
    to_the_end(told)
    said = race.standing_line(told)
    assert said.startswith("race: over: no point that was measured to the end meets iops >= 9000; the closest is raid")
    assert "whose iops of random-write is 7" in said or "whose iops of random-write is 8" in said
    assert "% below the limit" in said
    assert told.state().finalists == ()
    assert len(told.store.trial_ids()) < 40


def test_a_capacity_that_the_kernel_reports_eliminates_at_once(tmp_path):
    told = requiring(tmp_path, "usable >= 1.9 GiB")  # raid10 has 2 GiB, less what md takes
    for planned in race.next_trials(told):
        run(
            told,
            planned,
            usable_bytes=synthetic.DISK_BYTES if planned.point.level == "raid10" else 4 * synthetic.DISK_BYTES,
        )
    levels = {point.id: point.level for point in told.points}
    assert {levels[point] for point in told.state().missing} == {"raid10"}
    assert {trial.point.level for trial in race.next_trials(told)} == {"raid0"}
