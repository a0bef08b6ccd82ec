"""The report as a file: whole, self-contained, honest, and the same every time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from results.errors import ResultsError
from results.recommendation.recommend import Wishes
from results.report import gather, write
from results.report.embed import unpack
from results.report.model import Block
from results.report.model import Page as Page_
from results.store.folder import Store
from results.store.query import load
from results.store.schema import TrialRow
from tests.results import large, synthetic
from tests.results.synthetic import Plan, raid_truth
from tests.results.test_recommend import PREDICTED, chunks


class Page(HTMLParser):
    """Elements, ids and texts of a page."""

    VOID = frozenset({"meta", "link", "input", "br", "path", "use"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [str(attributes["id"]) for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep as the demonstration makes it: throttled lab, three workloads, two bad trials."""
    path = tmp_path_factory.mktemp("report") / "store"
    plan = Plan(raid_truth(), replicates=2, substrate="uml", iops_limit=100, cv=0.015, scans=("scan", "dd-read"))
    bad = {(3, 1): "failed", (9, 0): "invalid"}
    synthetic.write(
        path,
        plan,
        status=lambda point, block: bad.get((point, block), "ok"),
        predicted=lambda point: PREDICTED[str(point["level"])],
    )
    return path


@pytest.fixture(scope="module")
def text(store: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("out") / "report.html"
    written = write(store, out)
    page = out.read_text(encoding="utf-8")
    assert written.size_bytes == len(page.encode()) < 5_000_000
    assert written.virtual
    assert written.refused == ()
    return page


def test_the_page_is_well_formed_and_ids_are_unique(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    targets = {str(each["href"])[1:] for each in page.all("a") if str(each["href"]).startswith("#")}
    assert targets <= set(page.ids)
    for attributes in page.all("use"):
        reference = attributes.get("xlink:href") or attributes.get("href")
        assert str(reference)[1:] in page.ids
    for name in re.findall(r"url\(#([^)]+)\)", text):
        assert name in page.ids


def test_the_page_asks_for_nothing_from_anywhere(text: str) -> None:
    page = Page(text)
    for attributes in [attributes for _, attributes in page.elements]:
        assert "src" not in attributes
        assert not str(attributes.get("href", "#")).startswith(("http", "//", "file"))
    assert [each["href"] for each in page.all("link")] == ["data:,"]
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_the_same_store_gives_the_same_bytes(store: Path, text: str, tmp_path: Path) -> None:
    write(store, tmp_path / "other-name.html")
    assert (tmp_path / "other-name.html").read_text(encoding="utf-8") == text


def test_two_processes_with_other_hash_seeds_give_the_same_bytes(store: Path, text: str, tmp_path: Path) -> None:
    program = "import sys; from results.report import write; write(sys.argv[1], sys.argv[2])"
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.html"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        subprocess.run([sys.executable, "-c", program, str(store), str(out)], check=True, env=environment)
        assert out.read_text(encoding="utf-8") == text


def test_the_first_screen_has_answer_sureness_commands_and_prediction(text: str) -> None:
    first = text[text.index('<section id="answer"') : text.index('<div class="measured">')]
    for words in (
        "Recommended for all 3 workloads",
        "or more of every workload&#39;s best",
        "best for it alone",
        "Recommended among those that survive a disk failure",
        "95 % interval",
        "With 95 % confidence the best of the 20 points is among",
        "Chosen because",
        "How much better",
        "RAID 5 (one disk of parity)",
        "Against the defaults of mdadm and mkfs",
        "predicted 400, measured",
        "mdadm --create",
        "mkfs.",
        "survives no disk failure",
    ):
        assert words in first, words
    assert "VIRTUAL LAB; throttled to 100 IOPS per disk" in text


def test_virtual_results_are_marked_in_every_caption_and_plot(text: str) -> None:
    captions = re.findall(r"<(?:caption|figcaption)>(.*?)</(?:caption|figcaption)>", text, flags=re.DOTALL)
    assert len(captions) > 10
    assert [each for each in captions if "NOT REAL HARDWARE" not in each] == []
    drawings = re.findall(r'<svg xmlns="http://www.w3.org/2000/svg".*?</svg>', text, flags=re.DOTALL)
    assert len(drawings) > 10
    assert [each for each in drawings if "NOT REAL HARDWARE" not in each] == []
    assert text.count('class="notice"') == 2


def test_drawings_are_named_and_carry_no_colour_of_their_own(text: str) -> None:
    for svg in re.findall(r'<svg xmlns="http://www.w3.org/2000/svg".*?</svg>', text, flags=re.DOTALL):
        assert 'role="img"' in svg
        assert re.search(r"<title id=[^>]*>[^<]+</title>", svg)
        assert re.search(r"<desc id=[^>]*>[^<]+</desc>", svg)
        assert "#0101" not in svg
        assert "<style" not in svg


def test_failed_trials_environment_methods_and_command_are_there(store: Path, text: str) -> None:
    for words in (
        "fio ended with status 1",
        "the array was degraded after the workload",
        "SERIAL-0",
        "FW01",
        "6.1.0-44",
    ):
        assert words in text
    assert "Hsu" in text
    assert f"stripelab report {store} -o report.html" in text
    assert "The lab&#39;s throttle makes I/Os wait for their turn" in text


def test_every_second_of_every_trial_is_in_it(store: Path, text: str) -> None:
    (data,) = re.findall(r'<script type="application/json" id="series-data">(.*?)</script>', text, flags=re.DOTALL)
    series = json.loads(data)
    assert [each["workload"] for each in series] == ["random-write", "scan", "dd-read"]
    found = {
        (each["workload"], trial["id"]): unpack(trial["top"], trial["values"])
        for each in series
        for point in each["points"]
        for trial in point["trials"]
    }
    kept: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for row in load(store).intervals().itertuples():
        kept[row.workload, row.trial_id][row.second] = row.iops if row.workload == "random-write" else row.bw_bytes_s
    assert found.keys() == kept.keys()
    assert len(found) == 3 * 38
    for key, values in found.items():
        assert values == pytest.approx(list(kept[key].values()), abs=max(kept[key].values()) / 65534)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    plan = Plan(chunks(100, 200, 300), workload=evil, seconds=2)
    store = synthetic.write(tmp_path / "s", plan)
    assert isinstance(store, Store)
    write(tmp_path / "s", tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert [each.get("type") for each in page.all("script")] == [*["application/json"] * 3, None]
    assert page.all("img") == []


def test_a_refusal_is_reported_with_what_was_measured(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), replicates=1))
    written = write(tmp_path / "s", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "two replicates or more" in written.refused[0]
    assert page.count("No recommendation for random-write") >= 2
    assert "measured, without a verdict" in page
    assert "NOT REAL HARDWARE" not in page


def test_a_store_where_all_failed_still_has_a_report(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200)), status=lambda _point, _block: "failed")
    write(tmp_path / "s", tmp_path / "r.html")
    assert "fio ended with status 1" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_report_of_two_hundred_points_stays_under_five_megabytes(tmp_path: Path) -> None:
    large.make(tmp_path / "s")
    written = write(tmp_path / "s", tmp_path / "r.html")
    assert written.size_bytes < 5_000_000
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "mean over several seconds" not in page
    assert page.count('id="trial-') == 400 + 3  # a row each; heading and body of the dialog, and its data
    assert "THE DISK SERIAL-2 IS SLOWER THAN ITS PEERS" in page


def test_every_figure_leads_to_its_trials(store: Path, text: str) -> None:
    page = Page(text)
    known = set(load(store).trials()["trial_id"])
    linked = [str(each["data-trial"]) for each in page.all("a") if "data-trial" in each]
    assert set(linked) == known
    assert all(f"trial-{trial}" in page.ids for trial in linked)
    rows = [str(each["data-trials"]).split() for each in page.all("tr") if "data-trials" in each]
    assert {trial for row in rows for trial in row} == known
    first = text[text.index('<section id="a0"') :]
    ranked = first[first.index("recommended") : first.index("</table>")]
    assert ranked.count("<tr data-trials") + ranked.count(" data-trials=") >= 20


def test_what_a_trial_ran_is_kept_with_it(store: Path, text: str) -> None:
    (data,) = re.findall(r'<script type="application/json" id="trial-data">(.*?)</script>', text, flags=re.DOTALL)
    known = json.loads(data)
    for row in load(store).trials().itertuples():
        trial = known["trials"][row.trial_id]
        assert [known["lines"][place] for place in trial["build"]] == list(row.build_commands)
        assert trial["status"] == row.status
        if row.status == "ok":
            assert {known["lines"][command] for _, command in trial["ran"]} == {"fio --output-format=json+ job.fio"}
    assert "fio ended with status 1" in known["lines"]


def test_a_page_of_somebody_else_stands_in_the_contents_and_in_the_text(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300)))
    pages = [
        Page_("trend", "Trend", (Block(lines=("Since <May>.",), loud=True),)),
        Page_("statement", "Statement", (Block(heading="What is promised"),), first=True),
    ]
    write(tmp_path / "s", tmp_path / "r.html", pages=pages)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<a href="#trend">Trend</a>' in text
    assert "Since &lt;May&gt;." in text
    assert text.index('<section id="statement"') < text.index('<section id="a0"') < text.index('<section id="trend"')


def test_constraints_and_their_outcome_are_shown(store: Path, tmp_path: Path) -> None:
    write(store, tmp_path / "r.html", wishes=Wishes(require=("survives >= 2", "iops > 1000000")))
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "no point is shown to meet" in text
    assert "disk failures survived &gt;= 2" in text
    assert "Which point meets what" in text


def test_the_front_shows_every_point_and_numbers_those_on_it(text: str) -> None:
    assert "Several objectives at once (Pareto front)" in text
    assert "Pareto front: IOPS and CPU time per I/O" in text
    assert "Not among the objectives: 99th percentile of latency, under the lab&#39;s throttle" in text


def test_array_states_stand_beside_each_other(tmp_path: Path) -> None:
    def in_state(row: TrialRow) -> TrialRow:
        missing = int(row.block == 2)
        return replace(
            row,
            array_state_before="clean",
            degraded_before=missing,
            sync_action_before="recover" if missing else "idle",
            array_state_after="clean",
            degraded_after=missing,
            sync_action_after="recover" if missing else "idle",
        )

    synthetic.write(
        tmp_path / "s",
        Plan(chunks(100, 200, 300), cv=0.0001),
        status=lambda _point, block: "invalid" if block == 2 else "ok",
        change=in_state,
    )
    write(tmp_path / "s", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    states = text[text.index('<section id="states"') : text.index('<section id="time"')]
    assert "degraded, rebuilding: IOPS" in states
    assert "degraded, rebuilding, of healthy" in states
    assert states.count(">100 %<") == 3


def test_more_seconds_than_fit_are_averaged_and_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), replicates=2, seconds=20))
    monkeypatch.setattr(gather, "MAX_SECONDS", 6 * 10)
    write(tmp_path / "s", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "each point of a line is a mean over several seconds (random-write: 2 s)" in page


@pytest.mark.parametrize("name", ["report.odt", "nowhere/report.html", "nowhere/report.pdf", "report"])
def test_a_file_that_cannot_be_written_is_refused(store: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ResultsError):
        write(store, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_reading_a_store_changes_nothing_in_it(store: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    write(store, tmp_path / "r.html")
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_an_engine_without_histograms_or_seconds_has_a_report(tmp_path: Path) -> None:
    """dd keeps neither."""
    store = Store.create(tmp_path / "s")
    store.put_environment(synthetic.environment())
    plan = Plan(chunks(100, 200, 300))
    for order, (point, block, value) in enumerate(synthetic.values(plan)):
        row = synthetic.trial(plan, plan.truth[point][0], block, order)
        seen = synthetic.observation(plan, row, value, "write", None)
        store.append(row, [replace(seen, iops=None, lat_bins_ns=(), lat_counts=(), lat_p99_ns=None)])
    write(tmp_path / "s", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<h3>Latency</h3>" not in page
    assert 'id="series-data">[]<' in page


def test_one_answer_for_both_questions_is_shown_once(tmp_path: Path) -> None:
    """raid10 is the fastest of all here, so the fastest that survives a disk is the same point."""
    gain = {"raid10": 500.0, "raid0": 300.0, "raid5": 200.0}
    points = [{"level": level, "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"} for level in gain]
    synthetic.write(tmp_path / "s", Plan([(each, gain[str(each["level"])]) for each in points]))
    write(tmp_path / "s", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count('<article class="verdict">') == 1
    assert "Recommended; recommended among those that survive a disk failure" in page


def caption_of_ranking(tmp_path: Path, plan: Plan, **arguments: object) -> str:
    synthetic.write(tmp_path / "s", plan, **{"change": lambda row: row, **arguments.pop("made", {})})  # type: ignore[arg-type,misc]
    write(tmp_path / "s", tmp_path / "r.html", **arguments)  # type: ignore[arg-type]
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    (found,) = re.findall(r"<figcaption>random-write: ([^<]*), with 95 % intervals", text)
    return str(found)


def test_the_caption_of_a_ranking_counts_all_points(tmp_path: Path) -> None:
    assert caption_of_ranking(tmp_path, Plan(chunks(100, 200, 300), seconds=1)) == "all 3 points with results"


def test_the_caption_of_a_ranking_counts_the_points_that_a_requirement_left(tmp_path: Path) -> None:
    wishes = Wishes(require=("iops > 150",))
    found = caption_of_ranking(tmp_path, Plan(chunks(100, 200, 300), seconds=1), wishes=wishes)
    assert found == "the 2 points of 3 that meet the requirements"


def test_the_caption_of_a_ranking_counts_the_finalists_of_a_race(tmp_path: Path) -> None:
    def race(row: TrialRow) -> TrialRow:
        return replace(row, phase="screening" if row.chunk_kib == 4 else "confirmation")

    plan = Plan(chunks(100, 200, 300), replicates=4, seconds=1)
    assert caption_of_ranking(tmp_path, plan, made={"change": race}) == "the 2 points of 3 that are ranked"


def test_cards_name_every_requirement_and_redundancy_only_where_it_is_one(tmp_path: Path) -> None:
    """F1: a JBOD was titled as one that survives a disk failure, where the requirement was another."""
    speed = {"jbod": 400.0, "raid0": 200.0, "raid5": 150.0}
    points = [{"level": level, "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"} for level in speed]
    synthetic.write(tmp_path / "s", Plan([(each, speed[str(each["level"])]) for each in points], seconds=1))
    write(tmp_path / "s", tmp_path / "r.html", wishes=Wishes(require=("iops > 100", "usable >= 3.5 GiB")))
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    cards = re.findall(r'<article class="verdict">\s*<h4>(.*?)</h4>\s*<p class="label">(.*?)</p>', text)
    assert cards == [
        (
            "Recommended with IOPS &gt; 100 and usable capacity &gt;= 3.50 GiB; regardless of the requirements",
            "JBOD: no RAID, a filesystem per disk",
        ),
        ("Recommended among those that survive a disk failure", "RAID 5 (one disk of parity)"),
    ]
