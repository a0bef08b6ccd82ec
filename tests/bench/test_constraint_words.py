"""A sweep file and an answer know the same constraints: two packages that may not import each other."""

from __future__ import annotations

import math

import pytest

from permutations import constraint
from results.errors import ResultsError
from results.estimates import constraints


def test_short_names_of_figures_are_the_same() -> None:
    assert constraints.SHORT == constraint.SHORT


def test_whatever_a_sweep_file_may_ask_for_is_known_when_it_is_judged() -> None:
    asked = {*constraint.AT_MOST, *constraint.AT_LEAST}
    assert asked <= {*constraints.FACTS, *constraints.MEASURED}
    assert set(constraint.SHORT.values()) <= asked


TEXTS = [
    f"{name} {sign} {number}{unit}"
    for name in ("p99", "survives", "usable", "bandwidth", "iops", "cpu", "lat_mean_ns", "price")
    for sign in ("<", "<=", ">", ">=", "=")
    for number in ("5", "0.5", ".5", "5.", "5.5.5", ".", "1e3", "-1")
    for unit in ("", " ms", " GiB", " MiB/s", "ns", " furlongs")
]


def test_what_is_accepted_before_the_run_is_accepted_after_it_and_nothing_else() -> None:
    def judged(text: str) -> bool:
        try:
            constraints.parse(text)
        except ResultsError:
            return False
        return True

    assert [text for text in TEXTS if (constraint.why_not(text) is None) is not judged(text)] == []


def test_both_mean_the_same_limit() -> None:
    accepted = [text for text in TEXTS if constraint.why_not(text) is None]
    for text in accepted:
        before, after = constraint.parse(text), constraints.parse(text)
        assert (before.metric, before.operator, before.limit) == (after.metric, after.operator, after.limit)
        for value in (before.limit * factor for factor in (0.5, 1, 2)):
            assert before.holds(value) is (after.judge(value, value) == constraints.MET)
    assert len(accepted) > 30


def test_what_is_known_before_a_run_is_what_a_trial_records_as_a_fact() -> None:
    assert set(constraint.KNOWN_BEFORE) == set(constraints.FACTS)


def test_slack_is_positive_where_a_figure_meets_the_limit() -> None:
    assert constraint.parse("p99 < 20 ms").slack(10e6) == pytest.approx(math.log(2))
    assert constraint.parse("iops >= 100").slack(50) == pytest.approx(-math.log(2))
    assert constraint.parse("iops >= 0").slack(50) > 0


def test_a_time_without_a_unit_is_an_error_that_names_the_units() -> None:
    assert constraint.why_not("p99<100") == '"p99<100": lat_p99_ns needs a unit: ns, us, ms, s'
    assert constraint.why_not("survives >= 2") is None
    assert constraint.why_not("iops >= 100") is None
