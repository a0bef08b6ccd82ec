"""A mount is read back: what is written to a mount point goes to the whole filesystem on the device, or nowhere."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import probes
from bench.acts import TakenAct
from bench.errors import StackError
from bench.journal import Journal
from bench.lease import open_lease
from bench.stack import filesystems, mount
from bench.stack.filesystem import filesystem
from bench.stack.mount import mounted, why_not_mounted
from bench.stack.spec import Site, StackSpec, Volume
from tests.bench.conftest import sh

pytestmark = pytest.mark.loop
SAFE = "nosuid,nodev"


def mounts_at(point):
    """Everything that is mounted there."""
    return [each for each in probes.mounts() if each.mount_point == str(point)]


@contextmanager
def mounting(*words):
    """A mount of the test's own; the last word is the mount point."""
    Path(words[-1]).mkdir(parents=True, exist_ok=True)
    sh("mount", *words)
    try:
        yield Path(words[-1])
    finally:
        sh("umount", words[-1])


@pytest.fixture
def disk(make_loop):
    found = make_loop(256)
    sh("mkfs.ext4", "-q", "-F", found.path)
    return found


@pytest.mark.parametrize("folder", ["mnt", "a b\tc\\d", "ünï\udcff"])
def test_a_mount_of_the_device_is_recognised(tmp_path, disk, folder):
    point = tmp_path / folder
    with mounting("-o", SAFE, disk.path, point):
        assert why_not_mounted(disk.device_number, point, "ext4") is None
        assert len(mounts_at(point)) == 1


def test_what_is_not_the_whole_device_for_writing_is_not(tmp_path, disk, make_loop):
    other, point = make_loop(256), tmp_path / "mnt"
    sh("mkfs.ext4", "-q", "-F", other.path)
    point.mkdir()
    assert why_not_mounted(disk.device_number, point, "ext4") == "0 filesystems are mounted there"
    with mounting("-o", f"ro,{SAFE}", disk.path, point):
        assert why_not_mounted(disk.device_number, point, "ext4") == "it is mounted read-only"
    with mounting("-o", SAFE, other.path, point):
        assert "is mounted there" in why_not_mounted(disk.device_number, point, "ext4")
        assert why_not_mounted(other.device_number, point, "xfs") == "ext4 is mounted there, not xfs"
        with mounting("-o", SAFE, disk.path, point):
            assert why_not_mounted(disk.device_number, point, "ext4") == "2 filesystems are mounted there"
    with mounting(disk.path, point):
        assert why_not_mounted(disk.device_number, point, "ext4") == "it is mounted without nosuid and nodev"
    with mounting("-t", "tmpfs", "-o", SAFE, "none", point):
        assert why_not_mounted(disk.device_number, point, "tmpfs") is not None
    with mounting("-o", SAFE, disk.path, tmp_path / "whole") as whole, mounting("--bind", whole / "lost+found", point):
        assert (
            why_not_mounted(disk.device_number, point, "ext4") == "only /lost+found of the filesystem is mounted there"
        )


def test_a_mount_of_btrfs_is_known_by_its_source(tmp_path, make_loop):
    disk, other = make_loop(256), make_loop(256)
    for each in (disk, other):
        sh("mkfs.btrfs", "-q", "-f", each.path)
    with mounting("-o", SAFE, disk.path, tmp_path / "mnt") as point:
        assert why_not_mounted(disk.device_number, point, "btrfs") is None
        assert "is mounted there" in why_not_mounted(other.device_number, point, "btrfs")
        sh("btrfs", "subvolume", "create", point / "sub")
    with mounting("-o", f"{SAFE},subvol=sub", disk.path, tmp_path / "mnt") as point:
        assert why_not_mounted(disk.device_number, point, "btrfs") == "only /sub of the filesystem is mounted there"


@pytest.mark.parametrize("options", ["ro", "X-mount.subdir=lost+found", "bind"])
def test_nothing_is_written_where_the_mount_is_not_as_it_must_be(
    tmp_path, run_folder, make_loop, journal, monkeypatch, options
):
    disk = make_loop(256)

    def argv(kind, _options, device, point):
        return ["mount", "-t", kind, "-o", f"{options},{SAFE}", str(device), str(point)]

    monkeypatch.setattr(mount, "mount_argv", argv)
    with open_lease([disk.id], store=tmp_path, journal=journal) as lease:
        site, spec = Site(lease, journal, run_folder, "test0001"), StackSpec("jbod", 1, "ext4")
        volume = Volume((disk.path,), lease.disks)
        with (
            filesystem(site, spec, volume),
            pytest.raises(StackError, match=r"mnt0|mount "),
            mounted(site, spec, volume),
        ):
            pytest.fail("the data set would go elsewhere")
        assert not (run_folder / "mnt0").exists()
        assert [entry for entry in journal.pending if not isinstance(entry.act, TakenAct)] == []


@pytest.mark.parametrize("name", filesystems.names())
def test_every_filesystem_is_mounted_without_programs_and_devices(
    tmp_path, run_folder, make_loop, journal: Journal, name
):
    disk = make_loop(512)
    with open_lease([disk.id], store=tmp_path, journal=journal) as lease:
        site, spec = Site(lease, journal, run_folder, "test0001"), StackSpec("jbod", 1, name)
        volume = Volume((disk.path,), lease.disks)
        with filesystem(site, spec, volume), mounted(site, spec, volume) as (point,):
            (found,) = mounts_at(point)
            assert set(found.options) >= {"nosuid", "nodev", "noatime", "rw"}
    assert site.apply[-1] == f"fstab: LABEL=data1 /data1 {name} noatime 0 0"
    assert any("nosuid,nodev" in command for command in site.commands)
