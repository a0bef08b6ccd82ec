"""Names that lead, or seem to lead, to another disk or file than the one that was meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import inventory
from bench.acts import FolderAct, QueueAct, trial_folder
from bench.errors import DiskRefusedError, StackError
from bench.inventory import Disk
from bench.journal import Journal, recover
from bench.lease import open_lease
from bench.safety import writable
from bench.stack.build import undo_table
from bench.trial import own_folder, undo_folder
from tests.bench.conftest import sh
from tests.bench.safety.test_checks import checks_of

pytestmark = pytest.mark.loop
MIB = 1 << 20
SWAPPED = """
import os, sys
from pathlib import Path
from bench import inventory
from bench.acts import trial_folder
from bench.errors import DiskRefusedError
from bench.journal import Journal
from bench.lease import open_lease
from bench.stack import build
from bench.stack.spec import Site, StackRequest, StackSpec
from permutations.workload import DataSet
store, name, other = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
disk = inventory.read(name)
spec = StackSpec("jbod", 1, "ext4", layout="flat")
with Journal(store / "j") as journal, open_lease([disk.id], store=store, journal=journal) as lease:
    site = Site(lease, journal, trial_folder(store, "t"), "tag00000")
    try:
        with build.base(site, spec) as volume, build.formatted(site, spec, volume):
            assert os.system(f"mount --bind {other} {disk.path}") == 0
            with build.dressed(site, StackRequest(spec, DataSet(2, 1 << 20)), volume):
                sys.exit("it must not be mounted")
    except DiskRefusedError as refused:
        print(refused.message)
    finally:
        os.system(f"umount {disk.path}")
"""


def test_a_node_that_leads_elsewhere_after_mkfs_is_not_mounted_and_cleared(make_loop, tmp_path):
    """In a mount namespace of its own, where the name of the disk comes to lead to another one."""
    disk, foreign = make_loop(64), make_loop(64)
    sh("mkfs.ext4", "-q", foreign.path)
    point = tmp_path / "foreign"
    point.mkdir()
    sh("mount", foreign.path, point)
    (point / "precious").write_text("as it was")
    sh("umount", point)
    major, minor = map(int, foreign.device_number.split(":"))
    other = tmp_path / "node"
    os.mknod(other, 0o600 | 0o060000, os.makedev(major, minor))
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", SWAPPED]
    (tmp_path / "store").mkdir()
    ended = subprocess.run(
        [*words, tmp_path / "store", disk.name, other], cwd=Path(__file__).parents[3],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "leads to the device" in ended.stdout
    sh("mount", "-o", "ro", foreign.path, point)
    try:
        assert (point / "precious").read_text() == "as it was"
    finally:
        sh("umount", point)


@pytest.mark.parametrize("name", ["a,loop:{folder}/b.img", "b.img "])
def test_words_that_are_parts_of_one_identity_name_no_other_disk(tmp_path, attach, name):
    plain = tmp_path / "b.img"
    odd = tmp_path / name.format(folder=tmp_path)
    odd.parent.mkdir(parents=True, exist_ok=True)
    for file in (plain, odd):
        file.write_bytes(bytes(16 * MIB))
    attach(plain)
    disk = inventory.read(Path(attach(odd)).name)
    assert "identity" in checks_of(disk)
    wanted = [word.strip() for word in str(disk.id).split(",")]
    with (
        Journal(tmp_path / "j") as journal,
        pytest.raises(DiskRefusedError, match="cannot be named"),
        open_lease(wanted, store=tmp_path, journal=journal),
    ):
        pytest.fail("another disk would be leased")


@pytest.mark.parametrize("typed", ["nobody", "", "loop:"])
def test_erase_names_one_of_the_disks(make_loop, tmp_path, typed):
    disk = make_loop()
    with (
        Journal(tmp_path / "j") as journal,
        pytest.raises(DiskRefusedError, match="must name one of the disks"),
        open_lease([disk.id], store=tmp_path, journal=journal, consented=[typed]),
    ):
        pytest.fail("the lease must not be there")


def test_a_file_under_a_loop_is_known_through_an_overlay(attach, tmp_path):
    folders = {name: tmp_path / name for name in ("lower", "upper", "work", "merged")}
    for folder in folders.values():
        folder.mkdir()
    (folders["upper"] / "vm.img").write_bytes(bytes(16 * MIB))
    attach(folders["upper"] / "vm.img")
    options = ",".join(f"{name}dir={folders[name]}" for name in ("lower", "upper", "work"))
    sh("mount", "-t", "overlay", "-o", options, "none", folders["merged"])
    try:
        with pytest.raises(DiskRefusedError, match="loop device"):
            writable.check(folders["merged"] / "vm.img")
        through_overlay = attach(folders["merged"] / "vm.img")
        assert "loop" in checks_of(inventory.read(Path(through_overlay).name))
        sh("losetup", "--detach", through_overlay)
    finally:
        sh("umount", "--lazy", folders["merged"])


def test_a_setting_of_a_loop_that_is_still_there_waits_for_its_disk(make_loop, tmp_path):
    disk, other = make_loop(), make_loop()
    with Journal(tmp_path / "j") as journal:
        journal.begin(QueueAct(disk.id, "queue/scheduler", "none"))
        with (
            open_lease([other.id], store=tmp_path, journal=journal) as lease,
            pytest.raises(DiskRefusedError, match="is not leased"),
        ):
            recover(journal, undo_table(lease))
        assert len(journal.pending) == 1
        with open_lease([disk.id], store=tmp_path, journal=journal) as lease:
            recover(journal, undo_table(lease))
        assert journal.pending == ()


def test_a_loop_whose_path_leads_to_another_file_here_is_refused(make_loop, tmp_path):
    """As one that was attached in another mount namespace."""
    disk: Disk = make_loop()
    backing = str(disk.id).removeprefix("loop:")
    other = tmp_path / "other"
    other.write_bytes(bytes(MIB))
    assert "answered" not in checks_of(disk)
    sh("mount", "--bind", other, backing)
    try:
        assert "answered" in checks_of(disk)
    finally:
        sh("umount", backing)


@pytest.mark.parametrize("how", ["link", "mount"])
def test_scratch_files_are_not_removed_through_a_link_or_a_mount(tmp_path, how):
    (tmp_path / "elsewhere" / "scratch").mkdir(parents=True)
    (tmp_path / "elsewhere" / "scratch" / "canary").touch()
    folder = trial_folder(tmp_path, "t")
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    if how == "link":
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        (folder / "scratch").mkdir(parents=True)
        sh("mount", "--bind", tmp_path / "elsewhere" / "scratch", folder / "scratch")
    try:
        with Journal(tmp_path / "j") as journal:
            entry = journal.begin(FolderAct(str(folder)))
            with pytest.raises(StackError, match="is a link, or something is mounted"):
                undo_folder(entry, tmp_path)
        assert (tmp_path / "elsewhere" / "scratch" / "canary").exists()
    finally:
        if how == "link":
            folder.unlink()
        else:
            sh("umount", folder / "scratch")
            (folder / "scratch").rmdir()
            folder.rmdir()


def test_the_folder_of_a_trial_belongs_to_its_user_alone(make_loop, tmp_path):
    disk = make_loop()
    before = os.umask(0)
    try:
        with (
            Journal(tmp_path / "j") as journal,
            open_lease([disk.id], store=tmp_path, journal=journal) as lease,
            own_folder(lease, trial_folder(tmp_path, "t")),
        ):
            assert trial_folder(tmp_path, "t").stat().st_mode & 0o777 == 0o700
            assert trial_folder(tmp_path, "t").parent.stat().st_mode & 0o022 == 0
    finally:
        os.umask(before)
