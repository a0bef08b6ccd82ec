"""``stripelab lab``, as a user calls it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from bench.errors import LabError

ROOT = Path(__file__).parents[2]
SMALL = ["--disks", "2", "--disk-size", "64MiB", "--memory", "256MiB"]
STRIPELAB = [sys.executable, "-m", "bench", "lab"]
WAIT_S = 60.0


def stripelab_lab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STRIPELAB, *words], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@pytest.mark.lab
def test_exec_returns_the_status_and_prints_the_console():
    ended = stripelab_lab("exec", *SMALL, "--", "sh", "-c", "cat /sys/block/ubdb/serial; echo; exit 3")
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "LAB0000002\n", "")


@pytest.mark.lab
def test_exec_as_json():
    ended = stripelab_lab("exec", *SMALL, "--json", "--", "sh", "-c", "echo said; exit 3")
    assert ended.returncode == 3
    assert json.loads(ended.stdout) == {"status": 3, "console": "said\n"}


@pytest.mark.lab
def test_exec_shares_a_folder_and_keeps_its_disks(tmp_path):
    images = tmp_path / "images"
    words = ["exec", *SMALL, "--share", str(tmp_path), "--images", str(images)]
    written = stripelab_lab(*words, "--", "sh", "-c", f"echo kept >{tmp_path}/file; printf kept >/dev/ubda")
    assert written.returncode == 0, written.stderr
    assert (tmp_path / "file").read_text() == "kept\n"
    assert stripelab_lab(*words, "--", "head", "--bytes=4", "/dev/ubda").stdout == "kept"


@pytest.mark.lab
def test_exec_takes_further_modules():
    assert "dm_dust" in stripelab_lab("exec", *SMALL, "--module", "dm-dust", "--", "cat", "/proc/modules").stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["exec", "--disks", "17", "--", "true"], LabError.status, "16 disks at most"),
        (["exec", "--disk-size", "huge", "--", "true"], 2, "huge is not a size"),
        (["exec", "--share", "/no/such/folder", "--", "true"], 2, "does not exist"),
        (["exec"], 2, "Missing argument"),
        (["shell"], LabError.status, "needs a terminal"),
    ],
)
def test_bad_input_is_one_message(words, status, said):
    ended = stripelab_lab(*words)
    assert ended.returncode == status
    assert said in " ".join(ended.stderr.split())
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


class Terminal:
    """A terminal with ``stripelab lab shell`` on it."""

    def __init__(self) -> None:
        self.pid, self.ours = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execv(sys.executable, [*STRIPELAB, "shell", *SMALL])
        self.resize(24, 80)
        self.seen = ""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def keys(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def until(self, text: str) -> None:
        """Read until ``text`` is on the screen, then forget what came before it."""
        deadline = time.monotonic() + WAIT_S
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.ours], [], [], 1)[0]:
                self.seen += os.read(self.ours, 4096).decode(errors="replace")
        self.seen = self.seen.partition(text)[2]

    def status(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def terminal():
    opened = Terminal()
    yield opened
    os.close(opened.ours)


@pytest.mark.lab
def test_the_shell_is_a_prompt_with_the_disks_attached(terminal):
    before = termios.tcgetattr(terminal.ours)
    terminal.until("2 disks, /dev/ubda to /dev/ubdb")
    terminal.until(":/# ")
    terminal.keys("echo $((6*7)) $(cat /sys/block/ubda/serial) $(stty size)\r")
    terminal.until("42 LAB0000001 24 80")
    terminal.resize(50, 132)
    terminal.keys("until [ \"$(stty size)\" = '50 132' ]; do sleep 0.1; done; echo re''sized\r")
    terminal.until("resized")
    terminal.keys("sh -c 'echo wait''ing; exec sleep 1000'\r")
    terminal.until("waiting")
    terminal.keys("\x03")
    terminal.until(":/# ")
    terminal.keys("exit 7\r")
    assert terminal.status() == 7
    assert termios.tcgetattr(terminal.ours) == before


@pytest.mark.lab
def test_a_panic_in_the_shell_is_told_and_the_terminal_is_put_back(terminal):
    before = termios.tcgetattr(terminal.ours)
    terminal.until(":/# ")
    terminal.keys("echo c >/proc/sysrq-trigger\r")
    terminal.until("the virtual lab's guest crashed")
    terminal.until("Kernel panic")
    assert terminal.status() == LabError.status
    assert termios.tcgetattr(terminal.ours) == before
