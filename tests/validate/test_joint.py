"""A small part of ``make validate`` for every run of the tests."""

from __future__ import annotations

import pytest

from tests.validate.joint import CELLS, sweep
from tests.validate.race import interval

SEEDS = 60


@pytest.mark.parametrize("name", list(CELLS)[:4])
def test_the_printed_bounds_hold_for_all_points_and_workloads_at_once(name):
    found = [sweep(CELLS[name], seed) for seed in range(SEEDS)]
    assert interval(sum(each.bounds_hold for each in found), SEEDS)[1] >= 0.95
    assert interval(sum(each.tied_has_best for each in found), SEEDS)[1] >= 0.95
