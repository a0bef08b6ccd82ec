"""Attacks on disks, undo, raw loads and the command line by somebody who did not write the checks; all of them hold."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import inventory, probes
from bench.acts import FolderAct, LoopAct, MountAct, trial_folder
from bench.cli.option_checks import split_list
from bench.content import signatures
from bench.errors import DiskRefusedError, StackError
from bench.journal import Journal, recover
from bench.lease import find, open_lease
from bench.safety.checks import refusals
from bench.safety.describe import Question, describe
from bench.stack import loops
from bench.stack.build import undo_table
from bench.trial import undo_folder
from tests.bench.conftest import sh

pytestmark = pytest.mark.loop
MIB = 1 << 20

SWEEP = """
[sweep]
name = "attack"
seed = 1

[factors]
level = ["jbod"]
disks = [1]
filesystem = ["ext4"]
layout = ["flat"]

[dataset]
files = 4
file_size = "{file_size}"

[[workload]]
name = "w"
rw = "randread"
bs = "4k"
runtime_s = 1
"""


def checks_of(disk, **options) -> set[str]:
    (found,) = describe([inventory.read(disk.name)], Question(**options)).values()
    return {each.check for each in refusals(found)}


def stripelab(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **variables},
    )


@pytest.fixture
def sweep(tmp_path):
    """A function that writes a sweep file."""

    def write(file_size: str = "1MiB") -> Path:
        file = tmp_path / "sweep.toml"
        file.write_text(SWEEP.format(file_size=file_size))
        return file

    return write


@pytest.fixture
def tmpfs(tmp_path):
    """A function that mounts a tmpfs of its own."""
    with ExitStack() as stack:

        def mount(options: str = "size=64m") -> Path:
            folder = tmp_path / "tmpfs"
            folder.mkdir()
            sh("mount", "-t", "tmpfs", "-o", options, "none", folder)
            stack.callback(sh, "umount", "--lazy", folder)
            return folder

        yield mount


@pytest.fixture
def attach():
    """A function that attaches a file as a loop device, detached at the end."""
    with ExitStack() as stack:

        def attach(*given: object):
            device = sh("losetup", "--find", "--show", *given).strip()
            stack.callback(sh, "losetup", "--detach", device)
            return inventory.read(Path(device).name)

        yield attach


def pending(store: Path) -> list[str]:
    with Journal(store / "journal.jsonl") as journal:
        return [entry.act.kind for entry in journal.pending]


# Names that are none.


@pytest.mark.parametrize("spelled", ["", " ", "*", "loop:", "{id} ", "{id}/", "{id}x", "{short}", "{name}", "{path}"])
def test_what_is_no_identity_erases_nothing_and_finds_nothing(make_loop, spelled):
    disk = make_loop()
    sh("mkfs.ext4", "-q", disk.path)
    text = spelled.format(id=disk.id, short=disk.id[:-1], name=disk.name, path=disk.path)
    assert "signature" in checks_of(disk, erase=[text])
    with pytest.raises(DiskRefusedError):
        find(text)


def test_another_disk_is_not_given_up_with_this_one(make_loop):
    disk, other = make_loop(), make_loop()
    for each in (disk, other):
        sh("mkfs.ext4", "-q", each.path)
    assert "signature" in checks_of(disk, erase=[other.id, other.id, ""])
    assert "signature" in checks_of(other, erase=split_list(f" , {disk.id} ,, "))


# Odd disks.

LABELS = (
    b'"',
    b"\\",
    b"\\x41",
    b'"\\',
    b"\\\xff",
    b"\\\\xff",
    b"\x1b]0;x\x07",
    b"\xed\xa0\x80",
    b"}]}",
    b"\xe2\x80\xae",
)


def swap_header(label: bytes) -> bytes:
    """What mkswap(8) writes, with this label."""
    header = bytearray(4096)
    struct.pack_into("<III", header, 1024, 1, 2000, 0)
    header[1036:1052] = bytes(range(1, 17))
    header[1052:1068] = label.ljust(16, b"\0")[:16]
    header[4086:] = b"SWAPSPACE2"
    return bytes(header)


def test_no_label_hides_a_signature(make_loop):
    disk = make_loop(8)
    dice = random.Random(7)
    drawn = [bytes(dice.choice(b'\\"x\xffA\x1b\xc3\x80u0d') for _ in range(16)) for _ in range(40)]
    for label in (*LABELS, *drawn):
        with disk.path.open("r+b", buffering=0) as file:
            file.write(swap_header(label))
            assert [each.type for each in signatures([(disk.name, file.fileno())])] == ["swap"], label


@pytest.mark.parametrize("size_bytes", [512, 4608, 2 * MIB + 512, 7 << 60], ids=str)
def test_disks_of_odd_sizes_are_sampled_to_their_ends(tmpfs, attach, size_bytes):
    file = tmpfs() / "disk"
    file.touch()
    os.truncate(file, size_bytes)
    disk = attach(file)
    assert checks_of(disk) == set()
    with disk.path.open("r+b", buffering=0) as device:
        device.seek(size_bytes - 1)
        device.write(b"x")
    assert "blank" in checks_of(disk)


# What a crash left, changed by somebody before it is taken back.


@pytest.fixture
def recovering(tmp_path):
    """A function that journals acts as a run that died, and takes them back as the next one."""
    store = tmp_path / "store"
    store.mkdir()
    folder = trial_folder(store, "attack")

    def recovered(*acts) -> None:
        with Journal(store / "journal.jsonl") as journal:
            for act in acts:
                journal.begin(act)
        with Journal(store / "journal.jsonl") as journal, open_lease([], store=store, journal=journal) as lease:
            recover(journal, {**undo_table(lease), FolderAct: lambda entry: undo_folder(entry, store)})

    yield store, folder, recovered
    shutil.rmtree(folder, ignore_errors=True)


def test_a_link_in_the_place_of_the_scratch_folder(tmp_path, recovering):
    _, folder, recovered = recovering
    canary = tmp_path / "canary"
    canary.mkdir()
    (canary / "precious").touch()
    folder.mkdir(parents=True)
    (folder / "scratch").symlink_to(canary)
    with pytest.raises(StackError, match="cannot be removed"):
        recovered(FolderAct(str(folder)))
    assert (canary / "precious").exists()


def test_a_link_to_a_mount_in_the_place_of_a_mount_point(tmpfs, recovering):
    _, folder, recovered = recovering
    foreign = tmpfs()
    (foreign / "precious").touch()
    folder.mkdir(parents=True)
    (folder / "mnt0").symlink_to(foreign)
    with pytest.raises(StackError, match="cannot be removed"):
        recovered(MountAct(str(folder / "mnt0")))
    assert foreign.is_mount()
    assert (foreign / "precious").exists()


def test_several_mounts_on_one_point(recovering):
    _, folder, recovered = recovering
    point = folder / "mnt0"
    point.mkdir(parents=True)
    for _ in range(3):
        sh("mount", "-t", "tmpfs", "none", point)
    recovered(FolderAct(str(folder)), MountAct(str(point)))
    assert not any(str(folder) in mount.mount_point for mount in probes.mounts())
    assert not folder.exists()


def test_files_below_a_mount_point_are_kept(recovering):
    _, folder, recovered = recovering
    (folder / "mnt0").mkdir(parents=True)
    (folder / "mnt0" / "precious").touch()
    with pytest.raises(StackError, match="cannot be removed"):
        recovered(MountAct(str(folder / "mnt0")))
    assert (folder / "mnt0" / "precious").exists()


def test_a_loop_file_that_the_user_mounted_meanwhile(tmp_path, recovering):
    store, _, recovered = recovering
    file = store / loops.FOLDER / "disk1.img"
    file.parent.mkdir()
    file.touch()
    os.truncate(file, 32 * MIB)
    sh("mkfs.ext4", "-q", file)
    point = tmp_path / "point"
    point.mkdir()
    sh("mount", "-o", "loop", file, point)
    try:
        (point / "precious").write_text("kept")
        recovered(LoopAct("disk1.img"))
        assert (point / "precious").read_text() == "kept"
    finally:
        sh("umount", point)


# Whole runs.


def test_a_disk_that_fails_in_the_middle(tmpfs, attach, tmp_path, sweep):
    """Its file lies sparse on a file system that is full soon: every write beyond is an I/O error."""
    file = tmpfs("size=40m") / "disk"
    file.touch()
    os.truncate(file, 400 * MIB)
    disk, store = attach(file), tmp_path / "store"
    ended = stripelab("run", sweep("32MiB"), "--store", store, "--disks", disk.id)
    assert ended.returncode == 13, ended.stderr
    assert pending(store) == []
    assert checks_of(disk) <= {"blank"}


def test_a_store_that_is_full_resumes_when_there_is_room(tmpfs, make_loop, sweep):
    disk = make_loop()
    folder = tmpfs("size=200k")
    store = folder / "store"
    store.mkdir()
    (folder / "fill").write_bytes(bytes(150 << 10))
    asked = ("run", sweep(), "--store", store, "--disks", disk.id)
    full = stripelab(*asked)
    assert full.returncode == 8, full.stderr
    assert "no space left" in full.stderr
    (folder / "fill").unlink()
    assert stripelab(*asked).returncode == 0
    assert pending(store) == []


def started(*arguments: object, until: str, store: Path) -> subprocess.Popen[bytes]:
    """A run that has journalled an act of this kind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    journal = store / "journal.jsonl"
    for _ in range(600):
        if journal.exists() and f'"kind":"{until}"' in journal.read_text():
            return process
        assert process.poll() is None
        time.sleep(0.05)
    pytest.fail(f"the run journalled no {until}")


def test_signals_that_come_while_it_clears_up(tmp_path, sweep):
    store = tmp_path / "store"
    asked = ("run", sweep(), "--store", store, "--loop", 1, "--loop-size", "64MiB")
    process = started(*asked, until="mount", store=store)
    for _ in range(30):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.02)
    process.wait(timeout=60)
    assert stripelab(*asked).returncode == 0
    assert set(pending(store)) <= {"taken"}  # its loop file is gone, which the next run finds out
    assert loops.attached(store) == ()
    assert not any(mount.mount_point.startswith(str(trial_folder(store, ""))) for mount in probes.mounts())


# Loads outside a sweep.


@pytest.mark.parametrize(
    ("verb", "form"), [("native", "link"), ("native", "last"), ("native", "node"), ("crosscheck", "last")]
)
def test_a_device_among_the_files_is_not_written_to(make_loop, tmp_path, verb, form):
    disk = make_loop(4)
    file, link, node = tmp_path / "file", tmp_path / "link", tmp_path / "node"
    file.write_bytes(bytes(4 * MIB))
    link.symlink_to(disk.path)
    os.mknod(node, 0o600 | 0o060000, os.makedev(*map(int, disk.device_number.split(":"))))
    files = {"link": [link], "last": [file, link], "node": [file, node]}[form]
    asked = [verb, "--overwrite", "--rw", "write", *files]
    asked += ["--io-size", "64k"] if verb == "native" else ["--runtime-s", "1", "--rounds", "2"]
    ended = stripelab(*asked)
    assert ended.returncode == 5, ended.stderr
    assert checks_of(disk) == set()
    assert file.read_bytes() == bytes(4 * MIB)


def test_a_load_larger_than_its_file_does_not_grow_it(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(MIB))
    asked = ["--rw", "write", "--direct", "0", "--bs", "4k", "--size", "8M", "--io-size", "8M"]
    stripelab("native", "--overwrite", *asked, file)
    assert file.stat().st_size == MIB


# The environment.


ODD_PLACES = {"TMPDIR": "/proc", "HOME": "/nonexistent", "TERM": "../../../etc/passwd"}
ODD_TEXT = {"LC_ALL": "xx_YY", "COLUMNS": "1000000000", "PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error"}


@pytest.mark.parametrize("variables", [ODD_PLACES, ODD_TEXT], ids=["places", "text"])
def test_an_odd_environment_ends_nothing(make_loop, variables):
    disk = make_loop()
    sh("mkfs.ext4", "-q", "-L", "ü“\x1b", disk.path)
    ended = stripelab("disks", **variables)
    assert ended.returncode == 0, ended.stderr
    assert disk.name in ended.stdout
    assert "\x1b" not in ended.stdout
