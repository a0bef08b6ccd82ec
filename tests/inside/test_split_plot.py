"""Split plots and races on the lab's own disks: what is shared, what is built, and what a killed run leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.journal import Journal
from bench.places import on_disks
from bench.stack.arrays import md
from bench.vocabulary import vocabulary
from permutations.cost import builds
from permutations.design import make_plan
from permutations.orders import compare_orders
from permutations.sweep import Sweep
from results.store.query import load
from tests.inside.conftest import signatures_on

SPLIT_PLOT = """
[sweep]
seed = 5
replicates = {replicates}
order = "split-plot"
initial_sync = "assume-clean"
[factors]
level = [{levels}]
disks = [3]
filesystem = ["ext4", "xfs", "raw"]
layout = ["flat", "hashed-2x2"]
read_ahead_kib = ["default", 512]
[[forbid]]
filesystem = "raw"
read_ahead_kib = 512
[dataset]
files = 4
file_size = "4MiB"
[[workload]]
name = "dd"
engine = "dd"
rw = "read"
bs = "1M"
"""
RACE = """
[sweep]
seed = 5
design = "racing"
initial_sync = "assume-clean"
[racing]
budget_trials = 14
finalists = 2
[factors]
level = ["jbod", "raid0", "raid5"]
disks = [3]
filesystem = ["ext4"]
[dataset]
files = 3
file_size = "4MiB"
[[workload]]
name = "dd"
engine = "dd"
rw = "read"
bs = "1M"
"""


def split_plot(folder, *levels, replicates=1):
    path = folder / "sweep.toml"
    path.write_text(SPLIT_PLOT.format(levels=", ".join(f'"{level}"' for level in levels), replicates=replicates))
    return path


def run(path, store, disks, emit=lambda _: None):
    plan = make_plan(Sweep.load(path, vocabulary()))
    return plan, on_disks(plan, store, emit, [disk.id for disk in disks[:3]])


def journalled(store, words):
    """Acts that a run put into its journal, by the beginning of what they destroy or their kind."""
    acts = [json.loads(line) for line in (store / "journal.jsonl").read_text().splitlines()]
    begun = [act for act in acts if act["state"] == "begun"]
    return sum(act["kind"] == words or act["facts"].get("what", "").startswith(words) for act in begun)


def nothing_is_left(store, disks):
    assert not list(Path("/sys/block").glob("md*"))
    assert signatures_on(disks) == ()
    assert "/run/stripelab-stacks" not in Path("/proc/self/mounts").read_text()
    assert not list(Path("/run/stripelab-stacks").glob("*"))
    with Journal(store / "journal.jsonl") as journal:
        assert journal.pending == ()


@pytest.mark.parametrize("levels", [("raid5", "raid0"), ("jbod",)])
def test_each_array_is_built_once_per_whole_plot(tmp_path, disks, levels):
    store = tmp_path / "store"
    plan, summary = run(split_plot(tmp_path, *levels, replicates=2), store, disks)
    assert summary.ok == summary.planned == len(levels) * 2 * 9
    expected = next(each for each in compare_orders(plan) if each.order == "split-plot")
    assert journalled(store, "mdadm --create") == expected.arrays == (4 if levels != ("jbod",) else 0)
    assert journalled(store, "mkfs") == expected.filesystems == len(levels) * 2 * 2
    rows = load(store).trial_rows()
    assert len({row.array_built_by for row in rows}) == expected.stacks
    assert len({row.filesystem_built_by for row in rows} - {None}) == expected.filesystems
    for row, trial, does in zip(rows, plan.trials, builds(plan.trials), strict=True):
        assert (row.trial_id, row.whole_plot, row.sub_plot) == (trial.trial_id, trial.whole_plot, trial.sub_plot)
        assert (row.array_built_by == row.trial_id) is does.array
        assert (row.filesystem_built_by is None) is (row.filesystem == "raw")
        if row.filesystem != "raw":
            assert (row.filesystem_built_by == row.trial_id) is does.filesystem
            assert any("mkfs" in line for line in row.build_commands)
        # a row names every command that its stack was built with, whoever ran it, and no other trial's
        assert sum("mdadm --create" in line for line in row.build_commands) == (levels != ("jbod",))
        assert any("read_ahead_kb" in line for line in row.build_commands) is (row.read_ahead_kib == 512)
        assert sum("mount" in line for line in row.build_commands) == (
            0 if row.filesystem == "raw" else 1 if levels != ("jbod",) else 3
        )
    nothing_is_left(store, disks)


def test_a_trial_that_is_not_ok_takes_its_stack_with_it(tmp_path, disks):
    """The array degrades in the second trial: that one is invalid, the third has a new array."""
    store, seen = tmp_path / "store", []

    def degrade(event):
        if event.kind == "trial":
            seen.append(event)
        if event.kind == "workload" and len(seen) == 2:
            (array,) = Path("/sys/block").glob("md*")
            subprocess.run(["mdadm", "--fail", f"/dev/{array.name}", disks[1].path], check=True, capture_output=True)

    _, summary = run(split_plot(tmp_path, "raid5"), store, disks, degrade)
    assert (summary.ok, summary.invalid) == (8, 1)
    rows = load(store).trial_rows()
    assert rows[1].status == "invalid"
    assert [row.array_built_by for row in rows] == [rows[0].trial_id] * 2 + [rows[2].trial_id] * 7
    assert {row.whole_plot for row in rows} == {0}
    nothing_is_left(store, disks)


@pytest.mark.parametrize("moment_s", [3.0, 5.0, 8.0])
def test_a_killed_run_is_cleared_and_completed_by_the_next(tmp_path, disks, moment_s):
    path, store = split_plot(tmp_path, "raid5"), tmp_path / "store"
    words = [sys.executable, "-m", "bench", "run", path, "--store", store, "--disks", ",".join(d.id for d in disks[:3])]
    process = subprocess.Popen([str(word) for word in words], stderr=subprocess.DEVNULL)
    time.sleep(moment_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {row.trial_id for row in load(store).trial_rows()} if (store / "stripelab.json").exists() else set()
    _, summary = run(path, store, disks)
    assert (summary.ok, summary.planned) == (9, 9)
    rows = load(store).trial_rows()
    # the array of the killed run is gone with what it may have had of its own: the rest ran on another
    assert not {row.array_built_by for row in rows if row.trial_id not in before} & before
    nothing_is_left(store, disks)


def test_a_race_asks_the_store_and_resumes(tmp_path, disks):
    path, store = tmp_path / "race.toml", tmp_path / "store"
    path.write_text(RACE)
    told = []

    def stop(event):
        told.append(event)
        if sum(each.kind == "ended" for each in told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(path, store, disks, stop)
    assert len(load(store).trial_rows()) == 4
    _, summary = run(path, store, disks)
    rows = load(store).trial_rows()
    assert summary.complete
    assert summary.ok == len(rows) <= 14
    assert [row.run_order for row in rows] == list(range(len(rows)))
    screened = [row for row in rows if row.phase == "screening"]
    confirmed = [row for row in rows if row.phase == "confirmation"]
    assert {row.block for row in screened}.isdisjoint(row.block for row in confirmed)
    assert len({row.point_id for row in screened}) == 3
    assert len({row.point_id for row in confirmed}) == 2
    assert run(path, store, disks)[1] == summary
    nothing_is_left(store, disks)


def test_what_the_stripe_cache_was_is_put_back_on_an_array_that_stays(tmp_path, disks):
    path, store = tmp_path / "sweep.toml", tmp_path / "store"
    text = SPLIT_PLOT.format(levels='"raid5"', replicates=1)
    path.write_text(
        text.replace("read_ahead_kib", "stripe_cache_pages").replace('"ext4", "xfs", "raw"', '"raw", "ext4"')
    )
    sizes = []

    def look(event):
        if event.kind == "workload" and event.workload != "disk check":  # which comes before any array
            (array,) = Path("/sys/block").glob("md*")
            sizes.append(int(md.attribute(array.name, "stripe_cache_size")))

    run(path, store, disks, look)
    rows = load(store).trial_rows()
    assert sizes == [row.stripe_cache_pages or 256 for row in rows]  # 256 is md's default (md(4))
    assert 512 in sizes
    assert len({row.array_built_by for row in rows}) == 1
