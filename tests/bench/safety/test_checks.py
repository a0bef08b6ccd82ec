"""Each safety check, with each refusal made to happen for real on loop devices."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bench import inventory, probes
from bench.acts import DestroyAct, TakenAct
from bench.errors import BusyError, DiskRefusedError
from bench.journal import Journal
from bench.lease import Lease, open_lease
from bench.safety.checks import refusals
from bench.safety.describe import Question, describe
from tests.bench.conftest import sh

pytestmark = pytest.mark.loop


def reasons(disk, **options) -> list[tuple[str, str]]:
    """The checks that refuse a disk, with what they say."""
    fresh = inventory.read(disk.name)
    (found,) = describe([fresh], Question(**options)).values()
    return [(each.check, each.reason) for each in refusals(found)]


def checks_of(disk, **options) -> set[str]:
    return {check for check, _ in reasons(disk, **options)}


@pytest.fixture
def lease_of(tmp_path, journal):
    """A function that leases disks for the rest of the test."""
    with ExitStack() as stack:

        def lease(*disks, consented=()) -> Lease:
            identities = [disk.id for disk in disks]
            return stack.enter_context(open_lease(identities, store=tmp_path, journal=journal, consented=consented))

        yield lease


def test_a_blank_disk_passes_every_check(make_loop):
    assert reasons(make_loop()) == []


def test_a_kernel_name_is_no_identity(make_loop, tmp_path, journal):
    disk = make_loop()
    with (
        pytest.raises(DiskRefusedError, match="kernel name") as refused,
        open_lease([str(disk.path)], store=tmp_path, journal=journal),
    ):
        pass
    assert disk.id in refused.value.next_step


def test_an_unknown_serial_is_refused(tmp_path, journal):
    with (
        pytest.raises(DiskRefusedError, match="NO-SUCH-SERIAL"),
        open_lease(["NO-SUCH-SERIAL"], store=tmp_path, journal=journal),
    ):
        pass


def test_a_disk_named_twice_is_refused(make_loop, tmp_path, journal):
    disk = make_loop()
    with (
        pytest.raises(DiskRefusedError, match="twice"),
        open_lease([disk.id, disk.id], store=tmp_path, journal=journal),
    ):
        pass


def test_two_disks_with_one_identity_are_refused(make_loop):
    disk = make_loop()
    twin = sh("losetup", "--find", "--show", disk.id.removeprefix("loop:")).strip()
    try:
        assert any("same identity" in why for check, why in reasons(disk) if check == "identity")
    finally:
        sh("losetup", "--detach", twin)


def test_a_disk_swapped_behind_its_name_is_refused(make_loop):
    disk = make_loop()
    backing = disk.id.removeprefix("loop:")
    sh("losetup", "--detach", disk.path)
    sh("losetup", disk.path, backing)  # same name, file and size: only the kernel's diskseq tells
    (found,) = describe([disk], Question(leased=(disk,))).values()
    assert "unchanged" in {each.check for each in refusals(found)}


def test_a_disk_whose_size_changed_since_the_lease_is_refused(make_loop, lease_of):
    disk = make_loop(64)
    lease = lease_of(disk)
    os.truncate(disk.id.removeprefix("loop:"), 96 << 20)
    sh("losetup", "--set-capacity", disk.path)
    with pytest.raises(DiskRefusedError, match="another disk now"):
        lease.check([disk])


def test_a_read_only_disk_is_refused(make_loop):
    assert "whole" in checks_of(make_loop(64, "--read-only"))


def test_the_disk_under_the_root_filesystem_is_refused():
    under = probes.devices_under(Path("/"))
    for disk in inventory.disks():
        if disk.device_number in under:
            assert "system" in checks_of(disk)
            break
    else:
        pytest.skip("the root filesystem of this machine lies on no block device")


def test_the_disk_that_holds_the_store_is_refused(make_loop, tmp_path):
    disk = make_loop()
    sh("mkfs.ext4", "-q", disk.path)
    point = tmp_path / "mnt"
    point.mkdir()
    sh("mount", disk.path, point)
    try:
        assert "system" in checks_of(disk, store=point / "results" / "not-yet-made")
    finally:
        sh("umount", point)


def test_a_mounted_disk_is_refused(make_loop, tmp_path):
    disk = make_loop()
    sh("mkfs.ext4", "-q", disk.path)
    sh("mount", disk.path, tmp_path)
    try:
        assert {"mounted", "signature", "claim", "blank"} <= checks_of(disk)
    finally:
        sh("umount", tmp_path)


def test_a_disk_mounted_in_another_namespace_is_refused(make_loop, tmp_path):
    disk = make_loop()
    sh("mkfs.ext4", "-q", "-L", "stripelab", disk.path)
    script = f"mount {disk.path} {tmp_path} && echo ready && exec sleep 60"
    hidden = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert hidden.stdout.readline().strip() == "ready"
        assert all(mount.device_number != disk.device_number for mount in probes.mounts())
        assert checks_of(disk) == {"claim", "signature", "blank"}
    finally:
        hidden.kill()
        hidden.communicate()


def test_the_second_member_of_a_mounted_btrfs_is_refused(make_loop, tmp_path):
    first, second = make_loop(256), make_loop(256)
    sh("mkfs.btrfs", "-q", "-L", "stripelab", "-d", "raid1", "-m", "raid1", first.path, second.path)
    sh("mount", first.path, tmp_path)
    try:
        assert {"mounted", "claim"} <= checks_of(second)
        assert "system" in checks_of(second, store=tmp_path)
    finally:
        sh("umount", tmp_path)


def test_a_swap_disk_is_refused(make_loop):
    disk = make_loop()
    sh("mkswap", "--label", "stripelab", disk.path)
    sh("swapon", disk.path)
    try:
        assert {"system", "claim"} <= checks_of(disk)
    finally:
        sh("swapoff", disk.path)


def test_a_disk_with_a_loop_device_on_it_is_refused(make_loop):
    disk = make_loop()
    upper = sh("losetup", "--find", "--show", disk.path).strip()
    try:
        assert any("loop device on" in why for _, why in reasons(disk))
    finally:
        sh("losetup", "--detach", upper)


def test_a_disk_open_in_another_process_is_refused(make_loop):
    disk = make_loop()
    script = f"import sys, time; f = open('{disk.path}', 'rb'); print('ready', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline().strip() == "ready"
        assert checks_of(disk) == {"open"}
        assert any(str(other.pid) in why for _, why in reasons(disk))
    finally:
        other.kill()
        other.communicate()


@pytest.mark.parametrize(
    ("what", "command"),
    [
        ("ext4", ["mkfs.ext4", "-q"]),
        ("xfs", ["mkfs.xfs", "-q", "-f"]),
        ("btrfs", ["mkfs.btrfs", "-q", "-f"]),
        ("swap", ["mkswap"]),
    ],
)
def test_a_foreign_signature_is_refused_and_named(make_loop, what, command):
    disk = make_loop(512)
    sh(*command, disk.path)
    assert any(what in why for check, why in reasons(disk) if check == "signature")


def test_a_partition_table_is_refused(make_loop):
    disk = make_loop()
    linux_from_1_mib = bytes([0, 0, 0, 0, 0x83, 0, 0, 0]) + (2048).to_bytes(4, "little") + (65536).to_bytes(4, "little")
    disk.path.write_bytes(bytes(446) + linux_from_1_mib + bytes(48) + b"\x55\xaa")
    assert any("dos" in why for check, why in reasons(disk) if check == "signature")


def test_typing_the_serial_gives_up_the_signature_of_that_disk_alone(make_loop, lease_of):
    given, other = make_loop(), make_loop()
    sh("mkfs.ext4", "-q", given.path)
    sh("mkfs.ext4", "-q", other.path)
    lease = lease_of(given, other, consented=[given.id])
    lease.check([given])
    with pytest.raises(DiskRefusedError) as refused:
        lease.check([given, other])
    assert other.id in refused.value.message
    assert given.id not in refused.value.message


def test_a_disk_that_was_not_named_is_never_destroyed(make_loop, lease_of):
    named, other = make_loop(), make_loop()
    lease = lease_of(named)
    with pytest.raises(DiskRefusedError, match="did not name"), lease.destroying("mkfs", [other]):
        pytest.fail("the act must not happen")


def test_a_refusal_after_the_lease_stops_the_next_act(make_loop, lease_of):
    disk = make_loop()
    lease = lease_of(disk)
    with lease.destroying("first", [disk]):
        pass
    sh("mkfs.ext4", "-q", disk.path)  # somebody else's, meanwhile
    with pytest.raises(DiskRefusedError, match="ext4"), lease.destroying("second", [disk]):
        pytest.fail("the act must not happen")


def test_the_intent_to_destroy_is_journalled_before_the_act(make_loop, lease_of, journal):
    disk = make_loop()
    with lease_of(disk).destroying("mkfs.xfs", [disk]):
        assert [entry.act for entry in journal.pending] == [
            DestroyAct("mkfs.xfs", (disk.id,)),
            TakenAct(disk.id, disk.diskseq),
        ]


def test_a_second_lease_on_the_same_disk_is_refused(make_loop, lease_of, tmp_path):
    disk = make_loop()
    lease_of(disk)
    with (
        Journal(tmp_path / "other") as second,
        pytest.raises(BusyError),
        open_lease([disk.id], store=tmp_path, journal=second),
    ):
        pass


def test_a_disk_that_cannot_be_probed_is_refused_without_its_neighbours(make_loop):
    good, bad = make_loop(), make_loop()
    gone = replace(bad, name="no-such-disk")
    found = describe([good, gone], Question())
    assert refusals(found[good]) == ()
    assert {"node", "answered"} <= {each.check for each in refusals(found[gone])}
