"""Guarantees and days: what several days bound, what one day does not, and how runs are put into days."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from results.errors import ResultsError
from results.guarantee import contract
from results.guarantee.days import by_day
from results.guarantee.runs import Run
from results.guarantee.synthetic import Truth, trial
from results.guarantee.wording import shown_share
from results.nightly.watch import read_promise
from results.report import write as write_report
from results.statistics import persistence
from results.statistics.exchange import trend_p
from tests.results.guarantees import REAL, asked, kinds, make, runs

UNEQUAL_DAYS = replace(REAL, truth=Truth(between=0.01, within=0.01, between_days=0.03), runs=60, runs_a_day=3)
ONE_DAY = replace(UNEQUAL_DAYS, runs=20, runs_a_day=20)
DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    return make(tmp_path_factory.mktemp("days") / "store", UNEQUAL_DAYS)


@pytest.fixture(scope="module")
def one_day(tmp_path_factory):
    return make(tmp_path_factory.mktemp("one-day") / "store", ONE_DAY)


def words(found):
    return " ".join(contract(found).split())


def test_runs_of_one_day_promise_nothing_of_other_days(one_day):
    found = asked(one_day)
    assert kinds(found) == {"one-day"}
    assert found.statement is None
    assert [day.runs for day in found.days] == [20]
    text = words(found)
    assert "all 20 runs were made on one day, 2026-09-21 (UTC), which does not show how days differ" in text
    assert "Measure on 41 days for P = 0.9, 6 at the least" in text
    assert "Limited to 2026-09-21 (--limit-to-day), these 20 runs support a share P = 0.860 of further runs" in text
    assert "Sampled: 20 runs on 1 day, 2026-09-21 (UTC)." in text


def test_a_day_whose_runs_depend_on_their_order_supports_nothing(tmp_path):
    make(tmp_path / "s", replace(ONE_DAY, truth=Truth(between=0.01, within=0.01, drift=-0.3)))
    assert kinds(asked(tmp_path / "s", limit_to_day=True)) == {"order-drift"}
    found = asked(tmp_path / "s")
    assert (kinds(found), found.bound) == ({"one-day"}, None)
    assert "--limit-to-day" not in words(found)
    assert "support" not in words(found)


def test_one_run_gets_advice_that_can_be_followed(tmp_path):
    make(tmp_path / "s", replace(ONE_DAY, runs=1))
    text = words(asked(tmp_path / "s"))
    assert "the only run was made on one day" in text
    assert "--limit-to-day" not in text
    text = words(asked(tmp_path / "s", limit_to_day=True))
    assert "5 runs are the least, and there is 1. " in text
    assert "P = 0.9 needs 29 runs, all of one day, in a new store if that day is over" in text
    assert "for 1 reason:" in text


def test_a_workload_that_does_not_sync_is_not_told_to_change_its_engine(days):
    found = asked(days, metric="commit_lat_mean_ns")
    assert kinds(found) == {"intervals-missing"}
    assert "random-write does not sync: choose another --metric or --direction" in words(found)
    assert "native" not in found.refusals[0].remedy


def test_a_statement_limited_to_the_day_says_so_in_its_sentence(one_day):
    found = asked(one_day, limit_to_day=True)
    assert (found.granted, found.limited_to, found.bound.unit) == (True, "2026-09-21", "run")
    assert found.bound.coverage == pytest.approx(0.05 ** (1 / 20))
    assert found.bound.value == runs(ONE_DAY).min()
    assert "on 2026-09-21 (UTC) alone, in the conditions of that day" in found.statement
    assert found.statement.endswith("other days are not covered.")
    assert "nor is any day but 2026-09-21, the one day that was sampled" in words(found)
    assert [each.unit for each in found.needed] == ["run"] * 3


def test_a_statement_on_one_of_several_days_is_refused(days):
    found = asked(days, limit_to_day=True)
    assert kinds(found) == {"several-days"}
    assert found.approximate is None
    assert "would leave the others out" in words(found)


def test_the_bound_is_the_worst_run_of_the_worst_day_for_as_many_runs_as_a_day_has(days):
    found = asked(days)
    assert kinds(found) == set()
    assert (found.bound.units, found.bound.runs, found.bound.runs_a_day) == (20, 60, 3)
    assert found.bound.value == runs(UNEQUAL_DAYS).min()
    assert [day.worst for day in found.days] == runs(UNEQUAL_DAYS).min(axis=1).reshape(20, 3).min(axis=1).tolist()
    assert (
        "of future days under the conditions below, each of 3 runs made that day delivers at least" in found.statement
    )
    assert "Sampled: 60 runs on 20 days (UTC) from 2026-09-21 to 2026-10-10, 3 a day." in words(found)
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert [day["date"] for day in plain["days"]][::19] == ["2026-09-21", "2026-10-10"]


def test_days_with_unequal_numbers_of_runs_bound_the_smallest_number_and_count_every_run(tmp_path):
    def move(block, rows):
        if block in {0, 1}:  # of the first day: one run stays, and the third day gets five
            rows["row"] = replace(rows["row"], started_at_ns=rows["row"].started_at_ns + 2 * DAY_NS + 3600 * 10**9)

    make(tmp_path / "s", UNEQUAL_DAYS, move)
    found = asked(tmp_path / "s")
    assert [day.runs for day in found.days[:3]] == [1, 3, 5]
    assert found.bound.runs_a_day == 1
    assert found.days[2].worst == min(run.bound for run in found.runs if run.block in {0, 1, 6, 7, 8})
    assert "one run made that day delivers" in found.statement
    assert "1 to 5 a day. All of them count; the statement is for 1 a day" in words(found)


def test_a_few_days_say_what_they_support_and_how_many_it_takes(tmp_path):
    make(tmp_path / "s", replace(UNEQUAL_DAYS, runs=15, truth=Truth(between=0.01)))
    found = asked(tmp_path / "s")
    assert kinds(found) == {"too-few-days"}
    text = words(found)
    assert "the runs were made on 5 days, and 6 are the least" in text
    assert f"These 5 days support a share P = {shown_share(found.bound.coverage)} of future days, 3 runs a day" in text
    assert (found.needed[0].unit, found.needed[0].coverage) == ("day", 0.9)
    assert found.needed[0].count >= 41


def at(*times):
    """Runs of ten minutes that start at these times (UTC), as ISO 8601."""
    usual = trial(REAL, 0, 0)
    return [
        Run(
            replace(
                usual,
                trial_id=time,
                started_at_ns=round(datetime.fromisoformat(f"{time}+00:00").timestamp() * 1e9),
                duration_s=600,
            ),
            np.array([float(place + 1)]),
            float(place + 1),
            None,
        )
        for place, time in enumerate(times)
    ]


def test_a_session_across_midnight_is_one_day():
    found = by_day(at("2026-03-04T23:30", "2026-03-04T23:50", "2026-03-05T00:10", "2026-03-05T22:00"))
    assert [(day.date, len(day.runs)) for day in found] == [("2026-03-04", 3), ("2026-03-05", 1)]


def test_trials_of_other_points_belong_to_the_session():
    apart = at("2026-03-04T22:00", "2026-03-05T03:00")
    assert [day.date for day in by_day(apart)] == ["2026-03-04", "2026-03-05"]
    between = [run.trial for run in at("2026-03-04T23:40", "2026-03-05T01:20")]
    (day,) = by_day(apart, between)
    assert (day.date, len(day.runs)) == ("2026-03-04", 2)
    (day,) = by_day(apart[1:], between)
    assert day.date == "2026-03-04"


def test_a_pause_begins_a_day_only_with_another_date():
    found = by_day(at("2026-03-04T08:00", "2026-03-04T20:00", "2026-03-05T01:00"))
    assert [(day.date, len(day.runs)) for day in found] == [("2026-03-04", 2), ("2026-03-05", 1)]


def test_a_campaign_without_a_pause_has_a_day_for_every_24_hours():
    began = datetime(2026, 3, 4, 22, tzinfo=UTC)
    hourly = [(began + timedelta(hours=hour)).replace(tzinfo=None).isoformat() for hour in range(72)]
    found = by_day(at(*hourly))
    assert [day.date for day in found] == ["2026-03-04", "2026-03-05", "2026-03-06"]
    assert [len(day.runs) for day in found] == [24, 24, 24]
    assert found[1].worst(at_least=True) == 25
    assert found[1].worst(at_least=False) == 48


def of_nights(block, rows):
    """As a nightly run writes its trials."""
    row = rows["row"]
    night = datetime.fromtimestamp(row.started_at_ns / 1e9, UTC).date().isoformat()
    rows["row"] = replace(row, night=night, night_role="night")


def test_nights_are_days_and_what_only_an_alarm_measured_is_left_out(tmp_path):
    def change(block, rows):
        of_nights(block, rows)
        if block % 3 == 2:
            role = ("pair-baseline", "pair-tonight", "fresh")[block // 3 % 3]
            rows["row"] = replace(rows["row"], night_role=role, environment_id="another")

    make(tmp_path / "s", UNEQUAL_DAYS, change)
    found = asked(tmp_path / "s")
    assert kinds(found) == set()
    assert (found.bound.units, found.bound.runs, found.bound.runs_a_day) == (20, 40, 2)


def dropped_until(nights):
    def change(block, rows):
        of_nights(block, rows)
        if block // 3 < nights:
            rows["row"] = replace(rows["row"], dropped_at_ns=1_800_000_000 * 10**9)
            rows["seconds"] = []

    return change


def test_nights_whose_seconds_were_dropped_for_their_age_are_left_out(tmp_path):
    make(tmp_path / "s", UNEQUAL_DAYS, dropped_until(8))
    found = asked(tmp_path / "s")
    assert kinds(found) == set()
    assert (found.bound.units, found.left_out) == (12, 24)
    assert (
        "on 12 days (UTC) from 2026-09-29 to 2026-10-10, 3 a day; 24 earlier runs without seconds left out."
        in words(found)
    )


def test_too_few_nights_with_seconds_are_refused(tmp_path):
    make(tmp_path / "s", UNEQUAL_DAYS, dropped_until(15))
    assert "seconds-dropped" in kinds(asked(tmp_path / "s"))


def test_days_that_resemble_each_other_count_as_fewer(tmp_path):
    truth = Truth(between=0.0, within=0.001, between_days=0.03, day_phi=0.8)
    make(tmp_path / "s", replace(REAL, truth=truth, runs=60))
    found = asked(tmp_path / "s")
    assert found.bound.correlation > 0.6
    assert found.bound.effective_units == pytest.approx(1 + 59 * (1 - found.bound.correlation))
    assert f"correlation of {found.bound.correlation:.2f} from day to day" in words(found)


def test_a_demanding_share_is_refused_in_words(one_day):
    for limited in (True, False):
        with pytest.raises(ResultsError, match="needs more than 10000000 runs"):
            asked(one_day, coverage=0.9999999, limit_to_day=limited)


def test_the_report_says_it_where_the_guarantee_stands(one_day, days, tmp_path):
    from results.guarantee import Question

    for store, question, said in (
        (days, Question(), "Sampled: 60 runs on 20 days (UTC)"),
        (one_day, Question(limit_to_day=True), "on 2026-09-21 (UTC) alone, in the conditions of that day"),
        (one_day, Question(), "all 20 runs were made on one day, 2026-09-21 (UTC)"),
    ):
        write_report(store, tmp_path / "r.html", question=question)
        page = (tmp_path / "r.html").read_text()
        chapter = page[page.index('<section id="guarantee"') :]
        assert said in chapter[: chapter.index("</section>")]
    write_report(one_day, tmp_path / "r.html", question=Question(limit_to_day=True))
    assert "--limit-to-day" in (tmp_path / "r.html").read_text()


def promise(tmp_path, **bound):
    plain = {
        "granted": True,
        "statement": "words",
        "conditions": {"point_id": "p"},
        "workload": "w",
        "metric": "iops",
        "direction": None,
        "share": 0.99,
        "bound": {"value": 100.0, "coverage": 0.9, **bound},
    }
    path = tmp_path / "g.json"
    path.write_text(json.dumps(plain))
    return path


def test_a_guarantee_limited_to_a_day_cannot_be_watched(one_day, tmp_path):
    path = tmp_path / "limited.json"
    path.write_text(json.dumps(asked(one_day, limit_to_day=True).to_json()))
    with pytest.raises(ResultsError, match="limited to 2026-09-21"):
        read_promise(path)


def test_guarantees_of_days_and_of_earlier_versions_are_watched(days, tmp_path):
    path = tmp_path / "days.json"
    path.write_text(json.dumps(asked(days).to_json()))
    assert read_promise(path).runs == 3
    assert read_promise(promise(tmp_path)).runs == 1
    with pytest.raises(ResultsError, match="no guarantee that can be watched"):
        read_promise(promise(tmp_path, runs_a_day=0))


@pytest.mark.parametrize(("runs", "expected"), [(1, 0.1), (3, 0.1), (6, 0.19)])
def test_a_night_breaks_a_guarantee_of_days_as_often_as_it_says(runs, expected):
    from results.nightly.watch import expected_share

    assert expected_share(0.9, 3, runs) == pytest.approx(expected)


def test_the_maximum_of_a_max_autoregressive_series_is_that_of_the_effective_number():
    """X_d = max(phi X_{d-1}, (1 - phi) Z_d), Z unit Frechet: P(max of D <= x) = F(x)^(1 + (D - 1)(1 - phi)) exactly."""
    rng, phi, count, threshold = np.random.default_rng(4), 0.6, 12, 8.0
    series = np.empty((count, 200_000))
    series[0] = 1 / rng.exponential(size=200_000)
    for day in range(1, count):
        series[day] = np.maximum(phi * series[day - 1], (1 - phi) / rng.exponential(size=200_000))
    simulated = float(np.mean(series.max(axis=0) <= threshold))
    exact = np.exp(-1 / threshold) ** persistence.effective(count, phi)
    assert simulated == pytest.approx(exact, abs=0.004)


def test_the_correlation_is_never_below_what_is_allowed_for_and_grows_with_persistence():
    rng = np.random.default_rng(5)
    independent = [persistence.correlation(rng.standard_normal(40).tolist()) for _ in range(200)]
    assert min(independent) == persistence.ASSUMED
    assert np.median(independent) == persistence.ASSUMED
    assert persistence.correlation(np.repeat(rng.standard_normal(10), 10).tolist()) > 0.8
    assert persistence.correlation([3.0] * 30) == persistence.ASSUMED
    assert persistence.correlation([1.0, 2.0, 3.0]) == persistence.ASSUMED


@pytest.mark.parametrize(("share", "days"), [(0.9, 41), (0.95, 84), (0.99, 426)])
def test_days_for_a_share_follow_from_the_runs_it_takes(share, days):
    """ln 0.05 / ln 0.9 = 28.4, and 1 + 27.4 / 0.7 = 40.2: forty-one."""
    assert persistence.days_needed(share, 0.95) == days


def test_correlation_widens_the_trend_test():
    """S = 45 of ten rising values: z = 44 / 11.18 without correlation (exact below), / sqrt(1.3 / 0.7) with it."""
    rising = list(range(10))
    assert trend_p(rising) == pytest.approx(2 / 3_628_800)
    assert trend_p(rising, 0.3) == pytest.approx(0.00388, abs=2e-5)
