"""What is granted, with which figures; and every reason to refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from results.errors import ResultsError
from results.guarantee.synthetic import Campaign, Truth, write
from results.guarantee.text import PAGE_LINES
from results.statistics.tolerance import coverage
from tests.results.guarantees import REAL, asked, kinds, make, runs


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make(tmp_path_factory.mktemp("guarantee") / "store")


def change(**columns):
    """Change the row of every run, or of the block ``at`` alone."""
    at = columns.pop("at", None)

    def apply(block, rows):
        if at in {None, block}:
            rows["row"] = replace(rows["row"], **columns)

    return apply


def observed(**columns):
    def apply(_block, rows):
        rows["seen"] = [replace(each, **columns) for each in rows["seen"]]

    return apply


@pytest.fixture(scope="module")
def one_day(tmp_path_factory):
    return make(tmp_path_factory.mktemp("guarantee") / "one-day", replace(REAL, runs_a_day=REAL.runs))


def test_the_bound_is_the_worst_of_the_days_and_p_follows_from_their_number(store):
    found = asked(store)
    worst = runs().min(axis=1)  # of 60 seconds none may be below what 99 % of them deliver
    assert kinds(found) == set()
    assert found.granted
    assert found.holds
    assert found.watermark is None
    assert found.bound.value == worst.min()
    assert found.bound.units == len(found.days) == 20
    assert found.bound.coverage == pytest.approx(0.05 ** (1 / found.bound.effective_units))
    assert sorted(run.bound for run in found.runs) == sorted(worst)
    assert "share P = 0.810 of future days" in found.statement


def test_a_smaller_share_of_seconds_is_the_quantile_of_each_run(store):
    found = asked(store, share=0.9)
    assert found.bound.value == np.sort(runs(), axis=1)[:, 6].min()


def test_a_smaller_coverage_takes_a_better_run(one_day):
    """Of 20 runs the second smallest bounds 0.784 and the third 0.717 (binomial, 95 %)."""
    found = asked(one_day, coverage=0.75, limit_to_day=True)
    assert found.bound.rank == 2
    assert found.bound.coverage == pytest.approx(coverage(20, 0.95, 2))
    assert found.bound.value == np.sort(runs().min(axis=1))[1]
    assert "second worst of 20 runs" in " ".join(_contract(found).split())


def test_latencies_are_bounded_from_above(store):
    found = asked(store, metric="lat_mean_ns")
    assert found.bound.value == pytest.approx(128e9 / runs().min())
    assert not found.at_least
    assert "mean latency of at most" in found.statement


def _contract(found):
    from results.guarantee import contract

    return contract(found)


def test_more_than_the_runs_give_is_refused_with_the_number_that_it_takes(store):
    found = asked(store, coverage=0.95)
    assert kinds(found) == {"coverage-not-reached"}
    assert not found.granted
    assert found.statement is None
    assert (found.needed[0].unit, found.needed[0].count, found.needed[0].more) == ("day", 84, 64)
    assert "that needs 84 days" in found.refusals[0].reason
    assert "Without --coverage these 20 days support a share P = 0.810 of future days" in " ".join(
        _contract(found).split()
    )


@pytest.mark.parametrize(("factor", "met", "misses"), [(0.99, True, 0), (1.001, False, 1)])
def test_an_asked_bound_is_met_or_not(store, factor, met, misses):
    found = asked(store, bound=factor * runs().min())
    assert (found.granted, found.met, found.holds, found.misses) == (True, met, met, misses)


def test_settings_chosen_with_the_same_runs_cost_confidence(tmp_path):
    """Bonferroni: three points, so each bound holds with 1 - 0.05 / 3."""
    write(tmp_path / "s", replace(REAL, points=3, seed=5))
    found = asked(tmp_path / "s")
    assert found.bound.of_points == 3
    assert found.bound.coverage == pytest.approx((0.05 / 3) ** (1 / found.bound.effective_units))
    assert "chosen among 3 with these very runs" in " ".join(_contract(found).split())
    named = asked(tmp_path / "s", point=found.conditions.point_id[:6], chosen_beforehand=True)
    assert named.bound.coverage == pytest.approx(0.05 ** (1 / found.bound.effective_units))


@pytest.mark.parametrize("substrate", ["loop", "uml"])
def test_virtual_substrates_are_refused_or_watermarked(tmp_path, substrate):
    make(tmp_path / "s", replace(REAL, substrate=substrate))
    found = asked(tmp_path / "s")
    assert kinds(found) == {"virtual-substrate"}
    shown = asked(tmp_path / "s", demonstration=True)
    assert shown.granted
    assert shown.watermark == "DEMONSTRATION, NOT A GUARANTEE"
    lines = _contract(shown).splitlines()
    assert "DEMONSTRATION, NOT A GUARANTEE" in lines[0]
    marked = [number for number, line in enumerate(lines) if "DEMONSTRATION, NOT A GUARANTEE" in line]
    assert len(marked) == -(-len(lines) // PAGE_LINES), "once on each page"
    assert all(after - before <= PAGE_LINES for before, after in pairwise([*marked, len(lines)]))


def test_real_disks_asked_for_a_demonstration_are_watermarked_too(store):
    assert asked(store, demonstration=True).watermark is not None


def test_fewer_than_five_runs_of_a_day_are_too_few(tmp_path):
    make(tmp_path / "s", replace(REAL, runs=4, runs_a_day=4))
    found = asked(tmp_path / "s", limit_to_day=True)
    assert "too-few-runs" in kinds(found)
    assert not found.granted


CHANGES = {
    "failed-trials": change(at=3, status="failed", error="fio ended with status 1"),
    "invalid-trials": change(at=3, status="invalid", invalid_reasons=("array degraded",)),
    "several-environments": change(at=3, environment_id="another"),
    "shared-array": change(array_built_by="one-trial"),
    "race-not-ended": change(phase="screening"),
    "throttled-latency": change(disk_iops_limit=200),
    "io-errors": observed(errors=1),
    "conditions-unknown": observed(workload_json=None),
    "not-steady": observed(steady_verdict="not steady"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_it_is_refused_in_words(tmp_path, kind):
    make(tmp_path / "s", change=CHANGES[kind])
    found = asked(tmp_path / "s", metric="lat_mean_ns" if kind == "throttled-latency" else None)
    assert kinds(found) == {kind}
    assert found.statement is None
    assert found.approximate is None
    (refusal,) = found.refusals
    assert refusal.reason[0].islower() or refusal.reason[0].isdigit()
    assert refusal.remedy.endswith(".")
    assert refusal.reason in " ".join(_contract(found).split())


def test_a_lost_description_of_the_machine_is_refused(tmp_path):
    make(tmp_path / "s")
    for path in (tmp_path / "s" / "environments").iterdir():
        path.unlink()
    assert kinds(asked(tmp_path / "s")) == {"environment-unknown"}


def missing_second(block, rows):
    if block == 7:
        del rows["seconds"][30]


def null_iops(block, rows):
    if block == 7:
        rows["seconds"][30] = replace(rows["seconds"][30], iops=None)


def no_seconds(_block, rows):
    rows["seconds"] = []


@pytest.mark.parametrize("gap", [missing_second, null_iops, no_seconds])
def test_missing_intervals_are_refused(tmp_path, gap):
    make(tmp_path / "s", change=gap)
    found = asked(tmp_path / "s")
    assert "intervals-missing" in kinds(found)
    assert not found.granted


def test_a_percentile_that_no_engine_recorded_is_refused(store):
    assert kinds(asked(store, metric="lat_p99_ns")) == {"intervals-missing"}


def test_a_decline_within_the_runs_is_not_steady(tmp_path):
    make(tmp_path / "s", replace(REAL, truth=Truth(trend=-0.08, within=0.02)))
    assert kinds(asked(tmp_path / "s")) == {"not-steady"}


def test_runs_too_short_to_judge_are_of_unknown_steadiness(tmp_path):
    make(tmp_path / "s", replace(REAL, seconds=9))
    assert kinds(asked(tmp_path / "s")) == {"steady-unknown"}


def test_a_drift_over_the_runs_is_refused(tmp_path):
    make(tmp_path / "s", replace(REAL, truth=Truth(between=0.01, drift=-0.08)))
    found = asked(tmp_path / "s")
    assert kinds(found) == {"order-drift"}
    assert "fall from day to day" in found.refusals[0].reason


def test_a_drift_over_the_runs_of_a_day_is_refused_in_a_statement_on_that_day(tmp_path):
    drifting = replace(REAL, truth=Truth(between=0.01, drift=-0.08), runs_a_day=20)
    make(tmp_path / "s", drifting)
    found = asked(tmp_path / "s", limit_to_day=True)
    assert kinds(found) == {"order-drift"}
    assert "fall over the run order" in found.refusals[0].reason


def test_a_run_that_stood_still_gives_no_bound(tmp_path):
    def stall(block, rows):
        if block == 7:
            rows["seconds"][30] = replace(rows["seconds"][30], iops=0.0, lat_mean_ns=None)

    make(tmp_path / "s", change=stall)
    assert kinds(asked(tmp_path / "s")) == {"no-bound"}
    assert kinds(asked(tmp_path / "s", metric="lat_mean_ns")) == {"no-bound"}
    assert asked(tmp_path / "s", share=0.9, metric="lat_mean_ns").granted


def test_unequal_runs_cannot_stand_for_each_other(tmp_path):
    def shorter(block, rows):
        if block == 7:
            rows["seconds"] = rows["seconds"][:40]
            rows["seen"] = [replace(each, runtime_ns=40 * 10**9) for each in rows["seen"]]

    make(tmp_path / "s", change=shorter)
    assert kinds(asked(tmp_path / "s")) == {"unequal-runs"}


def both_directions(_block, rows):
    """Half of the I/Os are reads, at half the latency."""
    (seen,) = rows["seen"]
    halves = [replace(each, iops=each.iops / 2, lat_mean_ns=1e6) for each in rows["seconds"]]
    rows["seen"] = [replace(seen, direction=name) for name in ("read", "write")]
    rows["seconds"] = [
        replace(each, direction=name, lat_mean_ns=latency)
        for name, latency in (("read", 1e6), ("write", 2e6))
        for each in halves
    ]


def test_directions_are_put_together_second_by_second(tmp_path):
    make(tmp_path / "s", change=both_directions)
    assert asked(tmp_path / "s").bound.value == pytest.approx(runs().min())
    assert asked(tmp_path / "s", direction="read").bound.value == pytest.approx(runs().min() / 2)
    assert asked(tmp_path / "s", metric="lat_mean_ns").bound.value == pytest.approx(1.5e6)
    assert "two directions cannot be put together" in asked(tmp_path / "s", metric="lat_p99_ns").refusals[0].reason
    assert "no observation of the direction trim" in asked(tmp_path / "s", direction="trim").refusals[0].reason


def test_two_modes_of_runs_are_both_reported_and_no_mean_stands_for_them(tmp_path):
    make(tmp_path / "s", Campaign(Truth("two modes"), runs=40, runs_a_day=40, seed=8, substrate="disk"))
    found = asked(tmp_path / "s", limit_to_day=True)
    (two,) = found.modes
    assert two.where == "runs"
    assert two.members == len(two.trial_ids) >= 2
    assert (two.low, two.high) == (pytest.approx(80_000, rel=0.05), pytest.approx(100_000, rel=0.05))
    assert found.granted
    assert found.approximate.value is None
    assert "two modes were found" in found.approximate.refusal
    assert "No mean stands for both" in " ".join(_contract(found).split())


def test_two_modes_of_seconds_are_reported(tmp_path):
    def stutter(_block, rows):
        rows["seconds"] = [
            replace(each, iops=each.iops * (0.5 if each.second % 10 == 4 else 1.0)) for each in rows["seconds"]
        ]

    make(tmp_path / "s", change=stutter)
    (two,) = asked(tmp_path / "s").modes
    assert two.where == "seconds"
    assert two.low_share == pytest.approx(0.1)
    assert two.low == pytest.approx(0.5, abs=0.03)


def test_the_approximate_bound_is_labelled_and_lies_behind_its_gate(tmp_path):
    make(tmp_path / "s", Campaign(Truth(between=0.05), runs=20, runs_a_day=20, substrate="disk", seed=3))
    found = asked(tmp_path / "s", limit_to_day=True)
    assert found.approximate.refusal is None
    assert 0 < found.approximate.value < max(run.bound for run in found.runs)
    assert "APPROXIMATE, and no part of the statement" in _contract(found)
    make(tmp_path / "t", Campaign(Truth(between=0.0), runs=20, runs_a_day=20, substrate="disk", seed=4))
    found = asked(tmp_path / "t", limit_to_day=True)
    assert found.approximate.value is None
    assert "no evidence that runs differ" in found.approximate.refusal


def test_conditions_name_the_hardware_the_stack_the_workload_and_the_rule(store):
    text = " ".join(_contract(asked(store)).split())
    for words in (
        "Disk SYNTHETIC2: SYNTHETIC SSD, firmware F001, 960 GiB.",
        "kernel 6.1.0-44-amd64",
        "fio 3.33, mdadm 4.2",
        "raid10 x4 64K xfs flat",
        "clean/idle before and clean/idle after each run",
        "70 % of a usable 1.88 TiB",
        "rw = randwrite",
        "by a rule that the sweep file fixed before any run",
        "20 of 20 runs were found steady",
        "Measured from 2026-09-21",
        "It speaks of this machine with these disks.",
    ):
        assert words in text, words


def test_json_is_plain_and_finite(store):
    found = asked(store, metric="lat_mean_ns").to_json()
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again["conditions"]["environment"]["disk_firmwares"] == ["F001"] * 4
    assert again["bound"]["runs"] == 20
    assert again["holds"] is True


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"coverage": 1.0}, "--coverage must be between 0 and 1 (got 1)"),
        ({"confidence": 0.0}, "--confidence must be between 0 and 1 (got 0)"),
        ({"share": 1.5}, "--share must be between 0 and 1 (got 1.5)"),
        ({"bound": -3.0}, "--bound must be above 0 (got -3)"),
        ({"metric": "lat_p95_ns"}, "not known of every second"),
        ({"point": "nothing"}, "no points with results begin with nothing"),
        ({"workload": "nothing"}, "no result of the workload"),
    ],
)
def test_questions_without_an_answer(store, question, said):
    with pytest.raises(ResultsError) as refused:
        asked(store, **question)
    assert said in refused.value.message
    assert refused.value.remedy


def test_an_empty_store_says_so(tmp_path):
    from results.store.folder import Store

    Store.create(tmp_path / "s")
    with pytest.raises(ResultsError, match="holds no trial yet"):
        asked(tmp_path / "s")
