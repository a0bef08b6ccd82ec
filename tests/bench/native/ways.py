"""The ways to the kernel that the tests of the engine's semantics run over, and texts of options for them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.native.jobs import run_text
from bench.native.library import Library, by_name

READ, WRITE, SYNC, COMMIT = range(4)
GRACE_NS = 2_000_000_000
WHOLE = 2**32 - 1


@dataclass(frozen=True)
class Way:
    """An implementation and the interface of the kernel that it is told to use."""

    name: str
    implementation: str
    ioengine: int

    @property
    def library(self) -> Library:
        return by_name(self.implementation)

    def run(self, text: bytes) -> list[Any]:
        """Results of the jobs; an exception that ended the run is raised."""
        jobs, raised = run_text(self.library, text, None, GRACE_NS)
        if raised:
            raise raised
        return jobs


WAYS = (
    Way("io_uring", "c", 1),
    Way("libaio", "c", 2),
    Way("psync", "c", 3),
    Way("twin", "python", 0),
)
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


def text(way: Way | None, files: Sequence[tuple[Path, int, int]], *, jobs: int = 1, **numbers: Any) -> bytes:
    """A text of options: ``files`` are (path, offset, size); ``splits`` are (direction, bytes, below)."""
    splits = numbers.pop("splits", None) or [(direction, numbers.pop("bs", 4096), WHOLE) for direction in (READ,)]
    if len(splits) == 1:
        splits = [(direction, *splits[0][1:]) for direction in (READ, WRITE)]
    lines = [f"{key}={int(value)}" for key, value in numbers.items()]
    if way is not None:
        lines.append(f"ioengine={way.ioengine}")
    lines += ["split={}:{}:{}".format(*split) for split in splits]
    for _ in range(jobs):
        lines += ["job", *(f"file={offset}:{size}:{path}" for path, offset, size in files)]
    return "\n".join(lines).encode()


def check_books(job: dict[str, Any]) -> None:
    """What must hold of every job: histogram totals are the I/Os, and the series adds up to the totals."""
    series = [[0, 0, 0] for _ in range(4)]
    words, at = array("I", job["series"]), 0
    while at < len(words):
        direction, pairs = words[at + 1], words[at + 2]
        numbers = [words[at + 3 + 2 * index] + (words[at + 4 + 2 * index] << 32) for index in range(5)]
        assert sum(words[at + 14 : at + 13 + 2 * pairs : 2]) == numbers[0]
        series[direction] = [before + more for before, more in zip(series[direction], numbers[:3], strict=True)]
        at += 13 + 2 * pairs
    for direction, found in enumerate(job["directions"]):
        lat, slat, clat = found["lat"], found["slat"], found["clat"]
        assert series[direction] == [found["ios"], found["bytes"], lat["sum_ns"]]
        assert lat["samples"] == found["ios"]
        assert slat["samples"] == clat["samples"] <= lat["samples"]
        for kind in (lat, slat, clat):
            assert sum(array("Q", kind["buckets"])) == kind["samples"]
        if slat["samples"] == lat["samples"] and not job["clock_back"]:
            rounding = 2 * lat["samples"]
            assert abs(slat["sum_ns"] + clat["sum_ns"] - lat["sum_ns"]) <= rounding
