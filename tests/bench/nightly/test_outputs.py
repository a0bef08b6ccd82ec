"""Outputs: found wrong before the night, and never in each other's way after it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from bench.errors import DeliveryError, StoreError
from bench.nightly import outputs
from bench.nightly.outputs import Outputs
from results.errors import ResultsError
from tests.results.nightly.nights import night


def every(folder: Path, **more) -> Outputs:
    return Outputs(**{name: folder / name for name in outputs.FILES}, **more)


def test_every_file_is_written_and_is_what_its_renderer_makes(tmp_path):
    done = every(tmp_path, mail_to=("ops@example.org",)).deliver(night(), print)
    assert [each.problem for each in done] == [None] * 6
    assert {path.name for path in tmp_path.iterdir()} == set(outputs.FILES)
    assert (tmp_path / "openmetrics").read_text().endswith("# EOF\n")
    assert b"To: ops@example.org\r\n" in (tmp_path / "mail").read_bytes()


def test_annotations_are_said_and_not_written():
    said = []
    (done,) = Outputs(annotations=True).deliver(night(), said.append)
    assert done.problem is None
    assert said[0].startswith("::error title=regression")


def test_an_output_that_fails_keeps_no_other_back(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    asked = Outputs(junit=gone / "junit.xml", markdown=tmp_path / "night.md", openmetrics=tmp_path / "night.prom")
    asked.check()
    gone.rmdir()
    monkeypatch.setattr(outputs.markdown, "markdown", lambda _: 1 / 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = {each.what: each for each in asked.deliver(night(), print)}
    assert "No such file" in done["--junit"].problem
    assert "defect of stripelab: ZeroDivisionError" in done["--markdown"].problem
    (report,) = tmp_path.glob("stripelab-defect-*.txt")
    assert done["--markdown"].remedy == f"please report it with {report}"
    assert "Traceback" in report.read_text()
    assert done["--openmetrics"].problem is None
    assert (tmp_path / "night.prom").exists()


def test_a_webhook_that_fails_is_said_and_raises_nothing(monkeypatch):
    monkeypatch.setenv("STRIPELAB_WEBHOOK_SECRET", "none")
    (done,) = Outputs(webhook="https://example.org").deliver(night(), print)
    assert "does not start with whsec_" in done.problem


def test_what_cannot_work_is_found_before_the_night(tmp_path):
    with pytest.raises(StoreError, match="folder does not exist"):
        Outputs(junit=tmp_path / "none" / "junit.xml").check()
    with pytest.raises(StoreError, match="is a folder"):
        Outputs(junit=tmp_path).check()
    with pytest.raises(StoreError, match="--junit and --mail both name"):
        Outputs(junit=tmp_path / "x", mail=tmp_path / "x").check()
    with pytest.raises(DeliveryError, match="no URL"):
        Outputs(webhook="nowhere").check()
    with pytest.raises(ResultsError, match="no mail address"):
        Outputs(mail=tmp_path / "x.eml", mail_to=("nobody",)).check()
    assert list(tmp_path.iterdir()) == []


def test_the_options_of_an_output_ask_for_the_same(tmp_path):
    asked = every(tmp_path, mail_to=("a@example.org",), webhook="https://example.org", webhook_secret=tmp_path / "s")
    words = asked.arguments()
    assert words[:2] == ("--junit", str(tmp_path / "junit"))
    assert "--code-quality" in words
    assert words[-2:] == ("--webhook-secret", str(tmp_path / "s"))
    assert "whsec_" not in " ".join(words)


def test_no_output_goes_into_the_store_of_the_night_even_where_there_is_none_yet(tmp_path):
    store = tmp_path / "S"
    store.mkdir()
    with pytest.raises(StoreError, match=r"--junit .* lies in the result store"):
        Outputs(junit=store / "junit.xml").check(store)
    assert list(store.iterdir()) == []
