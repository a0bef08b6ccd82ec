"""What lies on a disk is a store's own while that is sure, and counts against the disk otherwise."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import content, inventory, nodes, proc
from bench.acts import FilesystemAct, TakenAct
from bench.errors import DiskRefusedError
from bench.journal import Journal, recover
from bench.lease import open_lease
from bench.stack import filesystem
from bench.stack.build import undo_table
from tests.bench.conftest import sh

pytestmark = pytest.mark.loop
MIB = 1 << 20


@contextmanager
def leased(store: Path, disk, **options):
    """A lease of a store with its journal, as a run has it."""
    store.mkdir(exist_ok=True)
    with (
        Journal(store / "journal.jsonl") as journal,
        open_lease([disk.id], store=store, journal=journal, **options) as lease,
    ):
        yield lease


def scribble(descriptor: int) -> None:
    """Data without a signature, as a workload on the bare disk leaves them."""
    opened = os.open(nodes.through(descriptor), os.O_WRONLY)
    try:
        for offset in range(0, 64 * MIB, MIB):
            os.pwrite(opened, b"\x07" * 4096, offset)
        os.fsync(opened)
    finally:
        os.close(opened)


def run(store: Path, disk) -> None:
    """A run that writes to the disk and ends in order."""
    with leased(store, disk) as lease, lease.destroying("workload", [disk]) as (descriptor,):
        scribble(descriptor)


def run_killed(store: Path, disk) -> None:
    """The same, killed before it could give the disk back."""
    store.mkdir(exist_ok=True)
    with Journal(store / "journal.jsonl") as journal:
        journal.begin(TakenAct(disk.id, disk.diskseq))
    with nodes.opened([(disk.path, disk.device_number, disk.diskseq)]) as (descriptor,):
        scribble(descriptor)


def attached_again(disk):
    """The disk as another one to the kernel: taken out and put in again."""
    backing = disk.id.removeprefix("loop:")
    sh("losetup", "--detach", disk.path)
    sh("losetup", disk.path, backing)
    return inventory.read(disk.name)


def test_the_next_run_of_a_store_knows_its_own_data_again(make_loop, tmp_path):
    disk = make_loop()
    run(tmp_path / "store", disk)
    with leased(tmp_path / "store", attached_again(disk)) as lease:
        lease.check(lease.disks)


def test_another_store_does_not_know_them(make_loop, tmp_path):
    disk = make_loop()
    run(tmp_path / "store", disk)
    with (
        leased(tmp_path / "other", disk) as lease,
        pytest.raises(DiskRefusedError, match="data that this store"),
    ):
        lease.check([disk])
    with leased(tmp_path / "other", disk, consented=[disk.id]) as lease:
        lease.check([disk])


@pytest.mark.parametrize("offset", [0, 64 * MIB - 1, 4096])
def test_what_changed_since_is_not_ours(make_loop, tmp_path, offset):
    disk = make_loop()
    run(tmp_path / "store", disk)
    with disk.path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\x01")
    with (
        leased(tmp_path / "store", disk) as lease,
        pytest.raises(DiskRefusedError, match="data that this store"),
    ):
        lease.check([disk])


def test_a_refused_disk_is_as_it_was_and_stays_refused(make_loop, tmp_path):
    disk = make_loop()
    disk.path.write_bytes(b"precious")
    before = content.sample(disk)
    for _ in range(2):
        with leased(tmp_path / "store", disk) as lease, pytest.raises(DiskRefusedError), lease.destroying("x", [disk]):
            pytest.fail("the act must not happen")
    assert content.sample(disk) == before


def test_after_a_kill_the_data_are_ours_while_the_disk_stays_where_it_is(make_loop, tmp_path):
    disk = make_loop()
    run_killed(tmp_path / "store", disk)
    for _ in range(2):
        with leased(tmp_path / "store", disk) as lease:
            lease.check([disk])


def test_after_a_kill_a_disk_that_was_away_is_not_ours(make_loop, tmp_path):
    disk = make_loop()
    run_killed(tmp_path / "store", disk)
    again = attached_again(disk)
    for _ in range(2):
        with leased(tmp_path / "store", again) as lease, pytest.raises(DiskRefusedError, match="data that this store"):
            lease.check([again])


def test_after_a_restart_of_the_machine_data_without_a_signature_are_not_ours(make_loop, tmp_path):
    disk = make_loop()
    run_killed(tmp_path / "store", disk)
    path = tmp_path / "store" / "journal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, **({"boot": "b"} if "boot" in line else {})}) + "\n" for line in lines))
    with leased(tmp_path / "store", disk) as lease, pytest.raises(DiskRefusedError, match="data that this store"):
        lease.check([disk])


def test_a_uuid_of_the_journal_makes_a_disk_ours_after_a_restart(make_loop, tmp_path):
    """And only what bears it is wiped."""
    disk, store = make_loop(512), tmp_path / "store"
    store.mkdir()
    ours = str(uuid.uuid4())
    with Journal(store / "journal.jsonl") as journal:
        journal.begin(FilesystemAct("ext4", (disk.id,), True, (ours,)))
        journal.begin(TakenAct(disk.id, "0"))
    sh("mkfs.ext4", "-q", "-U", ours, disk.path)
    with Journal(store / "journal.jsonl") as journal:
        with open_lease([disk.id], store=store, journal=journal) as lease:
            assert len(recover(journal, undo_table(lease))) == 1
        with open_lease([disk.id], store=store, journal=journal) as lease:
            lease.check([disk])
    assert sh("wipefs", "--noheadings", disk.path) == ""


def test_a_filesystem_with_another_uuid_is_not_wiped_for_a_pending_act(make_loop, tmp_path):
    disk, store = make_loop(512), tmp_path / "store"
    store.mkdir()
    with Journal(store / "journal.jsonl") as journal:
        entry = journal.begin(FilesystemAct("ext4", (disk.id,), True, (str(uuid.uuid4()),)))
        journal.begin(TakenAct(disk.id, disk.diskseq))
        sh("mkfs.ext4", "-q", "-L", "stripelab", disk.path)
        with open_lease([disk.id], store=store, journal=journal) as lease:
            filesystem.undo(entry, lease)
            with pytest.raises(DiskRefusedError, match="ext4 “stripelab”, which this store did not write"):
                lease.check([disk])
    assert "ext4" in sh("wipefs", "--noheadings", disk.path)


def test_programs_write_through_the_descriptor_that_was_checked(make_loop, tmp_path):
    """Whatever the name leads to by then: here it is gone."""
    disk, other = make_loop(), make_loop()
    alias = tmp_path / "name"
    alias.symlink_to(disk.path)
    with nodes.opened([(alias, disk.device_number, disk.diskseq)]) as (descriptor,):
        alias.unlink()
        alias.symlink_to(other.path)
        proc.run(["mkfs.ext4", "-q", "-F", nodes.through(descriptor)], descriptors=[descriptor])
    assert "ext4" in sh("wipefs", "--noheadings", disk.path)
    assert sh("wipefs", "--noheadings", other.path) == ""


@pytest.mark.parametrize("leads", ["to another device", "to a file", "nowhere"])
def test_a_node_that_leads_elsewhere_is_not_opened(make_loop, tmp_path, leads):
    disk, other = make_loop(), make_loop()
    alias = tmp_path / "node"
    if leads == "to another device":
        alias.symlink_to(other.path)
    elif leads == "to a file":
        alias.write_bytes(bytes(MIB))
    with pytest.raises(OSError, match=r"leads to|not a block device|No such file"):
        nodes.open_device(alias, disk.device_number)
    assert nodes.problem_of(alias, disk.device_number)
    assert nodes.problem_of(disk.path, disk.device_number) is None


def test_a_disk_with_another_sequence_number_is_not_opened(make_loop):
    disk = make_loop()
    os.close(nodes.open_device(disk.path, disk.device_number, diskseq=disk.diskseq))
    with pytest.raises(nodes.WrongDeviceError, match="another disk now"):
        nodes.open_device(disk.path, disk.device_number, diskseq="1")


def test_a_refusal_for_content_alone_says_how_to_give_it_up(make_loop, tmp_path):
    disk = make_loop()
    disk.path.write_bytes(b"precious")
    with leased(tmp_path / "store", disk) as lease, pytest.raises(DiskRefusedError) as refused:
        lease.check([disk])
    assert refused.value.next_step.endswith(f"--erase {disk.id}")
