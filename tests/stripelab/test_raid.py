"""Against table 1 of Chen et al., 1994, md(4), and a simulation of the disks' budgets."""

from __future__ import annotations

import random

import pytest

from permutations.capacity import fullest_bytes, roomy_disk_bytes
from permutations.workload import DataSet
from stripelab import raid
from stripelab.raid import LEVELS


@pytest.mark.parametrize(
    ("level", "disks", "capacity", "survived"),
    [
        ("jbod", 4, 4, 0),
        ("raid0", 4, 4, 0),
        ("raid1", 2, 1, 1),
        ("raid1", 4, 1, 3),
        ("raid5", 3, 2, 1),
        ("raid5", 8, 7, 1),
        ("raid6", 4, 2, 2),
        ("raid6", 8, 6, 2),
        ("raid10", 4, 2, 1),
        ("raid10", 8, 4, 1),
    ],
)
def test_capacity_and_failures(level, disks, capacity, survived):
    assert LEVELS[level].usable_bytes(disks, 10**12) == capacity * 10**12
    assert LEVELS[level].disk_failures_survived(disks) == survived


@pytest.mark.parametrize(
    ("level", "disks", "layout", "data"),
    [
        ("raid0", 4, None, 4),
        ("raid5", 4, None, 3),
        ("raid6", 6, None, 4),
        ("raid10", 6, None, 3),
        ("raid10", 6, "n2", 3),
        ("raid10", 6, "f2", 6),
        ("raid10", 6, "o2", 6),
    ],
)
def test_stripe_width_is_chunk_times_data_disks(level, disks, layout, data):
    assert LEVELS[level].data_disks(disks, layout) == data
    assert LEVELS[level].stripe_width_kib(disks, 64, layout) == 64 * data
    assert LEVELS[level].stripe_width_kib(disks, None, layout) == 512 * data


def test_levels_without_a_chunk_have_no_stripe():
    assert LEVELS["raid1"].stripe_width_kib(2, None) is None
    assert LEVELS["jbod"].stripe_width_kib(4, None) is None


@pytest.mark.parametrize(
    ("level", "iops"),
    [("jbod", 400), ("raid0", 400), ("raid10", 200), ("raid5", 200), ("raid6", 400 / 3), ("raid1", 100)],
)
def test_random_writes_of_four_throttled_disks(level, iops):
    assert LEVELS[level].random_write_iops(4, 100) == pytest.approx(iops)
    assert raid.random_read_iops(4, 100) == 400


def parity_write(level: str, disks: int, rng: random.Random) -> tuple[set[int], set[int]]:
    """Disks that a small write reads and writes, the cheaper of the two ways md has."""
    members = rng.sample(range(disks), disks)
    parities = members[: {"raid5": 1, "raid6": 2}[level]]
    target, *rest = members[len(parities) :]
    written = {target, *parities}
    modify, reconstruct = written, set(rest)
    return (reconstruct if len(reconstruct) < len(modify) else modify), written


@pytest.mark.parametrize(("level", "disks"), [("raid5", 3), ("raid5", 4), ("raid5", 8), ("raid6", 4), ("raid6", 8)])
def test_parity_writes_against_a_simulation_of_the_budgets(level, disks):
    rng = random.Random(5)
    reads, writes = [0] * disks, [0] * disks
    count = 20_000
    for _ in range(count):
        read, written = parity_write(level, disks, rng)
        for disk in read:
            reads[disk] += 1
        for disk in written:
            writes[disk] += 1
    apart_s = max(*reads, *writes) / 100
    together_s = max(r + w for r, w in zip(reads, writes, strict=True)) / 100
    assert LEVELS[level].random_write_iops(disks, 100) == pytest.approx(count / apart_s, rel=0.03)
    assert LEVELS[level].random_write_iops_one_budget(disks, 100) == pytest.approx(count / together_s, rel=0.03)


@pytest.mark.parametrize("disks", [4, 6, 8, 16])
def test_one_budget_against_the_published_table(disks):
    """Chen et al., table 1: small writes relative to RAID 0 of as many disks, G = disks."""
    full = LEVELS["raid0"].random_write_iops_one_budget(disks, 100)
    for level, share in {
        "raid10": 1 / 2,
        "raid5": max(1 / disks, 1 / 4),
        "raid6": max(1 / disks, 1 / 6),
    }.items():
        assert LEVELS[level].random_write_iops_one_budget(disks, 100) == pytest.approx(full * share)
    for level, share in {"raid10": 1 / 2, "raid5": (disks - 1) / disks, "raid6": (disks - 2) / disks}.items():
        assert LEVELS[level].sequential_write_bw(disks, 100) == pytest.approx(disks * 100 * share)
    assert raid.sequential_read_bw(disks, 100) == disks * 100


@pytest.mark.parametrize(("chunk_kib", "mib_s"), [(16, 9.375), (64, 37.5), (1024, 80)])
def test_a_throttle_of_iops_makes_the_larger_chunk_win(chunk_kib, mib_s):
    """150 IOPS and 20 MiB/s a disk, 1 MiB reads on four: 9.6, 37.5 and 66.7 MiB/s were measured."""
    per_disk = raid.throttled_bw(150, 20 << 20, min(chunk_kib, 1024) << 10)
    assert raid.sequential_read_bw(4, per_disk) / (1 << 20) == pytest.approx(mib_s)


@pytest.mark.parametrize(
    ("level", "small", "whole"),
    [("raid0", 1, 1), ("raid1", 6, 6), ("raid10", 2, 2), ("raid5", 2, 6 / 5), ("raid6", 3, 6 / 4), ("jbod", 1, 1)],
)
def test_write_amplification(level, small, whole):
    assert LEVELS[level].write_amplification(6, small=True) == pytest.approx(small)
    assert LEVELS[level].write_amplification(6, small=False) == pytest.approx(whole)


def test_the_fullest_disk_of_a_jbod_decides_what_fits():
    five = DataSet(files=5, file_bytes=40)
    assert fullest_bytes(five, "jbod", 4) == 80
    assert {fullest_bytes(five, level, 4) for level in ("raid0", "raid1", "raid6")} == {200}


@pytest.mark.parametrize("level", LEVELS)
def test_roomy_disks_leave_every_filesystem_its_spare(level):
    dataset = DataSet(files=16, file_bytes=64 << 20)
    disk_bytes = roomy_disk_bytes(dataset, level, 4)
    device_bytes = disk_bytes if level == "jbod" else LEVELS[level].usable_bytes(4, disk_bytes)
    spare = device_bytes - fullest_bytes(dataset, level, 4)
    assert spare >= 0.15 * device_bytes
    assert disk_bytes % (256 << 20) == 0
