"""The simulation of nights runs the method of real nights; a few seeds of it."""

from __future__ import annotations

import numpy as np
import pytest

from results.nightly import evidence
from tests.validate import nightly


def test_the_screen_on_many_series_is_the_screen_of_one(monkeypatch):
    dice = np.random.default_rng(1)
    series = nightly.nights(dice, 6, 120, 0.3, "two modes")
    expected = []
    for row in nightly.CV * series:
        begin, looks = nightly.BASELINE, 0
        for night in range(nightly.BASELINE, len(row)):
            seen = evidence.screen(row[: nightly.BASELINE], row[begin : night + 1], -1)
            if seen.alarmed and seen.worse and evidence.look(looks) is not None:
                begin, looks = night + 1, looks + 1
        expected.append(looks)
    monkeypatch.setattr(
        nightly,
        "_confirmed",
        lambda _, earlier, *__: np.array([-1 if evidence.look(int(each)) is None else 0 for each in earlier]),
    )
    assert nightly.judged(dice, series, 120, 0.0).looks.tolist() == expected
    assert sum(expected) > 0


@pytest.mark.parametrize("shape", nightly.SHAPES)
def test_false_regressions_are_rare_in_every_truth(shape):
    dice = np.random.default_rng(3)
    year = nightly.judged(dice, nightly.nights(dice, 400, nightly.YEAR, 0.6, shape), nightly.YEAR, 0.0)
    assert year.verdicts.sum() <= 18  # 400 metric-years at 0.02: 8 expected at most, P(more than 18) < 0.001


def test_looking_at_the_same_level_every_time_is_caught(monkeypatch):
    """With 1/256 at every look a slow drift breaks the bound: the check above can fail."""
    monkeypatch.setattr(nightly, "look", lambda _: evidence.Look(1 / 256, 12))
    dice = np.random.default_rng(3)
    year = nightly.judged(dice, nightly.nights(dice, 400, nightly.YEAR, 0.6, "slow drift"), nightly.YEAR, 0.0)
    assert year.verdicts.sum() > 40


def test_a_change_of_three_sigma_is_mostly_found_in_its_first_night():
    dice = np.random.default_rng(4)
    found = nightly.judged(dice, nightly.nights(dice, 400, 1, 0.0, "steady"), 0, 3.0).found
    assert np.mean(found == 0) == pytest.approx(0.66, abs=0.1)


def test_the_levels_of_a_year_add_up_to_less_than_the_bound():
    levels = []
    while (look := evidence.look(len(levels))) is not None:
        levels.append(look.level)
        assert look.level >= 2.0**-look.pairs
    assert sum(levels) <= 4 / 256 < evidence.FALSE_REGRESSIONS_A_YEAR


def test_the_sign_flip_test_counts_every_pattern():
    """Twelve positive differences: one of 4,096 patterns is as large (Fisher 1935); all zero: every one is."""
    assert evidence.flip_p_values(np.array([np.arange(1.0, 13.0), np.zeros(12), -np.ones(12)])).tolist() == [
        1 / 4096,
        1.0,
        1.0,
    ]
