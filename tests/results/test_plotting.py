"""Plots as files: what they show is in the store, the bytes are the same each time, the lab's are marked."""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from results.errors import ResultsError
from results.plotting import KINDS, Question, draw, encode, svg
from results.plotting.measured import sweep_of
from results.plotting.style import ON_WHITE
from results.store.query import load
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth

ROOT = Path(__file__).parents[2]
FACTORS = {"heatmap": ("chunk_kib", "level"), "interaction": ("filesystem", "level")}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plots") / "store"
    plan = Plan(
        raid_truth()[2:12:2] + raid_truth()[15:18] + raid_truth()[:1],
        replicates=3,
        scans=("scan",),
        seconds=4,
        disk_speeds={"SERIAL-2": 0.4},
    )
    synthetic.write(path, plan)
    return path


@pytest.fixture(scope="module")
def frames(store):
    return load(store)


def question(kind: str, **more: object) -> Question:
    x, y = FACTORS.get(kind, (None, None))
    return replace(Question(kind, x=x, y=y), **more)


def words(content: bytes) -> str:
    """The text of an SVG that a reader sees."""
    return " ".join(text.strip() for text in ET.fromstring(content).itertext() if text.strip())


@pytest.mark.parametrize("kind", KINDS)
def test_a_plot_is_the_same_bytes_each_time_and_has_a_title_and_units(frames, kind):
    first, again = (draw(frames, question(kind))[0] for _ in range(2))
    content = encode(first, "svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "mine"}):
        assert encode(again, "svg") == content, "what a user set in matplotlib changes nothing"
    root = ET.fromstring(content)
    assert root.find("{http://www.w3.org/2000/svg}title").text == first.title
    assert root.find("{http://www.w3.org/2000/svg}desc").text == first.description
    assert b"var(--" not in content
    units = {
        "series": ("IOPS", "time since the measured phase began, s"),
        "latency": ("total latency, ms", "I/Os at or below"),
        "members": ("utilisation, %", "read on its own, MiB/s"),
        "effects": ("change of IOPS, %",),
        "pareto": ("IOPS (more is better)", "99th percentile of latency, ms (less is better)"),
    }
    for text in units.get(kind, ("IOPS",)):
        assert text in words(content), text
    assert "NOT REAL HARDWARE" not in words(content)


def test_a_png_is_the_same_bytes_each_time_and_large_enough_for_a_slide(frames):
    first, again = (encode(draw(frames, question("heatmap"))[0], "png") for _ in range(2))
    assert first == again
    width, height = Image.open(io.BytesIO(first)).size
    assert width > 700
    assert height > 200


def test_the_colours_are_those_of_the_reports_style_sheet():
    sheet = (ROOT / "results/report/report.css").read_text().partition("@media")[0]
    for name, variable in svg.VARIABLES.items():
        (found,) = set(re.findall(rf"{variable}: (#[0-9a-f]+);", sheet))
        assert ON_WHITE[name] == found, variable


def test_a_heat_map_shows_the_geometric_means_of_its_cells(frames):
    trials, observations = frames.trials(), frames.observations()
    rows = observations[observations["workload"] == "random-write"].merge(trials, on="trial_id")
    mine = rows[(rows["level"] == "raid6") & (rows["chunk_kib"] == 512)]
    mean = math.exp(mine["iops"].map(math.log).mean())
    shown, _ = draw(frames, question("heatmap"))
    (figure,) = re.findall(r"raid6 and 512K: (\d+)", shown.description)
    assert int(figure) == pytest.approx(mean, rel=0.03), "like for like: the point has one of two filesystems"
    assert "jbod and n/a" in shown.description
    assert "raid6 and 64K" not in shown.description, "a hole is no figure"


def test_points_are_named_by_label_or_by_the_beginning_of_their_id(frames):
    sweep = sweep_of(frames)
    point, label = next(iter(sweep.labels.items()))
    by_label, _ = draw(frames, question("series", points=(label,)))
    by_id, _ = draw(frames, question("series", points=(point[:10],)))
    assert by_label.title == by_id.title
    assert label in by_label.title
    with pytest.raises(ResultsError, match="no point of the store is called 'raid7'"):
        draw(frames, question("latency", points=("raid7",)))


def test_the_slow_disk_is_seen_when_the_disks_are_read_on_their_own(frames):
    shown, _ = draw(frames, question("members"))
    alone = shown.description.partition("read on its own, MiB/s: ")[2]
    speeds = {name: float(value) for name, value in re.findall(r"(SERIAL-\d) ([\d.]+)", alone)}
    assert speeds["SERIAL-2"] < 0.5 * speeds["SERIAL-1"]


def test_what_was_measured_in_the_lab_is_marked_in_every_plot(tmp_path):
    synthetic.write(tmp_path / "s", Plan(raid_truth()[2:6], replicates=3, substrate="uml", seconds=4))
    frames = load(tmp_path / "s")
    for kind in ("ranking", "heatmap", "series", "members"):
        shown, virtual = draw(frames, replace(question(kind), x=None, y=None))
        assert virtual
        assert "NOT REAL HARDWARE" in words(encode(shown, "svg")), kind


def test_one_replicate_is_drawn_without_intervals_and_an_effect_is_refused(tmp_path):
    synthetic.write(tmp_path / "s", Plan(raid_truth()[:6], replicates=1))
    frames = load(tmp_path / "s")
    for kind in ("ranking", "heatmap", "interaction", "pareto"):
        assert draw(frames, replace(question(kind), x=None, y=None))[0].title
    with pytest.raises(ResultsError, match="no effect can be shown"):
        draw(frames, question("effects"))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Question("pie"), "there is no plot 'pie'"),
        (Question("heatmap", x="chunk"), "chunk is no factor"),
        (Question("heatmap", x="level", y="level"), "two different factors"),
        (Question("pareto", x="speed"), "there is no figure speed"),
        (Question("heatmap", metric="speed"), "there is no figure speed"),
        (Question("heatmap", metric="slat_mean_ns"), "no trial has the figure slat_mean_ns"),
        (Question("ranking", workload="nope"), "no result of the workload 'nope'"),
        (Question("ranking", metric="iops"), "drawn for the figure of the objective"),
    ],
)
def test_what_cannot_be_drawn_is_said(frames, asked, told):
    with pytest.raises(ResultsError, match=re.escape(told)):
        draw(frames, asked)


def test_only_svg_and_png_are_written(frames):
    with pytest.raises(ResultsError, match=r"not as \.gif"):
        encode(draw(frames, question("heatmap"))[0], "gif")


def test_an_empty_store_has_nothing_to_draw(tmp_path):
    synthetic.write(tmp_path / "s", Plan(raid_truth()[:1], replicates=1), status=lambda *_: "failed")
    with pytest.raises(ResultsError, match="no trial that is ok"):
        draw(load(tmp_path / "s"), question("heatmap"))
