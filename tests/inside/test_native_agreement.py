"""fio and the native engine on a device that takes its time (dm-delay): they must measure the same (``make perf``).

The guest counts time in steps of 10 ms, so every I/O takes the delay and up to a step more, whichever engine sent it.
Other work on the host can only slow a round down: where all I/Os take one time, rates and medians of each engine's best
round are compared. The tail is there whatever held the guest up: no more is asked than that no difference shows.

Where the tail is to be compared, the device has one: of its blocks a few are slow and fewer are slower still.  Each
engine goes over it once from end to end, so both meet the very same blocks, the 99th and 99.9th percentile lie within
what the slow and the slowest blocks take, and the last I/Os of a run are of the quick kind.  There all percentiles must
agree by their intervals over the rounds.  A rate adds up every moment that the guest was held up: the best round does.
"""

from __future__ import annotations

import pytest

from bench import crosscheck as check
from bench.cli.crosscheck import table_lines, verdict_lines
from bench.engine import Targets
from permutations.workload import Workload
from tests.inside.faults import SIZE, Mapped, mapped

DELAY_MS = 30
ROUNDS = 3
RUNTIME_S = 4.0
TAILS = ("lat_p99_ns", "lat_p999_ns")

BS = 4096
BLOCKS = 2048
ZONES = ((600, 30), (102, 400), (736, 30), (10, 1200), (600, 30))
"""Blocks and their delay, ms: 5% are slow, 0.5% are slowest."""
QUICK_MS, SLOW_MS, SLOWEST_MS = 30, 400, 1200
TAIL_IODEPTH = 8
TAIL_ROUNDS = 5
RATES = ("iops", "bw_bytes_s")


@pytest.fixture
def slow(disks):
    below = disks[0].path
    with mapped(below, Mapped("slow", below).delay(0, SIZE, DELAY_MS), name="slow") as device:
        yield device.path


@pytest.fixture
def with_a_tail(disks):
    below, rows, at = disks[0].path, [], 0
    for blocks, delay_ms in ZONES:
        rows.append(Mapped("tail", below).delay(at, blocks * BS, delay_ms))
        at += blocks * BS
    assert at == BLOCKS * BS
    with mapped(below, *rows, name="tail") as device:
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


@pytest.mark.parametrize("rw", ["read", "write"])
def test_percentiles_agree_by_intervals_where_the_tail_is_the_devices(with_a_tail, tmp_path, rw):
    size = BLOCKS * BS
    workload = Workload("tail", rw=rw, iodepth=TAIL_IODEPTH, io_size_bytes=size, ioengine="libaio")
    targets = Targets(((with_a_tail,),), size, device=True)
    compared, _ = check.crosscheck(workload, targets, TAIL_ROUNDS, tmp_path, lambda _: None)
    said = "\n".join((*table_lines(compared), *verdict_lines(compared)))
    print(f"\n{rw} 4 KiB QD{TAIL_IODEPTH}, a pass of {BLOCKS} blocks, {TAIL_ROUNDS} rounds\n{said}")  # noqa: T201 - a figure
    judged = {each.figure: each for each in compared if each.judged}
    assert set(judged) == set(check.MARGINS_PCT)
    for figure, each in judged.items():
        assert each.agreement.verdict == "agree" or (figure in RATES and off_pct(each) <= check.MARGINS_PCT[figure]), (
            said
        )
    least_ms = {"lat_p50_ns": QUICK_MS, "lat_p99_ns": SLOW_MS, "lat_p999_ns": SLOWEST_MS}
    for figure, delay_ms in least_ms.items():
        assert delay_ms * 0.99e6 < min(judged[figure].native) < 2 * delay_ms * 1e6
