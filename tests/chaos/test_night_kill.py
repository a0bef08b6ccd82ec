"""SIGKILL at random moments of a night: the next call goes on with it, and no earlier night is touched.

The night is one whose screen sounds (the five nights before it were made to be far faster), so that the moments fall on
its trials, on the screen, on the confirmation and on the outcome: one is drawn in each of as many equal parts of an
undisturbed night.  Few of those fall on the milliseconds in which something is committed, so some are aimed there.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from bench.errors import BusyError
from results.nightly import answer
from results.store.folder import Store
from results.store.query import load
from results.store.schema import FRESH, NIGHT, TrialRow
from tests.bench.nightly.past import NIGHTS, TONIGHT, past_nights
from tests.chaos.test_kill import family, kill_at, moments, named_after, nothing_is_left, outlived

KILLS = int(os.environ.get("CHAOS_NIGHT_KILLS", "0"))
"""Random kills in the lab, and every aimed one there; without any there is one aimed kill on loop files."""

ATTEMPTS = 5
"""Nights that are tried for an aim: of what lasts less than a millisecond one is missed now and then."""

LOG = logging.getLogger(__name__)
LAB = ("--lab",)
LOOP = ("--loop", "2", "--loop-size", "64MiB")
SWEEP = """
[sweep]
name = "chaos-night"
seed = 7
replicates = 2
[factors]
level = ["LEVEL"]
disks = [2]
chunk_kib = [64]
filesystem = ["raw"]
[[workload]]
name = "random-read"
rw = "randread"
bs = "4k"
iodepth = 4
runtime_s = 1
[dataset]
files = 2
file_size = "4MiB"
[lab]
disks = 2
disk_size = "256MiB"
profile = "hdd"
"""


def command(sweep: Path, store: Path, *where: str) -> list[str]:
    words = [sys.executable, "-m", "bench", "nightly", str(sweep), "--store", str(store), *where, "--json"]
    return [*words, "--night", TONIGHT, "--baseline-nights", "5"]


def start(sweep: Path, store: Path, *where: str) -> subprocess.Popen[bytes]:
    argv = command(sweep, store, *where)
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("night-*")}


def measured(store: Path) -> dict[str, TrialRow]:
    """Trials of tonight that are committed."""
    return {row.trial_id: row for row in load(store).trial_rows() if row.night == TONIGHT}


def goes_on(sweep: Path, store: Path, *where: str) -> None:
    """The next call ends the night, with every trial once and everything from before as it was."""
    there, pinned = measured(store), (store / "baselines.jsonl")
    baselines = pinned.read_bytes() if pinned.exists() else b""
    ended = subprocess.run(command(sweep, store, *where), capture_output=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    found = json.loads(ended.stdout)
    assert (found["night"], found["complete"], found["problems"]) == (TONIGHT, True, [])
    throughput = {each["word"] for each in found["verdicts"] if each["metric"]["figure"] == "iops"}
    assert throughput == {answer.DRIFT}
    assert found["baseline"]["name"] == "first"
    assert pinned.read_bytes().startswith(baselines)
    assert Store.open(store).set_aside == ()
    rows = measured(store)
    tonight = [(row.night_role, row.block, row.status) for row in rows.values()]
    expected = [(NIGHT, block, "ok") for block in range(2)] + [(FRESH, block, "ok") for block in range(4)]
    assert sorted(tonight) == sorted(expected)
    assert {name: rows[name] for name in there} == there, "what was measured was measured again"
    assert (store / "nights" / f"{TONIGHT}.json").exists()
    assert not (store / "nights" / f"{TONIGHT}.began").exists()


def killed_on(
    aim: Callable[[Path], bool], process: subprocess.Popen[bytes], store: Path
) -> list[psutil.Process] | None:
    """SIGKILL the harness as soon as the store shows what is aimed at; returns what it had started, None if it ended.

    Some of it lasts less than a millisecond, and this process is not always on a CPU then.
    """
    while not aim(store) and process.poll() is None:
        time.sleep(0.0002)
    if process.poll() is not None:
        said = process.communicate()[1].decode()
        assert process.returncode == 0, said  # else it ended by itself, too early
        return None
    os.kill(process.pid, signal.SIGKILL)  # first of all: what it had started dies, or is looked for, after it
    process.communicate()
    return named_after(store) if process.returncode == -signal.SIGKILL else None


def _trials(count: int) -> Callable[[Path], bool]:
    """So many trials of tonight are committed."""
    return lambda store: len(list((store / "trials").glob("[!.]*.parquet"))) >= len(NIGHTS) + count


AIMS: Mapping[str, Callable[[Path], bool]] = {
    "the beginning is noted": lambda store: (store / "nights" / f"{TONIGHT}.began").exists(),
    "the baseline is pinned": lambda store: any(store.glob("*baselines.jsonl*")),
    "a trial is written": lambda store: any((store / "trials").glob(".*.tmp")),
    "the first trial is there": _trials(1),
    "the last trial but those that confirm is there": _trials(2),
    "the last trial is there": _trials(6),
    "the outcome is written": lambda store: any((store / "nights").glob(f".{TONIGHT}.json.*.tmp")),
    "the outcome is there": lambda store: (store / "nights" / f"{TONIGHT}.json").exists(),
}


def stage(store: Path) -> str:
    """How far a night had come, for the record."""
    over = (store / "nights" / f"{TONIGHT}.json").exists()
    return f"{len(measured(store))} of 6 trials, outcome {'written' if over else 'not written'}"


def prepare(folder: Path, substrate: str) -> tuple[Path, Path]:
    """A sweep, and a store with its fast nights; no kernel of ours has md but that of the lab."""
    sweep, store = folder / "sweep.toml", folder / "store"
    sweep.write_text(SWEEP.replace("LEVEL", "raid0" if substrate == "uml" else "jbod"))
    past_nights(store, sweep, substrate, lambda number: 60_000_000.0 + 1e5 * number)
    return sweep, store


@pytest.fixture
def prepared(tmp_path):
    return prepare(tmp_path, "uml")


@pytest.fixture(scope="module")
def undisturbed_s(tmp_path_factory):
    """How long a night takes that nobody disturbs: kills are spread over that."""
    sweep, store = prepare(tmp_path_factory.mktemp("undisturbed"), "uml")
    began_s = time.monotonic()
    goes_on(sweep, store, *LAB)
    return time.monotonic() - began_s


def nothing_is_lost(sweep, store, before, killed, *where):
    """After a kill, and again when the night has gone on, the history is what it was."""
    assert outlived(killed, store) == [], "something outlived its harness"
    assert contents(store) == before
    LOG.info("killed at: %s", stage(store))
    goes_on(sweep, store, *where)
    assert contents(store) == before
    nothing_is_left(store)


@pytest.mark.lab
@pytest.mark.parametrize("share", moments(KILLS, 1.0))
def test_killing_a_night(prepared, undisturbed_s, share):
    sweep, store = prepared
    before = contents(store)
    process = start(sweep, store, *LAB)
    started = kill_at(share * undisturbed_s, process)
    assert process.returncode in (-signal.SIGKILL, 0), "neither killed nor at its end before"
    nothing_is_lost(sweep, store, before, started, *LAB)


def killed_as(aim, folder, substrate, *where):
    """A night that is killed at what is aimed at loses nothing; where the aim was missed, another night is tried.

    Whether one of them was hit.
    """
    for attempt in range(ATTEMPTS):
        place = folder / f"night-{attempt}"
        place.mkdir()
        sweep, store = prepare(place, substrate)
        before = contents(store)
        started = killed_on(AIMS[aim], start(sweep, store, *where), store)
        if started is not None:
            nothing_is_lost(sweep, store, before, started, *where)
            return True
    return False


@pytest.mark.lab
@pytest.mark.parametrize("aim", AIMS if KILLS else ())
def test_killing_a_night_as(tmp_path, aim):
    assert killed_as(aim, tmp_path, "uml", *LAB)


@pytest.mark.loop
def test_killing_a_night_on_loop_files_as_its_outcome_is_written(tmp_path):
    assert killed_as("the outcome is written", tmp_path, "loop", *LOOP)


@pytest.mark.lab
def test_a_second_night_on_the_same_store_leaves_at_once_with_its_own_status(prepared):
    sweep, store = prepared
    first = start(sweep, store, *LAB)
    began = store / "nights" / f"{TONIGHT}.began"
    while not began.exists() and first.poll() is None:  # a loaded machine takes its time to start a program
        with contextlib.suppress(subprocess.TimeoutExpired):
            first.communicate(timeout=0.2)
    second = subprocess.run(command(sweep, store, *LAB), capture_output=True, timeout=60, check=False)
    assert second.returncode == BusyError.status
    assert json.loads(second.stdout)["error"]["class"] == "BusyError"
    assert first.poll() is None
    started = family(first)
    first.kill()
    first.communicate()
    assert outlived(started, store) == []
