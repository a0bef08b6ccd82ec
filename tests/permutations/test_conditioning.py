"""`precondition` and `steady_state` of a workload: read, defaulted, refused, counted in a plan's cost."""

from __future__ import annotations

import pytest

from permutations import cost
from permutations.conditioning import Precondition, SteadyState
from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.sweep import Sweep

HEAD = '[factors]\nlevel = ["raid5"]\ndisks = [4]\n'
WORKLOAD = HEAD + '[[workload]]\nname = "w"\nrw = "randwrite"\nbs = "{bs}"\nruntime_s = 8\n'
MIB = 1 << 20


def workload(lines, bs="4k"):
    (found,) = Sweep.parse(WORKLOAD.format(bs=bs) + lines, "t.toml").workloads
    return found


def test_what_is_written_is_read():
    found = workload(
        'precondition = { rw = "randwrite", bs = "4k", iodepth = 8, numjobs = 2, passes = 1.5 }\n'
        'steady_state = { metric = "lat_mean_ns", round_s = 10, rounds_max = 7 }\n'
    )
    assert found.precondition == Precondition("randwrite", 4096, 8, 2, 1.5)
    assert found.steady_state == SteadyState("lat_mean_ns", 10.0, 7)


@pytest.mark.parametrize(("bs", "metric"), [("4k", "iops"), ("1M", "bw_bytes_s")])
def test_defaults_are_those_of_the_standard_and_of_the_size_of_the_ios(bs, metric):
    found = workload("[workload.precondition]\n[workload.steady_state]\n", bs)
    assert found.precondition == Precondition("write", 128 << 10, 16, 1, 2.0)
    assert found.steady_state == SteadyState(metric, 60.0, 25)


def test_a_sweep_without_them_keeps_its_protocol():
    """Nothing that was measured before is measured again; asking for rounds is another protocol."""
    plain = Sweep.parse(WORKLOAD.format(bs="4k"), "t.toml")
    assert plain.workloads[0].precondition is plain.workloads[0].steady_state is None
    assert plain.protocol_id == "11bac9ffedb0a366"
    assert Sweep.parse(WORKLOAD.format(bs="4k") + "steady_state = {}\n", "t.toml").protocol_id != plain.protocol_id


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("steady_state = { round_max = 3 }", "steady_state round_max: unknown key; did you mean rounds_max?"),
        ("steady_state = { rounds_max = 4 }", "rounds_max: 4 is out of range: from 5 to 10000"),
        ('steady_state = { metric = "lat_p99_ns" }', 'metric: unknown figure "lat_p99_ns"'),
        ("steady_state = 5", "steady_state: must be a table, not 5"),
        ('precondition = { rw = "read" }', 'rw: unknown value "read"; known are write, randwrite'),
        ("precondition = { bs = 1000 }", "bs: is no multiple of 512 bytes"),
        ("precondition = { passes = 0 }", "passes: 0 is out of range"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(line, said):
    with pytest.raises(SweepError) as refused:
        workload(line + "\n")
    assert said in str(refused.value)


def test_dd_has_neither(tmp_path):
    text = HEAD + '[[workload]]\nname = "w"\nengine = "dd"\nrw = "read"\nbs = "1M"\nsteady_state = {}\n'
    with pytest.raises(SweepError, match="steady_state: is a matter of fio"):
        Sweep.parse(text, tmp_path / "t.toml")


def test_a_job_file_can_be_preconditioned_but_has_no_rounds(tmp_path):
    (tmp_path / "a.fio").write_text("[j]\nrw=randread\n")
    text = HEAD + '[[workload]]\nname = "w"\njob_file = "a.fio"\nprecondition = {}\n'
    assert Sweep.parse(text, tmp_path / "t.toml").workloads[0].precondition == Precondition()
    with pytest.raises(SweepError, match="rounds cannot be cut from a job file"):
        Sweep.parse(text + "steady_state = {}\n", tmp_path / "t.toml")


def test_a_plan_counts_the_time_and_the_bytes_at_most(sweep_of):
    data = '[dataset]\nfiles = 4\nfile_size = "150M"\n[lab]\nprofile = "hdd"\n'
    text = '[sweep]\ninitial_sync = "assume-clean"\n' + WORKLOAD.format(bs="4k")
    plain = cost.plan_cost(make_plan(sweep_of(text + data)))
    lines = "precondition = { passes = 1 }\nsteady_state = { round_s = 10, rounds_max = 20 }\n"
    asked = cost.plan_cost(make_plan(sweep_of(text + lines + data)))
    assert asked.estimated_s - plain.estimated_s == pytest.approx(4 + 1 + 20 * 11)
    in_rounds = 100 * 4096 * 20 * 10
    before = 2 * 600 * MIB / 4  # 128 KiB is no full stripe: data and parity, over four disks
    assert asked.bytes_written_per_disk - plain.bytes_written_per_disk == pytest.approx(in_rounds + before, rel=0.01)
