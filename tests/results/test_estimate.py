"""The two-way model against plain least squares, against textbook formulas, and against the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from results.estimates.estimate import MIN_DF, NoEvidenceError, fit, t_interval
from results.estimates.intervals import estimates
from results.estimates.responses import Response


def table(values: dict[tuple[int, int], float]) -> list[Response]:
    return [Response(f"t{p}-{b}", f"p{p:02d}", b, n, v) for n, ((p, b), v) in enumerate(values.items())]


def random_table(points: int, blocks: int, seed: int, drop: int = 0) -> dict[tuple[int, int], float]:
    dice = np.random.default_rng(seed)
    cells = [(p, b) for b in range(blocks) for p in range(points)]
    gone = set(dice.choice(len(cells), drop, replace=False).tolist()) if drop else set()
    return {cell: float(np.exp(dice.normal(5 + cell[0] / 10, 0.1))) for n, cell in enumerate(cells) if n not in gone}


@pytest.mark.parametrize("drop", [0, 1, 4])
def test_it_is_least_squares(drop: int) -> None:
    values = random_table(6, 3, 2, drop)
    model = fit(table(values))
    points, blocks = 6, 3
    design = np.zeros((len(values), points + blocks - 1))
    for row, (p, b) in enumerate(values):
        design[row, p] = 1
        if b:
            design[row, points + b - 1] = 1
    logs = np.log(list(values.values()))
    beta, _, rank, _ = np.linalg.lstsq(design, logs, rcond=None)
    residuals = logs - design @ beta
    df = len(values) - rank
    means = beta[:points] + beta[points:].sum() / blocks
    assert model.log_means == pytest.approx(means, abs=1e-10)
    assert model.df == df
    assert model.sd == pytest.approx(math.sqrt(residuals @ residuals / df), rel=1e-9)
    assert model.residuals == pytest.approx(residuals, abs=1e-10)
    inverse = np.linalg.inv(design.T @ design)
    to_means = np.hstack([np.eye(points), np.full((points, blocks - 1), 1 / blocks)])
    covariance = to_means @ inverse @ to_means.T
    assert np.diag(model.inverse_counts) + model.low_rank @ model.low_rank.T == pytest.approx(covariance, abs=1e-10)
    assert model.leverages == pytest.approx(np.diag(design @ inverse @ design.T), abs=1e-10)
    for i in range(points):
        spread = [covariance[i, i] + covariance[j, j] - 2 * covariance[i, j] for j in range(points)]
        assert model.difference_variances(i) == pytest.approx(spread, abs=1e-10)


def test_the_f_test_of_the_model_is_scipy_s_for_two_points() -> None:
    """Two points in blocks are pairs: the interval of their difference is the paired t test's."""
    values = random_table(2, 8, 4)
    model = fit(table(values))
    one = np.log([values[0, b] for b in range(8)])
    other = np.log([values[1, b] for b in range(8)])
    expected = stats.ttest_rel(other, one).confidence_interval(0.95)
    difference, low, high = t_interval(model, np.array([-1.0, 1.0]))
    assert difference == pytest.approx(float(np.mean(other - one)))
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_a_balanced_estimate_is_the_geometric_mean() -> None:
    values = random_table(5, 4, 9)
    for p, estimate in enumerate(estimates(fit(table(values)))):
        assert estimate.value == pytest.approx(stats.gmean([values[p, b] for b in range(4)]))
        assert estimate.low < estimate.value < estimate.high
        assert estimate.high / estimate.value == pytest.approx(estimate.value / estimate.low)


def test_a_missing_trial_is_corrected_for_its_block() -> None:
    """Block 1 runs at half speed; the point that misses it must not gain by that."""
    values = {
        (p, b): 100.0 * (1 if b == 0 else 0.5) * (1 + 0.001 * ((p * 3 + b * 5) % 4)) for p in range(5) for b in (0, 1)
    }
    del values[0, 1]
    found = estimates(fit(table(values)))
    assert found[0].trials == 1
    assert found[0].value == pytest.approx(found[1].value, rel=0.02)
    assert found[0].high / found[0].low > found[1].high / found[1].low


@pytest.mark.parametrize("drop", [0, 5])
def test_intervals_cover_the_truth_as_often_as_they_say(drop: int) -> None:
    """600 sweeps of 6 points: each interval covers the mean over its own blocks, the target of fixed blocks."""
    covered = total = 0
    for seed in range(600):
        dice = np.random.default_rng(seed)
        shift = dice.normal(0, 0.1, 3)
        cells = [(p, b) for b in range(3) for p in range(6)][drop:]
        values = {(p, b): math.exp(p + shift[b] + dice.normal(0, 0.05)) for p, b in cells}
        for p, estimate in enumerate(estimates(fit(table(values)))):
            covered += estimate.low <= math.exp(p + shift.mean()) <= estimate.high
            total += 1
    assert covered / total == pytest.approx(0.95, abs=0.012)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 7), st.integers(2, 4), st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_units_do_not_matter(points: int, blocks: int, seed: int, factor: float) -> None:
    values = random_table(points, blocks, seed)
    if (points - 1) * (blocks - 1) < MIN_DF:
        return
    plain = fit(table(values))
    scaled = fit(table({cell: factor * value for cell, value in values.items()}))
    assert scaled.sd == pytest.approx(plain.sd, rel=1e-6)
    for one, other in zip(estimates(plain), estimates(scaled), strict=True):
        assert other.low / one.low == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "no trial has a figure"),
        ({(0, 0): 1.0, (0, 1): 2.0, (0, 2): 2.0}, "only one design point"),
        ({(p, 0): 1.0 + p for p in range(9)}, "none of 9 design points have two replicates"),
        ({**{(p, 0): 1.0 + p for p in range(9)}, (0, 1): 1.0}, "1 of 9 design points has two replicates"),
        ({(p, b): 1.0 + p for p in range(2) for b in range(2)}, "degrees of freedom"),
        ({(p, p // 4 * 2 + b): 1.0 + p for p in range(8) for b in range(2)}, "no design points in common"),
    ],
)
def test_refusals_are_in_words(values: dict[tuple[int, int], float], words: str) -> None:
    with pytest.raises(NoEvidenceError, match=words):
        fit(table(values))
