"""Fixtures of the tests of the virtual lab itself; what runs *inside* it is in tests/inside (see tests/in_the_lab.py).

Where the lab is missing these tests fail, and say what to install: only STRIPELAB_NO_LAB=1 skips them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bench.lab.check import problems
from bench.lab.guest import GuestExit, Lab
from permutations.workload import LabSpec

MIB = 1 << 20
SMALL = LabSpec(disks=2, disk_bytes=64 * MIB, memory_bytes=256 * MIB)
BOOT_S = 60.0
"""More than a boot takes on a machine that is busy with other things."""


@pytest.fixture(scope="session", autouse=True)
def the_lab_is_there() -> None:
    missing = problems()
    assert not missing, "\n".join(missing)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "a store, with a comma"
    folder.mkdir()
    return folder


@pytest.fixture
def in_guest(share: Path) -> Callable[..., GuestExit]:
    """Run a shell script in a small lab that may write ``share``; a crash is no error here."""

    def run(script: str, spec: LabSpec = SMALL) -> GuestExit:
        with Lab(spec, shared=[share]) as lab:
            return lab.run(["/bin/sh", "-c", script], timeout_s=BOOT_S, cwd=share, check=False)

    return run


class Harness:
    """A Python process of its own that runs a lab, to be ended from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.family = psutil.Process(process.pid).children(recursive=True)

    def survivors(self, within_s: float = 10.0) -> list[str]:
        """Command lines of those of its processes that are still there after a while."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and any(_alive(child) for child in self.family):
            time.sleep(0.05)
        return [str(child) for child in self.family if _alive(child)]


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def harness(share: Path) -> Iterator[Callable[[str], Harness]]:
    """Start a lab in a process of its own and wait until its program runs."""
    started: list[subprocess.Popen[str]] = []

    def start(arguments: str = "") -> Harness:
        program = (
            "from pathlib import Path\nfrom bench.lab.guest import Lab\nfrom permutations.workload import LabSpec\n"
            f"with Lab({SMALL!r}, shared=[Path({str(share)!r})]{arguments}) as lab:\n"
            "    lab.run(['/bin/sh', '-c', 'echo up; sleep 1000'], timeout_s=1000,"
            " on_console=lambda text: print(text, flush=True))\n"
        )
        root = Path(__file__).parents[2]
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n", process.communicate()[1]
        return Harness(process)

    yield start
    for process in started:
        process.kill()
        process.communicate()
