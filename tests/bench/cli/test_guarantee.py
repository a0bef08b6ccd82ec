"""`guarantee` as a user calls it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from results.guarantee import synthetic
from tests.bench.cli.test_recommend_and_report import stripelab
from tests.results.guarantees import REAL, make

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make(tmp_path_factory.mktemp("verb") / "store")


def test_a_guarantee_is_printed_and_written(store, tmp_path):
    done = stripelab("guarantee", store, "-o", tmp_path / "contract.txt")
    assert done.returncode == 0
    assert done.stderr == f"written: {tmp_path / 'contract.txt'}\n"
    assert (tmp_path / "contract.txt").read_text() == done.stdout
    words = " ".join(done.stdout.split())
    assert words.startswith("Performance statement ===")
    assert "With 95 % confidence, on at least a share P = 0.810 of future days" in words
    assert "DEMONSTRATION" not in words


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--coverage", "0.95"), "that needs 84 days"),
        (("--bound", "1000000"), "It is NOT MET: 0 of 20 runs are as good."),
    ],
)
def test_no_is_status_one_and_leaves_nothing_to_sign(store, tmp_path, options, said):
    done = stripelab("guarantee", store, "-o", tmp_path / "contract.txt", *options)
    assert done.returncode == 1
    assert said in " ".join(done.stdout.split())
    assert "no guarantee to sign" in done.stderr
    assert not (tmp_path / "contract.txt").exists()


def test_json_is_json_alone(store):
    done = stripelab("guarantee", store, "--json", "--bound", "1")
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (answer["granted"], answer["met"], answer["holds"], answer["watermark"]) == (True, True, True, None)
    assert answer["text"].startswith("Performance statement")
    assert len(answer["runs"]) == 20


def test_the_store_of_the_documentation_is_refused_and_demonstrated(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["synthetic", str(tmp_path / "S")])
    synthetic.main()
    refused = stripelab("guarantee", tmp_path / "S")
    assert refused.returncode == 1
    assert "the runs were made on loop" in " ".join(refused.stdout.split())
    options = ("--demonstration", "--coverage", "0.75", "--bound", "80000")
    shown = stripelab("guarantee", tmp_path / "S", *options)
    assert shown.returncode == 0
    document = (ROOT / "docs" / "methodology-guarantee.md").read_text()
    (printed,) = re.findall(r"^```text\n(.*?)^```", document, flags=re.MULTILINE | re.DOTALL)
    assert printed in shown.stdout
    answer = json.loads(stripelab("guarantee", tmp_path / "S", *options, "--json").stdout)
    assert answer["watermark"] == "DEMONSTRATION, NOT A GUARANTEE"


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--coverage", "2"), 8, "--coverage must be between 0 and 1 (got 2)"),
        (("--metric", "speed"), 8, "speed is not known of every second"),
        (("--coverage", "much"), 2, "Invalid value for '--coverage'"),
        (("-o", "/nowhere/contract.txt"), 8, "cannot write /nowhere/contract.txt"),
    ],
)
def test_bad_questions_are_one_clear_message(store, options, status, said):
    done = stripelab("guarantee", store, *options)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_guarantee_becomes_a_document_and_a_refusal_none(store, tmp_path):
    no = stripelab("guarantee", store, "-o", tmp_path / "guarantee.html", "--coverage", "0.95")
    assert (no.returncode, list(tmp_path.iterdir())) == (1, [])
    path = tmp_path / "guarantee.pdf"
    done = stripelab("guarantee", store, "-o", path, "--confidence", "0.9")
    assert (done.returncode, done.stderr) == (0, f"written: {path}\n")
    text = pypdf.PdfReader(path).pages[0].extract_text()
    assert "With 90 % confidence, on at least a share P = 0.851 of future days" in " ".join(text.split())


@pytest.fixture(scope="module")
def one_day(tmp_path_factory):
    return make(tmp_path_factory.mktemp("verb") / "one-day", replace(REAL, runs_a_day=REAL.runs))


def test_runs_of_one_day_are_refused_unless_the_statement_is_limited_to_it(one_day, tmp_path):
    refused = stripelab("guarantee", one_day, "-o", tmp_path / "g.pdf")
    assert refused.returncode == 1
    assert "all 20 runs were made on one day, 2026-09-21 (UTC)" in " ".join(refused.stdout.split())
    assert list(tmp_path.iterdir()) == []
    done = stripelab("guarantee", one_day, "--limit-to-day", "-o", tmp_path / "g.pdf")
    assert done.returncode == 0
    first = " ".join(pypdf.PdfReader(tmp_path / "g.pdf").pages[0].extract_text().split())
    for words in (" ".join(done.stdout.split()), first):
        assert "on 2026-09-21 (UTC) alone, in the conditions of that day and those below" in words
        assert "Sampled: 20 runs on 1 day, 2026-09-21 (UTC)." in words
    answer = json.loads(stripelab("guarantee", one_day, "--limit-to-day", "--json").stdout)
    assert (answer["limited_to"], len(answer["days"]), answer["bound"]["unit"]) == ("2026-09-21", 1, "run")
