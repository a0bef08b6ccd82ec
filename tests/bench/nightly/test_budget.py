"""A night whose time budget runs out, on loop files: it ends between trials, says so, and the next one goes on."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench.errors import IncompleteNightError
from bench.stack import loops
from results.nightly import answer
from results.store.query import load
from tests.bench.nightly.past import NIGHTS, TONIGHT, past_nights

POINTS, RUNTIME_S = 7, 2
BUDGET_S = POINTS * RUNTIME_S
"""As long as the workloads alone would run, so that there is not time enough for all trials on any machine."""

SWEEP = f"""
[sweep]
name = "hurried"
seed = 7
[factors]
level = ["jbod"]
disks = [1]
filesystem = ["raw"]
read_ahead_kib = {[64 + 32 * number for number in range(POINTS)]}
[[workload]]
name = "random-read"
rw = "randread"
bs = "4k"
iodepth = 1
runtime_s = {RUNTIME_S}
[dataset]
files = 1
file_size = "4MiB"
"""


def apart(number):
    """Figures so far apart that whatever this machine does is within them."""
    return 10.0 ** (2 + number)


def night(sweep, store, name, *more):
    argv = [sys.executable, "-m", "bench", "nightly", str(sweep), "--store", str(store), "--loop", "1"]
    argv += ["--loop-size", "64MiB", "--night", name, "--baseline-nights", str(len(NIGHTS)), "--json", *map(str, more)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=200, check=False)


@pytest.mark.loop
def test_a_night_that_runs_out_of_time_judges_what_it_measured_and_says_what_it_did_not(tmp_path):
    sweep, store, junit = tmp_path / "sweep.toml", tmp_path / "store", tmp_path / "junit.xml"
    sweep.write_text(SWEEP)
    past_nights(store, sweep, "loop", apart)

    hurried = night(sweep, store, TONIGHT, "--budget", BUDGET_S / 3600, "--junit", junit)
    assert hurried.returncode == IncompleteNightError.status, hurried.stderr
    assert f"the night {TONIGHT} is incomplete" in hurried.stderr
    found = json.loads(hurried.stdout)
    measured = {row.point_id for row in load(store).trial_rows() if row.night == TONIGHT}
    assert {row.status for row in load(store).trial_rows()} == {"ok"}, "it ends between trials"
    assert 1 <= len(measured) < POINTS
    assert (found["complete"], found["baseline"]["name"]) == (False, "first")
    missing = POINTS - len(measured)
    assert found["problems"][0] == f"{missing} of {POINTS} trials were not run: the time budget was spent"
    assert len(found["problems"]) == 1 + missing, "each point that was not measured is named"
    words = {each["metric"]["point_id"]: (each["word"], each["reason"]) for each in found["verdicts"]}
    assert {point for point, (word, _) in words.items() if word == answer.OK} == measured
    assert {told for point, told in words.items() if point not in measured} == {
        (answer.NO_VERDICT, "the time budget was spent before a trial of it could begin")
    }
    assert 'errors="1"' in junit.read_text()
    assert loops.attached(store) == ()

    again = night(sweep, store, TONIGHT, "--budget", 1)
    assert (again.returncode, json.loads(again.stdout)) == (hurried.returncode, found), "what is over stays as it was"

    following = night(sweep, store, "2026-03-07", "--budget", 1)
    assert following.returncode == 0, following.stderr
    found = json.loads(following.stdout)
    assert (found["complete"], found["problems"]) == (True, [])
    assert {each["word"] for each in found["verdicts"]} == {answer.OK}
    assert len({each["metric"]["point_id"] for each in found["verdicts"]}) == POINTS
