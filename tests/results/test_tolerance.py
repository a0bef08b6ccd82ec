"""Order statistics against published tables, and against the binomial sum that they come from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.statistics.tolerance import (
    confidence_of,
    coverage,
    median_ranks,
    run_bound,
    runs_needed,
    smallest,
    usable_rank,
)

LEAST_RUNS = {  # the classical table: Hahn and Meeker, Statistical Intervals, table A.17 and its neighbours
    (0.90, 0.95): (29, 46, 61),
    (0.95, 0.95): (59, 93, 124),
    (0.95, 0.99): (90, 130, 165),
    (0.99, 0.95): (299, 473, 628),
    (0.99, 0.99): (459, 662, 838),
    (0.999, 0.95): (2995, 4742, 6294),
}


@pytest.mark.parametrize(("shares", "counts"), LEAST_RUNS.items())
def test_the_fewest_runs_are_those_of_the_table(shares, counts):
    assert tuple(runs_needed(*shares, rank) for rank in (1, 2, 3)) == counts


@pytest.mark.parametrize(("runs", "share"), [(5, 0.549), (10, 0.741), (20, 0.861), (30, 0.905), (59, 0.950)])
def test_the_minimum_of_so_many_runs_bounds_that_share(runs, share):
    assert coverage(runs, 0.95) == pytest.approx(0.05 ** (1 / runs))
    assert coverage(runs, 0.95) == pytest.approx(share, abs=6e-4)


@pytest.mark.parametrize(("count", "rank"), [(1000, 5), (1800, 11), (3600, 26), (298, 0), (299, 1)])
def test_the_largest_rank_that_may_be_used(count, rank):
    assert usable_rank(count, 0.99, 0.95) == rank


def test_the_median_lies_between_the_ranks_of_the_table():
    """David and Nagaraja, Order Statistics, 7.1; the usual table of the sign test."""
    expected = {6: (1, 6), 10: (2, 9), 20: (6, 15), 30: (10, 21), 50: (18, 33)}
    assert {count: median_ranks(count) for count in expected} == expected
    assert median_ranks(5) is None
    assert median_ranks(0) is None


@given(runs=st.integers(1, 200), rank=st.integers(1, 20), share=st.floats(0.01, 0.99))
def test_the_confidence_is_the_sum_of_the_binomial(runs, rank, share):
    if rank > runs:
        assert confidence_of(runs, share, rank) == 0.0
        return
    below = sum(math.comb(runs, k) * (1 - share) ** k * share ** (runs - k) for k in range(rank))
    assert confidence_of(runs, share, rank) == pytest.approx(1 - below, abs=1e-9)


@given(runs=st.integers(1, 500), rank=st.integers(1, 10), confidence=st.floats(0.5, 0.999))
def test_coverage_confidence_and_rank_agree(runs, rank, confidence):
    share = coverage(runs, confidence, rank)
    if rank > runs:
        assert share == 0.0
        return
    assert confidence_of(runs, share, rank) == pytest.approx(confidence, abs=1e-8)
    assert usable_rank(runs, share * (1 - 1e-9), confidence) >= rank
    assert usable_rank(runs, share + (1 - share) * 1e-6, confidence) < rank
    assert runs_needed(share * (1 - 1e-9), confidence, rank) <= runs


@pytest.mark.parametrize(("share", "confidence"), [(1.0, 0.95), (0.95, 1.0), (0.0, 0.5), (1 - 1e-9, 0.95)])
def test_what_no_number_of_runs_gives_is_an_error(share, confidence):
    with pytest.raises(ValueError, match=r"needs (no finite number|more than)"):
        runs_needed(share, confidence)


@pytest.mark.parametrize(
    ("count", "share", "worse"),
    [(60, 0.99, 0), (99, 0.99, 0), (100, 0.99, 1), (300, 0.99, 3), (10, 0.9, 1), (1000, 0.999, 1), (7, 0.5, 3)],
)
def test_no_more_intervals_than_the_share_allows_are_below_the_bound_of_a_run(count, share, worse):
    values = np.random.default_rng(1).permutation(count).astype(float)
    assert run_bound(values, share) == worse
    assert run_bound(values, share, at_least=False) == count - 1 - worse


def test_many_runs_are_done_at_once():
    values = np.random.default_rng(2).normal(size=(7, 200))
    assert run_bound(values, 0.99).tolist() == [float(run_bound(each, 0.99)) for each in values]
    assert smallest(np.array([[3.0, 1.0, 2.0]]), 2).tolist() == [2.0]
