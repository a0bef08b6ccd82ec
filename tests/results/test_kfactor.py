"""k factors against the published tables, and the gate against what it must keep out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from results.statistics.kfactor import VARIANCE_LEVEL, gate, k_factor, normal_bound, runs_differ, tails

TABLE = {  # one-sided factors, confidence 0.95: Odeh and Owen 1980; Lieberman, Industrial Quality Control 14, 1958
    5: (3.407, 4.203, 5.741),
    10: (2.355, 2.911, 3.981),
    20: (1.926, 2.396, 3.295),
    30: (1.777, 2.220, 3.064),
    100: (1.527, 1.927, 2.684),
}


@pytest.mark.parametrize(("runs", "factors"), TABLE.items())
def test_the_factors_are_those_of_the_table(runs, factors):
    assert [k_factor(runs, share, 0.95) for share in (0.90, 0.95, 0.99)] == pytest.approx(factors, abs=6e-4)


def test_the_example_of_the_nist_handbook():
    """7.2.6.3: 43 wafers, share 0.90, confidence 0.99; the handbook approximates 1.8752, exact is 1.8740."""
    assert k_factor(43, 0.90, 0.99) == pytest.approx(1.8740, abs=5e-5)


@pytest.mark.parametrize(("runs", "share", "confidence"), [(1, 0.9, 0.95), (10, 1.0, 0.95), (10, 0.9, 0.0)])
def test_impossible_questions_are_errors(runs, share, confidence):
    with pytest.raises(ValueError, match="no k factor"):
        k_factor(runs, share, confidence)


def test_the_bound_is_mean_and_deviation_of_the_logarithms():
    figures = np.exp([1.0, 2.0, 3.0, 4.0, 5.0])
    away = 3.407 * math.sqrt(2.5)
    assert math.log(normal_bound(figures, 0.9, 0.95)) == pytest.approx(3 - away, abs=1e-3)
    assert math.log(normal_bound(figures, 0.9, 0.95, at_least=False)) == pytest.approx(3 + away, abs=1e-3)


def made(rng, *, between, runs=20, seconds=120):
    levels = 1000 * np.exp(rng.normal(0, between, runs)) if between else np.full(runs, 1000.0)
    values = [level * np.exp(rng.normal(0, 0.05, seconds)) for level in levels]
    return np.array([each.min() for each in values]), values


def test_the_gate_opens_where_runs_differ_and_are_normal():
    opened = [gate(*made(np.random.default_rng(seed), between=0.05)) is None for seed in range(40)]
    assert sum(opened) >= 28


def test_the_gate_is_shut_where_runs_do_not_differ():
    """There the bound covers too little: the figures are lower tails and no normal sample."""
    shut = [gate(*made(np.random.default_rng(seed), between=0.0)) for seed in range(40)]
    assert sum(each is not None for each in shut) >= 38
    assert any("no evidence that runs differ" in each for each in shut if each)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (np.full(9, 1.0), "9 runs say too little"),
        (np.array([0.0, *range(1, 12)], dtype=float), "is zero"),
        (np.full(12, 7.0), "are equal"),
        (np.array([100.0 + 0.1 * n for n in range(18)] + [60.0, 61.0]), "not normal"),
    ],
)
def test_the_gate_says_what_it_misses(figures, words):
    assert words in (gate(figures, [np.full(60, value) for value in figures]) or "")


def autoregression(rng, phi, runs=15, seconds=60):
    noise = rng.standard_normal((seconds, runs))
    for second in range(1, seconds):
        noise[second] = phi * noise[second - 1] + math.sqrt(1 - phi**2) * noise[second]
    return list(100 + 5 * noise.T)


@pytest.mark.parametrize(("phi", "most"), [(0.0, 0.02), (0.6, 0.02), (0.9, 0.04)])
def test_alike_runs_are_hardly_ever_said_to_differ_however_alike_their_seconds_are(phi, most):
    rng = np.random.default_rng(6)
    assert np.mean([runs_differ(autoregression(rng, phi)) < VARIANCE_LEVEL for _ in range(400)]) <= most


def test_heavy_tails_of_the_seconds_shut_the_gate():
    rng = np.random.default_rng(7)
    values = [1000 * level * (1 + 0.05 * rng.standard_t(3, 120)) for level in np.exp(rng.normal(0, 0.1, 20))]
    skewness, kurtosis = tails(values)
    assert abs(skewness) > 0.5 or kurtosis > 1.0
    assert "seconds within runs are not normal" in (gate(np.array([v.mean() for v in values]), values) or "")
    assert tails([np.ones(5)]) == (0.0, -3.0)


def test_differences_between_runs_are_judged_by_the_seconds_within_them():
    rng = np.random.default_rng(5)
    same = [runs_differ([rng.normal(100, 5, 60) for _ in range(10)]) for _ in range(400)]
    assert np.mean(np.array(same) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert runs_differ([rng.normal(level, 5, 60) for level in (95, 100, 105, 110)]) < 1e-6
    assert math.isnan(runs_differ([np.ones(9), np.ones(9)]))
    assert runs_differ([np.ones(10), np.full(10, 2.0)]) == 0.0
    assert runs_differ([np.ones(10), np.ones(10)]) == 1.0
