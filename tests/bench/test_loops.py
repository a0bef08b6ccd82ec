"""Loop files of a store: made new, removed at the end, and nothing else is touched by that."""

from __future__ import annotations

import os

import pytest

from bench import inventory
from bench.acts import LoopAct
from bench.errors import StackError
from bench.journal import Journal, recover
from bench.stack import loops

pytestmark = pytest.mark.loop
MIB = 1 << 20


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def canary(tmp_path):
    file = tmp_path / "canary"
    file.write_bytes(b"precious" * 1024)
    yield file
    assert file.read_bytes() == b"precious" * 1024


def attached_to(file):
    return [disk.name for disk in inventory.disks() if disk.id == loops.identity(file)]


def test_files_are_made_attached_and_removed(store):
    with Journal(store / "j") as journal:
        with loops.loop_disks(store, journal, 2, 16 * MIB) as identities:
            files = [store / loops.FOLDER / f"disk{number}.img" for number in (1, 2)]
            assert identities == tuple(f"loop:{file}" for file in files)
            assert all(len(attached_to(file)) == 1 for file in files)
            assert loops.attached(store) == identities
        assert journal.pending == ()
    assert not (store / loops.FOLDER).exists()
    assert loops.attached(store) == ()


@pytest.mark.parametrize("kind", ["link", "dangling", "hard link", "file", "folder", "pipe"])
def test_what_lies_in_the_way_is_left_alone(store, canary, tmp_path, kind):
    file = store / loops.FOLDER / "disk1.img"
    file.parent.mkdir()
    match kind:
        case "link":
            file.symlink_to(canary)
        case "dangling":
            file.symlink_to(tmp_path / "made")
        case "hard link":
            file.hardlink_to(canary)
        case "file":
            file.write_bytes(b"somebody's")
        case "folder":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
    before = os.lstat(file)
    with (
        Journal(store / "j") as journal,
        pytest.raises(StackError, match="in the way"),
        loops.loop_disks(store, journal, 1, 16 * MIB),
    ):
        pytest.fail("there must be no disk")
    after = os.lstat(file)
    assert (after.st_ino, after.st_size, after.st_mode) == (before.st_ino, before.st_size, before.st_mode)
    assert not (tmp_path / "made").exists()


def test_a_folder_of_loop_files_that_is_a_link_is_refused(store, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (store / loops.FOLDER).symlink_to(elsewhere)
    with (
        Journal(store / "j") as journal,
        pytest.raises(StackError, match="not a folder, or a symbolic link"),
        loops.loop_disks(store, journal, 1, 16 * MIB),
    ):
        pytest.fail("there must be no disk")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "hard link", "nothing", "folder is a link"])
def test_undoing_an_act_removes_a_name_in_the_store_and_no_more(store, canary, tmp_path, kind):
    file = store / loops.FOLDER / "disk1.img"
    if kind == "folder is a link":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "disk1.img").write_bytes(b"somebody's")
        (store / loops.FOLDER).symlink_to(tmp_path / "elsewhere")
    elif kind != "nothing":
        file.parent.mkdir()
        (file.symlink_to if kind == "link" else file.hardlink_to)(canary)
    with Journal(store / "j") as journal:
        journal.begin(LoopAct("disk1.img"))
        undo = {LoopAct: lambda entry: loops.undo(entry, store)}
        if kind == "folder is a link":
            with pytest.raises(StackError, match="not a folder, or a symbolic link"):
                recover(journal, undo)
            assert (tmp_path / "elsewhere" / "disk1.img").read_bytes() == b"somebody's"
        else:
            recover(journal, undo)
    assert canary.exists()
