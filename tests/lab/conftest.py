"""Fixtures of the tests of the virtual lab itself; what runs *inside* it is in tests/inside (see tests/in_the_lab.py).

Where the lab is missing these tests fail, and say what to install: only STRIPELAB_NO_LAB=1 skips them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bench import proc
from bench.lab.check import problems
from bench.lab.guest import GuestExit, Lab
from permutations.workload import LabSpec

MIB = 1 << 20
SMALL = LabSpec(disks=2, disk_bytes=64 * MIB, memory_bytes=256 * MIB)
ROOT = Path(__file__).parents[2]
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


USER = 12321
"""An ordinary user: nobody would not do, since that is what root is in a user's sandbox."""

SYSTEM_PYTHON = "/usr/bin/python3"
"""Every user can read it."""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that an ordinary user can reach, with a copy of the packages in it."""
    folder = Path("/var/tmp") / f"stripelab-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    for package in ("bench", "permutations", "results", "stripelab"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "share").mkdir()
    os.chown(folder / "share", USER, USER)
    yield folder
    shutil.rmtree(folder)


LAB_SCRIPT = """
import sys
from pathlib import Path
from bench.lab.guest import Lab
from permutations.workload import LabSpec
with Lab(LabSpec(disks=4, disk_bytes=64 << 20, memory_bytes=256 << 20), shared=[Path("share").resolve()]) as lab:
    ended = lab.run(["/bin/sh", "-c", sys.argv[1]], timeout_s=60, cwd=Path("share").resolve())
print(ended.console, end="")
sys.exit(ended.status)
"""


def by_user(folder: Path, *arguments: str, program: str = LAB_SCRIPT) -> subprocess.CompletedProcess[str]:
    """Run the lab, or another ``program``, as an ordinary user, with the system's Python."""
    become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all"]
    return subprocess.run(
        [*become, SYSTEM_PYTHON, "-c", program, *arguments],
        cwd=folder,
        env={"PATH": proc.SYSTEM_PATH, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


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
