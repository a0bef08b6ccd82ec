"""The outcome of a night: what it says, and that nothing is lost on the way through JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from bench.errors import KnownRegressionError
from results.errors import ResultsError
from results.nightly import answer, mail, words
from results.nightly.answer import from_json
from results.nightly.findings import github, gitlab
from results.nightly.junit import junit
from results.nightly.markdown import markdown
from results.nightly.openmetrics import openmetrics
from results.text import plain
from tests.results.nightly import nights
from tests.results.nightly.nights import night


def test_a_night_comes_back_from_its_json_as_it_was():
    assert from_json(json.dumps(night().to_json())) == night()


@settings(deadline=None, max_examples=40)
@given(nights.nights)
def test_any_night_comes_back_from_its_json(one):
    plain = one.to_json()
    text = json.dumps(plain, allow_nan=False, ensure_ascii=False).encode()
    again = from_json(text)
    assert again.to_json() == plain
    assert again.status == one.status


def test_the_status_is_one_where_a_regression_is_confirmed_and_twenty_where_every_one_is_known():
    assert night().status == 1
    assert night(nights.KNOWN, *nights.OTHERS).status == KnownRegressionError.status
    assert night(*nights.OTHERS).status == 0
    assert night(*nights.OTHERS, complete=False).status == 0


def test_what_wants_attention_comes_first():
    shown = [verdict.word for verdict in night().ordered()]
    assert shown == [*answer.WORDS]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff", "no outcome"),
        ("[]", "no outcome"),
        ("{", "no outcome"),
        ('{"verdicts": []}', "format None"),
        ('{"verdicts": [], "format": 99}', "format 99"),
        ('{"verdicts": [], "format": 1}', "missing required field"),
    ],
)
def test_what_is_no_outcome_is_said_in_words(text, said):
    with pytest.raises(ResultsError, match=said):
        from_json(text)


def test_a_time_or_a_verdict_that_is_none_is_said_in_words():
    late = {**night().to_json(), "started_at_ns": 10**30}
    with pytest.raises(ResultsError):
        from_json(json.dumps(late))
    strange = night().to_json()
    strange["verdicts"][0]["word"] = "perhaps"
    with pytest.raises(ResultsError, match="perhaps"):
        from_json(json.dumps(strange))


def test_the_headline_counts_and_says_when_the_night_is_incomplete():
    said = words.headline(night(nights.REGRESSED, *nights.OTHERS[:2], complete=False))
    assert said == "four-disks, night of 2026-11-24: 1 regression, 1 unconfirmed, 1 ok; the night is incomplete"


def test_figures_of_no_real_disks_are_marked_in_every_form():
    virtual = night(notice="NOT REAL HARDWARE: measured in the virtual lab", substrates=("uml",))
    for form in (junit, markdown, gitlab, mail.text, mail.html, lambda one: "\n".join(github(one))):
        assert "not real hardware" in form(virtual).replace("\\", "")
        assert "not real hardware" not in form(night()).replace("\\", "")
    assert 'substrate="uml"' in openmetrics(virtual)


@given(nights.texts)
def test_a_text_becomes_one_line_without_control_characters(text):
    shown = plain(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
    shown.encode()
    assert plain(shown) == shown
