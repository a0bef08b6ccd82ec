"""Programs that root starts: each row of the table is enough, and each capability in it is needed.

Rows of md, modules and mounts are tried in the virtual lab (tests/inside/test_privileges.py).  Two cannot be tried
without hardware or the sandbox itself: smartctl (NVMe or SCSI disks) and bwrap, which keeps everything.
"""

from __future__ import annotations

import ast
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import checkup, privileges, proc
from bench.engine import Targets
from bench.errors import SigningError, StackError
from bench.fio.engine import FioEngine
from bench.inventory import Disk
from bench.lab.inside import VARIABLE, inside
from bench.privileges import TABLE, Row, setpriv_options
from bench.signing import sign
from bench.stack import filesystems
from permutations.workload import Workload

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: an ordinary user has no capabilities to give up")

BIT = {
    "dac_override": 1,
    "dac_read_search": 2,
    "ipc_lock": 14,
    "sys_module": 16,
    "sys_rawio": 17,
    "sys_admin": 21,
    "sys_nice": 23,
    "mknod": 27,
}
"""Numbers in <linux/capability.h>."""


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Sequence[str]], None]:
    """A function that replaces the capabilities of a row."""

    def replace(program: str, kept: Sequence[str]) -> None:
        monkeypatch.setattr(privileges, "TABLE", {**TABLE, program: Row(tuple(kept), "")})

    return replace


def field(status: str, name: str) -> int:
    found = re.search(rf"^{name}:\s*(\w+)$", status, re.MULTILINE)
    assert found is not None
    return int(found.group(1), 16)


@as_root
@pytest.mark.parametrize("program", [*TABLE, "mkfs.not-listed"])
def test_a_program_has_the_capabilities_of_its_row_and_can_gain_no_other(tmp_path: Path, program: str) -> None:
    stand_in = tmp_path / program
    stand_in.symlink_to("/bin/cat")
    ours = Path("/proc/self/status").read_text()
    row = TABLE.get(program, Row((), ""))
    status = proc.run([stand_in, "/proc/self/status"]).stdout
    if row.capabilities is None:
        assert [field(status, name) for name in ("CapEff", "CapBnd")] == [
            field(ours, name) for name in ("CapEff", "CapBnd")
        ]
        return
    wanted = sum(1 << BIT[name] for name in row.capabilities)
    assert [field(status, f"Cap{name}") for name in ("Prm", "Eff", "Bnd", "Inh", "Amb")] == [wanted] * 3 + [0, 0]
    assert field(status, "NoNewPrivs") == 1


@as_root
def test_the_shown_command_and_the_process_are_those_of_the_program() -> None:
    finished = proc.run(["fio", "--version"])
    assert finished.command == "fio --version"
    child = proc.start(["sleep", "60"])
    try:
        cmdline = Path(f"/proc/{child.pid}/cmdline")
        while cmdline.read_bytes().startswith((b"setpriv", b"/")) or not cmdline.read_bytes():
            time.sleep(0.005)
        assert cmdline.read_bytes() == b"sleep\x0060\x00"
    finally:
        proc.end_family(child, ["sleep"])
        with proc.closing_pipes(child):
            pass


@as_root
def test_a_failure_shows_the_command_without_setpriv() -> None:
    with pytest.raises(StackError, match=r"^dd exited with status 1: dd: failed to open") as caught:
        proc.run(["dd", "if=/nowhere/absent", "of=/dev/null"])
    assert caught.value.command == "dd if=/nowhere/absent of=/dev/null"


def test_an_ordinary_user_gives_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert {setpriv_options(program) for program in TABLE} == {()}


def test_in_the_guest_root_keeps_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "inside", lambda: True)
    assert {setpriv_options(program) for program in TABLE} == {()}


@as_root
def test_the_variable_of_the_guest_alone_makes_no_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    assert not inside()
    assert privileges.gives_up()
    assert setpriv_options("dd")


@as_root
def test_root_without_the_power_to_take_capabilities_away_starts_programs_as_they_are() -> None:
    """Some containers give root no CAP_SETPCAP; setpriv would fail there."""
    ask = "from bench import checkup, proc; print(proc.run(['dd', '--version']).status, checkup.capabilities().ok)"
    words = ["setpriv", "--bounding-set", "-setpcap", "--", sys.executable, "-c", ask]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "0 False\n"
    assert checkup.capabilities().ok


def test_every_program_that_is_started_has_a_row() -> None:
    """Those that begin an argument list: a call of bench.proc has it, or it is of a program that has a package."""
    doors = {"run", "run_on_disks", "start", "run_attended", "require"}
    found = {filesystems.by_name(name).program for name in filesystems.names()}
    for path in (ROOT / "bench").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in doors and node.args:
                found |= {first_word(node.args[0])}
            elif isinstance(node, ast.List | ast.Tuple):
                found |= {first_word(node)} & proc.PACKAGES.keys()
    assert {"mount", "umount", "mdadm", "mkfs.xfs", "fio", "dd"} <= found
    apart = {"", "setpriv", "bash", "perl"}  # setpriv takes capabilities away; the others run in the lab's sandbox
    assert found - apart <= TABLE.keys()


def first_word(node: ast.expr) -> str:
    word = node.elts[0] if isinstance(node, ast.List | ast.Tuple) and node.elts else node
    return word.value if isinstance(word, ast.Constant) and isinstance(word.value, str) else ""


@pytest.mark.parametrize("program", ["mkfs.btrfs", "mkfs.ext4", "mkfs.xfs"])
@pytest.mark.loop
def test_mkfs_and_wipefs_need_what_their_rows_list(
    make_loop: Callable[..., Disk], only: Callable[[str, Sequence[str]], None], program: str
) -> None:
    device = make_loop(320).path
    force = "-F" if program == "mkfs.ext4" else "-f"
    proc.run([program, force, "-q", device])
    proc.run(["wipefs", "--all", "--quiet", device])
    if TABLE[program].capabilities == ("sys_admin",):
        only(program, ())
        with pytest.raises(StackError, match="Permission denied"):
            proc.run([program, force, "-q", device])
    else:
        assert TABLE[program].capabilities == ()


@as_root
def test_a_capability_that_root_lacks_itself_is_not_asked_for() -> None:
    """The nightly service and containers take some away: the program starts with what is left."""
    ask = "from bench import proc; print(proc.run(['fio', '--version']).status)"
    words = ["setpriv", "--bounding-set", "-ipc_lock,-sys_nice", "--", sys.executable, "-c", ask]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "0\n"


@as_root
@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (["--nice=-5"], "sys_nice"),
        (["--prioclass=1", "--prio=1"], "sys_nice"),
        (["--ioengine=io_uring", "--fixedbufs=1", "--iodepth=64", "--bs=1m"], "ipc_lock"),
    ],
)
def test_fio_needs_what_its_row_lists(
    tmp_path: Path, only: Callable[[str, Sequence[str]], None], options: list[str], needed: str
) -> None:
    (tmp_path / "target").write_bytes(bytes(64 * MIB))
    words = ["fio", "--name=x", f"--filename={tmp_path}/target", "--rw=randread", "--size=64m", "--io_size=4m"]
    kept = TABLE["fio"].capabilities or ()
    with memory_locked(8 * MIB):
        proc.run([*words, *options])
        only("fio", [name for name in kept if name != needed])
        with pytest.raises(StackError, match="fio exited with status 1"):
            proc.run([*words, *options])


@contextmanager
def memory_locked(size_bytes: int) -> Iterator[None]:
    """The limit that a root without CAP_IPC_LOCK has on locked memory."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))


def sectors_read(disk: Disk) -> int:
    return int(Path(f"/sys/block/{disk.name}/stat").read_text().split()[2])


@pytest.mark.loop
def test_fio_reads_a_device_cold_although_it_cannot_drop_its_cache(
    make_loop: Callable[..., Disk], tmp_path: Path
) -> None:
    """Its own `invalidate` needs CAP_SYS_ADMIN on a device, and fails without a word."""
    disk = make_loop(64)
    workload = Workload("w", rw="read", bs_bytes=MIB, direct=False, io_size_bytes=32 * MIB)
    with disk.path.open("rb") as held:
        held.read(64 * MIB)  # cached, and kept so by the open device
        before = sectors_read(disk)
        FioEngine().run(workload, Targets(((disk.path,),), 64 * MIB, device=True), scratch=tmp_path, timeout_s=60)
        assert (sectors_read(disk) - before) * 512 >= 32 * MIB


@pytest.mark.parametrize("program", ["mkfs.btrfs", "mkfs.ext4", "mkfs.xfs", "wipefs", "dd", "fio"])
@pytest.mark.loop
def test_a_program_opens_a_device_by_a_descriptor_of_ours(make_loop: Callable[..., Disk], program: str) -> None:
    """And not by our own /proc/PID/fd, which is closed to whoever has fewer capabilities (ptrace(2))."""
    device = make_loop(320).path
    descriptor = os.open(device, os.O_PATH)
    words = {
        "mkfs.ext4": ["-F", "-q", "@"],
        "wipefs": ["--all", "@"],
        "dd": ["if=/dev/zero", "of=@", "bs=4096", "count=1", "conv=notrunc,nocreat"],
        "fio": ["--name=x", "--filename=@", "--rw=write", "--size=1m"],
    }.get(program, ["-f", "-q", "@"])
    try:
        inherited = [word.replace("@", f"/proc/self/fd/{descriptor}") for word in words]
        finished = proc.run([program, *inherited], descriptors=(descriptor,))
        assert finished.argv == (program, *(word.replace("@", str(device)) for word in words)), "it can be pasted"
        other = [word.replace("@", f"/proc/{os.getpid()}/fd/{descriptor}") for word in words]
        with pytest.raises(StackError):
            proc.run([program, *other], descriptors=(descriptor,))
    finally:
        os.close(descriptor)


@pytest.fixture
def of_another(tmp_path: Path) -> Path:
    """A folder of another user, closed to everybody else."""
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    return folder


@pytest.mark.loop
def test_losetup_attaches_a_file_in_a_folder_of_another_user_and_dd_writes_to_it(
    of_another: Path, only: Callable[[str, Sequence[str]], None]
) -> None:
    file = of_another / "attached.img"
    file.write_bytes(bytes(8 * MIB))
    words = ["losetup", "--find", "--show", "--nooverlap", "--direct-io=on", str(file)]
    device = proc.run(words).stdout.strip()
    try:
        proc.run(["dd", "if=/dev/zero", f"of={device}", "bs=1M", "count=4", "oflag=direct", "conv=notrunc,nocreat"])
    finally:
        proc.run(["losetup", "--detach", device])
    only("losetup", ())
    with pytest.raises(StackError, match="Permission denied"):
        proc.run(words)
    assert TABLE["dd"].capabilities == ()


@as_root
def test_root_signs_with_the_key_of_another_user_in_their_folder(
    of_another: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, file = of_another / "id", of_another / "manifest.json"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    file.write_text("{}")
    for path in (key, file):
        os.chown(path, NOBODY, NOBODY)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert sign(key, file).is_file()
    file.with_name("manifest.json.sig").unlink()
    monkeypatch.setattr(privileges, "OTHERS_FILES", "sys_nice")
    with pytest.raises(SigningError, match="ssh-keygen exited with status 255"):
        sign(key, file)


@as_root
def test_a_file_of_another_user_is_opened_only_where_it_was_named(of_another: Path) -> None:
    theirs = of_another / "data"
    theirs.write_bytes(bytes(4096))
    os.chown(theirs, NOBODY, NOBODY)
    theirs.chmod(0o600)
    words = ["dd", f"if={theirs}", "of=/dev/null"]
    proc.run(words, opening=[theirs])
    with pytest.raises(StackError, match="Permission denied"):
        proc.run(words)
    with pytest.raises(StackError, match="Permission denied"):
        proc.run(words, opening=[ROOT / "absent", Path("/dev/null"), Path("/etc/passwd")])


POWERS = """
import ctypes, errno, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
folder, theirs, process = sys.argv[1:]

def call(function, *arguments):
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")

def mount():
    call(libc.mount, b"none", folder.encode(), b"tmpfs", 0, None)
    call(libc.umount, folder.encode())

attempts = {
    "mount": mount,
    "module": lambda: call(libc.syscall, 176, b"stripelab_no_such_module", 0),  # delete_module
    "node": lambda: os.mknod(folder + "/node", 0o060600, os.makedev(7, 250)),
    "parent's memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb"),
    "parent's descriptors": lambda: os.readlink(f"/proc/{os.getppid()}/fd/0"),
    "clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME)),
    "host name": lambda: socket.sethostname(socket.gethostname()),
    "file of another": lambda: open(theirs, "rb"),
    "ownership": lambda: os.chown(folder, 65534, 65534),
    "signal": lambda: os.kill(int(process), 0),
    "chroot": lambda: os.chroot("/"),
    "packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "namespace": lambda: call(libc.unshare, 0x00020000),
    "kernel log": lambda: call(libc.klogctl, 2 + 7, None, 0),
    "real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    "user": lambda: os.setuid(65534),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except OSError as failure:
        if failure.errno in {errno.EPERM, errno.EACCES, errno.ENOSYS}:
            continue
    print(name)
"""
"""Prints each power that the kernel did not refuse; what an attempt does changes nothing where it succeeds."""
ALLOWED = {"dd": set(), "fio": {"real time", "priority"}, "mkfs.not-listed": set(), "wipefs": set()}


@as_root
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of system calls are those of x86-64")
@pytest.mark.parametrize("program", ALLOWED)
def test_the_kernel_refuses_what_a_program_is_not_for(of_another: Path, tmp_path: Path, program: str) -> None:
    theirs = of_another / "file"
    theirs.touch(mode=0o600)
    stand_in = tmp_path / program
    stand_in.write_text(f"#!{sys.executable}\n{POWERS}")
    stand_in.chmod(0o755)
    (tmp_path / "folder").mkdir()
    other = subprocess.Popen(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "sleep", "60"])
    try:
        while f"Uid:\t{NOBODY}" not in Path(f"/proc/{other.pid}/status").read_text():
            time.sleep(0.005)
        said = proc.run([stand_in, tmp_path / "folder", theirs, str(other.pid)]).stdout.splitlines()
    finally:
        other.kill()
        other.wait()
    assert set(said) == ALLOWED[program]


def test_the_document_lists_the_rows_of_the_table() -> None:
    text = (ROOT / "docs" / "privileges.md").read_text(encoding="utf-8")
    table = text.partition("| Program |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.MULTILINE))
    assert rows == {program: f"{capabilities(row)} | {row.purpose}" for program, row in TABLE.items()}


def capabilities(row: Row) -> str:
    if row.capabilities is None:
        return "all"
    return ", ".join(f"`CAP_{name.upper()}`" for name in row.capabilities) or "none"
