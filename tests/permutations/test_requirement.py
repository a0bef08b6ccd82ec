"""What a point can meet before any run; and races with requirements on measured figures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from permutations.design import make_plan
from permutations.point import DesignPoint
from permutations.race import next_block
from permutations.racing.race import CONFIRMATION, SCREENING, Outcome, Race
from permutations.racing.screen import Limit
from permutations.racing.spec import RacingSpec
from permutations.requirement import Answer, can_meet, contenders, known_constraints, measured_requirements
from stripelab.constraint import parse
from tests.permutations.played import played

GIB = 1 << 30
SWEEP = """\
[sweep]
seed = 5
design = "{design}"
{racing}
[factors]
level = ["raid0", "raid5", "raid6", "raid10"]
disks = [4]
chunk_kib = [64, 512]
[[workload]]
name = "w"
rw = "randwrite"
bs = "4k"
[[workload]]
name = "scan"
rw = "read"
bs = "1M"
[[objective]]
workload = "w"
maximise = "iops"
require = {require}
[[objective]]
workload = "scan"
maximise = "bw_bytes_s"
require = {other}
"""
RACING = "[racing]\nbudget_trials = 60\nfinalists = 3"
NAMES = tuple(f"p{number:02d}" for number in range(12))


def sweep_text(require='["survives >= 1"]', other='["survives >= 0"]', design="racing"):
    return SWEEP.format(design=design, racing=RACING if design == "racing" else "", require=require, other=other)


def points_of(sweep_of, **wanted):
    return {point.level: point for point in make_plan(sweep_of(sweep_text(design="full", **wanted))).points}


@pytest.mark.parametrize(
    ("level", "text", "disk_bytes", "answer"),
    [
        ("raid0", "survives >= 1", None, Answer.NO),
        ("raid10", "survives >= 1", None, Answer.YES),
        ("raid10", "survives >= 2", None, Answer.NO),
        ("raid6", "survives > 1", None, Answer.YES),
        ("raid6", "survives > 2", None, Answer.NO),
        ("raid0", "p99 < 1 ms", GIB, Answer.MEASURE),
        ("raid0", "usable >= 4 GiB", None, Answer.MEASURE),
        ("raid0", "usable > 4 GiB", GIB, Answer.NO),
        ("raid0", "usable >= 4 GiB", GIB, Answer.MEASURE),  # what md takes of 4 GiB is not known
        ("raid0", "usable >= 3 GiB", GIB, Answer.YES),
        ("raid10", "usable >= 3 GiB", GIB, Answer.NO),
        ("raid5", "usable >= 2.9 TiB", 1024 * GIB, Answer.YES),
    ],
)
def test_what_is_known_of_a_point_before_any_run(sweep_of, level, text, disk_bytes, answer):
    assert can_meet(points_of(sweep_of)[level], parse(text), disk_bytes) is answer


def test_a_jbod_has_the_whole_of_its_disks():
    values = dict.fromkeys(("level", "disks"))
    point = DesignPoint(("jbod", 4, *[None] * (len(DesignPointFields()) - 2)))
    assert values.keys() <= point.settings.keys()
    assert can_meet(point, parse("usable >= 4 GiB"), GIB) is Answer.YES


def DesignPointFields():  # noqa: N802
    from permutations.factors import FACTORS

    assert tuple(FACTORS)[:2] == ("level", "disks")
    return FACTORS


def test_points_that_cannot_meet_a_requirement_do_not_start(sweep_of):
    made = make_plan(sweep_of(sweep_text()))
    assert {point.level for point in made.points} == {"raid5", "raid6", "raid10"}
    assert {trial.point.level for trial in made.trials} == {"raid5", "raid6", "raid10"}
    (entry,) = [entry for entry in made.left_out if entry.rule == "requirement"]
    assert (entry.count, "cannot meet the requirement survives >= 1" in entry.reason) == (2, True)
    assert sum(entry.count for entry in made.left_out) + len(made.points) == made.raw_combinations


def test_requirements_of_every_workload_decide_who_starts(sweep_of):
    made = make_plan(sweep_of(sweep_text(other='["survives >= 2", "p99 < 5 ms"]')))
    assert {point.level for point in made.points} == {"raid6"}
    assert [each.workload for each in measured_requirements(made.sweep.objectives)] == ["scan"]
    assert [each.text for each in known_constraints(made.sweep.objectives)] == ["survives >= 1", "survives >= 2"]


def test_the_size_of_disks_decides_where_it_is_known(sweep_of):
    sweep = sweep_of(sweep_text('["usable >= 3 GiB"]'))
    assert {point.level for point in make_plan(sweep).points} == {"raid0", "raid5", "raid6", "raid10"}
    assert {point.level for point in make_plan(sweep, GIB).points} == {"raid0", "raid5"}


def test_other_designs_keep_points_that_cannot_be_recommended(sweep_of):
    assert len(make_plan(sweep_of(sweep_text(design="full"))).points) == 8


def test_where_no_point_can_all_are_planned_for_the_list_of_problems_to_refuse(sweep_of):
    made = make_plan(sweep_of(sweep_text('["survives >= 3"]')))
    assert len(made.points) == len(contenders(made.points, made.sweep.objectives, None)) == 8


def play(race, figure, slack, failing=()):
    """A race to its end: its history and its states."""

    def outcome(ask, point):
        rng = np.random.default_rng([ask.block, int(point[1:]), ask.phase == CONFIRMATION])
        value = figure(point) * math.exp(rng.normal(0, 0.02))
        off = slack(point)
        told = (None if off is None else off + rng.normal(0, 0.02),) * race.requirements
        return Outcome(ask.phase, ask.block, point, value, 1.0, told, point in failing)

    return played(race, outcome)


def fast(point):
    return 100 * math.exp(0.05 * int(point[1:]))


def misses_when_fast(point):
    return 0.3 if int(point[1:]) < 8 else -0.5


RACE = Race(RacingSpec(budget_trials=150, finalists=3), NAMES, maximise=True, expected_s=1.0, requirements=1)


def test_points_that_miss_a_requirement_are_eliminated_and_the_best_of_the_others_wins():
    history, states = play(RACE, fast, misses_when_fast)
    end = states[-1]
    assert "p07" in end.finalists
    assert not {"p08", "p09", "p10", "p11"} & set(end.finalists)
    assert not {"p00", "p01", "p02", "p03", "p04", "p05", "p06", "p07"} & set(end.missing)
    confirmed = {each.point_id for each in history if each.phase == CONFIRMATION}
    assert not {"p08", "p09", "p10", "p11"} & confirmed
    assert {point for look in end.looks for point in look.eliminated} & set(NAMES[8:]) == set()


def test_without_requirements_the_same_points_would_have_won():
    _, states = play(replace(RACE, requirements=0), fast, misses_when_fast)
    assert set(states[-1].finalists) <= set(NAMES[8:])


def test_where_every_point_misses_the_race_ends_without_finalists():
    history, states = play(RACE, fast, lambda _: -0.7)
    assert states[-1].ask is None
    assert states[-1].finalists == ()
    assert states[-1].missing
    assert len(history) < 150


def test_a_finalist_that_is_shown_to_miss_in_fresh_runs_gives_its_place_up():
    race = Race(RacingSpec(budget_trials=60, finalists=3), NAMES[:3], maximise=True, expected_s=1.0, requirements=1)
    history, states = play(race, fast, lambda point: -0.15 if point == "p02" else 0.2)
    assert states[-1].missing == ("p02",)
    assert states[-1].finalists == ("p01", "p00") or set(states[-1].finalists) == {"p00", "p01"}
    assert sum(each.point_id == "p02" for each in history) < sum(each.point_id == "p01" for each in history)


def test_a_figure_that_was_not_measured_neither_eliminates_nor_leads():
    _, states = play(RACE, fast, lambda point: None if point == "p11" else 0.3)
    assert "p11" not in states[-1].missing
    assert "p11" not in states[-1].finalists  # it comes after those that seem to meet the requirement


def test_a_fact_eliminates_at_once():
    history, states = play(RACE, fast, lambda _: 0.3, failing=("p11",))
    assert states[1].missing == ("p11",)
    assert sum(each.point_id == "p11" for each in history) == 1


@pytest.mark.parametrize("length", [0, 5, 12, 13, 24, 40, 70, 99])
def test_it_resumes_anywhere_with_the_same_decisions(length):
    history, states = play(RACE, fast, misses_when_fast)
    told = {(each.phase, each.block, each.point_id) for each in history[:length]}
    expected = next(
        state
        for state in states
        if state.ask is None or any((state.ask.phase, state.ask.block, point) not in told for point in state.ask.points)
    )
    assert RACE.state(reversed(history[:length])) == expected


def test_the_reach_of_a_requirement_is_that_of_the_textbook():
    """Noise by two-way ANOVA, shifts by the means of blocks; a tenth of a side's level, and the rest."""
    rng = np.random.default_rng(1)
    slacks = rng.normal(0, 0.05, (4, 1, 12)) + rng.normal(0, 0.03, (4, 1, 1))
    limit = Limit(1, 12, 0.05)
    for block in slacks:
        limit.add(block, np.ones((1, 12), dtype=bool), np.array([False]))
    seen = slacks[:, 0]
    rest = seen - seen.mean(axis=0) - seen.mean(axis=1, keepdims=True) + seen.mean()
    level = 0.05 / 12 / 2
    noise = stats.t.ppf(1 - 0.1 * level / 12, 33) * math.sqrt((rest**2).sum() / 33 / 4)
    shift = stats.t.ppf(1 - 0.9 * level, 3) * math.sqrt(seen.mean(axis=1).var(ddof=1) / 4)
    assert limit.reach[0] == pytest.approx(noise + shift)


def test_the_error_rate_is_shared_between_objective_and_requirements():
    _, states = play(RACE, fast, misses_when_fast)
    assert states[-1].looks[0].level == pytest.approx(0.05 / 2 / 2)
    _, states = play(replace(RACE, requirements=0), fast, misses_when_fast)
    assert states[-1].looks[0].level == pytest.approx(0.05 / 2)


def test_the_trials_of_a_sweep_with_requirements(sweep_of):
    made = make_plan(sweep_of(sweep_text('["survives >= 1", "p99 < 5 ms"]')))
    history, seen = [], set()
    while block := next_block(made.sweep, made.points, history):
        for each in block:
            slack = 0.4 if each.point.level == "raid6" else -0.6
            rng = np.random.default_rng([each.block, int(each.point.id, 16) % 997])
            history.append(
                Outcome(each.phase or SCREENING, each.block, each.point.id, 100.0, 1.0, (slack + rng.normal(0, 0.01),))
            )
            seen.add(each.trial_id)
    assert len(seen) == len(history) <= 60
    last = max(each.block for each in history)
    final = {each.point_id for each in history if each.block == last}
    assert {point.level for point in made.points if point.id in final} == {"raid6"}
