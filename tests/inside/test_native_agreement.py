"""fio and the native engine on a device that takes its time (dm-delay): they must measure the same.

The guest counts time in steps of 10 ms, so every I/O takes the delay and up to a step more, whichever engine sent it.
Other work on the host can only slow a round down: of rates and medians each engine's best round is compared.  The tail
of so few I/Os is whatever held the guest up in that round: there no difference may be shown by all rounds together.
"""

from __future__ import annotations

import pytest

from bench import crosscheck as check
from bench.engine import Targets
from permutations.workload import Workload
from tests.inside.faults import SIZE, Mapped, mapped

DELAY_MS = 30
ROUNDS = 3
RUNTIME_S = 4.0
TAILS = ("lat_p99_ns", "lat_p999_ns")


@pytest.fixture
def slow(disks):
    below = disks[0].path
    with mapped(below, Mapped("slow", below).delay(0, SIZE, DELAY_MS), name="slow") as device:
        yield device.path


@pytest.mark.parametrize("rw", ["randread", "randwrite"])
@pytest.mark.parametrize("iodepth", [1, 4, 8])
def test_fio_and_native_agree_on_a_device_that_takes_its_time(slow, tmp_path, rw, iodepth):
    workload = Workload("w", rw=rw, iodepth=iodepth, runtime_s=RUNTIME_S, ioengine="libaio")
    targets = Targets(((slow,),), SIZE, device=True)
    compared, _ = check.crosscheck(workload, targets, ROUNDS, tmp_path, lambda _: None)
    judged = [each for each in compared if each.judged]
    assert {each.figure for each in judged} == set(check.MARGINS_PCT)
    assert [each for each in judged if each.figure in TAILS and each.agreement.verdict == "differ"] == []
    best = {each.figure: off_pct(each) for each in judged if each.figure not in TAILS}
    assert {figure: off for figure, off in best.items() if off > check.MARGINS_PCT[figure]} == {}
    assert all(min(each.native) >= DELAY_MS * 1e6 for each in judged if each.figure == "lat_p50_ns")


def off_pct(each):
    """How far the best rounds are apart, percent."""
    best = min if each.figure.startswith("lat_") else max
    ratio = best(each.native) / best(each.other)
    return 100 * (max(ratio, 1 / ratio) - 1)
