"""The rule of the SNIA on reference series, and the drift that it lets through alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.statistics import steady
from results.statistics.steady import NOT_EXCLUDED, NOT_STEADY, STEADY, course, latest, rounds_of, window


@pytest.mark.parametrize(
    ("rounds", "range_pct", "change_pct", "passes"),
    [
        ([1000, 980, 1010, 990, 1005], 3.0, 0.8, True),
        ([1000, 970, 950, 930, 900], 10.5, 10.105, False),
        ([1100, 900, 1000, 900, 1100], 20.0, 0.0, True),
        ([1150, 900, 1000, 1000, 950], 25.0, 12.0, False),
    ],
)
def test_the_rule_on_reference_series(rounds, range_pct, change_pct, passes):
    found = window(rounds)
    assert 100 * found.range_share == pytest.approx(range_pct, abs=0.05)
    assert 100 * abs(found.change) == pytest.approx(change_pct, abs=0.005)
    assert found.within_pts == passes


def test_slope_alone_can_fail():
    found = window([1000, 970, 950, 930, 900])
    assert found.range_share <= steady.RANGE_LIMIT
    assert found.verdict == NOT_STEADY


@given(st.lists(st.floats(1, 1e6), min_size=5, max_size=5), st.floats(0.001, 1000))
def test_the_verdict_knows_no_unit(rounds, factor):
    one, other = window(rounds), window([factor * each for each in rounds])
    assert other.range_share == pytest.approx(one.range_share, rel=1e-6)
    assert other.change_at_most == pytest.approx(one.change_at_most, rel=1e-6, abs=1e-9)
    assert abs(one.change) <= one.change_at_most + 1e-12


def test_what_is_not_positive_or_too_short_is_never_steady():
    assert window([0, 0, 0, 0, 0]).verdict == NOT_STEADY
    assert latest([1.0, 1.0, 1.0, 1.0]) is None
    with pytest.raises(ValueError, match="too few"):
        window([1.0, 1.0])


def decline(rng, share, noise, count):
    return 1000 * (1 - share * np.linspace(0, 1, 5)) * (1 + rng.normal(0, noise, (count, 5)))


def test_a_decline_that_the_rule_lets_through_is_not_called_steady():
    """A true decline of 8 % under 2 % of noise passes PTS in three of four cases."""
    found = [window(each) for each in decline(np.random.default_rng(1), 0.08, 0.02, 2000)]
    assert np.mean([each.within_pts for each in found]) == pytest.approx(0.75, abs=0.04)
    assert np.mean([each.verdict == STEADY for each in found]) <= 0.15
    assert any(each.verdict == NOT_EXCLUDED for each in found)


def test_a_steady_series_is_called_steady():
    found = [window(each).verdict for each in decline(np.random.default_rng(2), 0.0, 0.02, 500)]
    assert found.count(STEADY) >= 0.78 * 500


def test_at_the_limit_the_drift_is_excluded_in_one_of_twenty():
    found = [window(each).verdict for each in decline(np.random.default_rng(3), 0.0952, 0.01, 4000)]
    assert found.count(STEADY) / 4000 <= 0.065


def test_rounds_are_equal_parts_and_the_rest_is_left_out_in_front():
    assert rounds_of(np.arange(12.0)).tolist() == [2.5, 4.5, 6.5, 8.5, 10.5]
    assert rounds_of(np.arange(9.0)) is None


def runs(rng, *, change=0.0, count=10, seconds=60, phi=0.0, within=0.05):
    made = []
    for _ in range(count):
        noise = rng.normal(0, 1, seconds)
        for second in range(1, seconds):
            noise[second] = phi * noise[second - 1] + np.sqrt(1 - phi**2) * noise[second]
        made.append(1000 * (1 + change * np.linspace(0, 1, seconds)) * (1 + within * noise))
    return made


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.9])
def test_steady_runs_are_called_steady_however_alike_their_seconds_are(phi):
    verdicts = [course(runs(np.random.default_rng(seed), phi=phi)).verdict for seed in range(60)]
    assert verdicts.count(STEADY) >= 54


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_a_decline_within_every_run_is_seen(phi):
    for seed in range(20):
        found = course(runs(np.random.default_rng(seed), change=-0.08, within=0.02, phi=phi))
        assert found.verdict == NOT_STEADY
        assert found.high < 0


def test_a_drift_that_noise_hides_is_not_excluded():
    found = course(runs(np.random.default_rng(8), count=3, within=0.12, phi=0.8))
    assert found.verdict != STEADY


def test_few_or_short_runs_have_no_course():
    assert course(runs(np.random.default_rng(1), count=2)) is None
    assert course([np.ones(60), np.ones(60), np.ones(9)]) is None
    assert course([np.zeros(60)] * 3).verdict == NOT_STEADY
    assert "10 of 10 runs" in course(runs(np.random.default_rng(1))).words
