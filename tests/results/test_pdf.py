"""The report as a PDF: good enough to attach to a contract, and the same every time."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pypdf
import pytest

from results.errors import ResultsError
from results.guarantee import Question
from results.guarantee.synthetic import Campaign, Truth
from results.report import write
from tests.results import synthetic
from tests.results.guarantees import REAL, make
from tests.results.synthetic import Plan, raid_truth

LONG = "fio --filename=/data/" + "/".join(f"folder-{n:03d}" for n in range(60)) + " --rw=randwrite --end-of-the-command"


@dataclass(frozen=True)
class Document:
    """A PDF and the text of its pages, blanks as single spaces."""

    path: Path
    store: Path
    pages: tuple[str, ...]
    reader: pypdf.PdfReader

    @property
    def letters(self) -> str:
        """Everything without blanks: a line that was wrapped is whole again."""
        return re.sub(r"\s+", "", "".join(self.pages))


def read(path: Path, store: Path) -> Document:
    reader = pypdf.PdfReader(path)
    return Document(path, store, tuple(" ".join(page.extract_text().split()) for page in reader.pages), reader)


@pytest.fixture(scope="module")
def promised(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A store whose 20 runs support a statement; the command of its engine is longer than a line."""
    root = tmp_path_factory.mktemp("promised")

    def change(_block, rows):
        rows["seen"] = [replace(row, command=LONG) for row in rows["seen"]]

    store = make(root / "S", Campaign(Truth(), substrate="disk", seconds=20), change)
    write(store, root / "report.pdf")
    return read(root / "report.pdf", store)


@pytest.fixture(scope="module")
def virtual(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A sweep of the lab: a recommendation, and no guarantee."""
    root = tmp_path_factory.mktemp("virtual")
    plan = Plan(raid_truth()[::3], replicates=2, substrate="uml", iops_limit=100)
    synthetic.write(root / "S", plan, status=lambda point, block: "failed" if (point, block) == (4, 1) else "ok")
    write(root / "S", root / "report.pdf")
    return read(root / "report.pdf", root / "S")


def test_the_statement_is_on_page_one_as_text(promised):
    first = promised.pages[0]
    assert "Performance statement: synthetic" in first
    assert "With 95 % confidence, on at least a share P = 0.8" in first
    assert "Sampled: 20 runs on 20 days (UTC)" in first
    assert first.index("With 95 % confidence") < first.index("Conditions: hardware and system")


def test_without_a_guarantee_page_one_says_why_and_what_to_use(virtual):
    first = virtual.pages[0]
    assert "No performance statement" in first
    assert "the runs were made on uml" in first
    assert first.index("No performance statement") < first.index("The answer")
    assert "RAID 0" in first


@pytest.mark.parametrize("kind", ["promised", "virtual"])
def test_every_page_is_numbered_dated_and_named(kind, request):
    found = request.getfixturevalue(kind)
    assert len(found.pages) > 3
    for number, text in enumerate(found.pages, start=1):
        assert f"page {number} of {len(found.pages)}" in text
        assert "as of 2026-" in text
        assert "synthetic" in text


def test_a_demonstration_says_so_on_every_page(virtual):
    for text in virtual.pages:
        assert text.count("DEMONSTRATION, NOT A GUARANTEE") == 1
        assert "NOT REAL HARDWARE" in text


def test_a_demonstration_says_so_once_on_the_page_of_html(tmp_path):
    """A page of HTML is one page, on which it stays in sight."""
    make(tmp_path / "S", replace(REAL, substrate="uml"))
    write(tmp_path / "S", tmp_path / "refused.html")
    assert len(re.findall(r">[^<]*DEMONSTRATION", (tmp_path / "refused.html").read_text(encoding="utf-8"))) == 1
    write(tmp_path / "S", tmp_path / "r.html", question=Question(demonstration=True))
    page = re.sub(r"<style>.*?</style>", "", (tmp_path / "r.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    shown = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert shown.count("DEMONSTRATION") == 1
    assert shown.index("DEMONSTRATION, NOT A GUARANTEE") < shown.index("With 95 % confidence, on at least a share")
    assert page.count('data-mark="DEMONSTRATION, NOT A GUARANTEE"') == 2, "headings of both chapters, when printed"


def test_the_appendix_has_one_digest_of_a_list_that_sha256sum_checks(promised):
    files = [path for path in promised.store.rglob("*") if path.is_file() and path.suffix in {".parquet", ".json"}]
    assert len(files) > 60
    listing = promised.path.with_name(f"{promised.path.name}.sha256")
    assert hashlib.sha256(listing.read_bytes()).hexdigest() in promised.letters
    named = {line.split("  ", 1)[1] for line in listing.read_text().splitlines()}
    assert {path.relative_to(promised.store).as_posix() for path in files} <= named
    check = ["sha256sum", "--check", "--strict", "--quiet", listing]
    assert subprocess.run(check, cwd=promised.store, check=False).returncode == 0
    assert not re.search(r"observations/\w+\.parquet", promised.letters)


def test_the_runs_of_the_statement_are_listed(promised):
    for path in (promised.store / "trials").iterdir():
        assert path.stem in promised.letters


def test_no_line_of_a_command_is_cut_off(promised):
    assert LONG.replace(" ", "") in promised.letters


@pytest.mark.parametrize("kind", ["promised", "virtual"])
def test_nothing_lies_outside_the_page_and_drawings_are_vectors(kind, request):
    """Words begin within the margins; a picture made of pixels would be an image object."""
    found = request.getfixturevalue(kind)
    for page in found.reader.pages:
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        places: list[tuple[float, float]] = []

        def note(text, transform, matrix, _font, _size, places=places):
            if text.strip():
                a, b, c, d, e, f = transform
                x, y = matrix[4], matrix[5]
                places.append((a * x + c * y + e, b * x + d * y + f))

        page.extract_text(visitor_text=note)
        assert places
        assert all(-1 <= x <= width and -1 <= y <= height for x, y in places), [
            place for place in places if not (-1 <= place[0] <= width and -1 <= place[1] <= height)
        ]
        assert list(page.images) == []


def test_it_needs_no_script_and_names_no_address(promised, virtual):
    for found in (promised, virtual):
        content = found.path.read_bytes()
        assert b"/JavaScript" not in content
        assert b"/URI" not in content


def test_the_throughput_of_what_is_recommended_is_drawn(virtual):
    text = " ".join(virtual.pages)
    assert re.search(r"random-write: raid0 x4 \w+ \w+ flat, 2 trials, a line each", text)
    assert "your browser does not run" not in text


def test_dates_are_those_of_the_store_and_can_be_given(promised, tmp_path, monkeypatch):
    information = promised.reader.metadata
    assert information is not None
    assert information.creation_date is not None
    assert information.creation_date.strftime("%Y-%m-%d") in promised.pages[0]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    write(promised.store, tmp_path / "r.pdf")
    dated = pypdf.PdfReader(tmp_path / "r.pdf").metadata
    assert dated is not None
    assert dated.creation_date is not None
    assert dated.creation_date.year == 1970
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ResultsError, match="is no date"):
        write(promised.store, tmp_path / "again.pdf")


def test_the_same_store_gives_the_same_bytes_in_another_process(promised, tmp_path):
    """Another hash seed, another time: sets and clocks must not show."""
    words = f"from results.report import write; write({str(promised.store)!r}, {str(tmp_path / 'again.pdf')!r})"
    subprocess.run([sys.executable, "-c", words], check=True, env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    assert (tmp_path / "again.pdf").read_bytes() == promised.path.read_bytes()


def test_without_weasyprint_one_error_says_what_to_install(promised, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(ResultsError, match="needs WeasyPrint and Pango") as failed:
        write(promised.store, tmp_path / "r.pdf")
    assert "stripelab[pdf]" in failed.value.remedy
    assert "libpango" in failed.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_question_of_ones_own_must_have_an_answer(promised, tmp_path):
    with pytest.raises(ResultsError, match="begin with nowhere"):
        write(promised.store, tmp_path / "r.html", question=Question(point="nowhere"))
    write(promised.store, tmp_path / "r.html", question=Question(bound=1e9, chosen_beforehand=True))
    page = (tmp_path / "r.html").read_text()
    assert "NOT MET" in page
    assert f"stripelab guarantee {promised.store} --bound 1e+09 --chosen-beforehand -o report.pdf" in page
