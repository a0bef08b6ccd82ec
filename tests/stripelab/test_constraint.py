"""Constraints as a user writes them: what they mean, and what is refused with a hint."""

from __future__ import annotations

import math

import pytest

from stripelab.constraint import INCONCLUSIVE, MET, NOT_MET, ConstraintError, parse


@pytest.mark.parametrize(
    ("text", "metric", "limit"),
    [
        ("survives >= 2", "disk_failures_survived", 2),
        ("usable >= 10 TiB", "usable_bytes", 10 * 1024**4),
        ("bandwidth >= 1.5 GiB/s", "bw_bytes_s", 1.5 * 1024**3),
        ("p99 < .5 ms", "lat_p99_ns", 5e5),
        ("commit_p999<20ms", "commit_lat_p999_ns", 2e7),
        ("cpu <= 3 us", "cpu_ns_per_io", 3e3),
        ("iops > 100", "iops", 100),
    ],
)
def test_a_limit_is_in_the_unit_of_its_metric(text: str, metric: str, limit: float) -> None:
    constraint = parse(text)
    assert (constraint.metric, constraint.limit) == (metric, pytest.approx(limit))


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("p99<100", "lat_p99_ns needs a unit", "use ns, us, ms, s"),
        ("p99 < 5 furlongs", "lat_p99_ns has no unit furlongs", "use ns, us, ms, s"),
        ("iops >= 5 ms", "iops has no unit ms", "leave it out"),
        ("p99 > 20 ms", "lat_p99_ns is better the lower it is", "use <"),
        ("iops <= 5", "iops is better the higher it is", "use >="),
        ("price < 5", '"price" is not a metric', "use survives"),
        ("iops = 5", "is not a constraint", "write NAME OPERATOR NUMBER"),
        ("iops >= 5.", "is not a constraint", "write NAME OPERATOR NUMBER"),
        ("iops >= 1e3", "is not a constraint", "write NAME OPERATOR NUMBER"),
    ],
)
def test_what_is_wrong_is_named_with_a_hint(text: str, problem: str, hint: str) -> None:
    with pytest.raises(ConstraintError) as caught:
        parse(text)
    assert problem in caught.value.problem
    assert caught.value.hint.startswith(hint)


def test_a_measured_figure_meets_a_limit_only_with_its_whole_interval() -> None:
    constraint = parse("p99 < 20 ms")
    assert constraint.judge(10e6, 19e6) == MET
    assert constraint.judge(19e6, 21e6) == INCONCLUSIVE
    assert constraint.judge(20e6, 21e6) == NOT_MET


def test_slack_is_positive_where_a_figure_meets_the_limit() -> None:
    assert parse("p99 < 20 ms").slack(10e6) == pytest.approx(math.log(2))
    assert parse("iops >= 100").slack(50) == pytest.approx(-math.log(2))
    assert parse("iops >= 0").slack(50) > 0
