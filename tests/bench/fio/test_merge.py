from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

import pytest

from bench.fio.logs import parse_log
from bench.fio.merge import merge_jobs, merge_latencies, results
from bench.fio.model import Direction, Job, Latency
from bench.fio.parser import parse
from bench.histogram import Histogram

RECORDED = Path(__file__).parents[2] / "data" / "fio" / "3.33"


def bucket_ns(value: int) -> int:
    """Midpoint of the bucket that fio sorts a latency into (stat.c: plat_val_to_idx, plat_idx_to_val)."""
    if value < 128:
        return value
    error_bits = value.bit_length() - 7
    return (value >> error_bits << error_bits) + (1 << error_bits) // 2


def latency_of(samples: list[int]) -> Latency:
    counts = Counter(bucket_ns(sample) for sample in samples)
    return Latency(
        samples=len(samples),
        min_ns=min(samples),
        max_ns=max(samples),
        mean_ns=statistics.fmean(samples),
        stddev_ns=statistics.stdev(samples),
        histogram=Histogram(tuple(sorted(counts)), tuple(counts[value] for value in sorted(counts))),
    )


def test_merged_jobs_are_what_fio_reports_of_the_group() -> None:
    """fio merged three jobs itself (group_reporting) and logged every latency of each of them."""
    (job,) = parse((RECORDED / "group.json").read_text()).result.jobs
    group = next(part for part in job.directions if part.name == "write").lat
    assert group is not None
    logs = [parse_log((RECORDED / f"group_lat.{number}.log").read_text()) for number in (1, 2, 3)]
    merged = merge_latencies([latency_of([sample.value for sample in log]) for log in logs])
    assert merged is not None
    assert (merged.samples, merged.min_ns, merged.max_ns) == (group.samples, group.min_ns, group.max_ns)
    assert merged.histogram == group.histogram
    assert merged.mean_ns == pytest.approx(group.mean_ns, rel=1e-9)
    assert merged.stddev_ns == pytest.approx(group.stddev_ns, rel=1e-9)
    assert group.percentiles
    for percent, value_ns in group.percentiles:
        assert merged.histogram is not None
        assert merged.histogram.percentile_ns(percent) == value_ns


def test_amounts_are_sums_and_rates_go_by_the_longest_runtime() -> None:
    jobs = parse((RECORDED / "randwrite-4-jobs.json").read_text()).result.jobs
    (merged,) = merge_jobs(jobs)
    runtime_ms = max(part.runtime_ms for job in jobs for part in job.directions)
    assert (merged.ios, merged.total_bytes, merged.runtime_ms) == (2048, 8 << 20, runtime_ms)
    assert merged.iops == pytest.approx(2048 * 1000 / runtime_ms)
    assert merged.bw_bytes_s == pytest.approx((8 << 20) * 1000 / runtime_ms)


def one_job(latency: Latency | None, error_count: int = 0) -> Job:
    read = Direction("read", ios=4, total_bytes=16384, runtime_ms=1000, iops=4.0, bw_bytes_s=16384.0, lat=latency)
    return Job("j", 0, 0, (read,), None, 0, io_errors=error_count)


def test_percentiles_of_several_jobs_are_never_made_from_percentiles() -> None:
    printed = Latency(4, 1, 9, 5.0, 1.0, percentiles=((50.0, 5), (99.0, 9)))
    (alone,) = results([one_job(printed)])
    assert (alone.lat_p50_ns, alone.lat_p99_ns) == (5, 9)
    (both,) = results([one_job(printed), one_job(printed)])
    assert (both.lat_p50_ns, both.lat_p99_ns) == (None, None)
    assert both.lat_mean_ns == 5.0


def test_a_latency_that_one_job_lacks_is_not_that_of_all() -> None:
    (both,) = results([one_job(Latency(4, 1, 9, 5.0, 1.0)), one_job(None)])
    assert both.lat_mean_ns is both.lat_max_ns is None


def test_errors_that_fio_went_on_from_are_counted_once() -> None:
    assert [result.errors for result in results([one_job(None, 2), one_job(None, 3)])] == [5]
