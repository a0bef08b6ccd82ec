"""A regression over many nights: confirmed, still there, acknowledged, worse, expired, recovered."""

from __future__ import annotations

import json
import math
import shutil

import pytest

from bench.nightly.confirm import Hooks
from results.nightly import answer
from results.nightly.evidence import CHECK_PAIRS, PAIRS
from results.nightly.findings import github, gitlab
from results.nightly.junit import junit
from results.nightly.kept import outcomes
from results.nightly.mail import html, text
from results.nightly.markdown import markdown
from results.nightly.openmetrics import openmetrics
from tests.bench.cli.test_nightly import stripelab
from tests.bench.nightly.measured import Nights, night_name

NAME = "scan, IOPS, raid5 x4 64K xfs flat"


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A store with its baseline and a quiet night."""
    return Nights(tmp_path_factory.mktemp("before") / "S").baseline()


@pytest.fixture
def nights(before, tmp_path):
    shutil.copytree(before.store, tmp_path / "S")
    return Nights(tmp_path / "S", count=before.count)


def fell(share):
    return {"change": math.log1p(-share)}


def iops(night):
    (found,) = (each for each in night.verdicts if each.metric.figure == "iops")
    return found


def ack(nights, *more):
    return stripelab("ack", "--store", nights.store, *more)


def regressed(nights, share=0.2):
    nights.truth = fell(share)
    assert nights.word() == answer.REGRESSION
    return iops(outcomes(nights.store)[-1]).metric.name


def test_a_regression_that_stays_is_one_every_night_and_cheap_to_check(nights):
    regressed(nights)
    assert nights.ran.count("pair-tonight") == PAIRS
    for _ in range(5):
        found = nights.next()
        assert (iops(found).word, found.status) == (answer.REGRESSION, 1)
        assert (iops(found).pairs, nights.ran.count("pair-tonight")) == (CHECK_PAIRS, CHECK_PAIRS)
        assert iops(found).looked is None, "a night on which a regression stands spends nothing"
    nights.truth = {}
    found = nights.next()
    assert (iops(found).word, found.status) == (answer.RECOVERED, 0)
    assert "has recovered tonight" in iops(found).reason
    assert nights.word() == answer.OK


def test_a_known_regression_has_its_status_and_is_in_every_form(nights):
    name = regressed(nights)
    for each in {verdict.metric.name for verdict in outcomes(nights.store)[-1].regressions}:
        done = ack(nights, each, "--reason", "new firmware is ordered", "--ticket", "OPS-17", "--until", "2026-12-31")
        assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert "acknowledged until 2026-12-31: new firmware is ordered (OPS-17)" in done.stdout
    found = nights.next()
    assert (iops(found).word, found.status, iops(found).pairs) == (answer.KNOWN, 20, CHECK_PAIRS)
    shown = stripelab("show", nights.store)
    assert shown.returncode == 20
    forms = {
        "terminal": shown.stdout,
        "json": json.dumps(found.to_json()),
        "junit": junit(found),
        "markdown": markdown(found).replace("\\", ""),
        "mail": text(found),
        "page": html(found),
        "annotations": "\n".join(github(found)),
        "code quality": gitlab(found),
        "trend": stripelab("trend", nights.store, "-o", nights.store.parent / "trend.html").stdout
        + (nights.store.parent / "trend.html").read_text(),
    }
    for form, shown_text in forms.items():
        assert "known regression" in shown_text, form
        assert "OPS-17" in shown_text, form
    assert 'verdict="known regression"} 1.0' in openmetrics(found)
    assert "<failure" not in forms["junit"]


def test_a_known_regression_alerts_again_when_it_gets_worse(nights):
    name = regressed(nights)
    assert ack(nights, name, "--ticket", "OPS-17", "--until", "2026-12-31").returncode == 0
    nights.truth = fell(0.3)
    found = nights.next()
    assert (iops(found).word, found.status) == (answer.REGRESSION, 1)
    assert "worse than the \N{MINUS SIGN}20" in iops(found).reason
    assert nights.word() == answer.REGRESSION, "what was acknowledged was another change"
    assert ack(nights, name, "--ticket", "OPS-18", "--until", "2026-12-31").returncode == 0
    assert nights.word() == answer.KNOWN


def test_a_known_regression_alerts_again_when_its_date_has_passed_and_says_when_it_recovered(nights):
    name = regressed(nights)
    until = night_name(nights.count)
    assert ack(nights, name, "--reason", "known", "--until", until).returncode == 0
    assert nights.word() == answer.KNOWN
    found = nights.next()
    assert (iops(found).word, f"the acknowledgement expired on {until}" in iops(found).reason) == (
        answer.REGRESSION,
        True,
    )
    nights.truth = {}
    recovered = iops(nights.next())
    assert (recovered.word, recovered.acknowledged.reason) == (answer.RECOVERED, "known")
    nights.truth = fell(0.2)
    assert nights.word() == answer.REGRESSION, "it came back: a new change"


def test_an_acknowledgement_is_listed_and_taken_back(nights):
    name = regressed(nights)
    assert ack(nights).stdout == "no acknowledgements\n"
    ack(nights, f"  {name.upper()} ", "--reason", "known", "--until", "2026-12-31")
    (listed,) = json.loads(ack(nights, "--json").stdout)
    assert (listed["name"], listed["acknowledgement"]["until"]) == (name, "2026-12-31")
    assert ack(nights, name, "--remove").stdout == "no acknowledgements\n"
    assert nights.word() == answer.REGRESSION
    gone = ack(nights, name, "--remove")
    assert (gone.returncode, "is not acknowledged" in gone.stderr) == (8, True)


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("no such metric", "--reason", "x", "--until", "2026-12-31"), 8, "no metric is called 'no such metric'"),
        ((NAME, "--reason", "x", "--until", "2026-12-31"), 8, "is not a regression: ok"),
        ((NAME, "--until", "2026-12-31"), 2, "give at least one of them"),
        ((NAME, "--reason", "x"), 2, "give the last night"),
        ((NAME, "--reason", "x", "--until", "soon"), 2, "is not a date"),
        ((NAME, "--remove", "--reason", "x"), 2, "cannot be combined with --reason"),
        (("--reason", "x"), 2, "name the metric"),
    ],
)
def test_what_cannot_be_acknowledged_is_said(before, options, status, said):
    name = iops(outcomes(before.store)[-1]).metric.name
    done = ack(before, *(name if each == NAME else each for each in options))
    assert done.returncode == status, done.stderr
    assert said in " ".join(done.stderr.split())


def test_a_disk_is_told_of_tonight_only_and_a_regression_on_its_third_night(before, tmp_path):
    shutil.copytree(before.store, tmp_path / "S")
    nights = Nights(tmp_path / "S", hooks=Hooks(), count=before.count, truth={"disk": math.log1p(-0.2)})
    for word in (answer.TONIGHT, answer.TONIGHT, answer.REGRESSION):
        found = nights.next()
        assert (iops(found).word, iops(found).disks) == (word, ("SERIAL-2",))
        assert "interleaved pairs" not in stripelab("show", nights.store).stdout, "readings are not pairs"
    for _ in range(3):
        assert nights.word() == answer.REGRESSION
        assert set(nights.ran) == {"night"}, "its own readings tell"
    nights.truth = {}
    assert [nights.word() for _ in range(3)] == [answer.REGRESSION, answer.REGRESSION, answer.RECOVERED]


def test_a_disk_that_is_slow_on_one_night_is_no_regression(before, tmp_path):
    shutil.copytree(before.store, tmp_path / "S")
    nights = Nights(tmp_path / "S", hooks=Hooks(), count=before.count, truth={"disk": math.log1p(-0.15)})
    assert nights.word() == answer.TONIGHT
    nights.truth = {}
    assert answer.REGRESSION not in {nights.word() for _ in range(3)}
