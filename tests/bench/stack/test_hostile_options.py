"""Options of a sweep file that would reach what was not given: every one is refused, and nothing is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import proc
from bench.errors import StackError, SweepFileError
from bench.lease import open_lease
from bench.stack import filesystems
from bench.stack.filesystem import filesystem, make_argv
from bench.stack.mount import mount_options
from bench.stack.spec import Site, StackSpec, Volume
from bench.vocabulary import vocabulary
from permutations.errors import SweepError
from permutations.sweep import Sweep
from tests.bench.conftest import sh
from tests.chaos.sweeps import LOOP_SWEEP

MKFS = {
    "btrfs": [
        "loop1", "vm.img", "-K loop1", "-n 16k loop1", "-nvm.img", "-- loop1", "--rootdir .", "--rootdir=/etc", "-r .",
        "-b 1g", "--byte-count=4096", "--shrink", "-L x", "-U x", "--label=x", "-d raid0 loop1",
        "-d raid1", "-m raid10",
        "-O list-all", "-R list-all", "-O zoned", "--help", "--version", "-V", "-f", "-q", "-v", "-A 4096", "-l 4096",
        "--cs xxhash", "--metadat=dup", "-mdup loop1", "--csum=xxhash/x", "'vm.img'", '"loop"1', "\\loop1", "@x",
    ],
    "xfs": [
        "-l file=1,name=vm.img,size=64m", "-r file=1,name=vm.img,size=64m", '-l logd"ev"=vm.img', "-l logdev=loop1",
        "-l internal=0", "-l log'dev'=vm.img", "-llogdev=vm.img", "-d file=1,name=vm.img,size=300m", "-d name=vm.img",
        "-d file", "-d size=1g", "-r rtdev=loop1", "-r extsize=64k", "-p vm.img", "-p /etc/passwd", "-c options=vm.img",
        "-c/etc/x", "-N", "-f", "-q", "-C", "-V", "-L x", "-m uuid=12345678-1234-1234-1234-123456789abc", "vm.img",
        "-K vm.img", "-KN", "-fN", "-b size=4k vm.img", "-d agcount=4,,name=x", "-d agcount=4=5",
        "-s size=4k -- vm.img",
        "-d su=64k/x", "-n size=4k,", "-i size=", "-b 4096",
    ],
    "ext4": [
        "vm.img", "4096", "-b 4096 100", "-d .", "-d /etc", "-z vm.img", "-zvm.img", "-l vm.img", "-c", "-c -c", "-n",
        "-S", "-t ext2", "-T hurd", "-T ../x", "-L x", "-U random", "-F", "-F -F", "-q", "-v", "-V", "-M /x", "-o hurd",
        "-r 0", "-e panic", "-J device=loop1", "-J dev'ice'=LABEL=x", "-Jdevice=vm.img", "-O journal_dev",
        "-O ^has_journal,journal_dev", "-O -journal_dev", "-O has_journal+journal_dev", "-E offset=1048576",
        "-E root_owner=0:0", "-E test_fs", "-E hash_seed=x", "-E stride=1,offset=1", "-R stride=4", "-Fn", "-Dn",
        "-b -4096", "-m 99", "-K", "-jF", "-s 1", "-E ''", "-O", "-i 9999999999999999",
    ],
}  # fmt: skip
MOUNT = [
    "ro", "rw,ro", "loop", "loop=/dev/loop1", "X-mount.subdir=lost+found", "X-mount.mkdir", "x-systemd.automount",
    "bind",
    "rbind", "remount", "move", "user", "users", "owner", "group", "suid", "dev", "helper=x", "uhelper=x", "context=x",
    "logdev=loop1", "rtdev=loop1", "offset=4096", "sizelimit=1", "device=loop1", "subvol=x", "subvolid=5", "degraded",
    "journal_dev=0x700", "journal_path=x", "sb=1", "usrjquota=x", "noload", "norecovery", "errors=panic", "uid=0",
    "noatime ro", "noatime,", ",noatime", "noatime,,nodiratime", 'no"atime"', "noatime\\,ro", "NOATIME", "commit=1e9",
    "noatime=1", "commit", "noatime,noatime", "=", "fatal_errors=panic", "nofail", "defaults,auto", "_netdev",
    "dax=always",
]  # fmt: skip
CASES = [(name, line) for name, lines in MKFS.items() for line in lines]


def sweep(name: str, key: str, line: str) -> str:
    written = line.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'[factors]\nlevel = ["jbod"]\ndisks = [1]\nfilesystem = ["{name}"]\n{key} = ["{written}"]\n'
        '[dataset]\nfiles = 1\nfile_size = "1MiB"\n[[workload]]\nname = "w"\nrw = "read"\nbs = "4k"\nruntime_s = 1\n'
    )


@pytest.mark.parametrize(("name", "line"), CASES)
def test_no_option_of_mkfs_reaches_beyond_the_device(name: str, line: str) -> None:
    with pytest.raises(SweepError, match=r"t\.toml:5: \[factors\] mkfs_options: ") as refused:
        Sweep.parse(sweep(name, "mkfs_options", line), "t.toml", vocabulary())
    assert str(refused.value).isprintable()
    with pytest.raises(StackError, match="mkfs_options"):
        make_argv(
            filesystems.by_name(name), StackSpec("jbod", 1, name, mkfs_options=line), Volume((Path("/x"),), ()), ["u"]
        )


@pytest.mark.parametrize("name", filesystems.names())
@pytest.mark.parametrize("line", MOUNT)
def test_no_option_of_mount_reaches_beyond_the_device(name: str, line: str) -> None:
    with pytest.raises(SweepError, match=r"t\.toml:5: \[factors\] mount_options: "):
        Sweep.parse(sweep(name, "mount_options", line), "t.toml", vocabulary())
    with pytest.raises(StackError, match="mount_options"):
        mount_options(StackSpec("jbod", 1, name, mount_options=line))


def test_a_refusal_names_what_is_allowed() -> None:
    with pytest.raises(SweepError, match=r'xfs: mkfs\.xfs: "-N" is not allowed; .*-d .*agcount= .*su= '):
        Sweep.parse(sweep("xfs", "mkfs_options", "-N"), "t.toml", vocabulary())
    with pytest.raises(SweepError, match=r'"ro" is not allowed; .*noatime .*thread_pool='):
        Sweep.parse(sweep("btrfs", "mount_options", "ro"), "t.toml", vocabulary())


@pytest.fixture
def bystander(tmp_path: Path) -> Path:
    """A file of the working folder that nobody named."""
    file = tmp_path / "vm.img"
    file.write_bytes(b"\x55" * (8 << 20))
    return file


@pytest.mark.loop
@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("btrfs", "vm.img"),
        ("xfs", "-l file=1,name=vm.img,size=64m"),
        ("xfs", "-r file=1,name=vm.img,size=64m"),
        ("xfs", '-l logd"ev"=vm.img'),
        ("ext4", "-z vm.img"),
    ],
)
def test_the_commands_leave_the_working_folder_alone(
    tmp_path: Path, bystander: Path, name: str, line: str, verb: str
) -> None:
    file = tmp_path / "t.toml"
    file.write_text(sweep(name, "mkfs_options", line))
    words = ["--store", str(tmp_path / "store"), "--loop", "1", "--loop-size", "512MiB"] if verb == "run" else []
    done = subprocess.run(
        [sys.executable, "-m", "bench", verb, str(file), *words],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == SweepFileError.status, done.stderr
    assert "t.toml:5: [factors] mkfs_options" in done.stderr
    assert bystander.stat().st_size == 8 << 20
    with bystander.open("rb") as content:
        assert all(piece.count(b"\x55") == len(piece) for piece in iter(lambda: content.read(1 << 20), b""))


@pytest.mark.loop
def test_from_dev_no_second_device_is_formatted(tmp_path: Path, make_loop) -> None:
    other = make_loop(256)
    other.path.write_bytes(b"\x55" * 4096)
    file = tmp_path / "t.toml"
    file.write_text(sweep("btrfs", "mkfs_options", other.name))
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", file, "--store", tmp_path / "store", "--loop", "1"],
        cwd="/dev", env={**os.environ, "PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == SweepFileError.status, done.stderr
    assert other.path.read_bytes()[:4096] == b"\x55" * 4096


def test_programs_that_write_to_disks_find_nothing_by_a_relative_name(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "victim").write_bytes(b"kept")
    with pytest.raises(StackError, match="victim"):
        proc.run_on_disks(["dd", "if=/dev/zero", "of=victim", "conv=notrunc", "count=1"])
    with pytest.raises(StackError, match="victim"):
        proc.run_on_disks(["cat", "victim"])
    assert (tmp_path / "victim").read_bytes() == b"kept"
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]


def test_without_a_temporary_folder_the_error_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    monkeypatch.setattr(proc, "RUNTIME_FOLDERS", (None,))
    with pytest.raises(StackError, match="no temporary folder"):
        proc.run_on_disks(["true"])


@pytest.mark.loop
@pytest.mark.parametrize("name", filesystems.names())
def test_each_filesystem_has_the_uuid_that_was_journalled(tmp_path: Path, make_loop, journal, name: str) -> None:
    disk = make_loop(512)
    with open_lease([disk.id], store=tmp_path, journal=journal) as lease:
        site = Site(lease, journal, tmp_path / "site", "test0001")
        with filesystem(site, StackSpec("jbod", 1, name), Volume((disk.path,), lease.disks)):
            (act,) = [entry.act for entry in journal.pending if entry.act.kind == "filesystem"]
            (identity,) = act.uuids
            assert sh("blkid", "-p", "-o", "value", "-s", "UUID", disk.path).strip() == identity
        assert not any(identity in line for line in site.apply)


def test_an_option_that_one_of_the_filesystems_takes_is_left_out_for_the_others() -> None:
    text = LOOP_SWEEP.replace('"ext4", "xfs"]', '"ext4", "xfs"]\nmkfs_options = ["default", "-O ^has_journal"]')
    swept = Sweep.parse(text, "t.toml", vocabulary())
    points = {(values[5], values[6]) for values in swept.space.walk()}
    assert points == {("ext4", None), ("ext4", "-O ^has_journal"), ("xfs", None)}
    (left_out,) = [entry for entry in swept.space.left_out() if entry.rule == "xfs-mkfs-options"]
    assert (left_out.count, left_out.reason) == (2, 'xfs does not take mkfs_options "-O ^has_journal"')


def test_a_sweep_that_an_earlier_version_ran_can_be_read() -> None:
    text = sweep("xfs", "mount_options", "ro")
    assert len(list(Sweep.parse(text, "t.toml", vocabulary(strict=False)).space.walk())) == 1
