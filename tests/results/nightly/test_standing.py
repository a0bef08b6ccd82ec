"""What kept verdicts establish before a night, those of older versions among them."""

from __future__ import annotations

import json

import pytest

from results.nightly import answer
from results.nightly.answer import Confirmed, Verdict, from_json
from results.nightly.standing import cleared, standing
from tests.results.nightly.nights import metric, night

MARGIN = {"margin_pct": 5.0, "pairs": 12}


def verdict(word, **more):
    settings = {"metric": metric(), "word": word, "reason": "", "baseline": "first", "change_pct": -20.0}
    return Verdict(**{**settings, **more})


def past(*verdicts):
    return [(f"2026-01-{number:02}", each) for number, each in enumerate(verdicts, start=1)]


REGRESSED = verdict(answer.REGRESSION, looked="worse", screened=True)
DRIFTED = verdict(answer.DRIFT, screened=True)
OK = verdict(answer.OK)


@pytest.mark.parametrize(
    ("verdicts", "confirmed"),
    [
        ((), None),
        ((OK, REGRESSED), "2026-01-02"),
        ((OK, REGRESSED, REGRESSED, REGRESSED), "2026-01-02"),
        ((REGRESSED, DRIFTED, DRIFTED), "2026-01-01"),
        ((REGRESSED, verdict(answer.NO_VERDICT)), "2026-01-01"),
        ((REGRESSED, OK), None),
        ((REGRESSED, verdict(answer.UNCONFIRMED)), None),
        ((REGRESSED, verdict(answer.RECOVERED)), None),
        ((verdict(answer.KNOWN, confirmed=Confirmed(night="2025-12-24", change_pct=-9.0)),), "2025-12-24"),
        ((verdict(answer.REGRESSION, change_pct=None),), None),
        ((verdict(answer.REGRESSION, change_pct=-100.0),), None),
        ((verdict(answer.REGRESSION, baseline="another"),), None),
    ],
)
def test_a_regression_stands_until_something_ended_it(verdicts, confirmed):
    """A drift after a regression is what older versions said when their looks were spent."""
    found = standing(past(*verdicts), "first", "2026-02-01").confirmed
    assert (found.night if found else None) == confirmed


def test_confirmed_nights_and_other_baselines_spend_nothing():
    unconfirmed = verdict(answer.UNCONFIRMED, looked="worse", screened=True)
    other = verdict(answer.UNCONFIRMED, looked="worse", screened=True, baseline="another")
    better = verdict(answer.OK, looked="better", screened=True)
    found = standing(past(unconfirmed, *[REGRESSED] * 11, other, better), "first", "2026-02-01")
    assert dict(found.looks) == {"worse": 1, "better": 1}
    assert standing(past(unconfirmed), "first", "2026-12-31").looks == {"worse": 1}
    assert standing(past(unconfirmed), "first", "2027-01-01").looks == {}, "a year later it is forgotten"


@pytest.mark.parametrize(
    ("low", "high", "pairs", "is_cleared"),
    [(-2.0, 3.0, 12, True), (-5.0, 5.0, 8, True), (-5.1, 1.0, 12, False), (0.0, 5.2, 12, False), (-1.0, 1.0, 4, False)],
)
def test_a_night_is_cleared_where_the_interval_of_enough_pairs_lies_within_the_margin(low, high, pairs, is_cleared):
    one = verdict(answer.OK, screened=True, change_low_pct=low, change_high_pct=high, margin_pct=5.0, pairs=pairs)
    assert cleared(one) is is_cleared
    found = standing(past(one), "first", "2026-02-01")
    assert found.cleared == ("2026-01-01" if is_cleared else None)
    assert found.restart == "2026-01-01"


def test_an_outcome_of_the_format_before_is_read_and_stands():
    plain = night(REGRESSED).to_json()
    plain["format"] = 1
    for each in plain["verdicts"]:
        del each["confirmed"], each["acknowledged"]
    old = from_json(json.dumps(plain))
    assert old.verdicts == (REGRESSED,)
    assert standing([(old.night, old.verdicts[0])], "first", "2026-12-01").confirmed.night == old.night
