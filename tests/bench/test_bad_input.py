"""What a user gets for bad input and bad luck: one clear message, its exit status, nothing lost, no traceback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from bench.errors import (
    BusyError,
    DiskRefusedError,
    MissingToolError,
    StoreError,
    SweepFileError,
    TrialsFailedError,
)
from bench.stack import loops
from results.store.folder import Store
from tests.bench.conftest import sh
from tests.chaos.sweeps import LOOP_SWEEP

LOOPS = ("--loop", "2", "--loop-size", "512MiB")


def command(*words) -> list[str]:
    return [sys.executable, "-m", "bench", *(str(word) for word in words)]


def refused(*words, status, within=()) -> str:
    """Run a command that must fail in words; returns what it said."""
    argv = [*within, *command(*words)]
    finished = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == status, f"{finished.returncode}: {finished.stdout}{finished.stderr}"
    assert "Traceback" not in finished.stdout + finished.stderr
    assert "next: " in finished.stderr
    return finished.stderr


@pytest.fixture
def sweep(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(LOOP_SWEEP.replace("replicates = 3", "replicates = 1"))
    return path


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("read_ahead_kib", "read_ahed_kib", "did you mean read_ahead_kib"),
        ('level = ["jbod"]', 'level = ["raid6"]', "raid6"),
        ('"ext4", "xfs"', '"ext5"', "ext4"),
        ("runtime_s = 1", 'runtime_s = "soon"', "runtime_s"),
        ("[factors]", "[factors", "sweep.toml:7"),
    ],
)
def test_a_wrong_sweep_file(sweep, store, old, new, said):
    sweep.write_text(sweep.read_text().replace(old, new))
    assert said in refused("run", sweep, "--store", store, *LOOPS, status=SweepFileError.status)
    assert not store.exists()


def test_a_sweep_file_that_is_not_there(tmp_path, store):
    refused("run", tmp_path / "none.toml", "--store", store, "--lab", status=SweepFileError.status)


@pytest.mark.loop
@pytest.mark.parametrize("program", ["fio", "mkfs.xfs", "wipefs"])
def test_a_missing_tool_names_its_package(sweep, store, program):
    path = sh("sh", "-c", f"command -v {program}").strip()
    hide = f'mount --bind /dev/null $(realpath {path}) && exec "$@"'
    said = refused(
        "run", sweep, "--store", store, *LOOPS, status=MissingToolError.status,
        within=["unshare", "--mount", "sh", "-c", hide, "sh"],
    )  # fmt: skip
    assert f"{program} is not installed" in said
    assert "apt-get install" in said


@pytest.mark.loop
def test_a_disk_with_a_signature_is_not_touched(sweep, store, make_loop):
    given, precious = make_loop(512), make_loop(512)
    sh("mkfs.ext4", "-q", "-U", "12345678-1234-1234-1234-123456789abc", precious.path)
    said = refused(
        "run", sweep, "--store", store, "--disks", f"{given.id},{precious.id}", status=DiskRefusedError.status
    )
    assert precious.id in said
    assert "12345678-1234-1234-1234-123456789abc" in sh("blkid", "-p", precious.path)
    assert Store.open(store).trial_ids() == set()


@pytest.mark.loop
def test_typing_the_serial_once_more_gives_it_up(sweep, store, make_loop):
    disks = [make_loop(512), make_loop(512)]
    sh("mkfs.ext4", "-q", disks[1].path)
    names = ",".join(disk.id for disk in disks)
    finished = subprocess.run(
        command("run", sweep, "--store", store, "--disks", names, "--erase", disks[1].id), check=False
    )
    assert finished.returncode == 0
    assert len(Store.open(store).trial_ids({"ok"})) == 4


@pytest.mark.loop
def test_too_few_disks_is_said_before_anything_is_written(sweep, store, make_loop):
    only = make_loop(512)
    assert "needs 2 disks" in refused(
        "run", sweep, "--store", store, "--disks", only.id, status=DiskRefusedError.status
    )


@pytest.mark.loop
def test_a_full_store_keeps_what_was_measured_and_resumes(sweep, tmp_path, make_loop):
    names = ",".join(make_loop(512).id for _ in range(2))
    small = tmp_path / "small"
    small.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "size=192k", "none", small)
    try:
        store = small / "store"
        refused("run", sweep, "--store", store, "--disks", names, status=StoreError.status)
        kept = Store.open(store).trial_ids({"ok"})
        assert 0 < len(kept) < 4
        sh("mount", "-o", "remount,size=8m", small)
        assert subprocess.run(command("run", sweep, "--store", store, "--disks", names), check=False).returncode == 0
        assert kept < Store.open(store).trial_ids({"ok"})
        assert len(Store.open(store).trial_ids({"ok"})) == 4
    finally:
        sh("umount", small)


@pytest.mark.loop
def test_other_workloads_do_not_mix_with_what_is_in_the_store(sweep, store):
    assert subprocess.run(command("run", sweep, "--store", store, *LOOPS), check=False).returncode == 0
    sweep.write_text(sweep.read_text().replace('bs = "4k"', 'bs = "8k"'))
    assert "cannot be compared" in refused("run", sweep, "--store", store, *LOOPS, status=StoreError.status)


@pytest.mark.loop
def test_a_second_run_on_the_same_store_is_told_to_wait(sweep, store):
    first = subprocess.Popen(command("run", sweep, "--store", store, *LOOPS), stderr=subprocess.DEVNULL)
    try:
        while not (store / "journal.jsonl").exists():
            time.sleep(0.05)
        time.sleep(0.5)
        refused("run", sweep, "--store", store, *LOOPS, status=BusyError.status)
    finally:
        first.send_signal(signal.SIGINT)
        first.wait()
    assert loops.attached(store) == ()


def working_fio(parent: int) -> psutil.Process:
    """The fio that drives a workload, once it runs."""
    while True:
        for child in psutil.Process(parent).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name() == "fio" and "--output-format=json+" in child.cmdline():
                    return child
        time.sleep(0.02)


@pytest.mark.loop
def test_an_engine_that_is_killed_fails_its_trial_and_nothing_else(sweep, store):
    run = subprocess.Popen(command("run", sweep, "--store", store, *LOOPS), stderr=subprocess.PIPE, text=True)
    working_fio(run.pid).kill()
    _, said = run.communicate(timeout=120)
    assert run.returncode == TrialsFailedError.status, said
    opened = Store.open(store)
    assert (len(opened.trial_ids({"ok"})), len(opened.trial_ids({"failed"}))) == (3, 1)
    listed = json.loads(subprocess.run(command("status", store, "--json"), check=True, capture_output=True).stdout)
    (failed,) = listed["not_ok"]
    assert "fio" in failed["command"]
    again = subprocess.run(command("run", sweep, "--store", store, *LOOPS, "--retry-failed"), check=False)
    assert again.returncode == 0
    assert len(Store.open(store).trial_ids({"ok"})) == 4


def test_where_to_run_must_be_said(sweep, store):
    finished = subprocess.run(
        command("run", sweep, "--store", store), capture_output=True, text=True, check=False, env=os.environ
    )
    assert finished.returncode == 2
    assert "--lab" in finished.stderr


def test_a_folder_that_is_no_store(tmp_path):
    for verb in ("status", "recommend"):
        assert "no result store" in refused(verb, tmp_path, status=StoreError.status)
