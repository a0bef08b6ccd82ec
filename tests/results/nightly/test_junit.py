"""JUnit XML, by the schema of Jenkins' xUnit plugin."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from lxml import etree

from results.nightly import answer
from results.nightly.junit import junit
from results.text import plain
from tests.results.nightly import nights
from tests.results.nightly.nights import night

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parents[2] / "data" / "junit" / "junit-10.xsd")))


def parsed(one):
    root = etree.fromstring(junit(one).encode(), etree.XMLParser(resolve_entities=False))
    SCHEMA.assertValid(root)
    return root


def test_a_night_is_valid_and_only_the_regression_fails():
    root = parsed(night())
    (suite,) = root
    assert dict(root.items()) | {"tests": "10", "failures": "1", "errors": "0"} == dict(root.items())
    assert (suite.get("skipped"), suite.get("timestamp")) == ("4", "2026-11-24T02:00:00")
    (failed,) = root.xpath("//testcase[failure]")
    assert failed.get("name") == "random-write, IOPS, raid5, 4 disks, 64 KiB, xfs"
    assert "slower than their peers: WD-WX41" in failed[0].text
    assert "guarantee broken: at least 350 IOPS" in failed[0].text
    skipped = {case.get("classname") for case in root.xpath("//testcase[skipped]")}
    assert skipped == {f"stripelab.four-disks.{name}" for name in ("mixed", "log-append", "vacuum", "backup")}
    (known,) = root.xpath("//skipped[@type='known regression']")
    assert known.get("message") == "acknowledged until 2026-12-31: new firmware is ordered (OPS-17)"


def test_a_night_that_was_cut_short_is_an_error_though_nothing_regressed():
    root = parsed(night(*nights.OTHERS, complete=False, problems=("the time budget of 6 h is spent",)))
    assert (root.get("failures"), root.get("errors")) == ("0", "1")
    (error,) = root.xpath("//error")
    assert error.get("message") == "the time budget of 6 h is spent"


def test_the_schema_can_say_no():
    root = parsed(night())
    del root[0].attrib["tests"]
    with pytest.raises(etree.DocumentInvalid):
        SCHEMA.assertValid(root)


@settings(deadline=None, max_examples=40)
@given(nights.nights)
def test_any_night_is_valid_and_its_names_come_back(one):
    root = parsed(one)
    names = [case.get("name") for case in root.xpath("//testcase")][1:]
    assert names == [plain(verdict.metric.name) for verdict in one.ordered()]
    failed = len(root.xpath("//failure"))
    assert failed == one.count(answer.REGRESSION) == int(root.get("failures"))
