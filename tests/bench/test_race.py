"""A race and its store: every trial is read once, and a new process decides what the old one would have."""

from __future__ import annotations

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
    path = tmp_path / "sweep.toml"
    path.write_text(SWEEP)
    store = Store.create(tmp_path / "store")
    store.put_environment(synthetic.environment())
    return race.History(make_plan(Sweep.load(path, vocabulary())), store)


def run(told, planned, status="ok"):
    """A trial of the race, stored."""
    plan = synthetic.Plan(())
    made = synthetic.trial(plan, {"level": "raid0", "disks": 4}, planned.block, planned.run_order, status)
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
