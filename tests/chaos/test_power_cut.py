"""The power of a guest is cut while it writes: the next one finds every write that was said to be durable.

What dies is the guest, with its page cache and its queues; the disk's image stays with the host.  ``make chaos`` cuts
many times, ``make test`` once on the bare disk and once under a filesystem; CHAOS_POWER_CUTS sets it by hand.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from bench.lab import sandbox
from bench.lab.guest import Lab
from permutations.workload import LabSpec
from tests.chaos.power_cut import DEPTH

pytestmark = pytest.mark.lab

SEED = 20261122
CUTS = int(os.environ.get("CHAOS_POWER_CUTS", "1"))
SPEC = LabSpec(disks=1, disk_bytes=128 << 20, memory_bytes=384 << 20)
ROOT = Path(__file__).parents[2]
DISK = "/dev/ubda"
LATEST_S = 2.0
"""The power is cut at a random moment up to so long after the first durable writes."""


class Cut:
    """Cuts the power, by SIGKILL to all of the guest, so long after its first word of durable writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, progress: Path, after_s: float) -> None:
        self._progress, self._after_s, self._since, self._pid = progress, after_s, 0.0, 0
        spawn = sandbox._spawn

        def spied(*arguments: object) -> int:
            self._pid = spawn(*arguments)  # type: ignore[arg-type]
            return self._pid

        monkeypatch.setattr(sandbox, "_spawn", spied)

    def tick(self) -> None:
        if not self._since and self._progress.exists() and self._progress.stat().st_size:
            self._since = time.monotonic()
        if self._since and time.monotonic() - self._since >= self._after_s:
            os.killpg(self._pid, signal.SIGKILL)


def program(*words: object) -> list[str]:
    return [sys.executable, "-m", "tests.chaos.power_cut", *map(str, words)]


def found_of(share: Path, images: Path, kind: str, writes: int) -> dict[str, int]:
    """What a guest of its own finds of the first writes, on the same disk."""
    with Lab(SPEC, [share], images_dir=images) as lab:
        ended = lab.run(program("verify", kind, DISK, share, writes), timeout_s=120, cwd=ROOT)
    assert ended.status == 0, ended.console
    counted: dict[str, int] = json.loads(ended.console)
    return counted


@pytest.mark.parametrize("number", range(CUTS))
@pytest.mark.parametrize("kind", ["raw", "ext4"])
def test_no_durable_write_is_lost_when_the_power_is_cut(tmp_path, monkeypatch, kind, number):
    share, images = tmp_path / "share", tmp_path / "images"
    share.mkdir()
    progress = share / "progress"
    cut = Cut(monkeypatch, progress, random.Random(SEED + number).random() * LATEST_S)
    with Lab(SPEC, [share], images_dir=images) as lab:
        ended = lab.run(program("write", kind, DISK, share), timeout_s=120, cwd=ROOT, on_tick=cut.tick, check=False)
    assert ended.crashed, ended.console
    acked, durable = map(int, progress.read_text().split("\n")[-2].split())
    assert acked >= durable > 0

    found = found_of(share, images, kind, durable)
    assert not {"lost", "misplaced", "corrupt"} & set(found), found
    assert found.get("torn", 0) <= DEPTH, found  # what was in flight may be half there, nothing else
    assert found["whole"] > 0
    far_too_many = found_of(share, images, kind, durable + 100_000)
    assert far_too_many.get("lost", 0) > 0, "writes that never were must be missed"
