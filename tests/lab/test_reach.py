"""What reaches the host from inside, as root of the guest and as a plain program of the sandbox.

A guest whose kernel was taken over is a program of the sandbox: so what a limit is worth is seen there.
STRIPELAB_SCAN_STEP=1 tries every file of the host, which takes the guest long, in place of a sample.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.lab.identity import own_uid
from bench.lab.sandbox import HERE
from tests.lab.conftest import ROOT, SMALL, SYSTEM_PYTHON, USER, by_user

pytestmark = [pytest.mark.lab, pytest.mark.loop, pytest.mark.timeout(1800)]

STEP = os.environ.get("STRIPELAB_SCAN_STEP", "50")
SCAN = Path(__file__).with_name("scan.py").read_text()
CALLS = Path(__file__).with_name("calls.py").read_text()
OF_THE_SANDBOX = {"/dev/null", "/dev/zero", "/dev/full"}
"""Devices that hold nothing of the host; /dev/tty opens only with a terminal."""

PLAIN = """
import os, select, sys
from pathlib import Path
from bench.lab import identity, sandbox
read, write = os.pipe()
share = Path("share").resolve()
uid = identity.for_program([sys.executable], share, [share])
inside = sandbox.Sandbox((share,), 64 << 20, (), (), uid=uid)
command = [sys.executable, "-c", *sys.argv[1:]]
with sandbox.started(inside, command, console=(os.open("/dev/null", os.O_RDONLY), write)) as contained:
    while read in (ready := select.select([read, contained.ended], [], [])[0]) or contained.ended not in ready:
        sys.stdout.write(os.read(read, 65536).decode())
"""
GUEST = f"""
import sys
from pathlib import Path
from bench.lab.guest import Lab
from permutations.workload import LabSpec
with Lab({SMALL!r}, shared=[Path("share").resolve()]) as lab:
    ended = lab.run([sys.executable, "-c", *sys.argv[1:]], timeout_s=1700)
print(ended.console, end="")
sys.exit(ended.status)
"""
MOUNTED = (
    "import os, sys\nos.mkdir('/run/host')\n"
    "assert os.system('mount -t hostfs -o / none /run/host') == 0\nexec(sys.argv.pop(1))\n"
)

By = Callable[..., subprocess.CompletedProcess[str]]


def by_root(folder: Path, *arguments: str, program: str) -> subprocess.CompletedProcess[str]:
    """As root, with an interpreter that may lie in a folder of root's own."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def by_root_with_the_python_of_all(folder: Path, *arguments: str, program: str) -> subprocess.CompletedProcess[str]:
    """As root, with an interpreter that everybody can read."""
    return subprocess.run(
        [SYSTEM_PYTHON, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


WHO = pytest.mark.parametrize("by", [by_root, by_root_with_the_python_of_all, by_user])


@pytest.fixture
def place(public: Path, by: By) -> Path:
    """A folder with a share of the user who runs the lab."""
    if by is not by_user:
        os.chown(public / "share", 0, 0)
    return public


@pytest.fixture
def baits(place: Path) -> Iterator[None]:
    """What a host can have that everybody may write: a file, a FIFO that is read, sockets with a path and without."""
    (place / "file").touch()
    os.mkfifo(place / "fifo")
    with contextlib.ExitStack() as closing:
        closing.callback(os.close, os.open(place / "fifo", os.O_RDONLY | os.O_NONBLOCK))
        for type_ in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            server = closing.enter_context(socket.socket(socket.AF_UNIX, type_))
            server.bind(str(place / f"socket-{type_.name}"))
            if type_ == socket.SOCK_STREAM:
                server.listen()
        for path in place.iterdir():
            if not path.is_dir():
                path.chmod(0o666)
        yield


def scanned(ended: subprocess.CompletedProcess[str]) -> dict[str, list[str]]:
    assert ended.returncode == 0, ended.stderr + ended.stdout
    found = json.loads(ended.stdout.splitlines()[-1])
    sys.stdout.write(f"{found['tried']}\n")
    assert found["tried"]["files"] > 100, found
    assert found["tried"]["folders"] > 100, found
    return found


@WHO
def test_from_the_sandbox_nothing_of_the_host_opens_for_writing_and_no_socket_connects(by, place, baits):
    found = scanned(by(place, SCAN, "/", STEP, f"{HERE}/share", "/dev/shm", program=PLAIN))
    assert set(found["opened"]) <= OF_THE_SANDBOX
    assert found["connected"] == []


@WHO
def test_the_scan_meets_what_was_laid_out_for_it(by, place, baits):
    """So that the scan above is known to look there, where everything is tried."""
    found = json.loads(by(place, SCAN, str(place), "1", program=PLAIN).stdout)
    assert found["tried"]["sockets"] == 2
    assert (found["opened"], found["connected"]) == ([], [])


@WHO
def test_from_the_guest_nothing_of_the_host_opens_for_writing_and_no_socket_connects(by, place, baits):
    words = (MOUNTED, SCAN, "/run/host", STEP, f"/run/host{HERE}/share", "/run/host/dev/shm")
    found = scanned(by(place, *words, program=GUEST))
    assert (found["opened"], found["connected"]) == ([], [])


@WHO
def test_the_kernel_denies_what_reaches_beyond_the_sandbox(by, place):
    ended = by(place, CALLS, f"{HERE}/share/0", program=PLAIN)
    assert ended.returncode == 0, ended.stderr
    worked = {name: result for name, result in json.loads(ended.stdout).items() if result not in {"EPERM", "ENOSYS"}}
    assert worked == {}
    assert [path.name for path in (place / "share").iterdir()] == ["plain"]
    assert (place / "share/plain").stat().st_mode & 0o7777 == 0o755


@WHO
def test_whose_the_guest_is_and_whose_its_files_are(by, place):
    users = {by_root: "0 0", by_root_with_the_python_of_all: f"0 {own_uid()}", by_user: f"{USER} 0"}
    mapped = by(place, "print(*open('/proc/self/uid_map').read().split()[:2])", program=PLAIN)
    assert mapped.stdout == f"{users[by]}\n", mapped.stderr
    share = place / "share"
    program = f"import os; os.chdir({str(share)!r}); os.makedirs('made/deeper'); open('made/file', 'w').write('x')"
    ended = by(place, program, program=GUEST)
    assert ended.returncode == 0, ended.stderr
    assert (share / "made/file").read_text() == "x"
    assert {path.stat().st_uid for path in (share, *share.rglob("*"))} == {USER if by is by_user else 0}
    assert str(place) not in Path("/proc/self/mounts").read_text()


LOOK = f"""
import os, time
share = "{HERE}/share/0"
print("up", flush=True)
while not os.path.exists(share + "/go"):
    time.sleep(0.01)
print(os.listdir(share + "/before"), os.listdir(share + "/after"), flush=True)
try:
    open(share + "/before/sys/vm/swappiness", "r+")
except OSError as failure:
    print(failure.strerror)
"""
MOUNTING = (
    "import subprocess\n"
    + PLAIN.replace(
        "        sys.stdout.write(os.read(read, 65536).decode())",
        """        sys.stdout.write(text := os.read(read, 65536).decode())
        if text == "up\\n":
            subprocess.run(["mount", "-t", "tmpfs", "none", share / "after"], check=True)
            (share / "after/file").touch()
            (share / "go").touch()""",
    )
    + "assert (share / 'before/sys').exists() and (share / 'after/file').exists()\n"
)


@pytest.mark.parametrize("python", [sys.executable, SYSTEM_PYTHON])
def test_what_is_mounted_below_a_share_does_not_come_along_before_or_after(public, python):
    """In a mount namespace of shared mounts, as systemd's are, which ends with what is mounted there."""
    share = public / "share"
    os.chown(share, 0, 0)
    for name in ("before", "after"):
        (share / name).mkdir()
    mount = 'mount -t proc proc share/before && exec "$@"'
    ended = subprocess.run(
        ["unshare", "--mount", "--propagation", "shared", "sh", "-c", mount, "sh", python, "-c", MOUNTING, LOOK],
        cwd=public, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, "up\n[] []\nNo such file or directory\n"), ended.stderr


@pytest.mark.parametrize("by", [by_root_with_the_python_of_all])
def test_a_kept_disk_is_roots_again_also_after_a_kill(by, place):
    kept = GUEST.replace("shared=", "images_dir=Path('images'), shared=")
    killed = kept.replace("import sys\n", "import os, sys\n").replace(
        "timeout_s=1700)", "timeout_s=1700, on_tick=lambda: os.kill(os.getpid(), 9))"
    )
    assert by(place, "import time; time.sleep(1000)", program=killed).returncode == -9
    image = place / "images/LAB0000001.img"
    assert image.stat().st_uid == own_uid()
    for _ in range(200):  # until the sandbox of the killed run has gone, and its lock
        ended = by(place, "open('/dev/ubda', 'wb').write(b'written')", program=kept)
        if "is the disk of another lab" not in ended.stderr:
            break
    assert ended.returncode == 0, ended.stderr
    assert image.stat().st_uid == 0
    with image.open("rb") as disk:
        assert disk.read(7) == b"written"


def test_no_descriptor_but_those_named_and_no_variable_of_ours_gets_in(public):
    os.chown(public / "share", 0, 0)
    program = "import os, sys; print(len(os.listdir('/proc/self/fd')) - 1, *sorted(os.environ))"
    with (public / "share/file").open("w") as open_file:
        os.set_inheritable(open_file.fileno(), True)
        ended = by_root(
            public, program, program=PLAIN.replace("read, write", "os.environ['SECRET'] = 'x'\nread, write")
        )
    count, *names = ended.stdout.split()
    assert int(count) == 3 + 2  # its own three, the two pipes by which it lives
    assert set(names) <= {"HOME", "LC_CTYPE", "OLDPWD", "PATH", "PWD", "SHLVL", "TMPDIR", "_"}


def test_what_the_caller_of_the_lab_has_open_does_not_come_along(public):
    os.chown(public / "share", 0, 0)
    look = (
        "import os, pathlib\nfor each in range(64):\n"
        "    path = pathlib.Path(f'/proc/self/fd/{each}')\n    print(path.readlink() if path.is_symlink() else '')"
    )
    with (public / "canary").open("w") as canary:
        ended = subprocess.run(
            [sys.executable, "-c", PLAIN, look], cwd=public, env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[canary.fileno()], capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "pipe:" in ended.stdout
    assert "canary" not in ended.stdout
