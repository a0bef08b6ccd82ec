"""Dunnett's critical values against the published table, and what Hsu's intervals promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from results.estimates.best import compare_with_best, dunnett_critical
from results.estimates.estimate import Fit, fit
from results.estimates.intervals import estimates
from results.estimates.responses import Response

# Dunnett (1955), J. Am. Stat. Assoc. 50, table 1a: one-sided, joint confidence .95, for 1 to 9 treatments.
COMPARISONS = (2, 3, 4, 5, 6, 7, 8, 9)
PUBLISHED = {
    5: (2.44, 2.68, 2.85, 2.98, 3.08, 3.16, 3.24, 3.30),
    6: (2.34, 2.56, 2.71, 2.83, 2.92, 3.00, 3.07, 3.12),
    10: (2.15, 2.34, 2.47, 2.56, 2.64, 2.70, 2.76, 2.81),
    15: (2.07, 2.24, 2.36, 2.44, 2.51, 2.57, 2.62, 2.67),
    20: (2.03, 2.19, 2.30, 2.39, 2.46, 2.51, 2.56, 2.60),
    60: (1.95, 2.10, 2.21, 2.28, 2.35, 2.39, 2.44, 2.48),
    math.inf: (1.92, 2.06, 2.16, 2.23, 2.29, 2.34, 2.38, 2.42),
}


@pytest.mark.parametrize("df", PUBLISHED)
def test_critical_values_are_those_of_the_published_table(df: float) -> None:
    found = [dunnett_critical(count, df) for count in COMPARISONS]
    assert found == pytest.approx(PUBLISHED[df], abs=0.006)  # two decimals, computed by hand in 1955


@pytest.mark.parametrize("df", [1, 2, 3, 19, 200])
def test_one_comparison_is_student_s_t(df: int) -> None:
    assert dunnett_critical(1, df) == pytest.approx(stats.t.ppf(0.95, df), rel=1e-7)


@pytest.mark.parametrize(("count", "df", "correlation"), [(2, 4, 0.5), (3, 12, 0.5), (4, 8, 0.25), (2, 30, 0.4)])
def test_critical_values_solve_the_multivariate_t(count: int, df: int, correlation: float) -> None:
    shape = np.full((count, count), correlation)
    np.fill_diagonal(shape, 1.0)
    critical = dunnett_critical(count, df, 0.95, correlation)
    law = stats.multivariate_t(shape=shape, df=df, seed=3)
    assert law.cdf(np.full(count, critical), maxpts=10**6) == pytest.approx(0.95, abs=3e-4)


def test_many_comparisons_against_a_simulation() -> None:
    count, df = 100, 5
    dice = np.random.default_rng(5)
    control = dice.standard_normal((40_000, 1))
    largest = ((dice.standard_normal((40_000, count)) + control) / math.sqrt(2)).max(axis=1)
    largest /= np.sqrt(dice.chisquare(df, 40_000) / df)
    assert np.mean(largest <= dunnett_critical(count, df)) == pytest.approx(0.95, abs=0.004)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(3, 60), st.floats(0.1, 0.5))
def test_critical_values_grow_and_fall_as_they_must(count: int, df: int, correlation: float) -> None:
    here = dunnett_critical(count, df, 0.95, correlation)
    assert dunnett_critical(count + 1, df, 0.95, correlation) > here
    assert dunnett_critical(count, df + 1, 0.95, correlation) < here + 1e-9
    assert dunnett_critical(count, df, 0.99, correlation) > here
    assert stats.t.ppf(0.95, df) - 1e-7 <= here <= stats.t.isf(0.05 / count, df) + 1e-6


def test_nothing_to_compare_with() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        dunnett_critical(0, 5)


def sample(truth: list[float], blocks: int, cv: float, seed: int, missing: int = 0) -> Fit:
    """A fit of log-normal trials with block effects; ``missing`` trials of the last points are left out."""
    dice = np.random.default_rng(seed)
    shift = dice.normal(0, 0.05, blocks)
    cells = [(point, block) for block in range(blocks) for point in range(len(truth))]
    del cells[len(cells) - missing :]
    return fit(
        [
            Response(
                f"t{order}", f"p{point:03d}", block, order, truth[point] * math.exp(dice.normal(0, cv) + shift[block])
            )
            for order, (point, block) in enumerate(cells)
        ]
    )


@pytest.mark.parametrize("maximise", [True, False])
@pytest.mark.parametrize("missing", [0, 3])
@pytest.mark.parametrize("truth", [[100.0] * 8, [100.0, 101, 102, 103, 104, 105, 106, 107], [100.0] * 7 + [120.0]])
def test_the_best_is_among_the_tied_as_often_as_promised(truth: list[float], missing: int, maximise: bool) -> None:
    """And all simultaneous intervals hold at once: 400 seeds a cell, three standard errors below 95 %."""
    if not maximise:
        truth = [1e4 / value for value in truth]
    best = max(truth) if maximise else min(truth)
    holds = includes = 0
    for seed in range(400):
        found = compare_with_best(sample(truth, 3, 0.03, seed, missing), range(8), maximise=maximise)
        winners = [each for each, value in zip(found, truth, strict=True) if value == best]
        includes += all(each.tied for each in winners[:1])
        holds += all(
            each.low - 1e-12 <= gap(truth, place, maximise=maximise) <= each.high + 1e-12
            for place, each in enumerate(found)
        )
    assert includes >= 400 * 0.95 - 3 * math.sqrt(400 * 0.05 * 0.95)
    assert holds >= 400 * 0.95 - 3 * math.sqrt(400 * 0.05 * 0.95)


def gap(truth: list[float], place: int, *, maximise: bool) -> float:
    """The true ratio of a point to the best of the others; more than 1 is better."""
    others = truth[:place] + truth[place + 1 :]
    return truth[place] / max(others) if maximise else min(others) / truth[place]


def test_a_clear_winner_stands_alone() -> None:
    found = compare_with_best(sample([100.0, 101, 150, 90], 4, 0.01, 1), range(4), maximise=True)
    assert [each.tied for each in found] == [False, False, True, False]
    assert found[2].low == 1.0
    assert found[2].high > 1.4
    assert found[0].high == 1.0


def test_equal_points_without_noise_are_all_tied() -> None:
    model = fit([Response(f"{p}{b}", f"p{p}", b, 4 * b + p, 100.0) for b in range(3) for p in range(4)])
    assert all(each.tied for each in compare_with_best(model, range(4), maximise=True))


def test_a_single_point_is_the_best() -> None:
    found = compare_with_best(sample([1.0, 2.0, 3.0], 3, 0.01, 1), [1], maximise=True)
    assert (found[0].tied, found[0].low, found[0].high) == (True, 1.0, 1.0)


def test_the_worked_example_of_the_documentation() -> None:
    """docs/methodology-statistics.md; by hand but for the critical value."""
    measured = {"raid0": (400, 392), "jbod": (402, 396), "raid10": (201, 197), "raid6": (134, 130)}
    table = [Response(f"{p}{b}", p, b, n, values[b]) for b in (0, 1) for n, (p, values) in enumerate(measured.items())]
    model = fit(table)
    halves = [math.log(one / other) for one, other in measured.values()]
    by_hand = math.sqrt(sum((half - sum(halves) / 4) ** 2 for half in halves) / 2 / 3)
    assert model.sd == pytest.approx(by_hand)
    assert round(100 * model.sd, 2) == 0.45
    assert round(dunnett_critical(3, 3), 2) == 3.28
    jbod = estimates(model)[0]
    assert (round(jbod.value, 1), round(jbod.low, 1), round(jbod.high, 1)) == (399.0, 394.9, 403.1)
    assert [each.tied for each in compare_with_best(model, range(4), maximise=True)] == [True, True, False, False]
