"""Races: the test against its textbook form, budgets, failures, and the same decisions from the same history."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.race import next_block
from permutations.racing.race import CONFIRMATION, SCREENING, Outcome, Race, Screen, look_level, width
from permutations.racing.sampled import SampledRace, available
from permutations.racing.spec import RacingSpec
from tests.permutations.played import played

SPEC = RacingSpec(budget_trials=120, finalists=3)
NAMES = tuple(f"p{number:02d}" for number in range(12))
RACE = Race(SPEC, NAMES, maximise=True, expected_s=10.0)

SWEEP = """\
[sweep]
seed = 3
design = "racing"
[racing]
budget_trials = 60
finalists = 3
{more}
[factors]
level = ["raid0", "raid5", "raid10"]
disks = [4]
chunk_kib = [64, 256, 512, 1024]
[[workload]]
name = "w"
rw = "randwrite"
bs = "4k"
"""


def figure(phase, block, point, *, sd=0.02, spread=0.1):
    """What a trial measures: a function of the trial alone, as if it had been stored."""
    number = int(point[1:]) if point in NAMES else int(point, 16) % 97
    rng = np.random.default_rng([block, number, phase == CONFIRMATION])
    return 100 * math.exp(spread * (number % 12) / 11 + rng.normal(0, sd))


def play(race, figure=figure, failing=()):
    """Run a race to its end; its history and every state on the way."""

    def outcome(ask, point):
        value = None if (ask.phase, ask.block, point) in failing else figure(ask.phase, ask.block, point)
        return Outcome(ask.phase, ask.block, point, value, 10.0)

    return played(race, outcome)


def test_a_race_finds_the_best_within_its_budget():
    history, states = play(RACE)
    assert len(history) <= 120
    assert "p11" in states[-1].finalists
    assert sum(map(len, states[-1].cut)) + sum(len(look.eliminated) for look in states[-1].looks) >= 5
    assert {each.point_id for each in history if each.phase == CONFIRMATION} == set(states[-1].finalists)
    assert sum(each.phase == CONFIRMATION for each in history) >= 30
    blocks = [(each.phase, each.block, each.point_id) for each in history]
    assert len(set(blocks)) == len(blocks)


def test_less_is_better_where_the_objective_says_so():
    _, states = play(replace(RACE, maximise=False))
    assert "p00" in states[-1].finalists
    assert "p11" not in states[-1].finalists


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 200), st.randoms(use_true_random=False))
def test_it_resumes_anywhere_with_the_same_decisions(length, random):
    history, states = play(RACE)
    known = history[:length]
    random.shuffle(known)
    resumed = RACE.state(known)
    told = {(each.phase, each.block, each.point_id) for each in known}
    expected = next(
        state
        for state in states
        if state.ask is None or any((state.ask.phase, state.ask.block, point) not in told for point in state.ask.points)
    )
    assert resumed == expected


def test_the_test_is_the_one_of_the_textbook():
    """Before anything drops out: two-way ANOVA's residual mean square, Student's t, Bonferroni."""
    rng = np.random.default_rng(1)
    logs = rng.normal(0, 0.01, (4, 12)) + rng.normal(0, 0.3, (4, 1))
    screen = Screen(np.ones((1, 12), dtype=bool), 0.05, 3)
    for blocks in range(1, 5):
        screen.add(logs[blocks - 1][None, :], np.array([True]))
        if blocks == 1:
            continue
        out, reach = screen.eliminate(np.array([True]))
        assert not out.any()
        seen = logs[:blocks]
        left = seen - seen.mean(axis=0) - seen.mean(axis=1, keepdims=True) + seen.mean()
        df = (blocks - 1) * 11
        critical = stats.t.ppf(1 - 0.05 / (blocks * (blocks - 1)) / 11, df)
        assert reach[0] == pytest.approx(critical * math.sqrt((left**2).sum() / df * 2 / blocks))


@settings(max_examples=200, deadline=None)
@given(st.integers(2, 500), st.integers(1, 40), st.floats(0, 5000))
def test_blocks_shrink_towards_the_finalists_and_fit_into_the_budget(live, finalists, left):
    spent, widths = 0.0, [live]
    while widths[-1] > finalists:
        (following,) = width(np.array([widths[-1]]), finalists, np.array([left - spent]))
        if following <= finalists:
            break
        assert following <= widths[-1]
        widths.append(int(following))
        spent += following
    assert spent <= left
    rest = width(np.array([widths[-1]]), finalists, np.array([left - spent]))[0]
    assert rest <= finalists  # it ends, and not for want of a step


def test_the_noise_is_not_taken_for_less_where_points_were_chosen_by_their_figures():
    """Equal points, the better half kept: the mean square of the noise is the true one or more."""
    rng = np.random.default_rng(2)
    screen = Screen(np.ones((400, 32), dtype=bool), 0.05, 4)
    everywhere = np.ones(400, dtype=bool)
    for keep in (16, 8, 4):
        screen.add(rng.normal(0, 1, (400, 32)) + rng.normal(0, 3, (400, 1)), everywhere)
        screen.cut(np.full(400, keep), everywhere)
    screen.add(rng.normal(0, 1, (400, 32)), everywhere)
    assert 1.0 <= screen.squares.sum() / screen.df.sum() <= 1.6


def test_the_levels_of_all_looks_add_up_to_the_error_rate():
    assert sum(look_level(0.05, blocks) for blocks in range(2, 10**5)) == pytest.approx(0.05, rel=1e-4)


def test_a_point_that_fails_is_withdrawn_and_may_come_back():
    failing = {(SCREENING, 1, "p11")}
    history, states = play(RACE, failing=failing)
    assert states[-1].withdrawn == ("p11",)
    assert not any(each.point_id == "p11" and each.block > 1 for each in history)
    repeated = [each for each in history if each.value is not None]
    assert RACE.state(repeated).ask == replace(states[1].ask)  # the block is asked for again


def test_a_budget_in_hours_is_spent_as_trials_are_measured_to_take():
    race = replace(RACE, spec=RacingSpec(budget_s=1200.0, finalists=3))
    history, _ = play(race)
    assert sum(each.duration_s for each in history) <= 1200
    assert len(history) > 100
    slow = [replace(each, duration_s=60.0) for each in history]
    assert race.state(slow[:12]).ask.phase == CONFIRMATION  # 12 minutes of 20 are spent, and a block takes 12


def test_few_points_go_straight_to_confirmation():
    state = Race(SPEC, NAMES[:3], maximise=True, expected_s=1.0).state([])
    assert (state.ask.phase, state.finalists) == (CONFIRMATION, NAMES[:3])


def test_the_trials_of_a_sweep_that_races(sweep_of):
    made = make_plan(sweep_of(SWEEP.format(more="")))
    history, ids = [], []
    while block := next_block(made.sweep, made.points, history):
        if not history:
            assert block == made.trials
        assert [trial.run_order for trial in block] == list(range(len(ids), len(ids) + len(block)))
        ids += [trial.trial_id for trial in block]
        history += [
            Outcome(each.phase, each.block, each.point.id, figure(each.phase, each.block, each.point.id), 1.0)
            for each in block
        ]
    assert len(set(ids)) == len(ids) <= 60
    assert history[-1].phase == CONFIRMATION


@pytest.mark.parametrize("budget", [4, 12, 15])
def test_a_budget_that_is_too_small_is_refused(sweep_of, budget):
    sweep = sweep_of(SWEEP.format(more="").replace("60", str(budget)))
    with pytest.raises(SweepError, match="is too little: one block of 12 points and confirmation need 16"):
        make_plan(sweep)


@pytest.mark.skipif(available(), reason="Optuna is installed")
def test_a_sampler_that_is_not_installed_is_said_in_one_line(sweep_of):
    with pytest.raises(SweepError, match="needs Optuna, which is not installed: pip install"):
        make_plan(sweep_of(SWEEP.format(more='sampler = "optuna-tpe"')))


OPTUNA = pytest.mark.skipif(not available(), reason="Optuna is not installed")


@pytest.mark.parametrize(
    "sampler", ["gaussian-process", *(pytest.param(name, marks=OPTUNA) for name in ("optuna-tpe", "optuna-random"))]
)
@pytest.mark.filterwarnings("ignore")
def test_a_sampler_races_behind_the_same_door(sweep_of, sampler):
    made = make_plan(sweep_of(SWEEP.format(more=f'sampler = "{sampler}"\nbatch = 5')))
    points = {point.id: point.settings for point in made.points}
    race = SampledRace(made.sweep.racing, points, maximise=True, expected_s=1.0, seed=3)
    history, states = play(race)
    assert len(history) <= 60
    assert all(len(set(state.ask.points)) == 5 for state in states[:3])
    assert states[-1].finalists
    assert play(race)[0] == history
    assert race.state(history[:7]) == states[1]
