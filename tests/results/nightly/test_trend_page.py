"""The chapter on nights: whole, light, the same every time, and told by more than colour."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import pytest

from results.errors import ResultsError
from results.evidence.files import copy_store
from results.nightly import answer
from results.nightly.trend import Entry
from results.plotting.inline import VIRTUAL_MARK
from results.report import document, trend, trend_drawing
from results.report.nights_alone import write_nights
from results.report.pdf import pdf
from results.report.render import render
from results.store.folder import Store
from results.store.query import load
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name
from tests.results.nightly.watched_store import FELL, KERNEL
from tests.results.synthetic import Plan
from tests.results.test_report import Page

CHAPTER = """
import hashlib, sys
from results.store.query import load
from results.report import trend
print(hashlib.sha256(repr(trend.page(load(sys.argv[1]), "", virtual=False)).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def store(watched):
    return watched


@pytest.fixture(scope="module")
def found(store):
    return trend.read_nights(load(store))


@pytest.fixture(scope="module")
def model(store):
    return document(load(store)).model


@pytest.fixture(scope="module")
def text(model):
    return render(model)


def grids(page):
    return [each.grid for each in page.blocks if each.folded]


def column(grid, name):
    place = [each.name for each in grid.columns].index(name)
    return [row.cells[place].text for row in grid.rows]


def test_the_report_of_nights_begins_with_them(text):
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert '<a href="#nights">Nights</a>' in text
    assert text.index('<section id="nights"') < text.index('<section id="a0"')
    assert "4 metrics over 80 nights, 2026-01-01 to 2026-03-21." in text
    assert "change 4711 &lt;b&gt;&amp;" in text, "what people wrote stays text"


def test_every_drawing_has_words_for_those_who_do_not_see_it(text):
    chapter = text[text.index('<section id="nights"') : text.index('<section id="a0"')]
    drawn = re.findall(r"<svg .*?</svg>", chapter, flags=re.DOTALL)
    assert len(drawn) == 4
    for each in drawn:
        assert "<title id=" in each
        assert "80 nights, 2026-01-01 to 2026-03-21; from " in each
        assert "#0101" not in each, "colours are those of the page"
        assert "night (UTC)" in each
    assert f"changed since {night_name(FELL)}" in drawn[0]
    assert {"regression"} <= set(re.findall(r">([a-z ]+)</text>", drawn[0]))


def test_marks_differ_in_shape_and_not_in_colour_alone():
    shapes = [(shape, filled) for shape, _, filled, _ in trend_drawing.MARKS.values()]
    assert len(set(shapes)) == len(shapes) == len(answer.WORDS) - 1


def test_every_night_is_in_the_table_of_its_metric(found):
    for grid in grids(trend.chapter(found, "", virtual=False)):
        assert sum(map(int, column(grid, "nights"))) == 80
        assert column(grid, "nights")[: trend.RECENT] == ["1"] * trend.RECENT
        assert any(int(count) > 5 for count in column(grid, "nights")), "quiet nights share a row"
        assert "kernel: 6.1.0-44-amd64 → 6.1.0-50-amd64" in column(grid, "what changed")
    fell = grids(trend.chapter(found, "", virtual=False))[0]
    (row,) = (place for place, night in enumerate(column(fell, "night")) if night_name(FELL) in night)
    assert column(fell, "verdict")[row] == "regression"
    assert column(fell, "exit status")[row] == "1"
    assert "interleaved pairs" in column(fell, "reason")[row]


def test_nights_on_which_something_changed_have_a_row_of_their_own(found):
    alone = replace(found, trends=tuple(replace(each, entries=each.entries[: KERNEL + 40]) for each in found.trends))
    for grid in grids(trend.chapter(alone, "", virtual=False)):
        assert column(grid, "night").count(night_name(KERNEL)) == 1


def test_the_same_store_gives_the_same_chapter_in_another_process(store):
    here = hashlib.sha256(repr(trend.page(load(store), "", virtual=False)).encode()).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", CHAPTER, str(store)],
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == here


def test_what_no_real_disk_measured_is_marked_in_every_caption_and_drawing(found):
    page = trend.chapter(found, f" — {VIRTUAL_MARK}", virtual=True)
    grids_of = [each.grid for each in page.blocks if each.grid is not None]
    drawings = [each.drawing for each in page.blocks if each.drawing is not None]
    assert all(each.caption.endswith(VIRTUAL_MARK) for each in (*grids_of[:2], *drawings))
    assert all(VIRTUAL_MARK in each.caption for each in grids_of)
    assert all(VIRTUAL_MARK in each.svg for each in drawings)


def test_a_damaged_outcome_is_named_and_hides_no_other(store, tmp_path):
    import shutil

    copy = tmp_path / "S"
    shutil.copytree(store, copy)
    (copy / "nights" / f"{night_name(30)}.json").write_text("{")
    (copy / "baselines.jsonl").write_text("{}\n")
    found = trend.read_nights(load(copy))
    assert len(found.outcomes) == 79
    assert [night_name(30) in found.problems[0], "baselines.jsonl" in found.problems[1]] == [True, True]
    page = trend.chapter(found, "", virtual=False)
    assert page.blocks[0].loud
    assert page.blocks[0].lines == found.problems


def test_a_store_without_nights_has_no_such_chapter(tmp_path):
    synthetic.write(tmp_path / "S", Plan([({"level": "raid0", "disks": 4}, 100.0)]))
    assert trend.page(load(tmp_path / "S"), "", virtual=False) is None


def test_three_years_of_forty_metrics_stay_light(found):
    """A regression that stays for two years in every metric: no night of it is quiet."""
    first = found.trends[0]
    long = tuple(
        replace(first.entries[number % 80], night=night_name(number), value=8000.0 + number % 97)
        for number in range(3 * 365)
    )
    assert isinstance(long[0], Entry)
    many = tuple(
        replace(first, metric=replace(first.metric, point_id=str(number)), entries=long) for number in range(40)
    )
    page = trend.chapter(replace(found, trends=many), "", virtual=False)
    drawings = [each.drawing.svg for each in page.blocks if each.drawing is not None]
    assert len(drawings) == trend.MOST_LARGE + 3
    assert sum(map(len, drawings)) < 2_500_000
    rows = [len(grid.rows) for grid in grids(page)]
    assert sum(rows) <= trend.MOST_ROWS
    texts = sum(len(cell.text) + 30 for grid in grids(page) for row in grid.rows for cell in row.cells)
    assert texts + sum(map(len, drawings)) < 5_000_000


def test_rows_that_are_left_out_are_counted(found, monkeypatch):
    monkeypatch.setattr(trend, "MOST_ROWS", 0)
    for grid in grids(trend.chapter(found, "", virtual=False)):
        assert len(grid.rows) == trend.RECENT
        assert "; 50 older nights are left out, `stripelab nightly show` has each" in grid.caption


def test_the_chapter_alone_is_a_light_page_that_asks_for_nothing(store, tmp_path):
    written = write_nights(store, tmp_path / "nights.html")
    text = (tmp_path / "nights.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert (written.metrics, written.nights, written.notice) == (4, 80, None)
    assert written.size_bytes == len(text.encode()) < 400_000
    assert [each["href"] for each in page.all("link")] == ["data:,"]
    assert all("src" not in attributes for _, attributes in page.elements)
    write_nights(store, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == text


def test_a_page_that_cannot_be_made_says_what_to_do(store, tmp_path):
    with pytest.raises(ResultsError, match=r"is no file to write HTML to"):
        write_nights(store, tmp_path / "nights.pdf")
    synthetic.write(tmp_path / "S", Plan([({"level": "raid0", "disks": 4}, 100.0)]))
    with pytest.raises(ResultsError, match="holds no night"):
        write_nights(tmp_path / "S", tmp_path / "nights.html")


def test_nights_of_the_virtual_lab_are_marked_as_such(tmp_path):
    stored.write(tmp_path / "S", Nights(count=6, change=lambda row: replace(row, substrate="uml")))
    written = write_nights(tmp_path / "S", tmp_path / "nights.html")
    text = (tmp_path / "nights.html").read_text(encoding="utf-8")
    assert written.notice is not None
    assert written.notice.split(":")[0] in text
    assert text.count(f"{VIRTUAL_MARK}</figcaption>") == 2
    assert "No night has an outcome yet." in text


def test_the_report_on_paper_has_every_night(model, found):
    from pypdf import PdfReader

    first = trend.chapter(replace(found, trends=found.trends[:1]), "", virtual=False)
    alone = replace(model, chapters=(), pages=(first,), evidence=None, trials=replace(model.trials, rows=()))
    pages = PdfReader(BytesIO(pdf(alone, synthetic.START_NS))).pages
    words = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "1 metric over 80 nights" in words
    assert all(night_name(number) in words for number in range(80 - trend.RECENT, 80))
    assert "change 4711 <b>&" in words


def test_evidence_takes_the_outcomes_and_baselines_along(store, found, tmp_path):
    copied = copy_store(Store.open(store, read_only=True), tmp_path / "S")
    roles = [each.role for each in copied]
    assert (roles.count("nights"), roles.count("baseline")) == (80, 1)
    again = trend.read_nights(load(tmp_path / "S"))
    assert (again.trends, again.happenings) == (found.trends, found.happenings)
