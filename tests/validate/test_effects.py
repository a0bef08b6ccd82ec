"""A small part of ``make validate`` for every run of the tests."""

from __future__ import annotations

import pytest

from tests.validate.effects import SHAPES, sweep
from tests.validate.race import interval

SEEDS = 40


@pytest.mark.parametrize("name", SHAPES)
def test_hardly_any_sweep_has_a_false_sentence(name):
    found = [sweep(SHAPES[name], seed) for seed in range(SEEDS)]
    assert interval(sum(bool(each.false) for each in found), SEEDS)[0] <= 0.05
    for factor in SHAPES[name].matter:
        assert any(factor in each.claimed for each in found)
