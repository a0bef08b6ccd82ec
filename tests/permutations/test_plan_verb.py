from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bench.cli.plan import register
from bench.words import duration
from results.errors import ResultsError
from stripelab.settings import FACTOR_NAMES

FIRST = str(Path(__file__).parents[2] / "examples" / "first-sweep.toml")


@pytest.fixture
def run():
    app = typer.Typer()
    register(app)
    return lambda *words: CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_the_plan_as_json(run):
    done = run(FIRST, "--json")
    assert done.exit_code == 0
    plan = json.loads(done.stdout)
    assert set(plan) >= {
        "sweep",
        "seed",
        "protocol_id",
        "raw_combinations",
        "points",
        "left_out",
        "order",
        "estimated_s",
        "bytes_written_per_disk",
        "assumptions",
    }
    assert all(set(point["settings"]) == set(FACTOR_NAMES) for point in plan["points"])
    (jbod,) = (p for p in plan["points"] if p["label"] == "jbod x4 xfs flat")
    assert jbod["settings"]["chunk_kib"] is None
    left_out = sum(entry["combinations"] for entry in plan["left_out"])
    assert left_out + len(plan["points"]) == plan["raw_combinations"] == 48
    assert plan["feasible"] == 22
    ids = [point["id"] for point in plan["points"]]
    for block in range(2):
        assert sorted(t["point_id"] for t in plan["order"] if t["block"] == block) == sorted(ids)
    assert [trial["run_order"] for trial in plan["order"]] == list(range(44))
    assert plan["estimated_s"] > 0
    assert plan["bytes_written_per_disk"] > 0


def test_the_plan_as_text(run):
    said = run(FIRST).stdout
    assert "points     22 of 48 combinations; 22 are feasible" in said
    assert "trials     44, in 2 blocks" in said
    assert "forbid-1  20  the directory layout is compared on raid10 alone" in said
    assert "merged     4" in said
    assert "… and 24 more; hint: --all lists all of them" in said
    assert "at most" in said
    assert "\x1b" not in said


def test_all_lists_every_trial(run):
    said = run(FIRST, "--all").stdout
    trials = [trial["trial_id"] for trial in json.loads(run(FIRST, "--json").stdout)["order"]]
    assert all(trial in said for trial in trials)
    assert "more; hint: --all" not in said


def test_a_rule_that_matches_nothing_is_pointed_out(run, tmp_path, small):
    path = tmp_path / "s.toml"
    path.write_text(small.text + '[[forbid]]\nlevel = "raid6"\n')
    assert "forbid-1  0  the sweep forbids level raid6 (matches nothing)" in run(str(path)).stdout


def test_the_size_of_real_disks_is_asked_for_where_resyncs_are_awaited(run, tmp_path, small):
    path = tmp_path / "s.toml"
    path.write_text(small.text)
    assert "without initial resyncs" in run(str(path)).stdout
    counted = run(str(path), "--disk-size", "4TiB").stdout
    assert "without initial resyncs" not in counted
    refused = run(str(path), "--disk-size", "many")
    assert refused.exit_code == 2


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (3600, "1 h 00 min"), (93_600, "1 d 2 h")],
)
def test_durations_in_two_units(seconds, said):
    assert duration(seconds) == said


def test_the_plan_as_csv(run):
    rows = list(csv.DictReader(run(FIRST, "--csv").stdout.splitlines()))
    order = json.loads(run(FIRST, "--json").stdout)["order"]
    assert [row["trial_id"] for row in rows] == [trial["trial_id"] for trial in order]
    assert list(rows[0]) == ["run_order", "block", "trial_id", "point_id", *FACTOR_NAMES]
    assert {row["chunk_kib"] for row in rows if row["level"] == "raid1"} == {""}


def test_the_plan_says_what_its_design_guarantees(run):
    path = str(Path(FIRST).with_name("covering.toml"))
    said = run(path).stdout
    assert "covering design, seed" in said
    assert "every one of the 52 feasible pairs of values is in at least one point" in said
    report = json.loads(run(path, "--json").stdout)["design_report"]
    assert report["strength"] == 2
    assert report["tuples"] == 52


def test_why_a_point_is_in_or_out(run):
    words = "level=raid1,chunk_kib=64,filesystem=xfs,layout=flat"
    said = run(FIRST, "--explain", words).stdout
    assert said.startswith("merged with a planned point: raid1 x4 xfs flat")
    assert "chunk_kib does not apply where level is raid1" in said
    answer = json.loads(run(FIRST, "--explain", words, "--json").stdout)
    assert (answer["verdict"], answer["planned"], answer["point"]["label"]) == ("merged", True, "raid1 x4 xfs flat")
    refused = run(FIRST, "--explain", "levle=raid1")
    assert refused.exit_code == 2


def test_what_two_plans_share(run, tmp_path):
    path = tmp_path / "other.toml"
    path.write_text(Path(FIRST).read_text().replace("chunk_kib  = [64, 512]", "chunk_kib  = [64]"))
    said = run("--diff", FIRST, str(path)).stdout
    assert "points          9        0       13" in said
    assert "trials         18        0       26" in said
    answer = json.loads(run("--diff", FIRST, str(path), "--json").stdout)
    assert len(answer["points"]["both"]) == 13
    assert {point["settings"]["chunk_kib"] for point in answer["points"]["only_a"]} == {512}


@pytest.mark.parametrize(
    "words", [[], [FIRST, "--csv", "--json"], [FIRST, "--diff", FIRST, FIRST], [FIRST, "--csv", "--explain", "x"]]
)
def test_options_that_do_not_go_together_are_a_usage_error(run, words):
    assert run(*words).exit_code == 2


def test_the_plan_says_how_many_days_a_guarantee_takes(run):
    said = run(FIRST, "--guarantee", "0.9").stdout
    assert "runs on 41 days for a point fixed beforehand" in said
    asked = json.loads(run(FIRST, "--guarantee", "0.9", "--json").stdout)["guarantee"]
    assert (asked["days"], asked["points"]) == (41, 22)
    assert asked["days_if_chosen"] > 41
    assert "guarantee" not in json.loads(run(FIRST, "--json").stdout)


@pytest.mark.parametrize("share", ["0", "1", "nan", "0.99999999"])
def test_a_guarantee_that_no_number_of_days_gives_is_refused(run, share):
    with pytest.raises(ResultsError):
        run(FIRST, "--guarantee", share)
