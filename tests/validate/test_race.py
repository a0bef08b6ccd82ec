"""A small part of ``make validate`` for every run of the tests: 300 races of each kind, seeded."""

from __future__ import annotations

import numpy as np
import pytest

from permutations.racing.screen import Limit
from permutations.racing.spec import RacingSpec
from tests.validate.race import LIMITED, POINTS, TRUTHS, halving, interval, race, uniform

RACES = 300


@pytest.mark.parametrize("budget", [384, 1024])
def test_racing_picks_a_good_point_as_often_as_twice_the_trials(budget):
    rng = np.random.default_rng(7)
    truth = TRUTHS["normal"](rng, RACES, POINTS)
    found = race(truth, RacingSpec(budget_trials=budget), rng)
    assert found.good.mean() >= uniform(truth, 2 * budget // POINTS, rng).mean()
    assert found.trials.max() <= budget


@pytest.mark.parametrize(("points", "budget"), [(32, 128), (POINTS, 256), (POINTS, 1024)])
def test_racing_picks_a_good_point_as_often_as_plain_halving(points, budget):
    rng = np.random.default_rng(3)
    truth = TRUTHS["normal"](rng, 5 * RACES, points)
    spec = RacingSpec(budget_trials=budget)
    assert race(truth, spec, rng, 0.02).good.mean() >= halving(truth, spec, rng, 0.02).mean()


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_best_is_eliminated_no_more_often_than_stated(truth):
    rng = np.random.default_rng(11)
    found = race(TRUTHS[truth](rng, RACES, POINTS), RacingSpec(budget_trials=1024), rng)
    assert interval(int(found.best_eliminated.sum()), RACES)[0] <= 0.05


@pytest.mark.parametrize("truth", LIMITED)
def test_the_best_that_meets_a_requirement_is_eliminated_no_more_often_than_stated(truth):
    rng = np.random.default_rng(13)
    figures, slack = LIMITED[truth](rng, RACES, POINTS)
    found = race(figures, RacingSpec(budget_trials=1024), rng, slack=slack)
    assert interval(int(found.best_eliminated.sum()), RACES)[0] <= 0.05


def test_points_that_miss_a_requirement_by_far_are_eliminated():
    rng = np.random.default_rng(13)
    figures, slack = LIMITED["half miss by far and are 35 % faster"](rng, RACES, POINTS)
    found = race(figures, RacingSpec(budget_trials=1024), rng, slack=slack)
    assert found.missing.mean() >= 0.5 * (slack < 0).sum(axis=1).mean()
    assert found.good.mean() >= 0.9


def test_a_test_of_requirements_that_is_too_eager_is_caught(monkeypatch):
    """With an eighth of its reach the rate is far above 5 %: the check above can fail."""
    reach = Limit.reach.fget
    monkeypatch.setattr(Limit, "reach", property(lambda limit: reach(limit) / 8))
    rng = np.random.default_rng(13)
    figures, slack = LIMITED["nine in ten exactly at the limit"](rng, RACES, POINTS)
    found = race(figures, RacingSpec(budget_trials=1024), rng, slack=slack)
    assert interval(int(found.best_eliminated.sum()), RACES)[0] > 0.05


def test_a_test_that_is_too_eager_is_caught():
    """With every level spent at one look the rate is far above 5 %: the check above can fail."""
    rng = np.random.default_rng(11)
    found = race(TRUTHS["equal"](rng, RACES, POINTS), RacingSpec(budget_trials=1024, error_rate=20.0), rng)
    assert interval(int(found.best_eliminated.sum()), RACES)[0] > 0.05


def test_the_interval_is_that_of_clopper_and_pearson():
    """Two of 20: 0.0123 to 0.3170 (Clopper and Pearson 1934; R's binom.test)."""
    assert interval(2, 20) == pytest.approx((0.0123, 0.3170), abs=5e-5)
