"""One I/O at a time: what interrupts a stream of them, and what is counted within it."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import pytest

from bench.native.jobs import run_text
from tests.bench.native.ways import GRACE_NS, Way, check_books, every_way, text

BS = 4096
BLOCKS = 256
FOR_EVER = {"reads": 1, "random": 1, "random_map": 0, "time_based": 1, "direct": 0, "slat_every": 0}
"""Nothing looks at an I/O on its way, which would interrupt a stream as well."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * BS * BLOCKS)
    return path


def seconds(job: dict[str, Any]) -> set[int]:
    """Those of the series."""
    words, at = array("I", job["series"]), 0
    found: set[int] = set()
    while at < len(words):
        found.add(words[at])
        at += 13 + 2 * words[at + 2]
    return found


@every_way
def test_seconds_end_and_the_run_ends_where_nothing_else_interrupts(way: Way, file: Path) -> None:
    (job,) = way.run(text(way, [(file, 0, BS * BLOCKS)], runtime_ns=1_200_000_000, **FOR_EVER))
    check_books(job)
    assert seconds(job) == {0, 1}
    assert job["runtime_ns"] >= 1_200_000_000


@every_way
def test_a_stop_is_seen_where_nothing_else_interrupts(way: Way, file: Path) -> None:
    minute_ns = 60_000_000_000  # no second ends in a ramp
    load = {**FOR_EVER, "reads": 0, "writes": 1, "ramp_ns": minute_ns, "runtime_ns": minute_ns}
    asked = iter(range(20))  # about every 20 ms: long enough for the job to be under way
    options = text(way, [(file, 0, BS * BLOCKS)], **load)
    (job,), _ = run_text(way.library, options, lambda _: next(asked, None) is None, GRACE_NS)
    assert job["sequence"] > 0
    assert not job["abandoned"]


@every_way
def test_every_sixteenth_is_looked_at_by_default(way: Way, file: Path) -> None:
    (job,) = way.run(text(way, [(file, 0, BS * BLOCKS)], reads=1, io_size=100 * BS))
    check_books(job)
    (found, *_) = job["directions"]
    assert (found["ios"], found["slat"]["samples"]) == (100, 7)


@every_way
def test_a_short_read_among_others_is_continued_and_never_taken_for_a_whole_one(way: Way, file: Path) -> None:
    """The file ends in the middle of its fourth block."""
    with file.open("r+b") as opened:
        opened.truncate(3 * BS + 1000)
    (job,) = way.run(text(way, [(file, 0, 8 * BS)], reads=1, direct=0, go_on=1))
    (found, *_) = job["directions"]
    assert (found["ios"], job["short_ios"]) == (3, 1)
    assert [error["count"] for error in job["errors"]] == [5]


@every_way
@pytest.mark.parametrize("record", [0, 1])
def test_reads_writes_and_syncs_are_counted_apart(way: Way, file: Path, record: int) -> None:
    numbers = {"reads": 1, "writes": 1, "random": 1, "fsync": 4, "io_size": 200 * BS, "record": record, "direct": 0}
    (job,) = way.run(text(way, [(file, 0, BS * BLOCKS)], **numbers))
    reads, writes, syncs, commits = (found["ios"] for found in job["directions"])
    assert commits == syncs
    assert (reads + writes, writes // 4 - syncs) in {(200, 0), (200, 1)}
    assert job["directions"][0]["bytes"] + job["directions"][1]["bytes"] == 200 * BS
    assert min(reads, writes) > 50
