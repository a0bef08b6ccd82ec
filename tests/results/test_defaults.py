"""What is gained over the tools' defaults: which point is one, and how often the limit holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from results.estimates.defaults import is_default, over_default
from results.estimates.estimate import fit
from results.estimates.responses import Response
from stripelab.settings import DEFAULT, FACTOR_NAMES, Setting

PLAIN: dict[str, Setting] = {
    **dict.fromkeys(FACTOR_NAMES, DEFAULT),
    "level": "raid5",
    "disks": 4,
    "chunk_kib": 512,
    "filesystem": "xfs",
    "layout": "flat",
}


@pytest.mark.parametrize(
    ("change", "default"),
    [
        ({}, True),
        ({"chunk_kib": None, "level": "raid1"}, True),
        ({"chunk_kib": 64}, False),
        ({"chunk_kib": DEFAULT}, True),
        ({"stripe_cache_pages": 256}, True),
        ({"stripe_cache_pages": 4096}, False),
        ({"level": "raid10", "raid10_layout": "n2"}, True),
        ({"level": "raid10", "raid10_layout": "f2"}, False),
        ({"layout": "hashed-2x16"}, False),
        ({"scheduler": "none"}, False),
        ({"mount_options": "noatime"}, False),
        ({"read_ahead_kib": 4096}, False),
    ],
)
def test_a_default_is_what_the_tools_make_unasked(change: dict[str, Setting], default: bool) -> None:
    assert is_default({**PLAIN, **change}) is default


SETTINGS = {
    f"{level}-{chunk}": {**PLAIN, "level": level, "chunk_kib": chunk}
    for level in ("raid5", "raid6")
    for chunk in (64, 128, 512)
}
LABELS = {name: name for name in SETTINGS}


def measured(truth: dict[str, float], seed: int, cv: float = 0.03) -> list[Response]:
    rng = np.random.default_rng(seed)
    return [
        Response(f"{name}-{block}", name, block, place, value * math.exp(rng.normal(0, cv)))
        for block in range(4)
        for place, (name, value) in enumerate(truth.items())
    ]


def test_the_gain_is_over_the_default_of_the_same_level() -> None:
    truth = {name: 100.0 * (1.2 if name.endswith("64") else 1.0) for name in SETTINGS}
    model = fit(measured(truth, 1, cv=1e-4))
    found = over_default(model, "raid6-64", SETTINGS, LABELS, maximise=True, confidence=0.95)
    assert found is not None
    assert found.label == "raid6-512"
    assert found.gain_pct == pytest.approx(20, abs=0.1)
    assert found.at_least_pct is not None
    assert 19 < found.at_least_pct < found.gain_pct


def test_the_default_itself_gains_nothing_and_one_that_was_not_measured_is_not_made_up() -> None:
    model = fit(measured(dict.fromkeys(SETTINGS, 100.0), 1))
    found = over_default(model, "raid5-512", SETTINGS, LABELS, maximise=True, confidence=0.95)
    assert found is not None
    assert found.gain_pct is None
    without = {name: value for name, value in dict.fromkeys(SETTINGS, 100.0).items() if name != "raid5-512"}
    assert over_default(fit(measured(without, 1)), "raid5-64", SETTINGS, LABELS, maximise=True, confidence=0.95) is None


def test_the_limit_holds_for_the_point_that_was_picked() -> None:
    """Nothing differs in truth, so a limit above zero is wrong: at most 5 % of 200 sweeps (99 % of a binomial: 18)."""
    wrong = 0
    for seed in range(200):
        model = fit(measured(dict.fromkeys(SETTINGS, 100.0), seed))
        best = model.points[int(np.argmax(model.log_means))]
        found = over_default(model, best, SETTINGS, LABELS, maximise=True, confidence=0.95)
        assert found is not None
        wrong += found.at_least_pct is not None and found.at_least_pct > 0
    assert wrong <= 18


def test_less_latency_is_a_gain() -> None:
    truth = {name: 100.0 * (0.5 if name.endswith("64") else 1.0) for name in SETTINGS}
    model = fit(measured(truth, 1, cv=1e-4))
    found = over_default(model, "raid5-64", SETTINGS, LABELS, maximise=False, confidence=0.95)
    assert found is not None
    assert found.gain_pct == pytest.approx(50, abs=0.1)
