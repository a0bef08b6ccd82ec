from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from results.statistics.agreement import agreement

POSITIVE = st.floats(0.5, 2.0)


def test_the_interval_is_that_of_a_paired_t_test():
    """Against scipy's own interval for paired logarithms."""
    import numpy as np

    first, second = [101.0, 99.0, 103.0, 100.5], [100.0, 100.0, 101.0, 99.0]
    found = agreement(first, second, 2.0)
    expected = stats.ttest_rel(np.log(first), np.log(second)).confidence_interval(0.9)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((np.exp(expected.low), np.exp(expected.high)))


@pytest.mark.parametrize(
    ("first", "verdict", "words"),
    [
        ([100.0, 101.0, 100.0], "agree", "agree within 2%"),
        ([110.0, 111.0, 110.0], "differ", "differ by +10.3%"),
        ([90.0, 125.0, 100.0], "unclear", "not enough rounds to tell"),
    ],
)
def test_the_verdict(first, verdict, words):
    found = agreement(first, [100.0, 100.0, 100.0], 2.0)
    assert found is not None
    assert (found.verdict, found.words) == (verdict, words)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=2, max_size=8))
def test_changing_sides_turns_the_ratio_over_and_keeps_the_verdict(pairs):
    first, second = zip(*pairs, strict=True)
    one, other = agreement(first, second, 2.0), agreement(second, first, 2.0)
    assert one is not None
    assert other is not None
    assert one.ratio * other.ratio == pytest.approx(1)
    assert one.verdict == other.verdict


def test_one_round_tells_nothing():
    assert agreement([1.0], [1.0], 2.0) is None
    assert agreement([1.0, 0.0], [1.0, 1.0], 2.0) is None
