"""10,000 runs leave no descriptor, no ring or context of the kernel's, no thread and no memory behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.bench.native.ways import Way, every_way, text

BS = 4096
RUNS = {"io_uring": 5000, "libaio": 300, "psync": 5000, "twin": 500}
"""As many as take a few seconds; the kernel needs 35 ms to give back a context of libaio."""
WARM_UP = 50
MEMORY_BYTES = 8 << 20
"""The allocator's own; a histogram alone, left behind by every run, would be 70 MB after 5,000."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * BS * 4)
    return path


def held() -> dict[str, int]:
    """What this process has of the kernel."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "rings": sum("io_uring" in line for line in maps),
        "contexts": sum("[aio]" in line for line in maps),
        "threads": len(list(Path("/proc/self/task").iterdir())),
    }


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@every_way
def test_many_runs_leave_nothing_behind(way: Way, file: Path) -> None:
    options = text(way, [(file, 0, BS * 4)], reads=1, io_size=BS)
    for _ in range(WARM_UP):
        way.run(options)
    before, memory = held(), resident_bytes()
    for _ in range(RUNS[way.name]):
        way.run(options)
    after, grown = held(), resident_bytes() - memory
    sys.stdout.write(f"{way.name}: {RUNS[way.name]} runs, {grown / 1024:.0f} KiB more, held {after}\n")
    assert (after["descriptors"], after["rings"], after["contexts"]) == (
        before["descriptors"],
        before["rings"],
        before["contexts"],
    )
    assert after["threads"] <= before["threads"] + 1  # the last one of a run may still be on its way out
    assert grown < MEMORY_BYTES


@every_way
def test_runs_that_cannot_start_leave_nothing_behind(way: Way, file: Path) -> None:
    options = text(way, [(file, 0, BS * 4), (file.with_name("nothing"), 0, BS)], reads=1, io_size=BS)
    for _ in range(WARM_UP):
        way.run(options)
    before, memory = held(), resident_bytes()
    for _ in range(500):
        way.run(options)
    assert held()["descriptors"] == before["descriptors"]
    assert resident_bytes() - memory < MEMORY_BYTES
