"""What the comparison of generators says of its figures (``tests/perf/verdicts.py``)."""

from __future__ import annotations

import pytest

from tests.perf.verdicts import Ratio, at_equal_pace, lost, ratio_of, word

SURE = Ratio(1.0, 0.99, 1.01)
UNSURE = Ratio(1.0, 0.9, 1.1)


def test_twelve_rounds_give_the_third_and_the_tenth_ratio() -> None:
    """Conover's table of the binomial distribution: P(X <= 2 | 12, 1/2) = 0.0193, P(X <= 3) = 0.0730."""
    ratios = [1.3, 1.0, 1.1, 0.9, 1.2, 0.8, 1.9, 1.4, 1.5, 1.6, 1.7, 1.8]
    found = ratio_of([10 * ratio for ratio in ratios], [10.0] * 12)
    assert (found.median, found.low, found.high) == pytest.approx((1.35, 1.0, 1.7))


def test_four_rounds_give_no_interval() -> None:
    with pytest.raises(ValueError, match="4 rounds give no interval"):
        ratio_of([1.0, 2.0, 3.0, 4.0], [1.0] * 4)


@pytest.mark.parametrize(
    ("found", "itself", "said"),
    [
        (Ratio(1.05, 1.02, 1.08), SURE, "ahead"),
        (Ratio(1.05, 1.02, 1.08), UNSURE, "not separable here"),
        (Ratio(0.95, 0.93, 0.97), SURE, "behind"),
        (Ratio(0.95, 0.93, 0.97), UNSURE, "not separable here"),
        (Ratio(0.7, 0.6, 0.8), UNSURE, "behind"),
        (Ratio(1.0, 0.98, 1.02), SURE, "level"),
        (Ratio(1.0, 0.98, 1.02), UNSURE, "level"),
        (Ratio(1.0, 0.8, 1.2), SURE, "not separable here"),
    ],
)
def test_a_figure_is_judged_beside_what_the_device_makes_of_two_runs_of_the_same(
    found: Ratio, itself: Ratio, said: str
) -> None:
    assert word(found, itself) == said


def test_a_cell_is_lost_only_where_the_device_can_show_it() -> None:
    assert lost(Ratio(0.9, 0.88, 0.96), SURE)
    assert not lost(Ratio(0.9, 0.88, 0.98), SURE)
    assert not lost(Ratio(0.9, 0.88, 0.96), UNSURE)


def test_costs_are_compared_at_the_same_pace() -> None:
    """The cost is the reciprocal of the pace for both; whoever met a faster device is not the cheaper one."""
    slow, fast = [(pace, 1 / pace) for pace in (1.0, 4.0, 2.0)], [(pace, 1 / pace) for pace in (2.0, 1.0, 4.0)]
    assert at_equal_pace(slow, fast) == pytest.approx(1)
