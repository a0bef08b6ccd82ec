from __future__ import annotations

import pytest

from permutations import cost
from permutations.design import make_plan

TEXT = """\
[sweep]
replicates = 3
initial_sync = "{sync}"
[factors]
level = "{level}"
disks = 4
[[workload]]
name = "w"
rw = "{rw}"
bs = "4k"
ramp_time_s = 2
{more}
[dataset]
files = 4
file_size = "150M"
{lab}
"""
LAB = '[lab]\ndisk_size = "3000M"\nprofile = "hdd"\n'
MIB = 1 << 20


def cost_of(sweep_of, disk_bytes=None, **words):
    usual = {"sync": "assume-clean", "level": "raid5", "rw": "randread", "more": "runtime_s = 8", "lab": ""}
    return cost.plan_cost(make_plan(sweep_of(TEXT.format(**{**usual, **words}))), disk_bytes)


def test_time_is_the_sum_of_its_parts(sweep_of):
    # build 4, data set 600 MiB at 150 MiB/s, around the workload 1, ramp 2, run 8
    assert cost_of(sweep_of).estimated_s == pytest.approx(3 * (4 + 4 + 1 + 2 + 8))


@pytest.mark.parametrize(
    ("level", "mib"), [("jbod", 150), ("raid0", 150), ("raid1", 600), ("raid10", 300), ("raid5", 200), ("raid6", 300)]
)
def test_the_data_set_is_written_at_every_trial(sweep_of, level, mib):
    assert cost_of(sweep_of, level=level).bytes_written_per_disk == 3 * mib * MIB


def test_an_awaited_resync_writes_every_member_once(sweep_of):
    spared = cost_of(sweep_of, lab=LAB)
    awaited = cost_of(sweep_of, lab=LAB, sync="wait")
    assert awaited.bytes_written_per_disk - spared.bytes_written_per_disk == 3 * 3000 * MIB
    assert awaited.estimated_s - spared.estimated_s == pytest.approx(3 * 20)
    assert awaited.resync_counted


def test_a_resync_on_disks_of_unknown_size_is_said_to_be_missing(sweep_of):
    assert not cost_of(sweep_of, sync="wait").resync_counted
    assert cost_of(sweep_of, sync="wait", disk_bytes=3000 * MIB).resync_counted
    assert cost_of(sweep_of, sync="wait", level="raid0").resync_counted


RAMP = 500_000_000 * 2
"""At most what a SATA disk takes in the two seconds of ramp, which come on top of a size."""


@pytest.mark.parametrize(
    ("words", "per_trial"),
    [
        ({"rw": "randwrite", "lab": LAB}, 100 * 4096 * 10),  # the profile's 100 IOPS for ten seconds
        ({"rw": "randwrite"}, 500_000_000 * 10),  # a SATA disk at its limit
        ({"rw": "randwrite", "more": 'io_size = "64M"'}, RAMP + 64 * MIB * 2 / 4),  # data and parity, over four
        ({"rw": "randwrite", "more": 'io_size = "64M"\nnumjobs = 2'}, RAMP + 64 * MIB),
        ({"rw": "randrw", "more": 'io_size = "64M"\nrwmixread = 75'}, RAMP + 64 * MIB * 2 / 4 / 4),
        ({"rw": "randread", "more": 'io_size = "64M"'}, 0),
    ],
)
def test_what_workloads_write(sweep_of, words, per_trial):
    assert cost_of(sweep_of, **words).bytes_written_per_disk == pytest.approx(3 * (200 * MIB + per_trial))


def test_dd_takes_as_long_as_its_size(sweep_of):
    text = TEXT.format(sync="assume-clean", level="raid0", rw="write", more="", lab=LAB)
    text = text.replace("ramp_time_s = 2\n", 'engine = "dd"\nio_size = "40M"\n').replace('"4k"', '"1M"')
    sweep = sweep_of(text)
    assert cost.workload_seconds(sweep, sweep.workloads[0]) == pytest.approx(1 + 2)  # 40 MiB at 20 MiB/s
    assert cost.trial_seconds(sweep) == pytest.approx(4 + 4 + 3)
