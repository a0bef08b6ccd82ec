"""The Gaussian process that proposes points: its density against its definition, order, requirements, and use."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from permutations.racing.race import CONFIRMATION, SCREENING, Outcome
from permutations.racing.sampled import SampledRace, available
from permutations.racing.spec import RacingSpec
from permutations.racing.surrogate import LEAST_NOISE, Distances, Surrogate, _density, _improvement, ordered, ranks
from tests.permutations.played import played
from tests.validate.samplers import Table, median_interval, trials

SPEC = RacingSpec(budget_trials=40, sampler="gaussian-process", batch=4, finalists=3)
GRID = {f"p{a}{b}{c}": {"a": 4**a, "b": 2**b, "c": "xyz"[c]} for a in range(5) for b in range(5) for c in range(3)}


def figure(point):
    a, b, c = map(int, point[1:])
    return math.exp(-0.1 * (a - 3) ** 2 - 0.05 * (b - 1) ** 2 + (0.1 if c == 2 else 0))


def race_of(spec=SPEC, seed=1):
    return SampledRace(spec, GRID, maximise=True, expected_s=1.0, seed=seed)


def play(race, slack=lambda _: (), failing=(), unfit=()):
    def outcome(ask, point):
        value = None if point in failing else figure(point)
        return Outcome(ask.phase, ask.block, point, value, 1.0, slack(point), point in unfit)

    return played(race, outcome)


def test_numbers_are_ordered_by_rank_and_words_are_alike_or_not():
    assert ordered([64, None, 512])
    assert not ordered(["64", "512"])
    assert ranks([512, None, 64, 64]) == {None: 0, 64: 1, 512: 2}
    points = [{"n": n, "w": w, "same": 1} for n, w in ((4, "x"), (64, "y"), (1024, "x"), (None, "y"))]
    every = np.arange(4)
    number, word = Distances(points).between(every, every)
    assert number[0].tolist() == pytest.approx([0, 0.5**1.5, 1, 1])
    assert number[3].tolist() == [1, 1, 1, 0]
    assert word[0].tolist() == [0, 1, 0, 1]


def test_the_density_is_that_of_a_multivariate_t_and_its_gradient_is_right():
    rng = np.random.default_rng(1)
    points = [{"n": int(n), "w": str(w)} for n, w in zip(rng.integers(0, 9, 12), rng.integers(0, 3, 12), strict=True)]
    every = np.arange(12)
    apart = np.array(list(Distances(points).between(every, every)))
    seen, centre, spread = rng.normal(0, 1, 12), np.array([0.1, -0.2, -3.0]), np.array([1.0, 2.0, 1.5])

    def minus_log(logs):
        kernel = np.exp(-sum(math.exp(rate) * each for rate, each in zip(logs, apart, strict=False)))
        kernel += (math.exp(logs[-1]) + LEAST_NOISE) * np.eye(12)
        prior = stats.norm.logpdf(logs, centre, spread).sum()
        return -stats.multivariate_t.logpdf(seen, np.zeros(12), kernel, df=2) - prior

    one, other = np.array([0.3, 0.5, -2.0]), np.array([-0.4, 1.0, -4.0])
    found = _density(one, apart, seen, centre, spread)[0] - _density(other, apart, seen, centre, spread)[0]
    assert found == pytest.approx(minus_log(one) - minus_log(other))
    slope = optimize.approx_fprime(one, lambda logs: _density(logs, apart, seen, centre, spread)[0])
    assert _density(one, apart, seen, centre, spread)[1] == pytest.approx(slope, rel=1e-4)


def test_the_expected_improvement_is_that_of_a_simulation():
    draws = np.random.default_rng(3).normal(0.2, 0.5, 2_000_000)
    (found,) = _improvement(np.array([0.2]), np.array([0.25]), 0.6)
    assert math.exp(found) == pytest.approx(np.maximum(draws - 0.6, 0).mean(), rel=0.01)


def test_it_proposes_each_point_once_and_ends_with_the_best():
    history, states = play(race_of())
    screened = [each.point_id for each in history if each.phase == SCREENING]
    assert len(set(screened)) == len(screened) == 30 // 4 * 4
    assert "p312" in states[-1].finalists
    assert {each.point_id for each in history if each.phase == CONFIRMATION} == set(states[-1].finalists)


def test_the_same_history_gives_the_same_decision_whatever_its_order():
    race = race_of()
    history, states = play(race)
    assert play(race_of())[0] == history
    for length in (0, 3, 4, 10, 24):
        block = length // 4
        assert race.state(reversed(history[:length])) == states[block]


def test_another_seed_begins_elsewhere():
    assert len({race_of(seed=seed).state([]).ask.points for seed in range(8)}) >= 6


def test_where_every_point_was_measured_they_are_measured_again():
    few = {point: GRID[point] for point in list(GRID)[:6]}
    history, _ = play(replace(race_of(), points=few))
    assert {each.point_id for each in history if each.phase == SCREENING} == set(few)
    assert len(history) == 40 or len(history) > 30


def test_points_that_failed_or_that_a_fact_rules_out_are_not_proposed_again():
    first = race_of().state([]).ask.points
    history, states = play(race_of(), failing=first[:1], unfit=first[1:2])
    assert all(sum(each.point_id == point for each in history) == 1 for point in first[:2])
    assert states[-1].missing == (first[1],)
    assert not set(first[:2]) & set(states[-1].finalists)


def test_points_that_miss_a_requirement_come_after_those_that_meet_it():
    _, states = play(race_of(), slack=lambda point: (-0.2 if point[1] == "3" else 0.2,))
    assert all(point[1] != "3" for point in states[-1].finalists)
    assert {"p212", "p412"} & set(states[-1].finalists)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_it_needs_fewer_trials_than_chance(number):
    table = Table(number)
    counts = [trials(table, "gaussian-process", seed) for seed in range(6)]
    points, good = len(table.points), len(table.good())
    assert median_interval(counts)[0] < 0.5 * (points + 1) / (good + 1)


@pytest.mark.skipif(not available(), reason="Optuna is not installed")
@pytest.mark.filterwarnings("ignore")
def test_it_needs_fewer_trials_than_optuna_does_with_ordered_numbers():
    table = Table(2)
    counts = {name: [trials(table, name, seed) for seed in range(6)] for name in ("gaussian-process", "optuna-tpe")}
    assert median_interval(counts["gaussian-process"])[0] < median_interval(counts["optuna-tpe"])[0]


@pytest.mark.skipif(not available(), reason="Optuna is not installed")
@pytest.mark.filterwarnings("ignore")
def test_optuna_gets_numbers_in_their_order():
    from optuna.distributions import CategoricalDistribution, IntDistribution

    space = race_of(replace(SPEC, sampler="optuna-tpe"))._space()
    assert space["a"] == IntDistribution(0, 4)
    assert space["c"] == CategoricalDistribution(["x", "y", "z"])


def test_a_large_space_takes_no_matrix_of_all_pairs():
    points = [{"a": a, "b": b, "c": str(c)} for a in range(40) for b in range(40) for c in range(5)]
    surrogate = Surrogate(points)
    draw = np.random.default_rng(1).random(len(points))
    chosen = surrogate.propose(np.array([], dtype=int), np.array([]), 4, np.ones(len(points), dtype=bool), draw)
    assert len(set(chosen)) == 4
