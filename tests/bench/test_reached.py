"""The least that disks move for data that cannot be compressed, against writes that are counted one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bench.engine import Targets
from bench.reached import DiskBytes, least_bytes, measured_bytes
from bench.telemetry import Sample
from permutations.conditioning import SteadyState
from permutations.workload import Workload
from results.store import compressed
from results.store.schema import ObservationRow

MIB = 1 << 20
TARGETS = Targets(((Path("/a"), Path("/b"), Path("/c"), Path("/d")),), 16 * MIB, device=False)
DIRECT = Workload("w", rw="write", bs_bytes=MIB)
ROW = ObservationRow(
    trial_id="t", workload="w", direction="write", engine="dd", engine_version="9", command="", ios=100,
    total_bytes=100 * MIB, runtime_ns=10**9, bw_bytes_s=1e8, errors=0,
)  # fmt: skip
CACHED = replace(DIRECT, direct=False)


def least(workload: Workload, moved: int, direction: str = "write", level: str = "jbod", disks: int = 4) -> int | None:
    return least_bytes(workload, TARGETS, direction, moved, level=level, disks=disks)


@pytest.mark.parametrize(
    ("level", "disks", "copies"),
    [("jbod", 4, 1), ("raid1", 3, 3), ("raid10", 4, 2), ("raid5", 4, 4 / 3), ("raid6", 6, 1.5)],
)
def test_each_written_byte_reaches_the_disks_with_its_copies_and_parity(level: str, disks: int, copies: float) -> None:
    assert least(DIRECT, 90 * MIB, level=level, disks=disks) == int(90 * MIB * copies)
    assert least(DIRECT, 90 * MIB, "read", level, disks) == 90 * MIB


def test_a_cache_may_take_what_is_overwritten_and_no_more() -> None:
    assert least(CACHED, 30 * MIB) == 30 * MIB
    assert least(CACHED, 300 * MIB) == 64 * MIB
    assert least(replace(CACHED, fsync=1), 300 * MIB) == 300 * MIB


@pytest.mark.parametrize("blocks", [100, 4096, 20000])
def test_blocks_drawn_with_replacement_are_as_many_different_ones_as_counted(blocks: int) -> None:
    """4,096 blocks of 16 KiB, drawn one by one."""
    rng = random.Random(blocks)
    drawn = len({rng.randrange(4096) for _ in range(blocks)}) * (16 << 10)
    found = least(replace(CACHED, rw="randwrite", bs_bytes=16 << 10), blocks * (16 << 10))
    assert found == pytest.approx(drawn, rel=0.03)


@pytest.mark.parametrize(
    ("workload", "direction"),
    [
        (replace(CACHED, options=(("random_distribution", "zipf:1.1"),)), "write"),
        (replace(DIRECT, job_file="x.fio"), "write"),
        (replace(CACHED, rw="randrw"), "read"),
        (replace(CACHED, rw="read", steady_state=SteadyState("iops")), "read"),
    ],
)
def test_nothing_is_claimed_where_nobody_can_know(workload: Workload, direction: str) -> None:
    assert least(workload, 30 * MIB, direction) is None


def test_what_the_ramp_moved_is_left_out_of_direct_io() -> None:
    samples = [Sample(float(second), "sda", read_bytes_s=0.0, write_bytes_s=10.0) for second in range(1, 5)]
    ramp = replace(DIRECT, ramp_time_s=2.0)
    assert measured_bytes(DiskBytes(0, 100), samples, ramp).write == 80
    assert measured_bytes(DiskBytes(0, 100), samples, replace(ramp, direct=False)).write == 100


@pytest.mark.parametrize(("reached", "found"), [(2, True), (89, True), (90, False), (100, False), (300, False)])
def test_a_trial_is_warned_below_nine_tenths(reached: int, found: bool) -> None:
    row = replace(ROW, disk_bytes=reached * MIB, least_disk_bytes=100 * MIB)
    said = compressed.warning(row)
    assert (said is not None) == found
    if said is not None:
        assert f"{100 * MIB:,} bytes written, {reached * MIB:,} reached the disks" in said


def test_old_rows_say_nothing() -> None:
    assert compressed.warning(ROW) is None
