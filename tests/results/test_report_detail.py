"""What a report over very many trials shows one by one, what it says of the rest, and that nothing else changes."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import fields, replace
from html import unescape
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import ResultsError
from results.report import detail, document, write
from results.report.render import render
from results.store import query, sql
from results.store.query import load
from results.store.schema import TrialRow
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name
from tests.results.synthetic import Plan
from tests.results.test_recommend import chunks
from tests.results.test_report import Page

NIGHTS = 12
EACH = 2 * 2


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve nights of two points in two blocks; every trial of the fifth night failed."""
    path = tmp_path_factory.mktemp("nights") / "S"

    def change(row: TrialRow) -> TrialRow:
        bad = row.night == night_name(4)
        return replace(row, status="failed", error="fio ended with status 1") if bad else row

    stored.write(path, Nights(count=NIGHTS, seconds=5, buckets=8, change=change))
    return path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "MOST_TRIALS", 3 * EACH)


def rows(text: str) -> list[str]:
    """Trials that have a row."""
    return re.findall(r'<tr id="trial-([^"]+)"', text)


def of_nights(*numbers: int) -> set[str]:
    """The trials of these nights."""
    return {f"{night_name(each)}-night-{point}-{block}" for each in numbers for point in (0, 1) for block in (0, 1)}


def embedded(text: str, name: str) -> object:
    return json.loads(text.split(f'id="{name}">')[1].split("</script>", maxsplit=1)[0])


@pytest.mark.usefixtures("few")
def test_the_newest_nights_are_shown_whole_and_the_failed_trials_beside_them(store: Path) -> None:
    text = render(document(load(store)).model)
    newest = {
        f"{night_name(9 + night)}-night-{point}-{block}" for night in range(3) for point in (0, 1) for block in (0, 1)
    }
    failed = {f"{night_name(4)}-night-{point}-{block}" for point in (0, 1) for block in (0, 1)}
    assert set(rows(text)) == newest | failed
    assert set(embedded(text, "trial-data")["trials"]) == newest | failed
    series = {
        trial["id"] for each in embedded(text, "series-data") for point in each["points"] for trial in point["trials"]
    }
    assert series == newest


@pytest.mark.usefixtures("few")
def test_links_lead_to_trials_that_are_shown_and_say_of_how_many(store: Path) -> None:
    text = render(document(load(store)).model)
    page = Page(text)
    targets = {str(each["href"])[1:] for each in page.all("a") if str(each["href"]).startswith("#")}
    assert targets <= set(page.ids)
    assert f"{detail.MOST_LINKS} of {2 * (NIGHTS - 1)}:" not in text, "three nights have fewer"
    assert f"6 of {2 * (NIGHTS - 1)}:" in text


@pytest.mark.usefixtures("few")
def test_what_is_left_out_is_said_where_one_looks_with_commands_that_give_it(store: Path, tmp_path: Path) -> None:
    written = write(store, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    for place in ("answer", "time", "trials"):
        section = unescape(text.split(f'<section id="{place}"')[1].split("</section>")[0])
        assert all(line in section for line in written.left_out), place
    said = " ".join(written.left_out)
    assert f"12 trials of 3 of {NIGHTS} nights, {night_name(9)} to {night_name(11)}" in said
    assert f"There are {EACH * NIGHTS} trials" in said
    asked = re.search(r"--nights (\S+) -o", said)[1]
    other = document(load(store), nights=detail.nights(asked)).model
    assert {row.trials[0][:10] for row in other.trials.rows} == {night_name(each) for each in range(9)}
    queried = shlex.split(said[said.index("stripelab sql") :])[3]
    found = sql.run(load(store), queried)
    assert set(found["night"].to_pylist()) == {night_name(8)}
    assert found.num_rows == EACH


def test_what_figures_rest_on_does_not_depend_on_what_is_shown(store: Path) -> None:
    """Only rows, links, commands and seconds differ."""
    whole = document(load(store)).model
    part = document(load(store), nights=detail.nights("1")).model
    assert whole.left_out == ()
    assert part.left_out
    for one, other in zip(whole.chapters, part.chapters, strict=True):
        assert [each.svg for each in (*one.drawings, *one.latency_drawings)] == [
            each.svg for each in (*other.drawings, *other.latency_drawings)
        ]
        assert [replace(each, trials=()) for each in one.verdicts] == [
            replace(each, trials=()) for each in other.verdicts
        ]
    assert whole.embedded.histograms == part.embedded.histograms
    assert whole.pages == part.pages
    assert whole.guarantee.lead == part.guarantee.lead
    assert part.command.endswith("--nights 1 -o report.html")


def test_a_sweep_that_is_too_long_shows_its_best_points_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "MOST_TRIALS", 5)
    monkeypatch.setattr(detail, "MOST_ROWS", 1)
    names = [*range(100, 100 + 10 * 60, 10)]
    synthetic.write(tmp_path / "s", Plan(chunks(*names), replicates=2, cv=0.001))
    model = document(load(tmp_path / "s")).model
    shown = [row.cells[1].text for row in model.trials.rows]
    best = [row.cells[0].text for row in model.chapters[0].rankings[0].rows]
    assert sorted(shown) == sorted([best[0]] * 2 + [best[1]] * 2)
    assert (len(best), "10 more rows are left out" in model.chapters[0].rankings[0].caption) == (50, True)
    assert "4 trials of the points that stand first in the rankings" in model.left_out[0]
    assert "recommend" in model.left_out[1]


def test_of_very_many_failed_trials_the_newest_are_listed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "MOST_TRIALS", EACH)
    monkeypatch.setattr(detail, "MOST_PROBLEMS", 3)
    model = document(load(store)).model
    assert (len(model.problems.rows), model.bad_trials) == (3, 4)
    assert "; 1 older ones are left out: stripelab sql" in model.problems.caption
    queried = shlex.split(model.problems.caption[model.problems.caption.index("stripelab sql") :])[3]
    assert sql.run(load(store), queried).num_rows == 4


@pytest.mark.parametrize(
    "text", ["", "0", "-3", "1e3", "٣", "yesterday", "2026-02-30", "2026-01-02..2026-01-01", "a..b"]
)
def test_what_names_no_nights_is_refused_with_what_would(text: str) -> None:
    with pytest.raises(ResultsError) as refused:
        detail.nights(text)
    assert "2026-11-01..2026-11-24" in refused.value.remedy


@given(st.integers(1, 40), st.integers(1, 60))
def test_so_many_of_the_newest_nights_are_the_last_ones(count: int, asked: int) -> None:
    every = [night_name(number) for number in range(count)]
    assert list(detail.nights(str(asked)).among(every)) == every[max(0, count - asked) :]
    assert list(detail.nights("all").among(every)) == every


def test_nights_that_are_not_there_are_refused_with_those_that_are(store: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=f"it has those from {night_name(0)} to {night_name(NIGHTS - 1)}"):
        write(store, tmp_path / "r.html", nights="2020-01-01")
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200), replicates=2))
    with pytest.raises(ResultsError, match="it has no night at all"):
        write(tmp_path / "s", tmp_path / "r.html", nights="5")
    assert not (tmp_path / "r.html").exists()


def test_nights_stand_in_the_order_of_time_where_points_are_judged(store: Path) -> None:
    trials = load(store).trial_rows()
    assert [trial.run_order for trial in trials] == list(range(EACH * NIGHTS))
    assert [trial.night for trial in trials] == sorted(trial.night for trial in trials)


def test_rows_are_as_their_class_makes_them_and_columns_that_were_not_read_have_their_defaults(store: Path) -> None:
    (row, *_) = load(store).trial_rows()
    assert TrialRow(**{field.name: getattr(row, field.name) for field in fields(row)}) == row
    (seen, *_) = load(store).observation_rows()
    assert (seen.raw_zlib, seen.lat_bins_ns) == (None, ())
    with pytest.raises(TypeError, match="point_id"):
        query._rows(TrialRow, pa.table({"trial_id": ["a"]}))


def test_rows_that_a_document_asks_for_again_are_the_same(store: Path) -> None:
    frames = query.RememberedFrames(load(store).store)
    assert frames.observation_rows(histograms=True) == load(store).observation_rows(histograms=True)
    assert frames.observation_rows()[0] is frames.observation_rows(histograms=True)[0]
    frames.trial_rows().clear()
    assert len(frames.trial_rows()) == EACH * NIGHTS
