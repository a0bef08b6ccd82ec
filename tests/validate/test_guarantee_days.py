"""A small part of ``make validate`` for every run of the tests: guarantees where days differ."""

from __future__ import annotations

import numpy as np
import pytest

from tests.validate import guarantee_days
from tests.validate.guarantee_days import Cell, by_days, is_true, one_day, truth_of
from tests.validate.race import interval

SEEDS = 1000
FUTURE = 20_000


@pytest.mark.parametrize(("shape", "phi"), [("normal", 0.0), ("normal", 0.3), ("lognormal", 0.3), ("normal", 0.6)])
@pytest.mark.parametrize(("days", "runs"), [(6, (1, 1)), (10, (2, 5)), (20, (20, 20))])
def test_the_printed_sentence_is_true_as_often_as_it_says(shape, phi, days, runs):
    scored = by_days(Cell(truth_of(shape, phi), days, runs), SEEDS, np.random.default_rng(7), FUTURE)
    assert scored.printed > 0.85 * SEEDS
    assert interval(scored.true, scored.printed)[1] >= 0.95
    assert scored.rate >= 0.93


def test_runs_of_one_day_are_a_promise_on_that_day_alone():
    """20 runs of a day, days ± 3 %, runs ± 1 %: on all days the sentence would hold in a third of cases."""
    limited, general = one_day("normal", 20, SEEDS, np.random.default_rng(8))
    assert limited.rate >= 0.93
    assert interval(general.true, general.printed)[1] < 0.5


def test_a_sentence_is_scored_by_its_own_figures():
    sentence = "… on at least a share P = 0.750 of future days …, one run made that day delivers at least 1,000 IOPS …"
    assert is_true(sentence, np.array([999.0, 1000.0, 1001.0, 1002.0]))
    assert not is_true(sentence, np.array([998.0, 999.0, 1001.0, 1002.0]))


def test_the_report_has_a_row_for_every_cell():
    lines = guarantee_days.report(5, 1, said=lambda _: None, future=1000)
    assert sum(line.startswith(("| normal |", "| lognormal |")) for line in lines) == 96 + 6
    assert "| lognormal | 0.6 | 60 | 2 to 5 |" in "\n".join(lines)
