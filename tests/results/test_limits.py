"""Limits that hold for whichever point is picked, what they assume, and orders that allow none."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from results.estimates.best import allowances, compare_with_best, dunnett_critical, limit_below
from results.estimates.diagnostics import order_p_value, refuse_systematic
from results.estimates.estimate import LEAST_RESOLUTION, POOLED_T, WELCH_T, Fit, NoEvidenceError, fit, resolution
from results.estimates.intervals import with_intervals
from results.estimates.modes import modes_of_runs
from results.estimates.noise import own_noise
from results.estimates.objective import Objective
from results.estimates.published import block_sd, published
from results.estimates.responses import Response, figure
from results.estimates.shape import shape
from results.recommendation.judging import Sweep, judge
from results.recommendation.recommend import recommend
from stripelab.settings import FACTOR_NAMES
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth


def runs(logs: np.ndarray, order: np.ndarray | None = None) -> list[Response]:
    """Responses from log figures, points by blocks; ``order`` (blocks, points) is the order within blocks."""
    points, blocks = logs.shape
    dice = np.random.default_rng(3)
    found = []
    for block in range(blocks):
        row = dice.permutation(points) if order is None else order[block]
        for place, point in enumerate(row):
            value = math.exp(logs[point, block])
            found.append(Response(f"{point}-{block}", f"p{point:02d}", block, block * points + place, value))
    return found


def noisy(points: int, blocks: int, seed: int = 1, sd: float = 0.03) -> np.ndarray:
    return np.random.default_rng(seed).normal(5, sd, (points, blocks))


def judged(responses: list[Response]) -> Fit:
    plain = fit(responses)
    return with_intervals(plain, shape(plain))


def first(means: np.ndarray) -> int:
    return int(np.argmax(means))


@pytest.mark.parametrize(("blocks", "maximise"), [(2, True), (3, True), (5, True), (5, False)])
def test_the_limit_of_a_single_candidate_is_a_one_sided_t(blocks: int, maximise: bool) -> None:
    model = judged(runs(noisy(6, blocks)))
    found = published(model, [2], 2, first, maximise=maximise, confidence=0.95)
    assert found is not None
    mean = math.exp(model.log_means[2])
    assert found.bound < mean if maximise else found.bound > mean
    plain = fit(runs(noisy(6, blocks)))
    error = plain.sd * math.sqrt(plain.variance(np.eye(6)[2]))
    assert limit_below(plain, 2, 1, 0.95) == pytest.approx(dunnett_critical(1, plain.df) * error, rel=1e-5)


def test_a_difference_below_what_a_figure_can_show_is_a_tie() -> None:
    logs = np.zeros((3, 3)) + np.array([0.0, 1e-10, -0.5])[:, None]
    model = judged(runs(logs))
    assert [each.tied for each in compare_with_best(model, range(3), maximise=True)] == [True, True, False]
    found = published(model, range(3), 1, first, maximise=True, confidence=0.95)
    assert found is not None
    assert found.bound < math.exp(1e-10)


def test_figures_that_come_in_steps_are_no_better_known_than_a_step() -> None:
    steps = np.log(np.round(np.exp(noisy(20, 3, sd=0.02) - 5) / 0.02) * 0.02)
    found = resolution(steps.ravel())
    assert found == pytest.approx(0.02, rel=0.15)
    assert resolution(noisy(20, 3).ravel()) == LEAST_RESOLUTION
    assert resolution(np.repeat(np.log([100.0, 200.0]), 3)) == LEAST_RESOLUTION
    model = judged(runs(steps))
    reach = allowances(model, np.arange(20), 0.95)
    assert reach[~np.eye(20, dtype=bool)].min() >= found


def test_figures_in_steps_are_not_taken_for_two_modes() -> None:
    for seed in range(20):
        steps = np.log(np.round(np.exp(noisy(20, 5, seed) - 5) / 0.02) * 0.02)
        assert modes_of_runs(fit(runs(steps))) is None


@pytest.mark.parametrize(
    ("points", "blocks", "words"),
    [
        (20, 2, ("same size at every point", "2 trials")),
        (20, 3, ("same size at every point", "3 trials")),
        (5, 5, ("25 runs may miss",)),
        (20, 5, ()),
    ],
)
def test_what_too_few_blocks_cannot_check_is_stated(points: int, blocks: int, words: tuple[str, ...]) -> None:
    model = judged(runs(noisy(points, blocks)))
    assert (model.assumption is None) == (not words)
    assert all(word in (model.assumption or "") for word in words)
    assert model.intervals.method == (WELCH_T if blocks >= 5 else POOLED_T)
    found = published(model, range(points), 0, first, maximise=True, confidence=0.95)
    assert found is not None
    assert found.assumption == model.assumption
    assert found.scope == f"in these {blocks} blocks"


def test_an_assumption_is_among_the_notes_of_the_answer(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(raid_truth(), replicates=3))
    (answer,) = recommend(tmp_path / "s").answers
    assert any("assume normal noise of the same size at every point" in note for note in answer.notes)


def test_own_noise_is_grubbs_s_estimator() -> None:
    """For complete blocks the closed form and the general solution agree, and both find a noisy point."""
    logs = noisy(8, 200)
    logs[3] += np.random.default_rng(2).normal(0, 0.15, 200)
    found = own_noise(fit(runs(logs)))
    assert found[3] == pytest.approx(math.hypot(0.03, 0.15), rel=0.15)
    assert np.delete(found, 3) == pytest.approx(0.03, rel=0.3)
    short = runs(noisy(8, 5))
    whole, without = own_noise(fit(short)), own_noise(fit(short[:-1]))
    assert np.corrcoef(whole, without)[0, 1] > 0.8


def test_no_limit_is_nearer_where_a_point_is_noisier_than_the_others() -> None:
    logs = noisy(10, 5)
    logs[0] += np.random.default_rng(4).normal(0, 0.15, 5)
    plain, model = fit(runs(logs)), judged(runs(logs))
    every = np.arange(10)
    assert (allowances(model, every, 0.95) >= allowances(plain, every, 0.95) - 1e-9).all()
    assert limit_below(model, 0, 10, 0.95) > 1.5 * limit_below(plain, 0, 10, 0.95)


def test_kurtosis_is_not_tested_where_it_is_constant() -> None:
    for blocks, tested in ((2, False), (3, False), (4, True)):
        for seed in range(5):
            found = shape(fit(runs(noisy(12, blocks, seed))))
            assert (found.heavy_p is not None) == tested
            assert not found.heavy_tailed


SYSTEMATIC = {
    "one order": lambda points, blocks: np.tile(np.arange(points), (blocks, 1)),
    "one order, two places exchanged": lambda points, blocks: np.array(
        [np.roll(np.arange(points), 0) if block % 2 else [1, 0, *range(2, points)] for block in range(blocks)]
    ),
}


@pytest.mark.parametrize(("name", "points", "blocks"), [*product(SYSTEMATIC, [8, 20], [3, 5]), ("one order", 5, 2)])
def test_an_order_that_is_repeated_in_every_block_is_refused(name: str, points: int, blocks: int) -> None:
    """A sawtooth drift makes such an order find a "beaten" point among equal ones nearly always."""
    order = SYSTEMATIC[name](points, blocks)
    drift = -0.1 * np.argsort(order, axis=1).T / points
    responses = runs(noisy(points, blocks, sd=0.005) + drift, order)
    with pytest.raises(NoEvidenceError, match="same order in every block"):
        refuse_systematic(responses)
    if points == 8:
        tied = [each.tied for each in compare_with_best(fit(responses), range(points), maximise=True)]
        assert not all(tied)


def test_random_orders_are_refused_as_seldom_as_the_level_says() -> None:
    dice = np.random.default_rng(7)
    chances = [
        order_p_value(runs(noisy(8, 3), np.array([dice.permutation(8) for _ in range(3)])))[0] for _ in range(400)
    ]
    assert sum(chance < 0.001 for chance in chances) <= 3
    assert sum(chance < 0.5 for chance in chances) == pytest.approx(200, abs=50)


def test_the_order_of_trials_that_share_an_array_is_not_judged() -> None:
    repeated = runs(noisy(8, 3), np.tile(np.arange(8), (3, 1)))
    with pytest.raises(NoEvidenceError, match="same order"):
        refuse_systematic(repeated)
    refuse_systematic([replace(each, plots=(f"a{each.block}", None)) for each in repeated])


def test_the_expected_figure_says_whether_it_is_that_of_the_point() -> None:
    logs = noisy(4, 5, sd=0.01)
    logs[2] += 1
    model = judged(runs(logs))
    found = published(model, range(4), 2, first, maximise=True, confidence=0.95)
    assert found is not None
    assert found.same_point
    assert found.value == pytest.approx(math.exp(model.log_means[2]))
    other = published(model, range(4), 0, first, maximise=True, confidence=0.95)
    assert other is not None
    assert not other.same_point


def test_the_difference_between_blocks_is_found_and_not_made_up() -> None:
    dice = np.random.default_rng(5)
    shifted = noisy(20, 40) + dice.normal(0, 0.05, 40)
    assert block_sd(fit(runs(shifted))) == pytest.approx(0.05, rel=0.3)
    assert block_sd(fit(runs(noisy(20, 40)))) < 0.01


def test_a_latency_percentile_is_that_of_each_run() -> None:
    """Merged with the others, one run of five that stalls would be the p99 of all five."""
    plan = Plan(raid_truth()[:3], replicates=5, directions=("read", "write"))
    trials, rows = [], []
    for point, (settings, iops) in enumerate(plan.truth):
        for block in range(5):
            row = synthetic.trial(plan, settings, block, 3 * block + (point + block) % 3)
            stalled = 50 if (point, block) == (0, 0) else 1
            trials.append(row)
            rows += [synthetic.observation(plan, row, iops / stalled, name, None) for name in plan.directions]
    objective = Objective("random-write", "lat_p99_ns", maximise=False, stated=True)
    labels = {row.point_id: str(row.chunk_kib) for row in trials}
    points = {row.point_id: plan.truth[number // 5][0] for number, row in enumerate(trials)}
    settings = {name: dict.fromkeys(FACTOR_NAMES) | dict(found) for name, found in points.items()}
    found = judge(Sweep(tuple(trials), tuple(trials), tuple(rows), settings, labels, 5.0, 0.95), objective).answer
    assert found.overall is not None
    values = {each.point_id: each.value for each in found.overall.points}
    for name in points:
        own = [row for row in trials if row.point_id == name]
        each = [figure([row for row in rows if row.trial_id == run.trial_id], "lat_p99_ns") or 0.0 for run in own]
        assert values[name] == pytest.approx(math.exp(np.log(each).mean()))
