"""Trend and neighbours over the run order: against other programs, and flagged no more often than stated."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from results.statistics.exchange import LEVEL, drift_over_runs, neighbours_p, trend_p


@pytest.mark.parametrize("count", [3, 5, 8, 20, 60])
def test_the_trend_is_that_of_kendall(count):
    values = np.random.default_rng(count).normal(size=count)
    method = "exact" if count < 60 else "auto"
    assert trend_p(values) == pytest.approx(stats.kendalltau(range(count), values, method=method).pvalue, rel=0.05)


def test_a_long_series_takes_the_normal_approximation():
    values = np.random.default_rng(9).normal(size=200) + np.linspace(0, 0.4, 200)
    assert trend_p(values) == pytest.approx(stats.kendalltau(range(200), values).pvalue, rel=0.03)


def test_the_exact_trend_is_that_of_all_permutations():
    values = (1.0, 2.0, 4.0, 3.0, 5.0)
    scores = [sum(np.sign(b - a) for i, b in enumerate(each) for a in each[:i]) for each in permutations(values)]
    assert trend_p(values) == pytest.approx(np.mean(np.abs(scores) >= 8))


@pytest.mark.parametrize("seed", range(4))
def test_the_p_of_neighbours_is_that_of_permutations(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=12) + np.sin(np.arange(12) / 3)

    def ratio(order):
        ranks = stats.rankdata(order)
        return (np.diff(ranks) ** 2).sum()

    permuted = [ratio(rng.permutation(values)) for _ in range(4000)]
    assert neighbours_p(values) == pytest.approx(np.mean(np.array(permuted) <= ratio(values)), abs=0.03)


def test_runs_that_are_exchangeable_are_hardly_ever_called_drifting():
    rng = np.random.default_rng(3)
    for count in (5, 10, 20):
        flagged = sum(drift_over_runs(rng.normal(size=count).tolist()) is not None for _ in range(1000))
        assert flagged / 1000 <= LEVEL + 0.015


def test_a_drift_and_a_wave_are_seen_and_named():
    rng = np.random.default_rng(4)
    falling = [100 * (1 - 0.08 * n / 19) + rng.normal(0, 1) for n in range(20)]
    assert "fall over the run order" in (drift_over_runs(falling) or "")
    assert "rise over the run order" in (drift_over_runs(falling[::-1]) or "")
    wave = [math.sin(n / 3) + rng.normal(0, 0.1) for n in range(60)]
    assert "resemble those before" in (drift_over_runs(wave) or "")


def test_equal_values_and_few_values_say_nothing():
    assert drift_over_runs([1.0] * 20) is None
    assert drift_over_runs([1.0, 2.0]) is None
    assert drift_over_runs([]) is None
