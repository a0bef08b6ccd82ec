"""SIGKILL at random moments of a night: the next call goes on with it, and no earlier night is touched.

The night is one whose screen sounds (five nights before it were made to be far faster), so that the moments fall on
its trials, on the screen, on the confirmation and on the outcome.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.campaign import PROTOCOL_FILE
from bench.errors import BusyError
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.night import watched
from permutations.sweep import Sweep
from results.nightly import answer
from results.query import load
from results.schema import FRESH, NIGHT
from results.store import Store
from tests.chaos.test_kill import family, kill_at, moments, nothing_is_left, outlived
from tests.results import synthetic

KILLS = int(os.environ.get("CHAOS_NIGHT_KILLS", "0"))
RUN_S = 30.0
"""About how long an undisturbed night takes, confirmation included: kills are spread over it."""

BEFORE = [f"2026-03-0{number}" for number in range(1, 6)]
TONIGHT = "2026-03-06"
SWEEP = """
[sweep]
name = "chaos-night"
seed = 7
replicates = 2
[factors]
level = ["raid0"]
disks = [3]
chunk_kib = [64]
filesystem = ["raw"]
[[workload]]
name = "random-read"
rw = "randread"
bs = "4k"
iodepth = 4
runtime_s = 1
[dataset]
files = 3
file_size = "4MiB"
[lab]
disks = 3
disk_size = "256MiB"
profile = "hdd"
"""


def fast_nights(store: Path, sweep: Path) -> None:
    """Five nights of the same point and a hundred times its figures."""
    opened = Store.create(store)
    opened.put_environment(synthetic.environment("uml"))
    (store / "sweep.toml").write_text(SWEEP)
    laid_out = watched(make_plan(Sweep.load(sweep, vocabulary())))
    (store / PROTOCOL_FILE).write_text(f"{laid_out.sweep.protocol_id}\n")
    (point,) = laid_out.points
    for number, night in enumerate(BEFORE):
        plan = synthetic.Plan([], substrate="uml", workload="random-read")
        row = synthetic.trial(plan, dict(point.settings), 0, 0)
        row = replace(row, trial_id=f"night-{number}", point_id=point.id, night=night, night_role=NIGHT)
        opened.append(row, [synthetic.observation(plan, row, 60_000.0 + 100 * number, "read", None)])


def command(sweep: Path, store: Path) -> list[str]:
    words = [sys.executable, "-m", "bench", "nightly", str(sweep), "--store", str(store), "--lab", "--json"]
    return [*words, "--night", TONIGHT, "--baseline-nights", "5"]


def start(sweep: Path, store: Path) -> subprocess.Popen[bytes]:
    argv = command(sweep, store)
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("night-*")}


def goes_on(sweep: Path, store: Path) -> None:
    """The next call ends the night, with every trial once and everything from before as it was."""
    ended = subprocess.run(command(sweep, store), capture_output=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    found = json.loads(ended.stdout)
    assert (found["night"], found["complete"], found["problems"]) == (TONIGHT, True, [])
    assert {each["word"] for each in found["verdicts"]} == {answer.DRIFT}
    assert found["baseline"]["name"] == "first"
    opened = Store.open(store)
    assert opened.set_aside == ()
    rows = load(store).trial_rows()
    tonight = [(row.night_role, row.block, row.status) for row in rows if row.night == TONIGHT]
    expected = [(NIGHT, block, "ok") for block in range(2)] + [(FRESH, block, "ok") for block in range(4)]
    assert sorted(tonight) == sorted(expected)
    assert (store / "nights" / f"{TONIGHT}.json").exists()
    assert not (store / "nights" / f"{TONIGHT}.began").exists()


@pytest.fixture
def prepared(tmp_path):
    sweep, store = tmp_path / "sweep.toml", tmp_path / "store"
    sweep.write_text(SWEEP)
    fast_nights(store, sweep)
    return sweep, store


@pytest.mark.lab
@pytest.mark.timeout(600)
@pytest.mark.parametrize("moment_s", moments(KILLS, RUN_S))
def test_killing_a_night(prepared, moment_s):
    sweep, store = prepared
    before = contents(store)
    started = kill_at(moment_s, start(sweep, store))
    assert outlived(started, store) == [], "the lab outlived its harness"
    assert contents(store) == before
    goes_on(sweep, store)
    assert contents(store) == before
    nothing_is_left(store)


@pytest.mark.lab
@pytest.mark.timeout(300)
def test_a_second_night_on_the_same_store_leaves_at_once_with_its_own_status(prepared):
    sweep, store = prepared
    first = start(sweep, store)
    began = store / "nights" / f"{TONIGHT}.began"
    while not began.exists() and first.poll() is None:  # a loaded machine takes its time to start a program
        with contextlib.suppress(subprocess.TimeoutExpired):
            first.communicate(timeout=0.2)
    second = subprocess.run(command(sweep, store), capture_output=True, timeout=60, check=False)
    assert second.returncode == BusyError.status
    assert json.loads(second.stdout)["error"]["class"] == "BusyError"
    assert first.poll() is None
    started = family(first)
    first.kill()
    first.communicate()
    assert outlived(started, store) == []
