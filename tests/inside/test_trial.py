"""Whole trials on the lab's own disks: what the arithmetic says, what a dying disk does, what a killed run leaves."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.journal import Journal
from results.store.query import load
from tests.inside.conftest import assert_reaches, make_blank, sh, signatures_on
from tests.inside.sweeps import run, sweep_file


@pytest.mark.parametrize(
    ("level", "expected"),
    [("jbod", 800), ("raid0", 800), ("raid10", 400), ("raid5", 400), ("raid6", 267), ("raid1", 200)],
)
def test_throttled_random_writes_are_what_the_arithmetic_of_raid_says(tmp_path, disks, level, expected):
    stores = (tmp_path / f"store-{number}" for number in itertools.count())

    def measure():
        store = next(stores)
        for disk in disks:  # a store takes disks that another one wrote to for foreign
            make_blank(disk)
        assert run(sweep_file(tmp_path, level), store, disks).ok == 1
        (row,) = load(store).observation_rows()
        assert row.predicted_iops == pytest.approx(expected, rel=0.01)
        (trial,) = load(store).trial_rows()
        assert (trial.substrate, trial.disk_iops_limit, trial.status) == ("uml", 200, "ok")
        return [row.iops]

    assert_reaches(measure, [expected], rel=0.15)


def test_telemetry_sees_each_member_at_work(tmp_path, disks):
    run(sweep_file(tmp_path, "raid0"), tmp_path / "store", disks)
    frame = load(tmp_path / "store").telemetry()
    busiest = frame[frame.device != "cpu"].groupby("device").write_iops.max()
    assert sorted(busiest.index) == [disk.name for disk in disks[:4]]
    assert all(0 < value < 300 for value in busiest)
    assert set(frame[frame.device != "cpu"].disk_id) == {disk.id for disk in disks[:4]}


def test_a_trial_during_which_a_disk_dies_is_invalid(tmp_path, disks):
    """fio itself reports status 0 and no error here."""

    def kill_a_disk(event):
        if (event.kind, event.workload) == ("workload", "random-write"):
            (array,) = Path("/sys/block").glob("md*")
            sh("mdadm", "--fail", f"/dev/{array.name}", disks[2].path)

    assert run(sweep_file(tmp_path, "raid5"), tmp_path / "store", disks, kill_a_disk).invalid == 1
    (trial,) = load(tmp_path / "store").trial_rows()
    assert (trial.degraded_before, trial.degraded_after) == (0, 1)
    assert trial.invalid_reasons == ("array degraded after the workloads: 1 member(s) missing",)
    assert signatures_on(disks) == ()


@pytest.mark.parametrize("moment_s", [2.5, 4.0, 5.5])
def test_a_killed_run_is_cleared_and_completed_by_the_next(tmp_path, disks, moment_s):
    path, store = sweep_file(tmp_path, "raid5", "raid10", filesystem="xfs", seconds=1), tmp_path / "store"
    words = [sys.executable, "-m", "bench", "run", path, "--store", store, "--disks", ",".join(d.id for d in disks[:4])]
    process = subprocess.Popen([str(word) for word in words], stderr=subprocess.DEVNULL)
    time.sleep(moment_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    summary = run(path, store, disks)
    assert (summary.ok, summary.planned) == (2, 2)
    assert len(load(store).trial_rows()) == 2
    assert not list(Path("/sys/block").glob("md*"))
    assert signatures_on(disks) == ()
    with Journal(store / "journal.jsonl") as journal:
        assert journal.pending == ()


CONDITIONED = (
    'precondition = { rw = "write", bs = "64k", passes = 1 }\n'
    "steady_state = { round_s = 1, rounds_max = 6 }\n[objective]"
)


def test_rounds_and_preconditioning_come_before_the_measured_run_and_are_kept(tmp_path, disks):
    path = sweep_file(tmp_path, "raid0")
    path.write_text(path.read_text().replace("[objective]", CONDITIONED))
    assert run(path, tmp_path / "store", disks).ok == 1
    (row,) = load(tmp_path / "store").observation_rows()
    (trial,) = load(tmp_path / "store").trial_rows()
    assert 5 <= len(row.steady_rounds) <= 6
    assert max(*row.steady_rounds, row.iops) == pytest.approx(800, rel=0.2)  # a busy host may slow some of them down
    assert (row.steady_metric, row.steady_verdict in {"steady", "drift not excluded"}) == ("iops", True)
    assert "--rw=write" in (row.precondition_command or "")
    assert '"rounds_max": 6' in (row.workload_json or "")
    assert trial.dataset_bytes == 32 << 20
    assert len(load(tmp_path / "store").intervals()) == 3
