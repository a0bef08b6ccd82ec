"""The simulation of nights runs the method of real nights; a few seeds of it."""

from __future__ import annotations

import numpy as np
import pytest

from results.nightly import evidence
from results.nightly.answer import OK, REGRESSION, TONIGHT
from tests.validate import nightly, nights_disks
from tests.validate import nights_truth as truth
from tests.validate.nights_judged import Judged, restored

WORST = "the same, -6 % a year"


@pytest.mark.parametrize("machine", ["weekdays, reboots, outliers", WORST])
def test_a_year_does_not_make_the_verdict_blind(machine):
    """Before, a fifth slower after 360 nights was found in 3 of 100 metrics, and 164 nights a year were drifts."""
    cell = nightly.simulated(machine, 3, after=(360,))
    assert cell.found[-0.20, 360, 7] == cell.found[-0.10, 360, 14] == cell.metrics
    assert cell.false == 0
    assert cell.not_ok <= nightly.NOT_OK_A_YEAR


def test_a_verdict_that_spends_levels_twice_as_fast_would_be_seen(monkeypatch):
    """With the old halving of levels late looks reach nothing: the check above can fail."""
    monkeypatch.setattr("results.nightly.course.look", lambda earlier: evidence.Look(2.0 ** -(9 + 8 * earlier), 12))
    cell = nightly.simulated(WORST, 3, after=(360,))
    assert cell.found[-0.10, 360, 14] < cell.metrics


def test_a_confirmed_regression_never_turns():
    found = nightly.staying(WORST, -0.20, 2)
    assert (found.confirmed, found.turned, found.recovered) == (2, 0, 2)


def test_a_disk_that_is_slow_for_a_night_is_no_regression_and_one_that_stays_slow_is():
    judged, array = Judged(), nights_disks.array(1, 30)
    lost = array.lost.copy()
    lost[truth.BASELINE :] = 0.0
    lost[truth.BASELINE + 5] = np.log1p(-nights_disks.SLOW)
    array = nights_disks.Array(array.values - array.lost + lost, lost, array.levels, 1)
    words = [
        judged.night(array.values[: end + 1], array.measured).word for end in range(truth.BASELINE, truth.BASELINE + 12)
    ]
    assert words[5] == TONIGHT
    assert REGRESSION not in words
    assert nightly.disks_found(2) == (2, 2)


@pytest.mark.parametrize("looks", [1, 12, 100, 365])
def test_the_levels_of_a_year_add_up_to_less_than_the_bound_and_pairs_reach_each(looks):
    """Confirmed looks are not charged: a false one at level a repeats with a, so a / (1 - a) false ones at most."""
    spent = 0.0
    for earlier in range(looks):
        look = evidence.look(earlier)
        assert look.level >= 2.0**-look.pairs
        assert 12 <= look.pairs <= 24
        spent += look.level / (1 - look.level)
    assert spent <= evidence.FALSE_REGRESSIONS_A_YEAR


def test_the_sign_flip_test_counts_every_pattern():
    """Twelve positive differences: one of 4,096 patterns is as large (Fisher 1935); all zero: every one is."""
    assert evidence.flip_p_values(np.array([np.arange(1.0, 13.0), np.zeros(12), -np.ones(12)])).tolist() == [
        1 / 4096,
        1.0,
        1.0,
    ]


def test_quiet_nights_of_a_steady_machine_take_hardly_any_pairs():
    dice = np.random.default_rng(5)
    judged = Judged()
    values = truth.nights(dice, truth.MACHINES["steady"], 60)
    words = [judged.night(values[: end + 1], restored(dice, 0.0)).word for end in range(truth.BASELINE, len(values))]
    assert words.count(OK) >= 58
    assert judged.looks <= 4


def test_a_machine_that_slows_down_is_cleared_by_pairs_and_followed():
    """The screen's centre moves to what pairs cleared: a machine that stays slow does not sound for ever."""
    dice = np.random.default_rng(6)
    values = truth.nights(dice, truth.MACHINES["AR(.3)"], 60)
    values[truth.BASELINE + 5 :] += np.log1p(-0.12)
    judged = Judged()
    looks = []
    for end in range(truth.BASELINE, len(values)):
        assert judged.night(values[: end + 1], restored(dice, 0.0)).word != REGRESSION
        looks.append(judged.looks)
    assert 1 <= looks[-1] <= 14
    assert looks[-1] - looks[30] <= 1, "by then nothing sounds"
