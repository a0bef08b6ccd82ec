"""Disks that must be refused though no list of the kernel's says so at first sight, each made on loop devices."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import inventory
from bench.inventory import Disk
from tests.bench.conftest import sh
from tests.bench.safety.test_checks import checks_of, reasons

pytestmark = pytest.mark.loop
MIB = 1 << 20
IMPORTS = "import ctypes, mmap, os, socket, sys, threading, time"


@pytest.fixture
def running():
    """A function that runs Python code in a process of its own until the test ends; it prints ready first."""
    with ExitStack() as stack:

        def start(code: str) -> subprocess.Popen[str]:
            program = f"{IMPORTS}\n{code}\nprint('ready', flush=True)\ntime.sleep(600)"
            process = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            return process

        yield start


def backing(disk: Disk) -> Path:
    assert disk.id is not None
    return Path(disk.id.removeprefix("loop:"))


def node(disk: Disk, path: Path) -> Path:
    """Another device node of a disk."""
    major, minor = map(int, disk.device_number.split(":"))
    os.mknod(path, 0o600 | 0o060000, os.makedev(major, minor))
    return path


@pytest.fixture
def partition():
    """A function that has the kernel list a partition from 8 MiB on, as where it knows a table that wipefs does not."""
    with ExitStack() as stack:

        def add(disk: Disk) -> Path:
            sh("addpart", disk.path, 1, 8 * MIB // 512, 32 * MIB // 512)
            stack.callback(_delete, disk)
            return Path(f"{disk.path}p1")

        yield add


def _delete(disk: Disk) -> None:
    """A process that was killed gives its io_uring back a moment later, and only then the partition."""
    for _ in range(100):
        if subprocess.run(["delpart", disk.path, "1"], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail("the partition is still in use")


# Loop devices are compared by what they lie on.


def test_a_loop_device_attached_through_another_node_of_the_disk(make_loop, attach, tmp_path):
    disk = make_loop()
    upper = attach(node(disk, tmp_path / "alias"))
    assert "loop" in checks_of(disk)
    sh("mkfs.ext4", "-q", upper)
    sh("mount", upper, tmp_path)
    try:
        assert {"loop", "mounted"} <= checks_of(disk)
    finally:
        sh("umount", tmp_path)


def test_a_loop_device_on_a_hard_link_of_the_backing_file(make_loop, attach, tmp_path):
    disk = make_loop()
    other = tmp_path / "hard"
    other.hardlink_to(backing(disk))
    attach(other)
    assert "loop" in checks_of(disk)


def test_a_loop_device_on_the_same_file_through_a_bind_mount(make_loop, attach, tmp_path):
    disk = make_loop()
    (tmp_path / "bind").mkdir()
    sh("mount", "--bind", tmp_path, tmp_path / "bind")
    try:
        attach(tmp_path / "bind" / backing(disk).name)
        assert "loop" in checks_of(disk)
    finally:
        sh("umount", "--lazy", tmp_path / "bind")


def test_a_loop_device_whose_file_was_renamed_and_replaced(make_loop, attach, tmp_path):
    disk = make_loop()
    attach(backing(disk))
    backing(disk).rename(tmp_path / "moved")
    backing(disk).write_bytes(bytes(MIB))
    assert "loop" in checks_of(disk)


@pytest.mark.parametrize("use", ["mounted", "held"])
def test_a_loop_over_a_disk_whose_partition_is_in_use(make_loop, attach, partition, running, tmp_path, use):
    lower = make_loop(128)
    part = partition(lower)
    upper = inventory.read(Path(attach(lower.path)).name)
    if use == "held":
        running(f"os.open({str(part)!r}, os.O_RDONLY | os.O_EXCL)")
        assert "claim" in checks_of(upper)
        return
    sh("mkfs.ext4", "-q", part)
    sh("mount", part, tmp_path)
    try:
        assert {"mounted", "claim"} <= checks_of(upper)
    finally:
        sh("umount", tmp_path)


def test_a_loop_over_a_loop_whose_disk_is_mounted(make_loop, attach, tmp_path):
    lower = make_loop()
    sh("mkfs.ext4", "-q", lower.path)
    middle = attach(lower.path)
    upper = inventory.read(Path(attach(middle)).name)
    sh("mount", lower.path, tmp_path)
    try:
        assert "mounted" in checks_of(upper)
    finally:
        sh("umount", tmp_path)


def test_a_loop_on_a_part_of_a_disk(make_loop, attach, tmp_path):
    disk = make_loop()
    upper = attach("--offset", 8 * MIB, "--sizelimit", 16 * MIB, node(disk, tmp_path / "alias"))
    assert "loop" in checks_of(disk)
    assert checks_of(inventory.read(Path(upper).name)) == set()  # the part itself is in nobody's use


def test_a_file_that_is_swap_under_a_loop(tmp_path, attach):
    file = tmp_path / "swap"
    file.write_bytes(bytes(32 * MIB))
    file.chmod(0o600)
    sh("mkswap", file)
    disk = inventory.read(Path(attach(file)).name)
    sh("swapon", file)
    try:
        assert "system" in checks_of(disk)
    finally:
        sh("swapoff", file)


# Partitions.


def test_partitions_that_only_the_kernel_lists(make_loop, partition):
    disk = make_loop()
    part = partition(disk)
    sh("mkfs.ext4", "-q", part)
    assert {"partitions", "signature"} <= checks_of(disk)
    assert any(part.name in why for check, why in reasons(disk) if check == "signature")


def test_an_empty_partition_is_refused_and_given_up_by_name(make_loop, partition):
    disk = make_loop()
    partition(disk)
    assert checks_of(disk) == {"partitions"}
    assert checks_of(disk, erase=[disk.id]) == set()


def test_a_partition_in_use_cannot_be_given_up(make_loop, partition, tmp_path):
    disk = make_loop()
    part = partition(disk)
    sh("mkfs.ext4", "-q", part)
    sh("mount", part, tmp_path)
    try:
        assert {"mounted", "claim"} <= checks_of(disk, erase=[disk.id])
    finally:
        sh("umount", tmp_path)


def bsd_disklabel() -> bytes:
    """Sector 1: a label with one partition of 4.2BSD (NetBSD sys/disklabel.h)."""
    label = bytearray(512)
    struct.pack_into("<I", label, 0, 0x82564557)
    struct.pack_into("<I", label, 40, 512)
    struct.pack_into("<I", label, 132, 0x82564557)
    struct.pack_into("<HII", label, 138, 8, 8192, 8192)
    struct.pack_into("<IIIBBH", label, 148, 65536, 16384, 1024, 7, 8, 1)
    checksum = 0
    for (word,) in struct.iter_unpack("<H", label[: 148 + 8 * 16]):
        checksum ^= word
    struct.pack_into("<H", label, 136, checksum)
    return bytes(label)


def amiga_block() -> bytes:
    """A rigid disk block (RDSK), its checksum right."""
    block = bytearray(512)
    struct.pack_into(">4sIi", block, 0, b"RDSK", 128, 0)
    struct.pack_into(">I", block, 16, 512)
    struct.pack_into(">I", block, 28, 1)
    total = sum(struct.unpack(">128i", block)) & 0xFFFFFFFF
    struct.pack_into(">i", block, 8, -total if total < 1 << 31 else (1 << 32) - total)
    return bytes(block)


@pytest.mark.parametrize(("offset", "content"), [(512, bsd_disklabel()), (0, amiga_block())], ids=["bsd", "amiga"])
def test_tables_of_other_systems(make_loop, offset, content):
    disk = make_loop()
    with disk.path.open("r+b") as file:
        file.seek(offset)
        file.write(content)
    assert "blank" in checks_of(disk)


# What looks like ours.


@pytest.mark.parametrize(
    "command",
    [
        ["mkfs.ext4", "-q", "-L", "stripelab"],
        ["mkfs.ext4", "-q", "-L", "stripelab-data"],
        ["mkfs.xfs", "-q", "-L", "stripelab"],
        ["mkfs.btrfs", "-q", "-L", "stripelab results"],
        ["mkswap", "-L", "stripelab"],
        ["mkswap", "-L", "stripelab:swap"],
    ],
    ids=" ".join,
)
def test_a_label_does_not_make_it_ours(make_loop, command):
    disk = make_loop(512)
    sh(*command, disk.path)
    assert {"signature", "blank"} <= checks_of(disk)


# Who has it open.

UNSHARED = """
opened = threading.Event()
def hold():
    assert ctypes.CDLL(None).unshare(0x400) == 0  # CLONE_FILES
    os.open({path!r}, os.O_RDONLY)
    opened.set()
    time.sleep(600)
threading.Thread(target=hold, daemon=True).start()
opened.wait()
"""
MAPPED = """
descriptor = os.open({path!r}, os.O_RDWR)
mapped = mmap.mmap(descriptor, 4096)
os.close(descriptor)
held = mapped
"""
REGISTERED = """
libc = ctypes.CDLL(None)
ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))
assert ring >= 0
descriptor = os.open({path!r}, os.O_RDONLY)
assert libc.syscall(427, ring, 2, ctypes.byref(ctypes.c_int(descriptor)), 1) == 0
os.close(descriptor)
"""
PLAIN = "os.open({path!r}, os.O_RDONLY)"


@pytest.mark.parametrize("code", [PLAIN, UNSHARED, MAPPED, REGISTERED], ids=["plain", "thread", "mapped", "io_uring"])
@pytest.mark.parametrize("what", ["node", "partition"])
def test_a_disk_that_is_open_somewhere(make_loop, partition, running, code, what):
    disk = make_loop()
    path = disk.path if what == "node" else partition(disk)
    process = running(code.format(path=str(path)))
    assert "open" in checks_of(disk)
    assert any(f"process {process.pid} " in why for _, why in reasons(disk))


@pytest.mark.parametrize("code", [PLAIN, UNSHARED, MAPPED], ids=["plain", "thread", "mapped"])
def test_a_backing_file_that_is_open_somewhere(make_loop, running, code):
    disk = make_loop()
    running(code.format(path=str(backing(disk))))
    assert "open" in checks_of(disk)


def test_a_disk_open_through_another_node(make_loop, running, tmp_path):
    disk = make_loop()
    running(PLAIN.format(path=str(node(disk, tmp_path / "alias"))))
    assert "open" in checks_of(disk)


# Bytes that are no UTF-8.


def test_names_that_are_no_utf8_end_nothing(tmp_path, attach):
    folder = tmp_path / os.fsdecode(b"caf\xe9 \x1b]0;x\x07")
    folder.mkdir()
    file = folder / os.fsdecode(b"disk\xff ")
    file.write_bytes(bytes(64 * MIB))
    disk = inventory.read(Path(attach(file)).name)
    assert disk.id == f"loop:{file}"
    sh("mkfs.ext4", "-q", "-L", os.fsdecode(b"\xffl\x1b"), disk.path)
    (why,) = [why for check, why in reasons(disk) if check == "signature"]
    assert os.fsdecode(b"\xffl\x1b") in why
    point = folder / "point\t\n"
    point.mkdir()
    sh("mount", disk.path, point)
    try:
        assert any(str(point) in why for check, why in reasons(disk) if check == "mounted")
    finally:
        sh("umount", point)


# Data without a signature.


@pytest.mark.parametrize(
    ("offset", "content"),
    [
        (0, b"\x01"),
        (0, b"QFI\xfb\0\0\0\x03"),
        (4096, b"raw database page"),
        (MIB - 1, b"\x01"),
        (64 * MIB - 1, b"\x01"),
        (63 * MIB, b"\x01"),
    ],
)
def test_data_without_a_signature(make_loop, offset, content):
    disk = make_loop(64)
    with disk.path.open("r+b") as file:
        file.seek(offset)
        file.write(content)
    assert "blank" in checks_of(disk)
    assert checks_of(disk, erase=[disk.id]) & {"blank"} == set()


def test_data_in_the_second_half_alone(make_loop):
    disk = make_loop(256)
    with disk.path.open("r+b") as file:
        file.seek(128 * MIB)
        for _ in range(128):
            file.write(os.urandom(4096) * 256)
    assert checks_of(disk) == {"blank"}


@pytest.mark.parametrize(
    ("command", "wiped"),
    [(["mkfs.ext4", "-q"], 2 * MIB), (["mkfs.btrfs", "-q"], 2 * MIB), (["mkfs.xfs", "-q"], 2 * MIB)],
    ids=["ext4", "btrfs", "xfs"],
)
def test_a_filesystem_whose_beginning_was_wiped(make_loop, command, wiped):
    disk = make_loop(512)
    sh(*command, disk.path)
    with disk.path.open("r+b") as file:
        file.write(bytes(wiped))
        file.seek(512 * MIB - 2 * MIB)
        file.write(bytes(2 * MIB))
    assert checks_of(disk) == {"blank"}
