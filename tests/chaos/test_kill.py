"""SIGKILL at random moments: the next run completes the sweep, and nothing is left behind.

``make chaos`` does the whole number of kills, ``make test`` a few; CHAOS_KILLS sets it by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.acts import trial_folder
from bench.errors import LabError
from bench.stack import loops
from results.store.folder import Store
from tests.chaos.sweeps import LAB_SWEEP, LOOP_SWEEP, PLANNED_LAB, PLANNED_LOOP

SEED = 20261122
LAB_KILLS = int(os.environ.get("CHAOS_KILLS", "2"))
GUEST_KILLS = int(os.environ.get("CHAOS_GUEST_KILLS", "1"))
LOOP_KILLS = int(os.environ.get("CHAOS_LOOP_KILLS", "3"))
LAB_RUN_S = 16.0
LOOP_RUN_S = 22.0
"""About how long an undisturbed run takes: kills are spread over it."""


def moments(kills: int, span_s: float) -> list[float]:
    """Moments of the kills: one drawn at random in each of as many equal parts of the run."""
    chance = random.Random(SEED)
    return [(number + chance.random()) * span_s / kills for number in range(kills)]


def start(sweep: Path, store: Path, *where: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "bench", "run", str(sweep), "--store", str(store), *where, "--json"]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def complete(sweep: Path, store: Path, planned: int, *where: str) -> None:
    """A run to the end, whose store must hold exactly the planned trials, each whole."""
    process = start(sweep, store, *where)
    stdout, stderr = process.communicate(timeout=240)
    assert process.returncode == 0, stderr.decode()
    summary = json.loads(stdout)
    assert (summary["ok"], summary["complete"]) == (planned, True)
    opened = Store.open(store)
    assert len(opened.trial_ids()) == planned
    assert opened.set_aside == ()
    for table in ("observations", "telemetry"):
        assert {path.stem for path in opened.files(table)} == opened.trial_ids()


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All that the harness has started and that still runs."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def named_after(store: Path) -> list[psutil.Process]:
    """Processes with the store on their command line."""
    found = psutil.process_iter(["pid", "cmdline"])
    return [each for each in found if str(store) in " ".join(each.info["cmdline"] or []) and each.pid != os.getpid()]


def outlived(processes: list[psutil.Process], store: Path) -> list[psutil.Process]:
    """Which of them are still there after the kernel had a moment to carry the killed away."""
    return psutil.wait_procs([*processes, *named_after(store)], timeout=10)[1]


def kill_at(moment_s: float, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """SIGKILL the harness at that moment (it may have ended before); returns what it had started."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=moment_s)
    started = family(process)
    process.kill()
    process.communicate()
    return started


def nothing_is_left(store: Path) -> None:
    assert outlived([], store) == []
    assert loops.attached(store) == ()
    own = trial_folder(store, "")
    assert str(own) not in Path("/proc/self/mounts").read_text()
    assert not list(store.rglob("*.img"))
    assert list(own.parent.glob(f"{own.name}*")) == []


@pytest.mark.lab
@pytest.mark.parametrize("moment_s", moments(LAB_KILLS, LAB_RUN_S))
def test_killing_the_harness_of_a_lab_sweep(tmp_path, moment_s):
    sweep, store = tmp_path / "sweep.toml", tmp_path / "store"
    sweep.write_text(LAB_SWEEP)
    started = kill_at(moment_s, start(sweep, store, "--lab"))
    assert outlived(started, store) == [], "the lab outlived its harness"
    complete(sweep, store, PLANNED_LAB, "--lab")
    nothing_is_left(store)


@pytest.mark.lab
@pytest.mark.parametrize("moment_s", moments(GUEST_KILLS, LAB_RUN_S))
def test_killing_the_guest(tmp_path, moment_s):
    sweep, store = tmp_path / "sweep.toml", tmp_path / "store"
    sweep.write_text(LAB_SWEEP)
    process = start(sweep, store, "--lab")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=moment_s)
    started = family(process)
    groups = set()
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(child.pid))
    for group in groups - {os.getpgid(0), os.getpgid(process.pid) if process.poll() is None else 0}:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode in {0, LabError.status}, stderr.decode()
    assert b"Traceback" not in stderr
    assert outlived(started, store) == []
    complete(sweep, store, PLANNED_LAB, "--lab")
    nothing_is_left(store)


@pytest.mark.loop
@pytest.mark.parametrize("moment_s", moments(LOOP_KILLS, LOOP_RUN_S))
def test_killing_the_harness_on_loop_files(tmp_path, moment_s):
    """Here the kernel lives on: mounts, loop devices and half-made filesystems are really left behind."""
    sweep, store = tmp_path / "sweep.toml", tmp_path / "store"
    sweep.write_text(LOOP_SWEEP)
    where = ("--loop", "2", "--loop-size", "512MiB")
    started = kill_at(moment_s, start(sweep, store, *where))
    engines = [each for each in started if each.is_running() and each.name() in {"fio", "dd"}]
    assert psutil.wait_procs(engines, timeout=10)[1] == [], "an engine outlived its harness"
    complete(sweep, store, PLANNED_LOOP, *where)
    nothing_is_left(store)


@pytest.mark.lab
def test_asked_to_stop_a_lab_sweep_leaves_no_lab_behind(tmp_path):
    sweep, store = tmp_path / "sweep.toml", tmp_path / "store"
    sweep.write_text(LAB_SWEEP)
    process = start(sweep, store, "--lab")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=9)
    started = family(process)
    assert started
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr.decode()
    assert b"resumes" in stderr
    assert outlived(started, store) == []
    nothing_is_left(store)


@pytest.mark.loop
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_clears_up_at_once(tmp_path, number):
    sweep, store = tmp_path / "sweep.toml", tmp_path / "store"
    sweep.write_text(LOOP_SWEEP)
    process = start(sweep, store, "--loop", "2", "--loop-size", "512MiB")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=5)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr.decode()
    assert b"resumes" in stderr
    nothing_is_left(store)
