"""Attacks on the lab that its limits hold off: odd disk images, and what a program of the sandbox asks of the host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.errors import LabError
from bench.lab import images
from bench.lab.guest import Lab
from bench.lab.sandbox import HERE
from tests.lab.conftest import BOOT_S, MIB, ROOT, SMALL
from tests.lab.test_reach import PLAIN

CANARY = b"canary" * 1000
IMAGE = "LAB0000001.img"


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A file that is not ours, and a loop device on it."""
    file = tmp_path / "foreign"
    file.write_bytes(CANARY)
    os.truncate(file, MIB)
    attach = ["losetup", "--find", "--show", str(file)]
    device = subprocess.run(attach, capture_output=True, text=True, check=True).stdout.strip()
    yield file, device
    subprocess.run(["losetup", "--detach", device], check=True)


def _node(kind: str) -> Callable[[Path, str], None]:
    def make(place: Path, device: str) -> None:
        number = Path(device).stat().st_rdev if kind == "b" else os.makedev(1, 5)
        subprocess.run(["mknod", place, kind, str(os.major(number)), str(os.minor(number))], check=True)

    return make


ODD_IMAGES: dict[str, Callable[[Path, str], None]] = {
    "another node of a disk": _node("b"),
    "a device without an end": _node("c"),
    "a link to a disk": lambda place, device: place.symlink_to(device),
    "a link to nothing": lambda place, _: place.symlink_to(place.parent / "made"),
    "a FIFO": lambda place, _: os.mkfifo(place),
    "a folder": lambda place, _: place.mkdir(),
}


@pytest.mark.loop
@pytest.mark.parametrize("odd", ODD_IMAGES)
def test_what_lies_where_a_kept_disk_should_is_refused_and_stays_as_it_is(tmp_path, foreign, odd):
    file, device = foreign
    folder = tmp_path / "images"
    folder.mkdir()
    ODD_IMAGES[odd](folder / IMAGE, device)
    with (
        pytest.raises(LabError, match="cannot make a disk image"),
        images.opened(1, MIB, images_dir=folder, scratch=tmp_path),
    ):
        pytest.fail("the disk must not be there")
    assert file.read_bytes()[: len(CANARY)] == CANARY
    assert [path.name for path in folder.iterdir()] == [IMAGE]


def test_one_file_under_the_names_of_two_disks_is_refused(tmp_path):
    (tmp_path / IMAGE).touch()
    (tmp_path / "LAB0000002.img").hardlink_to(tmp_path / IMAGE)
    with (
        pytest.raises(LabError, match="another hard link"),
        images.opened(2, MIB, images_dir=tmp_path, scratch=tmp_path),
    ):
        pytest.fail("the disks must not be there")


@pytest.mark.lab
def test_a_header_of_a_layered_disk_does_nothing_while_the_guest_runs(in_guest):
    """Of every version, in either byte order, the disk closed and looked at again by the guest's kernel."""
    versions = [rf"OOOM\0\0\0\00{version}" for version in (1, 2, 3)]
    versions += [rf"MOOO\00{version}\0\0\0" for version in (1, 2, 3)]
    headers = " ".join(f"'{version}'" for version in versions)
    ended = in_guest(
        f'for header in {headers}; do printf "$header/etc/passwd" >/dev/ubda; blockdev --flushbufs /dev/ubda; '
        "blockdev --rereadpt /dev/ubda; head -c 4 /dev/ubda; cat /sys/block/ubda/size; done"
    )
    size = SMALL.disk_bytes // 512
    assert ended.console.split() == [f"OOOM{size}"] * 3 + [f"MOOO{size}"] * 3


@pytest.mark.lab
def test_a_guest_that_leads_the_name_of_its_own_disk_elsewhere(share, tmp_path):
    """The folder of kept disks is shared: the guest can rename in it, and the next lab follows no link."""
    canary = tmp_path / "canary"
    canary.write_bytes(CANARY)
    with Lab(SMALL, shared=[share], images_dir=share) as lab:
        lab.run(["ln", "-sf", canary, share / IMAGE], timeout_s=BOOT_S)
    assert (share / IMAGE).is_symlink()
    with pytest.raises(LabError, match="cannot make a disk image"), Lab(SMALL, shared=[share], images_dir=share):
        pytest.fail("the lab must not be there")
    assert canary.read_bytes() == CANARY


ASK = f"""
import ctypes, fcntl, json, os, struct, sys
share, host = "{HERE}/share/0", sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    if libc.syscall(*words) < 0:
        raise OSError(ctypes.get_errno(), "")
def flags(path, value):
    fcntl.ioctl(os.open(path, os.O_RDONLY), 0x40086602, struct.pack("l", value))
asked = {{
    "a link of a host's file": lambda: os.link(host, share + "/linked"),
    "a share's file renamed out": lambda: os.rename(share + "/set-id", host + ".new"),
    "truncate": lambda: os.truncate(host, 0),
    "times": lambda: os.utime(host),
    "remove": lambda: os.remove(host),
    "mode": lambda: os.chmod(host, 0o666),
    "owner": lambda: os.chown(host, 1, 1),
    "owner of a shared file": lambda: os.chown(share + "/set-id", 1, 1),
    "flags of a host's file": lambda: flags(host, 0x40),
    "append-only in the share": lambda: flags(share + "/set-id", 0x20),
    "immutable in the share": lambda: flags(share + "/set-id", 0x10),
    "FIFO": lambda: os.mkfifo(share + "/fifo"),
    "attribute removed": lambda: os.removexattr(share + "/set-id", "security.capability"),
    "a better priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    "real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "real-time disk class": lambda: call(251, 1, 0, 1 << 13),
    "a signal to a process of the host": lambda: os.kill(int(sys.argv[2]), 0),
    "tracing a process of the host": lambda: call(101, 16, int(sys.argv[2]), 0, 0),
    "memory of a process of the host": lambda: open(f"/proc/{{sys.argv[2]}}/mem", "r+b"),
    "descriptor of a process of the host": lambda: os.pidfd_open(int(sys.argv[2])),
    "a core pattern": lambda: open("/proc/sys/kernel/core_pattern", "w"),
}}
worked = []
for name, ask in asked.items():
    try:
        ask()
    except OSError:
        continue
    worked.append(name)
os.pwrite(os.open(share + "/set-id", os.O_RDWR), b"written", 0)
print(json.dumps([len(asked), worked]))
"""


@pytest.mark.lab
@pytest.mark.loop
def test_a_program_of_the_sandbox_asks_in_vain(tmp_path):
    """As root, with a file of root's beside the share; a shared file that is written loses its set-user-ID bit."""
    (tmp_path / "share").mkdir()
    set_id, host = tmp_path / "share/set-id", tmp_path / "host"
    set_id.write_bytes(b"program")
    set_id.chmod(0o4755)
    host.write_bytes(CANARY)
    before = host.stat()
    ended = subprocess.run(
        [sys.executable, "-c", PLAIN, ASK, str(host), str(os.getpid())],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    count, worked = json.loads(ended.stdout.splitlines()[-1])
    assert (count, worked) == (21, [])
    assert host.read_bytes() == CANARY
    after = host.stat()
    assert (after.st_mode, after.st_uid, after.st_nlink, after.st_mtime_ns) == (
        before.st_mode, before.st_uid, 1, before.st_mtime_ns)  # fmt: skip
    assert set_id.read_bytes() == b"written"
    assert set_id.stat().st_mode & 0o7777 == 0o755
    assert sorted(path.name for path in (tmp_path / "share").iterdir()) == ["set-id"]
