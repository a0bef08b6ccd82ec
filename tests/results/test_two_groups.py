"""A few runs in two groups are told where they are, and hardly ever where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from results.statistics.two_groups import LEVEL, critical, of_runs


def two_modes(rng, count, share=0.1, slow=0.8, noise=0.02):
    return 1000 * np.where(rng.random(count) < share, slow, 1.0) * np.exp(rng.normal(0, noise, count))


def test_one_normal_group_of_runs_is_split_no_more_often_than_stated():
    rng = np.random.default_rng(1)
    for count in (5, 10, 20, 59):
        found = sum(of_runs(1000 * np.exp(rng.normal(0, 0.03, count))) is not None for _ in range(1000))
        assert found / 1000 <= LEVEL + 0.012


@pytest.mark.parametrize("count", [20, 40])
def test_nine_fast_runs_in_ten_and_one_slow(count):
    rng = np.random.default_rng(2)
    seen = told = 0
    for _ in range(200):
        figures = two_modes(rng, count)
        slow = int((figures < 900).sum())
        if 2 <= slow < count / 2:
            seen += 1
            found = of_runs(figures)
            if found is not None:
                told += found.members == slow and found.smaller == "low"
                assert found.low == pytest.approx(800, rel=0.06)
                assert found.high == pytest.approx(1000, rel=0.02)
                assert found.low_share == pytest.approx(slow / count)
    assert seen > 100
    assert told / seen >= 0.98


def test_one_run_that_stands_apart_is_said_to_be_one():
    found = of_runs(np.array([1000.0, 1005, 995, 1002, 998, 1001, 999, 1003, 997, 800]))
    assert found is not None
    assert found.single
    assert found.low == 800


def test_groups_that_hardly_differ_and_figures_without_noise():
    assert of_runs(np.array([1000.0] * 8 + [1001.0] * 2)) is None
    assert of_runs(np.full(10, 5.0)) is None
    assert of_runs(np.array([1000.0] * 8 + [800.0] * 2)) is not None
    assert of_runs(np.array([1.0, 2.0])) is None
    assert critical(10) > critical(40) > 2.0
