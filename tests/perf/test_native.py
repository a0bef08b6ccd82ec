"""The native engine beside fio and dd (``make perf``): medians of ratios on one core, latencies and seconds recorded.

Where the CPU is the limit the ratios hold from run to run, and a lost one fails.  Where a device is, its own noise
decides what can be seen: each cell shows what fio makes of itself, and fails only where that is narrow (``verdicts``).
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.perf import side_by_side as side
from tests.perf.side_by_side import Case, Run
from tests.perf.verdicts import Ratio, at_equal_pace, lost, ratio_of, word

MIB = 1 << 20
DEPTHS = (1, 4, 32, 128)
DEVICE_RUNTIME_S = float(os.environ.get("PERF_DEVICE_RUNTIME_S", "1"))
DEVICE_ROUNDS = int(os.environ.get("PERF_DEVICE_ROUNDS", "12"))
Measured = dict[str, list[Run]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("perf")


@pytest.fixture(scope="module")
def unwritten(folder: Path) -> Path:
    return side.unwritten_file(folder)


@pytest.fixture(scope="module")
def written(folder: Path) -> Path:
    return side.written_file(folder)


@pytest.fixture(scope="module")
def loop() -> Iterator[Path]:
    with side.loop_device() as device:
        yield device


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    with capsys.disabled():
        yield


def beside_fio(case: Case, rounds: int = side.ROUNDS, **more: Callable[[], Run]) -> Measured:
    generators = {
        "fixed": lambda: side.fio(case),
        "batch": lambda: side.fio(case, batch=True),
        "native": lambda: side.ours(case),
        **more,
    }
    found = side.in_turn(generators, rounds)
    side.show(f"{case.path.name}: {case}", found)
    return found


@pytest.mark.parametrize(("iodepth", "over_fixed", "over_batch"), [(1, 1.7, 0), (32, 2.5, 1.4), (128, 2.5, 1.4)])
def test_reads_without_a_device(
    unwritten: Path, printed: None, iodepth: int, over_fixed: float, over_batch: float
) -> None:
    case = Case(unwritten, "randread", iodepth)
    more = {"psync": lambda: side.fio(case, ioengine="psync")} if iodepth == 1 else {}
    found = beside_fio(case, **more)
    assert side.ratio(found, "native", "fixed") >= over_fixed
    assert side.ratio(found, "native", "batch") >= over_batch
    if more:
        assert side.ratio(found, "native", "psync") >= 1.5


def test_writes_to_dev_null(printed: None) -> None:
    found = beside_fio(Case(Path("/dev/null"), "randwrite", 32, direct=False))
    assert side.ratio(found, "native", "batch") >= 1.75


def test_a_ring_of_no_ops_and_no_kernel_at_all(unwritten: Path, printed: None) -> None:
    case = Case(unwritten, "randread", 32)
    for ioengine in ("nop", "null"):
        found = side.in_turn({"native": lambda ioengine=ioengine: side.ours(case, ioengine=ioengine)})
        side.show(f"{ioengine}: {case}", found)
        best = max(found["native"], key=lambda run: run.iops)
        if ioengine == "nop":
            assert best.iops >= 10e6
        else:
            assert best.user_ns <= 10


def test_recording_costs_little(unwritten: Path, printed: None) -> None:
    """Latencies and seconds, on against off, where nothing but the CPU is the limit.

    The way to the kernel and the batches are named: an engine that looks at nothing would not choose the same.
    """
    batches = {"iodepth_batch_submit": 32, "iodepth_batch_complete_min": 32}
    for iodepth, same in ((1, {"ioengine": "psync"}), (32, {"ioengine": "io_uring", **batches})):
        case = Case(unwritten, "randread", iodepth)
        found = side.in_turn(
            {
                "off": lambda case=case, same=same: side.ours(case, record=False, slat_every=0, **same),
                "native": lambda case=case, same=same: side.ours(case, **same),
            },
            2 * side.ROUNDS,
        )
        side.show(f"recording off and on: {case}", found)
        assert side.ratio(found, "native", "off") >= 0.95


@pytest.mark.loop
@pytest.mark.parametrize("rw", ["randread", "randwrite"])
@pytest.mark.parametrize("iodepth", DEPTHS)
@pytest.mark.parametrize("target", ["written", "loop"])
def test_a_device(request: pytest.FixtureRequest, printed: None, target: str, iodepth: int, rw: str) -> None:
    """Many short rounds, and fio fixed twice in each: what the device makes of two runs of the same."""
    case = Case(request.getfixturevalue(target), rw, iodepth, runtime_s=DEVICE_RUNTIME_S)
    found = beside_fio(case, DEVICE_ROUNDS, again=lambda: side.fio(case))
    better = max(("fixed", "batch"), key=lambda name: statistics.median(run.iops for run in found[name]))
    itself = compared(found, "again", "fixed", "iops")
    print(f"  A/A, fixed with itself: IOPS {itself}, CPU {compared(found, 'again', 'fixed', 'cpu_ns')}")
    for against in ("fixed", "batch"):
        iops = compared(found, "native", against, "iops")
        print(f"  native/{against}: IOPS {iops}, {word(iops, itself)}{' (the better)' * (against == better)}")
    cpu = compared(found, "native", "batch", "cpu_ns")
    paces = [[(run.iops, run.cpu_ns) for run in found[name]] for name in ("native", "batch")]
    print(
        f"  native/batch: CPU {cpu}, at equal pace {at_equal_pace(*paces):.3f}{' HIGH' * (cpu.low > 0.95)} (mark 0.95)"
    )
    if target == "written" and iodepth == 32:
        ahead = compared(found, "native", "batch", "iops")
        print(f"  the mark at this depth is 1.05 x batch: {'met' if ahead.median >= 1.05 else 'not met'} in this run")
    assert not lost(compared(found, "native", better, "iops"), itself)


def compared(found: Measured, over: str, under: str, figure: str) -> Ratio:
    """The ratio of two generators' figures, round by round."""
    return ratio_of(*([getattr(run, figure) for run in found[name]] for name in (over, under)))


@pytest.mark.loop
@pytest.mark.parametrize("rw", ["read", "write"])
@pytest.mark.parametrize("target", ["written", "loop"])
def test_large_blocks_in_sequence(request: pytest.FixtureRequest, printed: None, target: str, rw: str) -> None:
    case = Case(request.getfixturevalue(target), rw, 1, bs=MIB)
    plain = ("--scramble_buffers=0",)  # the native engine marks each 4 KiB, fio by default each 512 bytes
    found = side.in_turn(
        {
            "fixed": lambda: side.whole_process(case, partial(side.fio, buffers=plain)),
            "psync": lambda: side.whole_process(case, partial(side.fio, ioengine="psync", buffers=plain)),
            "dd": lambda: side.dd(case),
            "native": lambda: side.whole_process(case, side.ours),
        }
    )
    side.show(f"{case.path.name}: {case}", found)
