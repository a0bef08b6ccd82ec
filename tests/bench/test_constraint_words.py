"""A sweep file and an answer know the same constraints: two packages that may not import each other."""

from __future__ import annotations

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


def test_a_time_without_a_unit_is_an_error_that_names_the_units() -> None:
    assert constraint.why_not("p99<100") == '"p99<100": lat_p99_ns needs a unit: ns, us, ms, s'
    assert constraint.why_not("survives >= 2") is None
    assert constraint.why_not("iops >= 100") is None
