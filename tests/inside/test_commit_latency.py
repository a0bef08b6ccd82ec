"""Commits on a device whose flush takes longer than its writes (dm-delay): the sync makes the commit, not the write."""

from __future__ import annotations

import pytest

from bench.engine import Targets
from bench.fio.engine import FioEngine
from permutations.workload import Workload
from tests.inside.faults import SECTOR, SIZE, drive, mapped

WRITE_MS, FLUSH_MS = 20, 100


@pytest.fixture
def slow_to_flush(disks):
    below = disks[0].path
    assert SIZE % SECTOR == 0
    row = (SIZE, "delay", f"{below} 0 0 {below} 0 {WRITE_MS} {below} 0 {FLUSH_MS}")
    with mapped(below, row, name="flush") as device:
        yield device.path


@pytest.mark.parametrize("way", ["io_uring", "libaio", "psync"])
@pytest.mark.parametrize("kind", ["fsync", "fdatasync"])
def test_a_commit_takes_the_write_and_the_flush(slow_to_flush, way, kind):
    done = drive(slow_to_flush, rw="randwrite", ioengine=way, iodepth=1, runtime_s=4, **{kind: 1})
    write, sync, commit = (done.direction(name).lat for name in ("write", "sync", "commit"))
    assert write.min_ns >= 0.99e6 * WRITE_MS
    assert sync.min_ns >= 0.99e6 * FLUSH_MS
    assert commit.min_ns >= 0.99e6 * (WRITE_MS + FLUSH_MS)
    assert write.percentile_ns(50.0) < 0.5 * commit.percentile_ns(50.0)
    assert commit.mean_ns == pytest.approx(write.mean_ns + sync.mean_ns, rel=0.02)


def test_the_mean_of_fio_is_the_mean_of_the_native_engine(slow_to_flush, tmp_path):
    targets = Targets(((slow_to_flush,),), SIZE, device=True)
    workload = Workload("wal", rw="randwrite", fsync=1, runtime_s=4.0, ioengine="psync")
    best = []
    for _ in range(3):  # other work on the host can only slow a round down
        fio = FioEngine().run(workload, targets, scratch=tmp_path, timeout_s=120)
        native = drive(slow_to_flush, rw="randwrite", ioengine="psync", iodepth=1, runtime_s=4, fsync=1)
        (mean_ns,) = (each.lat_mean_ns for each in fio.directions if each.direction == "commit")
        best.append((mean_ns, native.direction("commit").lat.mean_ns))
    fio_ns, native_ns = (min(each) for each in zip(*best, strict=True))
    assert fio_ns == pytest.approx(native_ns, rel=0.05)
