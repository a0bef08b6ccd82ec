"""Whatever ends the harness, nothing of the lab is left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.lab.guest import Lab
from tests.lab.conftest import SMALL

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_harness_leaves_nothing(harness, share, deadly):
    mounts = Path("/proc/self/mounts").read_text()
    running = harness()
    names = {Path(child.exe()).name for child in running.family}
    assert names == {"bwrap", "linux.uml"}
    running.process.send_signal(deadly)
    running.process.wait(timeout=20)
    assert running.survivors() == []
    assert list(share.iterdir()) == []
    assert Path("/proc/self/mounts").read_text() == mounts
    if deadly == signal.SIGINT:
        assert "KeyboardInterrupt" in running.process.communicate()[1]


@pytest.mark.parametrize("victim", ["bwrap", "linux.uml"])
def test_a_kill_of_the_sandbox_or_the_kernel_is_a_crash(harness, victim):
    running = harness()
    next(child for child in running.family if Path(child.exe()).name == victim).kill()
    _, said = running.process.communicate(timeout=30)
    assert "LabError: the virtual lab's guest crashed" in said
    assert running.survivors() == []


def test_the_lock_of_a_named_image_ends_with_the_lab_that_was_killed(harness, share, tmp_path):
    folder = tmp_path / "images"
    running = harness(f", images_dir=Path({str(folder)!r})")
    running.process.kill()
    assert running.survivors() == []
    with Lab(SMALL, shared=[share], images_dir=folder):
        pass


@pytest.mark.parametrize("after_s", [0.0, 0.004, 0.008, 0.015, 0.03, 0.06, 0.3, 1.0])
def test_a_kill_at_the_start_leaves_nothing(harness, share, after_s):
    """Also in the moment between the start of the sandbox and its being tied to the harness."""
    program = (
        "import os, signal, sys, threading\nfrom pathlib import Path\nfrom bench.lab import guest, sandbox\n"
        "from permutations.workload import LabSpec\n"
        "spawn = sandbox._spawn\n"
        "def spied(*arguments):\n"
        "    pid = spawn(*arguments)\n"
        "    print(pid, flush=True)\n"
        f"    threading.Timer({after_s}, os.kill, (os.getpid(), signal.SIGKILL)).start() if {after_s} "
        "else os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return pid\n"
        "sandbox._spawn = spied\n"
        f"with guest.Lab({SMALL!r}, [Path({str(share)!r})]) as lab:\n"
        "    lab.run(['sleep', '1000'], timeout_s=1000)\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    outer = int(ended.stdout)
    deadline = time.monotonic() + 20

    def left():
        """Processes of the session that the sandbox was started in, and the guests without a harness."""
        found = []
        for process in psutil.process_iter(["name", "ppid", "pid", "status"]):
            ours = process.info["pid"] == outer or process.info["ppid"] == outer
            if ours and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.info)
        return found

    while left() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left() == []
