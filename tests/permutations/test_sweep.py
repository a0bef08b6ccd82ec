from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.feasible.rules import Forbid
from permutations.objective import Objective
from permutations.sweep import Sweep
from permutations.workload import DataSet, DiskProfile, LabSpec, Workload
from stripelab.units import format_size, parse_size

EXAMPLES = Path(__file__).parents[2] / "examples"

WHOLE = """\
[sweep]
name = "whole"
seed = 11
replicates = 4
design = "full"
order = "blocked"
initial_sync = "assume-clean"

[factors]
level = ["raid10", "raid0"]
disks = [4, 6]
chunk_kib = ["default", 64]
raid10_layout = "f2"
filesystem = ["ext4"]
mkfs_options = ["default", "-O ^has_journal"]

[[forbid]]
level = ["raid0"]
disks = 6
reason = "six disks without redundancy"

[[workload]]
name = "a"
rw = "randrw"
bs = "8KiB"
iodepth = 32
numjobs = 3
runtime_s = 7
ramp_time_s = 1.5
rwmixread = 70
fsync = 16
direct = false
ioengine = "io_uring"
options = {norandommap = true, random_distribution = "zipf:1.2", rate_iops = 50, thinktime = 1.5}

[[workload]]
name = "b"
engine = "dd"
rw = "write"
bs = "1M"
io_size = "1G"

[dataset]
files = 12
file_size = "32MiB"

[lab]
disks = 8
disk_size = "2GiB"
memory = "512M"
profile = {iops = 150, bandwidth = "20MiB"}

[[objective]]
minimise = "lat_p99_ns"
workload = "a"

[[objective]]
maximise = "bw_bytes_s"
workload = "b"
"""


def test_a_whole_sweep_as_a_value(sweep_of):
    sweep = sweep_of(WHOLE)
    assert (sweep.name, sweep.seed, sweep.replicates) == ("whole", 11, 4)
    assert (sweep.design, sweep.order, sweep.initial_sync) == ("full", "blocked", "assume-clean")
    swept = {factor.name: factor.values for factor in sweep.factors}
    assert swept["level"] == ("raid10", "raid0")
    assert swept["chunk_kib"] == (None, 64)
    assert swept["raid10_layout"] == ("f2",)
    assert swept["mkfs_options"] == (None, "-O ^has_journal")
    assert swept["layout"] == ("flat",)
    assert swept["scheduler"] == (None,)
    assert sweep.forbid == (Forbid((("level", ("raid0",)), ("disks", (6,))), "six disks without redundancy"),)
    assert sweep.workloads == (
        Workload(
            name="a",
            rw="randrw",
            bs_bytes=8192,
            iodepth=32,
            numjobs=3,
            runtime_s=7.0,
            ramp_time_s=1.5,
            rwmixread=70,
            fsync=16,
            direct=False,
            ioengine="io_uring",
            options=(
                ("norandommap", "1"),
                ("random_distribution", "zipf:1.2"),
                ("rate_iops", "50"),
                ("thinktime", "1.5"),
            ),
        ),
        Workload(name="b", engine="dd", rw="write", bs_bytes=1 << 20, io_size_bytes=1 << 30),
    )
    assert sweep.dataset == DataSet(12, 32 << 20)
    profile = DiskProfile("150-iops-20971520-bytes-s", 150, 20 << 20)
    assert sweep.lab == LabSpec(8, 2 << 30, 512 << 20, profile)
    assert sweep.lab_given
    assert sweep.objectives == (
        Objective("a", "commit_lat_p99_ns", maximise=False, written="lat_p99_ns"),
        Objective("b", "bw_bytes_s", maximise=True),
    )
    assert (sweep.path, sweep.text, sweep.max_disks) == ("t.toml", WHOLE, 6)
    hash(sweep)


def test_what_a_short_sweep_leaves_to_us(sweep_of):
    sweep = sweep_of(
        '[factors]\nlevel = "raid5"\n[lab]\ndisks = 5\n'
        '[[workload]]\nname = "r"\nrw = "randread"\nbs = 512\n[[workload]]\nname = "s"\nrw = "write"\nbs = "1m"\n'
    )
    assert (sweep.name, sweep.replicates, sweep.initial_sync) == ("t", 1, "wait")
    assert sweep.max_disks == sweep.lab.disks == 5
    assert sweep.lab.profile is None
    assert sweep.objectives == (
        Objective("r", "iops", maximise=True),
        Objective("s", "bw_bytes_s", maximise=True),
    )
    (point,) = make_plan(sweep).points
    assert (point.level, point.disks, point.filesystem, point["layout"]) == ("raid5", 5, "xfs", "flat")


def test_the_lab_has_as_many_disks_as_the_sweep_needs(sweep_of, small):
    assert not small.lab_given
    assert small.lab.disks == 4
    assert sweep_of(small.text + '[lab]\nprofile = "hdd"\n').lab.disks == 4
    assert sweep_of(small.text.replace("[4]", "[4, 24]")).lab.disks == 24  # real disks know no such limit


def test_one_objective_may_stand_in_a_table_of_its_own(sweep_of, small):
    sweep = sweep_of(small.text + '[objective]\nminimise = "lat_max_ns"\n')
    assert sweep.objectives == (Objective("w", "lat_max_ns", maximise=False),)


@pytest.mark.parametrize(
    ("job", "rw"),
    [
        ("[j]\nbs=4k\n", "read"),
        ("[j]\nrw=randwrite\n", "randwrite"),
        ("[j]\n  readwrite = readwrite\n", "rw"),
        ("[global]\nrw=randread\n[j]\nrw=randwrite\n", "randwrite"),
        ("[a]\nrw=randread\n[b]\nrw=write\n", "rw"),
        ("[a]\nrw=randread\n[b]\nrw=read\n", "read"),
        ("; rw=write\n[j]\n#rw=write\nrw=read\n", "read"),
    ],
)
def test_what_a_job_file_does_is_read_from_it(tmp_path, job, rw):
    (tmp_path / "a.fio").write_text(job)
    text = '[factors]\nlevel = "raid0"\ndisks = 2\n[[workload]]\nname = "w"\njob_file = "a.fio"\nruntime_s = 5\n'
    (workload,) = Sweep.parse(text, tmp_path / "s.toml").workloads
    assert (workload.rw, workload.runtime_s) == (rw, 5.0)


def test_a_byte_order_mark_is_no_error(tmp_path, small):
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xef\xbb\xbf" + small.text.replace("\n", "\r\n").encode())
    assert Sweep.load(path).protocol_id == small.protocol_id


# Sizes


@pytest.mark.parametrize(
    ("word", "size"),
    [
        ("4k", 4096),
        ("4K", 4096),
        ("4kb", 4096),
        ("4KiB", 4096),
        ("4 KiB", 4096),
        ("512", 512),
        ("512b", 512),
        ("1m", 1 << 20),
        ("1M", 1 << 20),
        ("3GiB", 3 << 30),
        ("2T", 2 << 40),
        ("0", 0),
    ],
)
def test_sizes_are_binary_whatever_their_spelling(word, size):
    assert parse_size(word) == size


@pytest.mark.parametrize("word", ["", "k", "4x", "-4k", "1.5M", "4kk", "4 k b", "٤k", "4ib", "9" * 30])
def test_words_that_are_no_size(word):
    assert parse_size(word) is None


@given(st.integers(0, 10**6), st.sampled_from(["k", "M", "G", "KiB", "MiB", "GiB", "T", "p"]))
def test_a_prefix_multiplies_by_powers_of_1024(count, prefix):
    power = "kmgtp".index(prefix[0].lower()) + 1
    assert parse_size(f"{count}{prefix}") == count * 1024**power


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (20 << 20, "20 MiB"), (5 << 50, "5 PiB")]
)
def test_sizes_are_shown_short(size, shown):
    assert format_size(size) == shown


# Examples


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_plans(path, words):
    plan = make_plan(Sweep.load(path, words))
    assert len({trial.trial_id for trial in plan.trials}) == len(plan.points) * plan.sweep.replicates


def test_the_first_sweep_is_the_one_the_demo_promises(words):
    plan = make_plan(Sweep.load(EXAMPLES / "first-sweep.toml", words))
    assert {point.level for point in plan.points} == {"jbod", "raid0", "raid1", "raid5", "raid6", "raid10"}
    assert {point.filesystem for point in plan.points} == {"xfs", "ext4"}
    assert {point.chunk_kib for point in plan.points} == {None, 64, 512}
    assert {point["layout"] for point in plan.points if point.level == "raid10"} == {"flat", "hashed-2x16"}
    assert {point["layout"] for point in plan.points if point.level != "raid10"} == {"flat"}
    assert (len(plan.points), len(plan.trials)) == (22, 44)
    assert [(each.engine, each.rw) for each in plan.sweep.workloads][:2] == [("fio", "randwrite"), ("fio", "read")]
    assert plan.sweep.workloads[2].engine == "dd"


def test_weights_of_objectives_are_for_all_or_for_none(sweep_of, small):
    two = '[[objective]]\nmaximise = "iops"\nweight = 2\n[[objective]]\nminimise = "lat_p99_ns"\n'
    assert [each.weight for each in sweep_of(small.text + two + "weight = 0.5\n").objectives] == [2.0, 0.5]
    with pytest.raises(SweepError, match="every objective, or for none"):
        sweep_of(small.text + two)
    with pytest.raises(SweepError, match="weight"):
        sweep_of(small.text + two + "weight = 0\n")
