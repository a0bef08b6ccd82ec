"""The throttle: what it lets through, what it leaves behind, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.acts import ThrottleAct
from bench.errors import StackError
from bench.journal import recover
from bench.lab.profiles import DISK_PROFILES
from bench.stack import throttle
from bench.stack.throttle import throttled
from permutations.workload import DiskProfile
from tests.inside.conftest import assert_reaches, sh

FOLDER = Path("/sys/fs/cgroup")
FILES = (*throttle.IOPS_FILES, *throttle.BANDWIDTH_FILES)
MIB = 1 << 20


def limits():
    return {name: (FOLDER / name).read_text() for name in FILES}


@pytest.fixture(autouse=True)
def no_limit_is_left():
    yield
    assert set(limits().values()) == {""}


def fio(device, *options):
    said = sh("fio", "--name=raw", f"--filename={device}", "--direct=1", "--ioengine=libaio", "--iodepth=16",
              "--time_based=1", "--runtime=3", "--output-format=json", *options)  # fmt: skip
    return json.loads(said)["jobs"][0]


@pytest.mark.parametrize("direction", ["read", "write"])
@pytest.mark.parametrize("iops", [100, 400])
def test_iops_of_a_bare_disk_are_the_limit(disks, direction, iops):
    with throttled([disks[0].path], DiskProfile("test", iops, 100 * MIB)):
        assert_reaches(
            lambda: [fio(disks[0].path, f"--rw=rand{direction}", "--bs=4k")[direction]["iops"]], [iops], rel=0.1
        )


@pytest.mark.parametrize("direction", ["read", "write"])
def test_bandwidth_of_a_bare_disk_is_the_limit(disks, direction):
    with throttled([disks[0].path], DiskProfile("test", 10_000, 10 * MIB)):
        assert_reaches(
            lambda: [fio(disks[0].path, f"--rw={direction}", "--bs=64k")[direction]["bw_bytes"]], [10 * MIB], rel=0.1
        )


def test_reads_and_writes_have_budgets_of_their_own(disks):
    def both():
        found = fio(disks[0].path, "--rw=randrw", "--bs=4k")
        return [found["read"]["iops"] + found["write"]["iops"]]

    with throttled([disks[0].path], DiskProfile("test", 100, 100 * MIB)):
        assert_reaches(both, [200], rel=0.15)


def test_a_disk_is_free_again_afterwards(disks):
    with throttled([disks[0].path], DiskProfile("test", 100, MIB)):
        assert all(limits().values())
    assert fio(disks[0].path, "--rw=randwrite", "--bs=4k")["write"]["iops"] > 1000


def test_the_limits_are_those_of_the_profile_and_of_the_named_disks(disks):
    profile = DISK_PROFILES[0]
    numbers = [throttle.device_number(disk.path) for disk in disks[:2]]
    with throttled([disk.path for disk in disks[:2]], profile):
        for name in FILES:
            value = profile.iops if "iops" in name else profile.bw_bytes_s
            assert sorted(limits()[name].splitlines()) == sorted(f"{number} {value}" for number in numbers)


def test_a_limit_of_somebody_else_is_refused_and_left(disks):
    number = throttle.device_number(disks[1].path)
    foreign = FOLDER / throttle.BANDWIDTH_FILES[0]
    foreign.write_text(f"{number} 12345\n")
    try:
        with (
            pytest.raises(StackError, match=f"{number} has a limit already, of 12345"),
            throttled([disk.path for disk in disks[:2]], DISK_PROFILES[0]),
        ):
            pytest.fail("the throttle must not be on")
        assert "".join(limits().values()) == f"{number} 12345\n"
    finally:
        foreign.write_text(f"{number} 0\n")


def test_the_limits_are_lifted_when_the_workload_fails(disks):
    with pytest.raises(KeyError), throttled([disks[0].path], DISK_PROFILES[0]):
        raise KeyError


def test_what_is_no_disk_is_refused(tmp_path):
    for path, reason in ((tmp_path, "it is no block device"), (tmp_path / "missing", "No such file")):
        with pytest.raises(StackError, match=reason), throttled([path], DISK_PROFILES[0]):
            pytest.fail("the throttle must not be on")


def test_what_a_dead_run_left_is_lifted_by_the_next(disks, journal, lease):
    standing = throttled([disks[0].path], DISK_PROFILES[0], journal)
    standing.__enter__()  # and never left, as if the process had been killed here
    assert all(limits().values())
    recover(journal, {ThrottleAct: lambda entry: throttle.undo(entry, lease)})
    assert set(limits().values()) == {""}
    recover(journal, {ThrottleAct: lambda entry: throttle.undo(entry, lease)})


def test_without_the_controller_it_says_so(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\ncgroup /x cgroup rw,cpu 0 0\n")
    with pytest.raises(StackError, match="no blkio controller of cgroup version 1"):
        throttle.controller(mounts)
