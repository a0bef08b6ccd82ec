"""The native engine beside fio and dd (``make perf``): medians of ratios on one core, latencies and seconds recorded.

Where the CPU is the limit the ratios hold from run to run, and a lost one fails.  Where a device is, its own noise
decides: those are printed, with a mark where they fall short.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.perf import side_by_side as side
from tests.perf.side_by_side import Case, Run

MIB = 1 << 20
DEPTHS = (1, 4, 32, 128)
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


def beside_fio(case: Case, **more: Callable[[], Run]) -> Measured:
    found = side.in_turn(
        {
            "fixed": lambda: side.fio(case),
            "batch": lambda: side.fio(case, batch=True),
            "native": lambda: side.ours(case),
            **more,
        }
    )
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
    """Latencies and seconds, on against off, where nothing but the CPU is the limit."""
    for iodepth in (1, 32):
        case = Case(unwritten, "randread", iodepth)
        found = side.in_turn(
            {
                "off": lambda case=case: side.ours(case, record=False, slat_every=0),
                "native": lambda case=case: side.ours(case),
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
    found = beside_fio(Case(request.getfixturevalue(target), rw, iodepth))
    better = max(("fixed", "batch"), key=lambda name: statistics.median(run.iops for run in found[name]))
    least = 1.05 if target == "written" and iodepth == 32 else 0.97
    against = "batch" if least > 1 else better
    iops, cpu = side.ratio(found, "native", against), side.ratio(found, "native", "batch", "cpu_ns")
    marks = ["IOPS short"] * (iops < least) + ["CPU high"] * (cpu > 0.95)
    print(f"  native/{against}: IOPS {iops:.3f} (wanted {least}), CPU/batch {cpu:.3f} (wanted 0.95) {marks or 'met'}")


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
