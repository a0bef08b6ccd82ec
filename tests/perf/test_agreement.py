"""fio and the native engine on a device whose pace is known (``make perf``): do their figures agree?

The device is a loop device under the kernel's own throttle, which lets through so many I/Os a second, whoever asks:
what differs then is how the engines count.  Rounds are interleaved, the verdict is that of ``stripelab crosscheck``.
The kernel opens the throttle every 100 ms for as many I/Os as are due.  The pace is one I/O each time, so that all wait
alike: with several, the first wait for nothing and the last for all, and a median falls now here, now there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import crosscheck as check
from bench.cli.crosscheck import table_lines, verdict_lines
from bench.engine import Targets
from bench.errors import StackError
from bench.stack.throttle import controller, throttled
from permutations.workload import DiskProfile, Workload
from tests.perf import side_by_side as side

MIB = 1 << 20
SIZE = 256 * MIB
PACE = DiskProfile("paced", 10, 1 << 30)
"""I/Os a second, reads and writes apart; bandwidth is not the limit."""
RUNTIME_S = float(os.environ.get("AGREEMENT_RUNTIME_S", "12"))
ROUNDS = int(os.environ.get("AGREEMENT_ROUNDS", "3"))

FIOS_DRAIN = {"lat_p99_ns", "lat_p999_ns"}
"""With several in flight the tail of so few I/Os is how fio ends a run: docs/methodology-engines.md."""

pytestmark = pytest.mark.loop


@pytest.fixture(scope="module")
def paced() -> Iterator[Path]:
    try:
        controller()
    except StackError as missing:
        pytest.skip(missing.message)
    with side.loop_device(SIZE) as device, throttled([device], PACE):
        yield device


@pytest.mark.parametrize("rw", ["randread", "randwrite"])
@pytest.mark.parametrize("iodepth", [1, 4, 8])
def test_fio_and_native_agree_on_a_paced_device(paced, tmp_path, capsys, rw, iodepth):
    workload = Workload("paced", rw=rw, iodepth=iodepth, runtime_s=RUNTIME_S, ioengine="libaio")
    targets = Targets(((paced,),), SIZE, device=True)
    compared, _ = check.crosscheck(workload, targets, ROUNDS, tmp_path, lambda _: None)
    with capsys.disabled():
        print(f"\n{rw} 4 KiB QD{iodepth}, {PACE.iops} I/Os a second let through, {ROUNDS} rounds of {RUNTIME_S:g} s")
        print("\n".join((*table_lines(compared), *verdict_lines(compared))))
    differ = {each.figure for each in compared if each.judged and each.agreement.verdict == "differ"}
    assert differ <= (set() if iodepth == 1 else FIOS_DRAIN)
