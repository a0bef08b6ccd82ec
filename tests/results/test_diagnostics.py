"""Run order, drift and trials that stand apart: flagged when they are there, and hardly ever when not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from results.estimates.diagnostics import drift, outliers, refuse_systematic
from results.estimates.estimate import NoEvidenceError, fit
from results.estimates.responses import Response
from tests.results.synthetic import Plan, factorial, values


def responses(plan: Plan) -> list[Response]:
    return [
        Response(f"t{point}-{block}", f"p{point:02d}", block, order, value)
        for order, (point, block, value) in enumerate(values(plan))
    ]


def eight(**settings: object) -> Plan:
    points = [(each, 100.0) for each in factorial(chunk_kib=[2**k for k in range(8)])]
    return Plan(points, replicates=4, cv=0.02, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("drifting", [0.0, 0.05])
def test_grouped_run_order_is_refused_always(drifting: float) -> None:
    for seed in range(200):
        with pytest.raises(NoEvidenceError, match="ran one after the other"):
            refuse_systematic(responses(eight(order="grouped", drift=drifting, seed=seed)))


def refused(plan: Plan) -> bool:
    try:
        refuse_systematic(responses(plan))
    except NoEvidenceError:
        return True
    return False


def test_blocked_run_order_is_refused_never() -> None:
    assert not any(refused(eight(seed=seed)) for seed in range(200))
    assert refused(eight(order="grouped", seed=0))  # which is the same check


@pytest.mark.parametrize(("drifting", "most"), [(0.0, 0.002), (0.05, 0.02)])
def test_blocked_order_under_drift_is_hardly_ever_flagged_wrongly(drifting: float, most: float) -> None:
    """A drift of 5 % is what is tolerated: its flag's rate is the level, 1 %, and that without any is next to none."""
    flags = 0
    for seed in range(500):
        found = drift(fit(responses(eight(drift=drifting, seed=seed))))
        assert found is not None
        flags += found.found
    assert flags / 500 <= most


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_drift_that_is_tolerated_is_flagged_at_the_level_of_the_test(sign: int) -> None:
    """Calibrated: with little noise a drift of exactly 5 % is flagged in 1 % of sweeps, one of 10 % always."""
    dice = np.random.default_rng(8)
    rates = []
    for change, sweeps in ((-math.log(0.95), 1000), (-math.log(0.90), 50)):
        flags = 0
        for _ in range(sweeps):
            order = [(block, place, point) for block in range(4) for place, point in enumerate(dice.permutation(8))]
            runs = [
                Response(
                    f"t{p}-{b}",
                    f"p{p}",
                    b,
                    8 * b + n,
                    math.exp(sign * change * (8 * b + n) / 31 + dice.normal(0, 2e-3)),
                )
                for b, n, p in order
            ]
            found = drift(fit(runs))
            flags += found is not None and found.found
        rates.append(flags / sweeps)
    assert rates[0] == pytest.approx(0.01, abs=0.009)
    assert rates[1] > 0.99


def test_a_strong_drift_inside_blocks_is_seen_and_measured() -> None:
    seen = [drift(fit(responses(eight(drift=0.4, seed=seed)))) for seed in range(20)]
    assert all(each is not None and each.found for each in seen)
    assert np.median([each.change_pct for each in seen if each]) == pytest.approx(-40, abs=6)


def test_drift_is_not_mistaken_for_differences_between_points() -> None:
    """Facts to hold: false rejections at 5 % stay near 5 % when blocks are complete."""
    rejected = 0
    for seed in range(400):
        model = fit(responses(eight(drift=0.05, seed=seed)))
        spread = 4 * float(np.var(model.log_means, ddof=1)) / model.sd**2
        from scipy import stats

        rejected += stats.f.sf(spread, 7, model.df) < 0.05
    assert rejected / 400 == pytest.approx(0.05, abs=0.033)


def test_a_trial_that_stands_apart_is_named() -> None:
    table = responses(eight(seed=3))
    odd = [
        Response(each.trial_id, each.point_id, each.block, each.run_order, each.value * (0.6 if n == 13 else 1))
        for n, each in enumerate(table)
    ]
    found = outliers(fit(odd))
    assert found[0].trial_id == table[13].trial_id
    assert found[0].ratio == pytest.approx(0.6, abs=0.06)
    assert outliers(fit(table)) == []


def test_outliers_are_hardly_ever_seen_where_there_are_none() -> None:
    assert sum(bool(outliers(fit(responses(eight(seed=seed))))) for seed in range(400)) <= 12


def test_no_noise_at_all_is_no_trouble() -> None:
    table = [Response(f"{p}{b}", f"p{p}", b, b * 4 + p, math.exp(p)) for b in range(3) for p in range(4)]
    model = fit(table)
    assert outliers(model) == []
    assert drift(model) is None
