"""Two modes among many values are found where they are, and hardly ever where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from results.estimates.modes import two_modes


def heavy(rng, count):
    return 1 + 0.05 * rng.standard_t(3, count) / np.sqrt(3)


@pytest.mark.parametrize(
    "draw", [lambda rng, n: rng.normal(1, 0.05, n), lambda rng, n: np.exp(rng.normal(0, 0.2, n)), heavy]
)
def test_seconds_of_one_mode_are_hardly_ever_split(draw):
    rng = np.random.default_rng(3)
    assert sum(two_modes(np.log(np.maximum(draw(rng, 600), 1e-3))) is not None for _ in range(200)) <= 6


def test_seconds_of_two_modes_are_split():
    rng = np.random.default_rng(4)
    for _ in range(50):
        slow = rng.random(600) < 0.1
        found = two_modes(np.log(np.where(slow, 0.6, 1.0)) + rng.normal(0, 0.05, 600))
        assert found is not None
        assert found.share == pytest.approx(1 - slow.mean(), abs=0.005)
        assert np.exp((found.minor_centre, found.major)) == pytest.approx((0.6, 1.0), rel=0.05)
        assert found.apart == pytest.approx(np.log(1 / 0.6) / 0.05, rel=0.15)
    assert two_modes(np.zeros(100)) is None
