"""Throttled disks in the lab: the sweep recommends what the arithmetic says, and a slow disk is named."""

from __future__ import annotations

from bench import disk_check
from bench.lab.profiles import DISK_PROFILES
from bench.stack import throttle
from bench.stack.throttle import throttled
from permutations.workload import DiskProfile
from results.recommendation.recommend import recommend
from results.store.query import load
from tests.inside.conftest import assert_reaches
from tests.inside.sweeps import run, sweep_file
from tests.inside.test_throttle import limits

LEVELS = ("raid0", "raid10", "raid6", "raid1")
THIRD = """
[[lab.disk]]
number = 3
iops = 67
bandwidth = "6990506"
"""


def recommended(folder, disks, more=""):
    path = sweep_file(folder, *LEVELS, seconds=2, replicates=2, files=4, more=more)
    summary = run(path, folder / "store", disks)
    assert summary.ok == summary.planned == 8
    return recommend(folder / "store")


def test_a_disk_can_have_a_limit_of_its_own(disks):
    profile, own = DISK_PROFILES[0], DiskProfile("own", 67, 1 << 20)
    slow, other = (throttle.device_number(disk.path) for disk in disks[:2])
    with throttled([disk.path for disk in disks[:2]], profile, own={disks[0].path: own}):
        assert sorted(limits()[throttle.IOPS_FILES[0]].splitlines()) == sorted([f"{slow} 67", f"{other} 200"])
        assert f"{slow} {1 << 20}" in limits()[throttle.BANDWIDTH_FILES[1]]
    assert set(limits().values()) == {""}


def test_the_disk_check_reads_each_disk_at_its_own_limit(disks):
    chosen = disks[:3]
    own = {chosen[1].path: DiskProfile("own", 67, 7 << 20)}

    def check():
        samples = disk_check.check(chosen)
        iops = {sample.disk_id: sample.read_iops for sample in samples if sample.read_iops is not None}
        rates = {sample.disk_id: sample.read_bytes_s for sample in samples if sample.read_bytes_s is not None}
        assert rates[chosen[1].id] < 0.6 * min(rates[chosen[0].id], rates[chosen[2].id])
        return [iops[disk.id] for disk in chosen]

    with throttled([disk.path for disk in chosen], DISK_PROFILES[0], own=own):
        assert_reaches(check, [200, 67, 200], rel=0.2)


def test_the_sweep_recommends_what_the_arithmetic_of_raid_says(tmp_path, disks):
    """200 IOPS a disk: raid0 800, raid10 400, raid6 267, raid1 200 (Patterson, Gibson and Katz 1988)."""
    found = recommended(tmp_path, disks)
    (answer,) = found.answers
    assert answer.refusal is None
    levels = [str(point.settings["level"]) for point in answer.overall.points]
    assert levels == ["raid0", "raid10", "raid6", "raid1"]
    assert answer.overall.chosen.settings["level"] == "raid0"
    assert answer.surviving.chosen.settings["level"] == "raid10"
    assert [point.tied for point in answer.overall.points[1:]] == [None] * 3
    # The limit of the disks holds from above; a busy host only takes from what they reach.
    assert all(-40 < point.deviation_pct < 15 for point in answer.overall.points)
    assert not any("SLOWER" in warning for warning in found.warnings)


def test_a_disk_that_is_throttled_to_a_third_is_named_by_its_serial(tmp_path, disks):
    found = recommended(tmp_path, disks, THIRD)
    (warning,) = (line for line in found.warnings if "SLOWER THAN ITS PEERS" in line)
    assert warning.startswith("THE DISK LAB0000003 IS SLOWER THAN ITS PEERS")
    assert not any(f"LAB000000{number}" in warning for number in (1, 2, 4))
    rows = load(tmp_path / "store").trial_rows()
    assert {row.disk_own_limits for row in rows} == {("LAB0000003: 67 IOPS, 6990506 B/s",)}
    assert {row.predicted_iops for row in load(tmp_path / "store").observation_rows()} == {None}
