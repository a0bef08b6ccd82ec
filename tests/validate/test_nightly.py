"""The simulation of nights runs the method of real nights; a few seeds of it."""

from __future__ import annotations

import numpy as np
import pytest

from results.nightly import evidence
from tests.validate import nightly


def test_the_screen_on_many_series_is_the_screen_of_one(monkeypatch):
    values = nightly.draw(6, 0.3, "two modes", np.random.default_rng(1))
    alarms = []
    for series in values:
        quiet = nightly.BASELINE
        for night in range(nightly.BASELINE, nightly.NIGHTS):
            # Scaled up: real screens have a least spread, which values in standard deviations are far above.
            seen = evidence.screen(series[: nightly.BASELINE], series[quiet : night + 1], 1)
            if seen.alarmed:
                quiet = night + 1
                alarms += [night] if seen.worse else []
    monkeypatch.setattr(nightly, "confirmed_by_pairs", lambda count, *_: (np.zeros(count, bool), np.zeros(count, bool)))
    assert nightly.watch(values, np.random.default_rng(1)).screens == len(alarms) > 0


def test_the_pairs_of_the_simulation_get_the_test_of_real_ones():
    confirmed, beyond = nightly.confirmed_by_pairs(200, 2.0, np.random.default_rng(5))
    differences = np.random.default_rng(5).normal(-2.0, np.sqrt(2), (200, evidence.PAIRS))
    real = [evidence.paired(nightly.SD * each, worse=True, sign=1) for each in differences]
    assert confirmed.tolist() == [each.p_value <= evidence.SIGNIFICANCE for each in real]
    assert beyond.tolist() == [each.high < np.log1p(-nightly.GATE) for each in real]


def test_false_verdicts_are_rare_in_every_truth():
    rng = np.random.default_rng(3)
    for phi in nightly.PHIS:
        found = nightly.watch(nightly.draw(600, phi, "weekly cycle", rng), rng)
        assert found.verdicts <= 22, phi  # 600 x 305/365 metric-years at 0.02: 10 expected, P(more than 22) < 0.001


def test_a_drop_of_three_sigma_is_mostly_found_in_its_first_night():
    rng = np.random.default_rng(4)
    found = nightly.watch(nightly.draw(400, 0.0, "nothing else", rng), rng, 3.0, 200)
    assert np.mean(found.first[found.first >= 200] == 200) == pytest.approx(0.66, abs=0.1)
