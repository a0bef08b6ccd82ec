"""Capabilities of the programs that need md, modules and mounts: each listed one is enough and each is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import privileges, proc
from bench.errors import StackError
from bench.lab.inside import VARIABLE
from bench.privileges import TABLE, Row
from tests.inside.conftest import sh

ARRAY = "/dev/md/privileges"


@pytest.fixture(autouse=True)
def as_on_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs give up capabilities here as they do outside of the guest."""
    monkeypatch.delenv(VARIABLE)


def without(monkeypatch: pytest.MonkeyPatch, program: str, name: str) -> None:
    kept = tuple(each for each in TABLE[program].capabilities or () if each != name)
    monkeypatch.setattr(privileges, "TABLE", {**TABLE, program: Row(kept, "")})


@pytest.fixture
def members(disks) -> Iterator[list[Path]]:
    paths = [disk.path for disk in disks[:3]]
    yield paths
    for array in Path("/sys/block").glob("md*"):
        sh("mdadm", "--stop", f"/dev/{array.name}")
    Path(ARRAY).unlink(missing_ok=True)
    for node in Path("/dev").glob("md[0-9]*"):
        node.unlink()  # there is no udev: to open one would make an array again
    sh("mdadm", "--zero-superblock", *paths)


def create(paths: list[Path] | list[str]) -> list[str]:
    words = ["mdadm", "--create", ARRAY, "--run", "--level=5", "--assume-clean", "--metadata=1.2"]
    return [*words, f"--raid-devices={len(paths)}", *map(str, paths)]


def test_mdadm_makes_stops_and_forgets_an_array_with_its_row(members):
    proc.run(create(members))
    assert "MD_LEVEL=raid5" in proc.run(["mdadm", "--detail", "--export", ARRAY]).stdout
    proc.run(["mdadm", "--stop", ARRAY])
    proc.run(["mdadm", "--zero-superblock", *members])
    assert "md" not in sh("lsblk", "--noheadings", "--output", "NAME", *members)


def test_mdadm_opens_members_by_descriptors_of_ours(members):
    descriptors = [os.open(path, os.O_PATH) for path in members]
    try:
        proc.run(create([f"/proc/self/fd/{each}" for each in descriptors]), descriptors=descriptors)
        assert "MD_LEVEL=raid5" in proc.run(["mdadm", "--detail", "--export", ARRAY]).stdout
    finally:
        for each in descriptors:
            os.close(each)


@pytest.mark.parametrize("name", TABLE["mdadm"].capabilities)
def test_mdadm_makes_no_array_without_each_of_them(members, monkeypatch, name):
    without(monkeypatch, "mdadm", name)
    with pytest.raises(StackError, match="mdadm exited with status 1"):
        proc.run(create(members))


def test_mount_and_umount_need_sys_admin(disks, tmp_path, monkeypatch):
    device = disks[0].path
    sh("mkfs.ext4", "-q", "-F", device)
    proc.run(["mount", "-t", "ext4", "-o", "noatime", device, tmp_path])
    without(monkeypatch, "umount", "sys_admin")
    with pytest.raises(StackError, match="umount"):
        proc.run(["umount", tmp_path])
    without(monkeypatch, "mount", "sys_admin")
    proc.run(["umount", tmp_path])
    with pytest.raises(StackError, match="permission denied"):
        proc.run(["mount", "-t", "ext4", device, tmp_path])
    sh("wipefs", "--all", device)


def test_modprobe_needs_sys_module(tmp_path, monkeypatch):
    release = os.uname().release
    modules = tmp_path / "lib" / "modules"
    modules.mkdir(parents=True)
    (modules / release).symlink_to(f"/usr/lib/uml/modules/{release}")
    words = ["modprobe", "--dirname", str(tmp_path), "dm-dust"]
    sh("rmmod", "dm_dust")
    without(monkeypatch, "modprobe", "sys_module")
    try:
        with pytest.raises(StackError, match="Operation not permitted"):
            proc.run(words)
        monkeypatch.setattr(privileges, "TABLE", TABLE)
        proc.run(words)
        assert "dm_dust " in Path("/proc/modules").read_text()
    finally:
        sh("modprobe", "--dirname", tmp_path, "dm-dust")
