"""Loop files as disks, for tests that need something to refuse or to destroy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import inventory
from bench.acts import trial_folder
from bench.inventory import Disk
from bench.journal import Journal

MIB = 1 << 20


def sh(*argv: object) -> str:
    """Run a program of the test's own; its output, or the test fails with what it said."""
    finished = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"{argv}: {finished.stdout}{finished.stderr}"
    return finished.stdout


@pytest.fixture
def make_loop(tmp_path: Path) -> Iterator[Callable[..., Disk]]:
    """A function that attaches a fresh file as a loop device; all are detached at the end."""
    devices: list[str] = []

    def make(size_mib: int = 64, *options: str) -> Disk:
        file = tmp_path / f"loop{len(devices)}.img"
        file.write_bytes(b"")
        os.truncate(file, size_mib * MIB)
        device = sh("losetup", "--find", "--show", *options, file).strip()
        devices.append(device)
        disk = inventory.read(Path(device).name)
        assert disk is not None
        return disk

    yield make
    for device in devices:
        subprocess.run(["losetup", "--detach", device], check=False, capture_output=True)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of the test's own."""
    with Journal(tmp_path / "journal.jsonl") as opened:
        yield opened


@pytest.fixture
def attach():
    """A function that attaches a loop device to a path; all are detached at the end."""
    with ExitStack() as stack:

        def attached(*words: object) -> str:
            device = sh("losetup", "--find", "--show", *words).strip()
            stack.callback(subprocess.run, ["losetup", "--detach", device], check=False, capture_output=True)
            return device

        yield attached


@pytest.fixture
def run_folder(tmp_path: Path) -> Iterator[Path]:
    """Where a trial of the test's own has its mount points; it is empty at the end."""
    folder = trial_folder(tmp_path, "test")
    folder.mkdir(mode=0o700, parents=True)
    yield folder
    folder.rmdir()
