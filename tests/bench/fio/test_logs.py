from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import EngineError
from bench.fio.logs import JobLogs, Sample, intervals, parse_log
from bench.fio.parser import parse

RECORDED = Path(__file__).parents[2] / "data" / "fio" / "3.33"


def log(name: str) -> tuple[Sample, ...]:
    return parse_log((RECORDED / name).read_text())


def test_every_second_of_a_steady_run_has_its_rate() -> None:
    """Two jobs held to 60 IOPS each: the rows say 120, ramp left out, the unsampled end made up for."""
    document = parse((RECORDED / "logs.json").read_text()).result
    runtime_ms = max(part.runtime_ms for job in document.jobs for part in job.directions)
    jobs = [
        JobLogs(log(f"logs_bw.{number}.log"), log(f"logs_iops.{number}.log"), log(f"logs_lat.{number}.log"))
        for number in (1, 2)
    ]
    for size in (4096.0, None):
        rows = intervals(jobs, runtime_ms, ["write"], {"write": size})
        assert [row.second for row in rows] == [0, 1, 2]
        for row in rows:
            assert row.iops == pytest.approx(120, rel=0.1)
            assert row.bw_bytes_s == pytest.approx(120 * 4096, rel=0.1)
            assert row.lat_mean_ns is not None
    total_bytes = sum(part.total_bytes for job in document.jobs for part in job.directions)
    assert sum(row.bw_bytes_s or 0.0 for row in rows) == pytest.approx(total_bytes, rel=0.05)


def test_a_second_in_which_nothing_happened_is_a_row_of_zeros() -> None:
    """A job that does 32 I/Os and then sleeps for a second and a half, again and again."""
    jobs = [JobLogs(log("stall_bw.1.log"), (), log("stall_lat.1.log"))]
    rows = intervals(jobs, 4000, ["read"], {"read": 4096.0})
    assert len(rows) == 4
    idle = [row for row in rows if not row.bw_bytes_s]
    assert idle
    assert all(row.iops == 0.0 and row.lat_mean_ns is None for row in idle)
    assert sum(row.iops or 0.0 for row in rows) == pytest.approx(96, rel=0.05)


def test_late_windows_are_spread_over_the_seconds_they_overlap() -> None:
    drifting = tuple(Sample(time_ms, 100, "read") for time_ms in (260, 520, 780, 1040, 1300, 1560, 1820, 2000))
    rows = intervals([JobLogs(drifting, (), ())], 2000, ["read"], {"read": 1024.0})
    assert [row.iops for row in rows] == pytest.approx([100.0, 100.0])


def test_a_last_second_that_is_not_whole_is_left_out() -> None:
    samples = tuple(Sample(time_ms, 8, "write") for time_ms in range(250, 2600, 250))
    rows = intervals([JobLogs(samples, (), ())], 2600, ["write"], {"write": 4096.0})
    assert [row.second for row in rows] == [0, 1]
    assert intervals([JobLogs((), (), ())], 900, ["write"], {}) == ()


def test_a_long_silence_at_the_end_is_a_stall_and_stays_one() -> None:
    samples = (Sample(250, 8, "write"),)
    rows = intervals([JobLogs(samples, (), ())], 2000, ["write"], {"write": 4096.0})
    assert [row.bw_bytes_s for row in rows] == [2048.0, 0.0]


def test_latency_is_weighted_by_what_moved() -> None:
    busy = JobLogs((Sample(250, 300, "read"),), (), (Sample(250, 1000, "read"),))
    slow = JobLogs((Sample(250, 100, "read"),), (), (Sample(251, 9000, "read"),))
    (row,) = intervals([busy, slow], 1000, ["read"], {"read": 4096.0})
    assert row.lat_mean_ns == pytest.approx((300 * 1000 + 100 * 9000) / 400)


@pytest.mark.parametrize("line", ["x", "1, 2", "1, 2, 7, 0", "-1, 2, 0", "1.5, 2, 0"])
def test_a_line_that_is_no_sample_is_named(line: str) -> None:
    with pytest.raises(EngineError, match="line 2 of a fio log"):
        parse_log(f"250, 1, 0, 0, 0\n{line}\n")


def test_the_fourth_column_is_the_size_and_those_beyond_it_are_left_alone() -> None:
    assert parse_log("250, 7, 1, 4096, 8192, 0x4001, 12\n\n") == (Sample(250, 7, "write", 4096),)
