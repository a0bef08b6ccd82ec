"""Each metric over the nights, from a store whose truth is known."""

from __future__ import annotations

import math

import pytest

from results.nightly import answer, kept
from results.nightly.baseline import read_baselines
from results.nightly.history import read_history
from results.nightly.trend import happenings, trends
from results.runs.changes import Change
from results.store.query import load
from tests.results.nightly import watched_store
from tests.results.nightly.nights import night
from tests.results.nightly.stored import night_name
from tests.results.nightly.watched_store import ALARM, FELL, KERNEL, MOVED, REPLACED


@pytest.fixture(scope="module")
def store(watched):
    return watched


@pytest.fixture(scope="module")
def history(store):
    return read_history(load(store, verify=False))


@pytest.fixture(scope="module")
def found(store, history):
    return trends(history, kept.outcomes(store), read_baselines(store))


def of(found, workload, figure):
    return next(each for each in found if (each.metric.workload, each.metric.figure) == (workload, figure))


def test_every_night_has_its_figure_its_verdict_and_its_exit_status(store, history, found):
    assert len(found) == 4
    measured = {each.key.workload + each.key.figure: each for each in history.all_series()}
    for trend in found:
        series = measured[trend.metric.workload + trend.metric.figure]
        assert [each.night for each in trend.entries] == [night_name(number) for number in range(80)]
        assert [each.value for each in trend.entries] == pytest.approx([math.exp(each) for each in series.values])
        for entry in trend.entries:
            outcome = kept.outcome_of(store, entry.night)
            own = [each for each in outcome.verdicts if each.metric == trend.metric]
            assert ([entry.verdict], entry.status) == (own, outcome.status)


def test_the_change_is_dated_once_however_often_it_was_found(found):
    fell = of(found, "random-write", "iops")
    assert fell.count(answer.REGRESSION) > 5
    (dated,) = fell.datings
    assert dated.low <= night_name(FELL) <= dated.high
    assert of(found, "scan", "iops").datings == ()


def test_each_baseline_has_its_mean_and_its_margin(found):
    first, slower = of(found, "random-write", "iops").eras
    assert (first.first, first.last, first.since) == (night_name(0), night_name(19), night_name(20))
    assert (first.until, slower.since) == (night_name(MOVED - 1), night_name(MOVED))
    assert first.level == pytest.approx(8000, rel=0.02)
    assert slower.level == pytest.approx(6400, rel=0.02)
    assert first.margins == pytest.approx((0.95 * first.level, 1.05 * first.level))


def test_what_wants_attention_comes_first(store, history):
    until = [each for each in kept.outcomes(store) if each.night <= night_name(FELL)]
    found = trends(history, until, read_baselines(store)[:1])
    words = [each.newest.word for each in found]
    assert words == [answer.REGRESSION, answer.REGRESSION, answer.OK, answer.OK]
    later = trends(history, kept.outcomes(store), read_baselines(store))
    assert [each.moved for each in later] == [True, True, False, False], "all are ok again: those that moved are first"


def test_changes_stand_on_the_night_on_which_they_were_first_there(store, history):
    seen = happenings(
        history, kept.outcomes(store), read_baselines(store), load(store, verify=False).environment_rows()
    )
    told = {each.night: each for each in seen}
    assert list(told) == [night_name(number) for number in (20, KERNEL, MOVED, REPLACED)]
    assert told[night_name(KERNEL)].changes == (Change(what="kernel", before="6.1.0-44-amd64", after="6.1.0-50-amd64"),)
    assert [each.what for each in told[night_name(REPLACED)].changes] == ["disk replaced"]
    assert told[night_name(MOVED)].baseline.reason == watched_store.REASON
    assert told[night_name(MOVED)].changes == (), "another baseline is no change of the machine"


def test_settings_that_changed_and_changed_back_are_told_twice(history):
    changed = Change(what="raid5, chunk_kib", before="64", after="128")
    listed = [night(night=f"2030-01-0{day}", changes=(changed,) if day in {2, 3} else ()) for day in (1, 2, 3, 4)]
    told = {each.night: each.changes for each in happenings(history, listed, (), ())}
    assert told == {
        "2030-01-02": (changed,),
        "2030-01-04": (Change(what="raid5, chunk_kib", before="128", after="64"),),
    }


def test_a_temperature_that_stays_off_is_told_once_and_not_as_another_one_each_night(history):
    def warm(kelvin):
        return Change(what="disk S1, temperature", before="38 °C", after=f"{38 + kelvin} °C (+{kelvin} K)")

    listed = [
        night(night=f"2030-01-0{day}", changes=(warm(kelvin),) if kelvin else ())
        for day, kelvin in enumerate((0, 6, 8, 7, 0), 1)
    ]
    told = [each.night for each in happenings(history, listed, (), ())]
    assert told == ["2030-01-02", "2030-01-05"]


def test_a_false_alarm_is_unconfirmed_and_no_change(found):
    scan = of(found, "scan", "iops")
    assert scan.entries[ALARM].word == answer.UNCONFIRMED
    assert not scan.moved


def test_nights_whose_trials_are_gone_keep_the_figure_of_their_verdict(store, history):
    outcomes = kept.outcomes(store)
    alone = trends(history, (night(night="2031-01-01"),), ())
    gone = next(each for each in alone if each.metric.label.startswith("raid5") and each.metric.figure == "iops")
    assert [each.night for each in gone.entries] == ["2031-01-01"]
    assert gone.entries[0].value == 318.0
    assert len(outcomes) == 80
