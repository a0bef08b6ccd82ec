"""Two sweeps side by side: right on what scipy knows, honest on sweeps that are the same, and plain about machines."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from results.comparison.compare import BETTER, TIED, UNCLEAR, WORSE, compare
from results.comparison.picking import Picked, pick
from results.errors import ResultsError
from results.store.folder import Store
from tests.bench.cli.test_recommend_and_report import stripelab
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_points, raid_truth

POINTS = raid_points()[2:6]


def sweep(values: np.ndarray) -> Picked:
    """A sweep in memory; ``values`` are IOPS by point and block."""
    plan = Plan([])
    trials, rows = [], []
    for point, own in enumerate(values):
        for block, value in enumerate(own):
            row = synthetic.trial(plan, POINTS[point], block, len(trials))
            trials.append(row)
            rows.append(synthetic.observation(plan, row, float(value), "write", None))
    labels = {row.point_id: f"{row.level} {row.chunk_kib}" for row in trials}
    return Picked("x", Path("/nowhere"), tuple(trials), tuple(rows), (), labels, None, "p")


def test_one_point_is_the_test_of_welch():
    rng = np.random.default_rng(5)
    one, other = rng.normal(100, 4, 5), rng.normal(90, 9, 4)
    (found,) = compare(sweep(one[None, :]), sweep(other[None, :])).compared
    expected = stats.ttest_ind(np.log(other), np.log(one), equal_var=False).confidence_interval(0.95)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((expected.low, expected.high))
    assert found.ratio == pytest.approx(stats.gmean(other) / stats.gmean(one))


def test_sweeps_of_equal_points_are_called_different_in_five_per_cent_of_cases_at_most():
    """Blocks that differ by more than the noise, as days do: intervals that leave them out are far too narrow."""
    rng = np.random.default_rng(20261124)

    def draw() -> Picked:
        blocks = rng.normal(0, 0.05, 4)
        return sweep(200 * np.exp(blocks + rng.normal(0, 0.02, (len(POINTS), 4))))

    wrong = 0
    for _ in range(200):
        found = compare(draw(), draw(), margin_pct=0).compared
        wrong += any(each.verdict in {BETTER, WORSE} for each in found)
    assert wrong <= stats.binom.ppf(0.999, 200, 0.05)


@pytest.mark.parametrize(
    ("factor", "metric", "verdict"),
    [
        (1.0, "iops", TIED),
        (1.3, "iops", BETTER),
        (0.7, "iops", WORSE),
        (1.3, "lat_mean_ns", BETTER),
        (0.7, "lat_mean_ns", WORSE),
    ],
)
def test_a_verdict_is_of_the_second_sweep_and_knows_which_way_is_better(factor, metric, verdict):
    rng = np.random.default_rng(1)
    one, other = (200 * np.exp(rng.normal(0, 0.005, (4, 4))) for _ in range(2))
    found = compare(sweep(one), sweep(factor * other), metric=metric).compared
    assert {each.verdict for each in found} == {verdict}


def test_too_few_trials_are_unclear_and_have_no_interval():
    found = compare(sweep(np.array([[100.0]])), sweep(np.array([[300.0]])))
    assert [(each.verdict, each.low) for each in found.compared] == [(UNCLEAR, None)]
    assert "no interval" in found.warnings[0]


def test_what_differs_beside_the_settings_is_listed(tmp_path):
    truth = raid_truth()[2:6]
    synthetic.write(tmp_path / "a", Plan(truth, replicates=2))
    store = Store.create(tmp_path / "b")
    newer = replace(
        synthetic.environment(),
        environment_id="newer",
        kernel="6.12.1",
        disk_firmwares=("FW01", "FW02", "FW01", "FW01"),
    )
    store.put_environment(newer)
    plan = Plan(truth[1:], replicates=2, seed=7)
    for order, (point, block, value) in enumerate(synthetic.values(plan)):
        row = replace(synthetic.trial(plan, plan.truth[point][0], block, order), environment_id="newer")
        store.append(row, [synthetic.observation(plan, row, value, "write", None)])
    found = compare(pick(str(tmp_path / "a")), pick(str(tmp_path / "b")))
    listed = {each.what: (each.first, each.second) for each in found.differences}
    assert listed["kernel"] == ("6.1.0-44-amd64", "6.12.1")
    assert listed["disk_firmwares"] == ("-", "FW02")
    assert "cpu_model" not in listed
    assert (len(found.compared), found.only_first, found.only_second) == (3, ("raid0 x4 64K ext4 flat",), ())


def test_two_sweeps_of_one_store_are_told_apart_by_name(tmp_path):
    path = tmp_path / "s"
    store = synthetic.write(path, Plan(raid_truth()[2:5], replicates=2))
    plan = Plan(raid_truth()[2:5], replicates=2, seed=3)
    for order, (point, block, value) in enumerate(synthetic.values(plan)):
        row = synthetic.trial(plan, plan.truth[point][0], block, 100 + order)
        row = replace(row, trial_id=f"second-{order}", sweep="second", protocol_id="protocol-2")
        store.append(row, [synthetic.observation(plan, row, 2 * value, "write", None)])
    found = compare(pick(f"{path}@synthetic"), pick(f"{path}@protocol-2"))
    assert {each.verdict for each in found.compared} == {BETTER}
    assert pick(str(path)).protocol_id == "protocol-2", "the newest"
    with pytest.raises(ResultsError, match=r"no sweep of .* is called 'third'") as told:
        pick(f"{path}@third")
    assert told.value.remedy == "It has: second (protocol-2), synthetic (protocol-1)."


def test_nothing_in_common_is_said(tmp_path):
    with pytest.raises(ResultsError, match="no point with a figure of the same workload in common"):
        compare(sweep(np.ones((1, 2))), replace(sweep(np.ones((2, 2))), observations=()))
    with pytest.raises(ResultsError, match="no figure speed"):
        compare(sweep(np.ones((1, 2))), sweep(np.ones((1, 2))), metric="speed")


def test_compare_as_a_user_calls_it(tmp_path):
    synthetic.write(tmp_path / "a", Plan(raid_truth()[2:6], replicates=3, substrate="uml"))
    synthetic.write(tmp_path / "b", Plan(raid_truth(70)[2:6], replicates=3, substrate="uml", seed=2))
    done = stripelab("compare", tmp_path / "a", tmp_path / "b")
    assert (done.returncode, done.stderr) == (0, "")
    assert "NOT REAL HARDWARE" in done.stdout
    assert "random-write: IOPS (more is better)" in done.stdout
    assert "B against A: 4 worse (margin 5 %, 95 % confidence for all 4 at once)" in done.stdout
    found = json.loads(stripelab("compare", tmp_path / "a", tmp_path / "b", "--json").stdout)
    assert [each["verdict"] for each in found["compared"]] == [WORSE] * 4
    assert all(0.6 < each["low"] < 0.7 < each["high"] < 0.8 for each in found["compared"])


def test_the_data_set_and_the_initial_sync_are_among_the_differences(tmp_path: Path) -> None:
    """They decide over figures as much as a kernel does, and are neither factors nor columns of the machine."""
    plan = Plan(raid_truth(), replicates=2)
    for name, columns in (
        ("a", {"dataset_bytes": 1 << 30, "initial_sync": "wait", "disk_iops_limit": 200}),
        ("b", {"dataset_bytes": 4 << 30, "initial_sync": "assume-clean", "disk_iops_limit": None}),
    ):
        synthetic.write(tmp_path / name, plan, change=lambda row, columns=columns: replace(row, **columns))
    found = compare(pick(str(tmp_path / "a")), pick(str(tmp_path / "b"))).differences
    assert {each.what: (each.first, each.second) for each in found} == {
        "data set, bytes": (str(1 << 30), str(4 << 30)),
        "initial_sync": ("wait", "assume-clean"),
        "limit of a disk, IOPS": ("200", "-"),
    }
    assert compare(pick(str(tmp_path / "a")), pick(str(tmp_path / "a"))).differences == ()
