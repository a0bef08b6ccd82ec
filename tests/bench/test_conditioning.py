"""What comes before the measured run: rounds end when they are steady, or at the limit; writes are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.conditioning import Conditioning, figure, until_steady
from bench.engine import DirectionResult, Targets
from bench.errors import EngineError
from bench.fio.engine import FioEngine
from permutations.conditioning import Precondition, SteadyState
from permutations.workload import Workload
from results.statistics import steady

MIB = 1 << 20
ASKED = SteadyState("iops", round_s=1.0, rounds_max=8)


def rounds(*figures):
    """A workload whose rounds make these figures, then the last one for ever."""
    return lambda number: float(figures[min(number, len(figures)) - 1])


def test_rounds_end_with_the_first_five_that_are_steady():
    found = until_steady(ASKED, rounds(2000, 1500, 1000, 1005, 995, 1000, 1002))
    assert found.verdict == steady.STEADY
    assert found.rounds == (2000, 1500, 1000, 1005, 995, 1000, 1002)
    assert found.warning is None


def test_five_rounds_are_the_least():
    assert len(until_steady(ASKED, rounds(1000)).rounds) == 5


def test_at_the_limit_it_is_said_not_to_be_steady():
    found = until_steady(ASKED, lambda number: 1000.0 * 0.9**number)
    assert (found.verdict, len(found.rounds)) == (steady.NOT_STEADY, 8)
    assert found.warning == "not steady after 8 rounds of 1 s, the most that the sweep allows"


def test_noise_that_hides_a_drift_is_not_called_steady():
    found = until_steady(ASKED, rounds(1080, 920, 1080, 920, 1080, 920, 1080, 920))
    assert (found.verdict, len(found.rounds)) == (steady.NOT_EXCLUDED, 8)


def test_fewer_rounds_than_the_rule_needs_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="fewer than the rule needs"):
        until_steady(replace(ASKED, rounds_max=4), rounds(1000))


def direction(name, **figures):
    return DirectionResult(
        direction=name, **{"total_bytes": 1, "runtime_ns": 1, "bw_bytes_s": 1.0, "errors": 0, **figures}
    )


def test_the_figure_of_a_round_is_that_of_all_its_directions():
    both = (
        direction("read", ios=30, iops=300.0, lat_mean_ns=10.0),
        direction("write", ios=10, iops=100.0, lat_mean_ns=30.0),
        direction("sync", ios=5, iops=None, lat_mean_ns=1e9),
    )
    assert figure(both, "iops", "fio") == 400.0
    assert figure(both, "lat_mean_ns", "fio") == 15.0
    committed = (*both, direction("commit", ios=5, iops=50.0, lat_mean_ns=2e9))
    assert figure(committed, "iops", "native") == 400.0
    assert figure(committed, "lat_mean_ns", "native") == 2e9
    with pytest.raises(EngineError, match="has no iops"):
        figure((direction("read", ios=1, iops=None),), "iops", "dd")


@pytest.fixture
def conditioning(tmp_path):
    paths = tuple(tmp_path / f"target-{number}" for number in range(2))
    for path in paths:
        path.write_bytes(bytes(MIB))
    said = []

    def make(workload):
        targets = Targets((paths,), MIB, device=False)
        return Conditioning(FioEngine(), workload, targets, tmp_path / "scratch", lambda _: 60.0, said.append), said

    return make, paths


def test_preconditioning_writes_the_whole_data_set(conditioning):
    make, paths = conditioning
    asked = Precondition(bs_bytes=64 << 10, numjobs=2, passes=1.5)
    (settle, said) = make(Workload("w", precondition=asked, options=(("rate_iops", "1"),)))
    command = settle.precondition(2 * MIB)
    assert [event.workload for event in said] == ["w: preconditioning"]
    assert "--rw=write" in command
    assert f"--io_size={3 * MIB // 2}" in command
    assert "rate_iops" not in command
    for path in paths:
        blocks = [path.read_bytes()[at : at + 4096] for at in range(0, MIB, 4096)]
        assert bytes(4096) not in blocks
        assert path.stat().st_size == MIB


def test_rounds_are_runs_of_the_workload_without_its_ramp(conditioning):
    make, _ = conditioning
    workload = Workload(
        "w", rw="randread", ramp_time_s=3.0, runtime_s=9.0, options=(("rate_iops", "200"),), steady_state=ASKED
    )
    (settle, said) = make(workload)
    found = settle.rounds()
    assert found.rounds == pytest.approx([200] * len(found.rounds), rel=0.2)
    assert said[0].workload == "w: round 1 of at most 8"
    assert len(said) == len(found.rounds)


def test_a_workload_that_asks_for_nothing_gets_nothing(conditioning):
    make, _ = conditioning
    (settle, said) = make(Workload("w"))
    assert (settle.precondition(MIB), settle.rounds(), said) == (None, None, [])


def test_every_job_writes_its_share_in_whole_blocks():
    assert Precondition(bs_bytes=4096, numjobs=3, passes=1.0).io_size_bytes(10_000) == 4096
    assert Precondition(bs_bytes=MIB, numjobs=1, passes=2.0).io_size_bytes(3 * MIB + 1) == 7 * MIB
