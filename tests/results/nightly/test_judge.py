"""Verdicts on evidence with a known truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.nightly import answer, evidence
from results.nightly.answer import Nightly
from results.nightly.baseline import Pinned
from results.nightly.courses import Night, courses
from results.nightly.disks import SlowMember
from results.nightly.evidence import Shift
from results.nightly.history import read_history
from results.nightly.judge import Fresh, verdict
from results.nightly.standing import cleared
from results.store.query import load
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name

POINTS = [synthetic.point_id(stored.settings(n)) for n in range(2)]


def pinned(nights):
    return Pinned(
        name="first",
        set_at_ns=1,
        reason="the first ones",
        nights=tuple(night_name(n) for n in range(nights)),
        sweep_text="",
        environment_id="env-disk",
        previous=None,
    )


def course(tmp_path, effect, nights=31, baseline=30):
    """The course of IOPS of the first point, after so many nights."""
    stored.write(tmp_path / "s", Nights(count=nights, effect=effect))
    night = Night(night_name(nights - 1), dict(zip(POINTS, POINTS, strict=True)), pinned(baseline), 30)
    ready, silent = courses(read_history(load(tmp_path / "s")), night, ())
    assert silent == ()
    return next(each for each in ready if (each.metric.figure, each.metric.point_id) == ("iops", POINTS[0]))


def drop(share, since):
    return lambda night, _point, _workload: math.log1p(-share) if night >= since else 0.0


def test_a_quiet_night_is_ok(tmp_path):
    found = course(tmp_path, drop(0, 0))
    assert verdict(found, found.screened(), None, 0.05).word == answer.OK


def test_pairs_that_all_fell_by_a_fifth_are_a_regression_that_began_tonight(tmp_path):
    found = course(tmp_path, drop(0.2, 30))
    seen = found.screened()
    assert (seen.alarmed, seen.worse) == (True, True)
    pairs = np.log1p(-0.2) + np.random.default_rng(1).normal(0, 0.02, 12)
    judged = verdict(found, seen, Fresh(differences=pairs), 0.05)
    assert (judged.word, judged.pairs, judged.p_value) == (answer.REGRESSION, 12, 1 / 4096)
    assert judged.change_low_pct < -20 < judged.change_high_pct < -5
    assert judged.since.night == night_name(30)


@pytest.mark.parametrize(
    ("change", "noise", "word", "said"),
    [
        (-0.03, 0.002, answer.OK, "lies within the practical margin"),
        (0.0, 0.02, answer.OK, "lies within the practical margin"),
        (0.0, 0.1, answer.UNCONFIRMED, "not below the level of this look"),
        (-0.06, 0.02, answer.UNCONFIRMED, "reaches into the practical margin"),
    ],
)
def test_pairs_clear_a_night_where_their_interval_lies_within_the_margin(tmp_path, change, noise, word, said):
    found = course(tmp_path, drop(0.2, 30))
    pairs = np.log1p(change) + np.random.default_rng(1).normal(0, noise, 12)
    judged = verdict(found, found.screened(), Fresh(differences=pairs), 0.05)
    assert (judged.word, judged.looked) == (word, "worse")
    assert said in judged.reason
    assert cleared(judged) == (word == answer.OK)


def test_better_pairs_are_an_improvement(tmp_path):
    found = course(tmp_path, drop(-0.2, 30))
    pairs = np.log1p(0.2) + np.random.default_rng(1).normal(0, 0.02, 12)
    assert verdict(found, found.screened(), Fresh(differences=pairs), 0.05).word == answer.IMPROVEMENT


def test_without_a_baseline_to_restore_the_cause_is_not_separable(tmp_path):
    found = course(tmp_path, drop(0.2, 30))
    again = np.full(4, found.since[-1])
    assert verdict(found, found.screened(), Fresh(again=again), 0.05).word == answer.DRIFT
    usual = np.full(4, found.baseline.mean())
    assert verdict(found, found.screened(), Fresh(again=usual), 0.05).word == answer.UNCONFIRMED


@pytest.mark.parametrize(("nights", "word"), [(1, answer.TONIGHT), (2, answer.TONIGHT), (3, answer.REGRESSION)])
def test_a_member_slower_than_its_peers_is_named_and_a_regression_after_three_nights(tmp_path, nights, word):
    found = course(tmp_path, drop(0.2, 30))
    slow = SlowMember("SERIAL-2", "read_iops", Shift(-0.22, -0.25, -0.2, 1 / 512, 12), 1.0, 0.8, 1 / 512, nights)
    judged = verdict(found, found.screened(), Fresh(again=np.full(4, found.since[-1]), slow=(slow,)), 0.05)
    assert (judged.word, judged.disks, judged.p_value) == (word, ("SERIAL-2",), 1 / 512)
    assert "SERIAL-2" in judged.reason
    assert (judged.confirmed is None) == (word == answer.TONIGHT)


def test_a_change_some_nights_ago_is_dated(tmp_path):
    found = course(tmp_path, drop(0.2, 36), nights=40)
    pairs = np.full(12, np.log1p(-0.2)) + np.linspace(-0.01, 0.01, 12)
    since = verdict(found, found.screened(), Fresh(differences=pairs), 0.05).since
    assert since.night == night_name(36)
    assert since.low <= since.night <= since.high


def test_a_false_alarm_starts_the_cumulative_sum_anew(tmp_path):
    found = course(tmp_path, drop(0.03, 30), nights=38)
    seen = found.screened()
    unconfirmed = verdict(found, seen, Fresh(why_not="it was not run"), 0.05)
    assert (unconfirmed.word, unconfirmed.screened) == (answer.UNCONFIRMED, True)
    told = Nightly(
        night=night_name(36),
        sweep="s",
        store="s",
        hostname="h",
        started_at_ns=1,
        duration_s=1.0,
        verdicts=(unconfirmed,),
    )
    night = Night(night_name(37), dict(zip(POINTS, POINTS, strict=True)), pinned(30), 30)
    ready, _ = courses(read_history(load(tmp_path / "s")), night, (told,))
    again = next(each for each in ready if each.metric == found.metric)
    assert (len(found.since), len(again.since)) == (8, 1)


def test_before_there_are_nights_enough_there_is_no_verdict(tmp_path):
    stored.write(tmp_path / "s", Nights(count=4))
    night = Night(night_name(3), dict(zip(POINTS, POINTS, strict=True)), None, 20)
    ready, silent = courses(read_history(load(tmp_path / "s")), night, ())
    assert ready == ()
    assert {each.reason for each in silent} == {"the baseline has 3 of 20 nights"}


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=9))
def test_the_sign_flip_test_counts_every_pattern(differences):
    values = np.asarray(differences, dtype=float)
    sums = [float(np.dot(signs, values)) for signs in itertools.product((1, -1), repeat=len(values))]
    share = np.mean([each >= values.sum() - 1e-9 for each in sums])
    assert evidence.sign_flip(values, worse=False, sign=1) == pytest.approx(share, abs=1e-9)


def test_the_cumulative_sum_takes_as_long_as_tables_say():
    """Average run length of k = 0.5, h = 4 at a shift of one sigma: 8.38 (NIST/SEMATECH e-Handbook, 6.3.2.3)."""
    rng = np.random.default_rng(1)
    lengths = []
    for _ in range(2000):
        beyond = np.flatnonzero(evidence.cusum(rng.normal(1, 1, 100)) > evidence.CUSUM_LIMIT)
        lengths += [int(beyond[0]) + 1] if len(beyond) else []
    assert np.mean(lengths) == pytest.approx(8.38, abs=4 * np.std(lengths) / math.sqrt(2000))
