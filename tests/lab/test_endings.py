"""Whatever ends the harness, nothing of the lab is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.errors import LabError
from bench.lab import sandbox
from bench.lab.guest import Lab
from tests.lab.conftest import SMALL

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_harness_leaves_nothing(harness, share, deadly):
    running = harness()
    names = {Path(child.exe()).name for child in running.family}
    assert names == {"bwrap", "bash", "linux.uml"}
    running.process.send_signal(deadly)
    running.process.wait(timeout=20)
    assert running.survivors() == []
    assert list(share.iterdir()) == []
    assert share.name.replace(" ", r"\040") not in Path("/proc/self/mounts").read_text()
    if deadly == signal.SIGINT:
        assert "KeyboardInterrupt" in running.process.communicate()[1]


@pytest.mark.parametrize("victim", ["bwrap", "bash", "linux.uml"])
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


@pytest.mark.parametrize("after_ms", [0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 50, 300, 1000])
def test_a_kill_at_the_start_leaves_nothing(share, after_ms):
    """Also in the moments when the sandbox is being made, and none of its parts knows of the others yet."""
    program = (
        "import os, signal, threading\nfrom pathlib import Path\nfrom bench.lab import guest, sandbox\n"
        "from permutations.workload import LabSpec\n"
        "def die():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "spawn = sandbox._spawn\n"
        "def spied(*arguments):\n"
        "    pid = spawn(*arguments)\n"
        f"    threading.Timer({after_ms / 1000}, die).start() if {after_ms} else die()\n"
        "    return pid\n"
        "sandbox._spawn = spied\n"
        f"with guest.Lab({SMALL!r}, [Path({str(share)!r})]) as lab:\n"
        "    lab.run(['sleep', '1000'], timeout_s=1000)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    deadline = time.monotonic() + 20
    while (left := sandboxes_of(share)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


@pytest.mark.parametrize("after_ms", [0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 50, 300, 1000])
def test_a_kill_of_the_whole_group_at_the_start_is_a_crash(share, monkeypatch, after_ms):
    spawn = sandbox._spawn

    def spied(*arguments):
        pid = spawn(*arguments)
        time.sleep(after_ms / 1000)
        os.killpg(pid, signal.SIGKILL)
        return pid

    monkeypatch.setattr(sandbox, "_spawn", spied)
    with Lab(SMALL, [share]) as lab, pytest.raises(LabError, match="guest crashed"):
        lab.run(["sleep", "1000"], timeout_s=1000)
    assert sandboxes_of(share) == []


def sandboxes_of(folder):
    """Bubblewraps that share this folder, wherever in the tree of processes they are."""
    return [
        process.info
        for process in psutil.process_iter(["pid", "ppid", "name", "cmdline", "status"])
        if process.info["name"] == "bwrap" and str(folder) in (process.info["cmdline"] or ())
    ]
