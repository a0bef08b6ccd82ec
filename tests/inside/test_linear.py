"""md's linear in the lab: what a sweep knows of it before a run, and the order of the disks in its array."""

from __future__ import annotations

from bench.predict import predict
from bench.stack import arrays
from bench.stack.build import stack
from bench.stack.spec import Site, StackRequest, StackSpec
from permutations.factors import FACTORS
from permutations.point import DesignPoint
from permutations.workload import DataSet, DiskProfile, Workload
from stripelab.raid import LEVELS
from tests.inside.conftest import sh

MIB = 1 << 20


def test_data_fill_one_disk_after_the_other(lease, journal, run_folder):
    site = Site(lease, journal, run_folder, "test0001")
    spec = StackSpec(level="linear", disks=3, filesystem="raw", initial_sync="assume-clean")
    with stack(site, StackRequest(spec, DataSet(8, MIB))) as (volume, _):
        assert sh("mdadm", "--detail", volume.devices[0]).count("active sync") == 3
        before = [writes(disk) for disk in volume.members]
        sh("dd", "if=/dev/urandom", f"of={volume.devices[0]}", "bs=1M", "count=64", "oflag=direct", "status=none")
        written = [writes(disk) - old for disk, old in zip(volume.members, before, strict=True)]
    assert written == [64 * MIB, 0, 0]


def test_nothing_is_predicted_of_work_on_a_part_of_it():
    assert arrays.of_level("linear").programs == ("mdadm",)
    assert LEVELS["linear"].capacity_disks(4) == 4
    settings = {**dict.fromkeys(FACTORS), "level": "linear", "disks": 4, "filesystem": "raw"}
    point = DesignPoint(tuple(settings.values()))
    workload = Workload("w", rw="randwrite")
    assert predict(point, workload, DiskProfile("hdd", 100, 20 * MIB)).iops is None


def writes(disk):
    """Bytes written to a disk since boot; Documentation/block/stat.rst, field 7, in sectors of 512 bytes."""
    return int((disk.sys / "stat").read_text().split()[6]) * 512
