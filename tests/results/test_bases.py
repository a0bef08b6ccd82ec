"""Bases of designs against a singular value decomposition of the whole, and sums of equal terms."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.statistics.bases import beyond, indicator, products, span


def projector(columns: np.ndarray) -> np.ndarray:
    """By singular values, which take longer."""
    vectors, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    kept = vectors[:, sizes > 1e-9 * max(1.0, float(sizes[0]))]
    return kept @ kept.T


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000))
def test_what_groups_span_beyond_others_is_what_singular_values_say(rows, ones, others, seed):
    dice = np.random.default_rng(seed)
    first = indicator(dice.integers(0, ones, rows).tolist())
    second = indicator([tuple(pair) for pair in dice.integers(0, (ones, others), (rows, 2)).tolist()])
    known = span(np.hstack([np.ones((rows, 1)), first]))
    found = beyond(second, known)
    both = np.hstack([known, found])
    assert both.T @ both == pytest.approx(np.eye(both.shape[1]), abs=1e-13)
    assert both @ both.T == pytest.approx(projector(np.hstack([np.ones((rows, 1)), first, second])), abs=1e-9)


def test_columns_that_add_nothing_give_an_empty_basis():
    groups = indicator([1, 1, 2, 2, 3])
    assert beyond(groups, span(groups)).shape == (5, 0)
    assert beyond(np.zeros((5, 2)), np.zeros((5, 0))).shape == (5, 0)


def test_sums_of_ever_the_same_figure_keep_their_digits():
    ones = np.full((20_000, 1), 0.1)
    exact = float(20_000 * Fraction(0.1) ** 2)
    assert products(ones, ones)[0, 0] == pytest.approx(exact, rel=3e-15)
