"""An open loop starts I/Os by its schedule: a stall is in the latency of every arrival that it held up.

A closed loop sees a stall once for each I/O in flight, however long it lasts: coordinated omission (Tene, 2013).
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import pytest

from bench.native import bucket_midpoint_ns
from tests.bench.native.ways import READ, Way, check_books, every_way, text

BS = 4096
SIZE = 64 * BS
RATE = 512
"""A power of two: the last arrival of a second is not rounded into it."""
SECOND_NS = 1_000_000_000
STALL_S = 0.4
DEPTH = 2
STOP_ME = "import os, signal, sys, time; time.sleep(0.3); os.kill({pid}, signal.SIGSTOP); time.sleep({stall_s}); "
STOP_ME += "os.kill({pid}, signal.SIGCONT)"
TIMED = {"time_based": 1, "runtime_ns": SECOND_NS, "random": 1}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * SIZE)
    return path


def stalled(way: Way, file: Path, **numbers: Any) -> dict[str, Any]:
    """A second of reads while another process stops this one for a while: nothing starts, and nothing is seen."""
    options = text(way, [(file, 0, SIZE)], reads=1, iodepth=1 if way.name == "psync" else DEPTH, **TIMED, **numbers)
    program = STOP_ME.format(pid=os.getpid(), stall_s=STALL_S)
    with subprocess.Popen([sys.executable, "-S", "-c", program]):
        (job,) = way.run(options)
    assert job["failed"] == 0
    check_books(job)
    return job


def slower_than(job: dict[str, Any], limit_ns: float) -> int:
    """Reads whose latency was above that."""
    counts = array("Q", job["directions"][READ]["lat"]["buckets"])
    return sum(count for bucket, count in enumerate(counts) if count and bucket_midpoint_ns(bucket) > limit_ns)


@every_way
def test_a_stall_is_in_the_latency_of_every_arrival_that_it_held_up(way: Way, file: Path) -> None:
    job = stalled(way, file, rate_iops=RATE)
    held_up = STALL_S * RATE
    # Arrivals are even: of those held up, three quarters waited for more than a quarter of the stall.
    assert slower_than(job, STALL_S * 1e9 / 4) >= 0.75 * held_up - 4
    assert job["late"] >= held_up - 4
    assert job["late_max_ns"] > 0.95 * STALL_S * 1e9
    assert job["directions"][READ]["lat"]["max_ns"] >= job["late_max_ns"]
    assert job["directions"][READ]["ios"] + job["missed"] == RATE


def test_a_closed_loop_shows_the_same_stall_for_what_was_in_flight_only(file: Path) -> None:
    way = Way("io_uring", "c", 1)
    assert slower_than(stalled(way, file), STALL_S * 1e9 / 4) <= DEPTH


@every_way
@pytest.mark.parametrize("poisson", [0, 1])
def test_arrivals_that_are_due_but_not_started_at_the_end_are_counted(way: Way, file: Path, poisson: int) -> None:
    rate = 1 << 22  # far more than a single read at a time reaches
    timed = {**TIMED, "runtime_ns": SECOND_NS // 4}
    (job,) = way.run(text(way, [(file, 0, SIZE)], reads=1, rate_iops=rate, poisson=poisson, **timed))
    taken, due = job["directions"][READ]["ios"], rate // 4
    assert job["missed"] > 0
    if poisson:  # five standard deviations
        assert abs(taken + job["missed"] - due) < 5 * due**0.5
    else:
        assert abs(taken + job["missed"] - due) <= 1


@every_way
def test_nothing_is_missed_where_the_target_keeps_up_or_the_work_is_done(way: Way, file: Path) -> None:
    (job,) = way.run(text(way, [(file, 0, SIZE)], reads=1, rate_iops=1 << 26, io_size=32 * BS, random=1))
    assert (job["directions"][READ]["ios"], job["missed"]) == (32, 0)
    (closed,) = way.run(text(way, [(file, 0, SIZE)], reads=1, **{**TIMED, "runtime_ns": SECOND_NS // 20}))
    assert (closed["late"], closed["missed"]) == (0, 0)


@every_way
def test_errors_of_the_ramp_are_kept_and_its_short_ios_are_left_out(way: Way, tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"x" * (BS + 1000))
    half = SECOND_NS // 2
    numbers = {"rate_iops": RATE, "ramp_ns": half, "runtime_ns": half, "time_based": 1, "go_on": 1, "direct": 0}
    (job,) = way.run(text(way, [(path, 0, 2 * BS)], reads=1, **numbers))
    (error,) = job["errors"]  # every other read crosses the end of the file: short, then nothing more
    assert (error["errno"], error["direction"], error["first_offsets"][0]) == (errno.ENODATA, READ, BS + 1000)
    assert abs(2 * error["count"] + job["missed"] - RATE) <= 2
    assert 0 < job["short_ios"] < RATE // 4 + RATE // 8  # a few of the ramp are done after it
    assert job["short_ios"] < error["count"]
    assert job["retries"] == 0
