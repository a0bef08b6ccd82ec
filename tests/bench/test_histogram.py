from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.histogram import Histogram, merge

COUNTS = st.dictionaries(st.integers(0, 10**10), st.integers(1, 50), max_size=30)


def histogram(counts: dict[int, int]) -> Histogram:
    return Histogram(tuple(sorted(counts)), tuple(counts[value] for value in sorted(counts)))


@given(COUNTS, st.sampled_from([0.5, 25.0, 50.0, 75.0, 100.0]))
def test_a_percentile_is_the_inverse_of_the_empirical_distribution(counts: dict[int, int], percent: float) -> None:
    found = histogram(counts).percentile_ns(percent)
    if not counts:
        assert found is None
        return
    samples = np.repeat(sorted(counts), [counts[value] for value in sorted(counts)])
    assert found == np.percentile(samples, percent, method="inverted_cdf")


def test_the_threshold_is_that_of_the_binary_value_of_the_percentage() -> None:
    # 99.9 as a double is a little above 99.9: of 1000 samples fio takes the thousandth (stat.c).
    assert Histogram((1, 2), (999, 1)).percentile_ns(99.9) == 2
    assert Histogram((1, 2), (99, 1)).percentile_ns(99.0) == 1


@given(st.lists(COUNTS, max_size=4))
def test_a_merge_counts_every_sample_once(parts: list[dict[int, int]]) -> None:
    merged = merge(histogram(part) for part in parts)
    assert merged.samples == sum(sum(part.values()) for part in parts)
    assert list(merged.bins_ns) == sorted(set().union(*parts))
