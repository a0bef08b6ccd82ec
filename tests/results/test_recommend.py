"""Recommendations from stores whose truth is known: the best is found, ties are kept, refusals fire."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from results.errors import ResultsError
from results.estimates.published import Published
from results.recommendation import full
from results.recommendation.answer import STATISTICALLY, WITHIN_MARGIN, Answer
from results.recommendation.blocks import Table, Text
from results.recommendation.recommend import Wishes, recommend
from results.recommendation.sentences import best_sentence, constraint_line, published_sentence
from results.recommendation.summary import blocks
from results.report import first
from results.store.schema import ObservationRow, TrialRow
from tests.results import synthetic
from tests.results.synthetic import Plan, factorial, raid_truth

PREDICTED = {"jbod": 400, "raid0": 400, "raid1": 100, "raid5": 200, "raid6": 400 / 3, "raid10": 200}


def chunks(*values: float) -> list:
    points = factorial(
        level=["raid0"],
        disks=[4],
        chunk_kib=[2**k for k in range(2, 2 + len(values))],
        filesystem=["xfs"],
        layout=["flat"],
    )
    return list(zip(points, values, strict=True))


def only(path: Path, **arguments: object) -> Answer:
    (answer,) = recommend(path, **arguments).answers  # type: ignore[arg-type]
    return answer


def levels(answer: Answer, points: tuple[str, ...]) -> list[str]:
    assert answer.overall is not None
    return sorted({str(each.settings["level"]) for each in answer.overall.points if each.point_id in points})


@pytest.fixture(scope="module")
def raid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raid") / "store"
    plan = Plan(raid_truth(), replicates=2, substrate="uml", iops_limit=100, cv=0.015)
    synthetic.write(path, plan, predicted=lambda point: PREDICTED[str(point["level"])])
    return path


def test_the_raid_arithmetic_is_found(raid: Path) -> None:
    answer = only(raid)
    assert answer.metric == "iops"
    assert answer.overall is not None
    assert answer.surviving is not None
    assert levels(answer, answer.overall.fastest_set) == ["jbod", "raid0"]
    assert answer.overall.chosen.settings["level"] == "raid0"
    assert levels(answer, answer.surviving.fastest_set) == ["raid10", "raid5"]
    assert answer.surviving.chosen.settings["level"] == "raid5"
    assert "most usable capacity (3.00 GiB)" in answer.surviving.reason
    order = list(dict.fromkeys(str(each.settings["level"]) for each in answer.surviving.points))
    assert order.index("raid6") > max(order.index("raid5"), order.index("raid10"))
    assert order[-1] == "raid1"
    for each in answer.overall.points:
        assert abs(each.deviation_pct or 99) < 5
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.value < each.high
        assert each.apply_commands
        assert each.substrate == "uml"
    assert answer.effects[0].factor == "level"
    assert answer.effects[0].share_pct == pytest.approx(99.9, abs=0.5)


def test_virtual_results_are_marked_loudly(raid: Path) -> None:
    found = recommend(raid)
    assert found.virtual
    assert found.notice is not None
    assert found.notice.startswith("NOT REAL HARDWARE")
    text = blocks(found)
    assert isinstance(text[0], Text)
    assert isinstance(text[-1], Text)
    assert text[0].lines == (found.notice,)
    tables = [each for each in text if isinstance(each, Table)]
    assert all("uml" in row for table in tables for row in table.rows)


def test_real_disks_are_not_marked(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300)))
    found = recommend(tmp_path / "s")
    assert found.notice is None
    assert not any("NOT REAL" in str(block) for block in blocks(found))


def test_it_is_all_json(raid: Path) -> None:
    found = json.loads(json.dumps(recommend(raid).to_json(), allow_nan=False))
    point = found["answers"][0]["overall"]["points"][0]
    assert point["settings"]["level"] in {"jbod", "raid0"}
    assert found["answers"][0]["overall"]["recommended"] in found["answers"][0]["overall"]["fastest_set"]
    assert found["virtual"] is True


def test_a_tie_is_kept_and_a_clear_winner_stands_alone(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "tie", Plan(chunks(200, 200, 100, 90), replicates=4))
    tied = only(tmp_path / "tie").overall
    assert tied is not None
    assert {each.settings["chunk_kib"] for each in tied.fastest} == {4, 8}
    synthetic.write(tmp_path / "clear", Plan(chunks(200, 300, 100, 90), replicates=4))
    clear = only(tmp_path / "clear").overall
    assert clear is not None
    assert [each.settings["chunk_kib"] for each in clear.fastest] == [8]
    assert clear.reason == "there are no other settings within the margin of the best figure"


def test_redundancy_does_not_choose_a_much_slower_point_that_noise_ties(tmp_path: Path) -> None:
    points = factorial(level=["raid0", "raid10"], disks=[4], chunk_kib=[64, 512], filesystem=["ext4", "xfs"])
    truth = [({**each, "layout": "flat"}, {"raid0": 100.0, "raid10": 80.0}[str(each["level"])]) for each in points]
    synthetic.write(tmp_path / "s", Plan(truth, replicates=2, cv=0.08, seed=3))
    answer = only(tmp_path / "s").overall
    assert answer is not None
    assert STATISTICALLY in {each.tied for each in answer.points if each.settings["level"] == "raid10"}
    recommended = next(each for each in answer.points if each.point_id == answer.recommended)
    assert recommended.of_best_pct >= 95


@pytest.mark.parametrize("objective", ['maximise = "iops"', 'minimise = "lat_p99_ns"'])
def test_the_margin_is_on_the_share_of_the_best_that_is_printed(tmp_path: Path, objective: str) -> None:
    store = synthetic.write(tmp_path / "s", Plan(raid_truth(), replicates=3, cv=0.08, seed=2))
    (store.path / "sweep.toml").write_text(f'[objective]\nworkload = "random-write"\n{objective}\n')
    ranking = recommend(store.path, margin_pct=50).answers[0].rankings[0]
    within = sum(point.of_best_pct >= 50 for point in ranking.points)
    assert within > 6
    assert f"among {within} settings within the margin" in ranking.reason


def test_defaults_are_not_praised_where_nothing_else_of_the_level_was_tried(tmp_path: Path) -> None:
    points = factorial(level=["raid0", "raid10", "raid5"], disks=[4], chunk_kib=[512], filesystem=["xfs"])
    truth = [({**each, "layout": "flat"}, 100.0 + place) for place, each in enumerate(points)]
    synthetic.write(tmp_path / "s", Plan(truth, replicates=4))
    text = str(full.blocks(recommend(tmp_path / "s")))
    assert "for this RAID level: no other setting of it was tried" in text


def test_the_margin_is_stated_apart_from_statistics(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 97, 90, 50), replicates=4, cv=0.001))
    found = only(tmp_path / "s").overall
    assert found is not None
    assert [each.tied for each in found.points] == [STATISTICALLY, WITHIN_MARGIN, None, None]
    assert 2 < (found.points[1].behind_at_most_pct or 0) < 4
    wide = only(tmp_path / "s", margin_pct=12).overall
    none = only(tmp_path / "s", margin_pct=0).overall
    assert wide is not None
    assert none is not None
    assert (len(wide.fastest_set), len(none.fastest_set)) == (3, 1)
    with pytest.raises(ResultsError, match="margin"):
        recommend(tmp_path / "s", margin_pct=100)


def test_less_can_be_better(tmp_path: Path) -> None:
    store = synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 400), replicates=4))
    (store.path / "sweep.toml").write_text('[objective]\nworkload = "random-write"\nminimise = "lat_mean_ns"\n')
    found = only(tmp_path / "s")
    assert found.overall is not None
    assert (found.metric, found.maximise, found.objective_stated) == ("lat_mean_ns", False, True)
    assert found.overall.chosen.settings["chunk_kib"] == 16
    assert [each.of_best_pct for each in found.overall.points] == pytest.approx([100, 50, 25], rel=0.05)


def test_two_directions_are_added_up(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 400), directions=("read", "write")))
    found = only(tmp_path / "s").overall
    assert found is not None
    assert found.chosen.value == pytest.approx(400, rel=0.05)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"replicates": 1}, "two replicates or more"),
        ({"truth": chunks(100.0)}, "only one design point"),
        ({"truth": chunks(100, 200), "replicates": 2}, "degrees of freedom"),
        ({"order": "grouped"}, "run the sweep in blocks"),
    ],
)
def test_it_refuses_in_words_and_shows_what_was_measured(tmp_path: Path, change: dict, words: str) -> None:
    synthetic.write(tmp_path / "s", replace(Plan(chunks(100, 200, 300, 400)), **change))
    found = recommend(tmp_path / "s")
    answer = found.answers[0]
    assert found.refused
    assert answer.refusal is not None
    assert words in answer.refusal
    assert answer.refusal.startswith("No recommendation for random-write: ")
    assert answer.overall is None
    assert answer.measured
    assert all(each.tied is None and each.low is None for each in answer.measured)
    assert any(isinstance(block, Text) and answer.refusal in block.lines for block in blocks(found))


def test_a_figure_that_nobody_measured_is_refused(tmp_path: Path) -> None:
    store = synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300)))
    (store.path / "sweep.toml").write_text('[objective]\nworkload = "random-write"\nminimise = "slat_mean_ns"\n')
    answer = only(tmp_path / "s")
    assert answer.refusal is not None
    assert "no trial has the figure slat_mean_ns" in answer.refusal


def test_failed_and_invalid_trials_are_counted_listed_and_left_out(tmp_path: Path) -> None:
    def status(point: int, block: int) -> str:
        return {(0, 0): "failed", (1, 1): "invalid", (3, 2): "missing"}.get((point, block), "ok")

    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300, 310, 305)), status=status)
    found = recommend(tmp_path / "s")
    assert (found.trials_ok, found.trials_failed, found.trials_invalid) == (12, 1, 1)
    assert {(each.status, each.reason) for each in found.problems} == {
        ("failed", "fio ended with status 1"),
        ("invalid", "the array was degraded after the workload"),
    }
    answer = found.answers[0]
    assert answer.overall is not None
    assert sorted(each.trials for each in answer.overall.points) == [2, 2, 2, 3, 3]
    assert any("fewer than 3 trials" in note for note in answer.notes)


def test_all_failed_is_said(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300)), status=lambda _point, _block: "failed")
    found = recommend(tmp_path / "s")
    assert found.answers == ()
    assert found.refused
    assert len(found.problems) == 9
    assert len(found.without_results) == 3


def test_a_point_that_never_worked_is_named(tmp_path: Path) -> None:
    synthetic.write(
        tmp_path / "s", Plan(chunks(100, 200, 300, 400)), status=lambda point, _block: "failed" if point == 3 else "ok"
    )
    found = recommend(tmp_path / "s")
    assert found.without_results == ("raid0 x4 32K xfs flat",)
    assert "Measured: 9 trials of 3 points (1 more have no result) in 3 blocks" in full.basis_sentence(found)
    assert first.measured_line(found).startswith("9 trials of 3 points (")
    assert found.answers[0].overall is not None
    assert found.answers[0].overall.chosen.settings["chunk_kib"] == 16


def test_drift_inside_blocks_is_flagged(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(*[100.0] * 8), replicates=4, drift=0.5))
    assert any("drift by" in note for note in only(tmp_path / "s").notes)


def test_a_hopeless_sweep_says_so(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 101, 102, 103, 104, 105), cv=0.2))
    assert any("hardly separates them" in note for note in only(tmp_path / "s").notes)


def test_latency_under_the_throttle_is_called_meaningless(tmp_path: Path) -> None:
    store = synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), iops_limit=100, substrate="uml"))
    (store.path / "sweep.toml").write_text('[objective]\nworkload = "random-write"\nminimise = "lat_p99_ns"\n')
    assert any("latencies are those of the throttle" in note for note in only(tmp_path / "s").notes)


def test_far_from_the_prediction_is_noted(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300)), predicted=lambda _point: 200.0)
    notes = only(tmp_path / "s").notes
    assert any("off the prediction: raid0 x4 16K xfs flat +" in note for note in notes)


def test_another_protocol_is_left_out_and_said(tmp_path: Path) -> None:
    store = synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300)))
    row = synthetic.trial(Plan([]), chunks(1.0)[0][0], 7, 0)
    old = replace(row, protocol_id="protocol-0", trial_id="old", started_at_ns=1)
    store.append(old, [replace(synthetic.observation(Plan([]), row, 5.0, "write", None), trial_id="old")])
    found = recommend(tmp_path / "s")
    assert found.trials_ok == 9
    assert any("another protocol" in warning for warning in found.warnings)


def test_two_environments_are_warned_of(tmp_path: Path) -> None:
    store = synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300)))
    other = replace(synthetic.environment(), environment_id="env-2", kernel="6.12")
    store.put_environment(other)
    row = replace(synthetic.trial(Plan([]), chunks(1.0)[0][0], 9, 50), environment_id="env-2")
    store.append(row, [synthetic.observation(Plan([]), row, 100.0, "write", None)])
    warnings = recommend(tmp_path / "s").warnings
    assert any("2 environments (kernel: 6.1.0-44-amd64 \N{RIGHTWARDS ARROW} 6.12)" in warning for warning in warnings)


def test_an_empty_store_and_an_unknown_workload(tmp_path: Path, raid: Path) -> None:
    from results.store.folder import Store

    Store.create(tmp_path / "s")
    with pytest.raises(ResultsError, match="holds no trial"):
        recommend(tmp_path / "s")
    with pytest.raises(ResultsError, match="no result of the workload"):
        recommend(raid, "scan")


def test_several_workloads_each_get_an_answer(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(raid_truth(), replicates=2, scans=("scan", "dd-read")))
    found = recommend(tmp_path / "s")
    assert [(each.workload, each.metric) for each in found.answers] == [
        ("random-write", "iops"),
        ("scan", "bw_bytes_s"),
        ("dd-read", "bw_bytes_s"),
    ]
    assert [each.workload for each in recommend(tmp_path / "s", "scan").answers] == ["scan"]


def test_the_true_best_is_in_the_fastest_set(tmp_path: Path) -> None:
    """From store to set, end to end; test_best has the many seeds."""
    truth = chunks(100, 101, 102, 103, 99, 98)
    hits = 0
    for seed in range(12):
        synthetic.write(tmp_path / str(seed), Plan(truth, cv=0.03, block_sd=0.05, seed=seed, seconds=1))
        overall = only(tmp_path / str(seed), margin_pct=0).overall
        assert overall is not None
        hits += any(each.settings["chunk_kib"] == 32 for each in overall.fastest)
    assert hits >= 10


def test_the_advice_is_more_blocks_than_there_are(tmp_path: Path) -> None:
    """Two points in three blocks leave two degrees of freedom; the advice must not be the three blocks again."""
    synthetic.write(tmp_path / "s", Plan(chunks(100, 110), replicates=3))
    answer = only(tmp_path / "s")
    assert answer.refusal is not None
    (advice,) = answer.next_runs
    assert advice.blocks == 5
    assert "Set replicates = 5" in advice.sentence
    synthetic.write(tmp_path / "t", Plan(chunks(100, 110), replicates=advice.blocks))
    assert only(tmp_path / "t").refusal is None


@pytest.mark.parametrize("seed", [5, 20, 32])
def test_a_lone_winner_and_its_effect_do_not_contradict_each_other(tmp_path: Path, seed: int) -> None:
    """The ranking's test is one-sided, that of effects two-sided: between the two lie some winners."""
    synthetic.write(tmp_path / "s", Plan(chunks(100, 104), replicates=5, cv=0.03, seed=seed, seconds=1))
    found = recommend(tmp_path / "s")
    (effect,) = found.answers[0].effects
    assert not effect.significant
    for text in (str(blocks(found)), str(full.blocks(found))):
        assert "8K xfs flat is the best of the 2 points" in text
        assert "chunk_kib: the ranking has 8K as the best by a one-sided test of each value against the best" in text
        assert "no significant" not in text
        assert "no two values differ" not in text


def test_effects_that_no_design_separates_are_not_called_insignificant(tmp_path: Path) -> None:
    points = [{"level": "raid0", "disks": 2, "chunk_kib": 64}, {"level": "raid5", "disks": 4, "chunk_kib": 512}]
    synthetic.write(tmp_path / "s", Plan([(points[0], 100.0), (points[1], 200.0)], replicates=5, seconds=1))
    text = str(blocks(recommend(tmp_path / "s")))
    assert "cannot be separated from other factors: " in text
    assert "no significant" not in text


def test_the_best_measured_point_is_named_beside_another_that_is_recommended(tmp_path: Path) -> None:
    speed = {"raid10": 200.0, "raid5": 196.0, "raid6": 100.0}
    points = [{"level": level, "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"} for level in speed]
    truth = [(each, speed[str(each["level"])]) for each in points]
    synthetic.write(tmp_path / "s", Plan(truth, replicates=4, cv=0.001, seconds=1))
    answer = only(tmp_path / "s", wishes=Wishes(prefer=("capacity",)))
    (ranking,) = answer.rankings
    assert ranking.chosen.settings["level"] == "raid5"
    said = "Best measured: raid10 x4 64K xfs flat, 200 IOPS; the recommended setting measured 98 % of that."
    assert best_sentence(answer, ranking) == said
    assert said in str(blocks(recommend(tmp_path / "s", wishes=Wishes(prefer=("capacity",)))))
    assert best_sentence(answer, replace(ranking, recommended=ranking.points[0].point_id)) == ""


def test_the_value_of_a_choice_that_is_not_always_the_same_point_is_not_called_its_own(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), seconds=1))
    answer = only(tmp_path / "s")
    (ranking,) = answer.rankings
    found = Published(280.0, 290.0, 3, same_point=False, block_sd_pct=0.0, scope="in these 3 blocks", assumption=None)
    assert published_sentence(answer, replace(ranking, published=found), 0.95) == (
        "At least 290 IOPS with 95 % confidence in these 3 blocks (adjusted for selection). A choice made without one "
        "block reached 280 IOPS in it."
    )
    own = published_sentence(answer, replace(ranking, published=replace(found, same_point=True)), 0.95)
    assert own.startswith("Expected: 280 IOPS; at least 290 IOPS")


def test_one_order_in_every_block_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = [(point, block) for block in range(3) for point in (3, 0, 4, 1, 2)]
    monkeypatch.setattr(synthetic, "schedule", lambda *_: order)
    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300, 400, 500), seconds=1))
    answer = only(tmp_path / "s")
    assert answer.refusal is not None
    assert "the points ran in nearly the same order in every block" in answer.refusal
    assert answer.overall is None
    assert 'order = "blocked" into a new store' in answer.next_runs[0].sentence


def test_a_requirement_on_a_figure_that_a_point_lacks_is_not_measured_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = synthetic.observation

    def without_latency(plan: Plan, row: TrialRow, *rest: object) -> ObservationRow:
        made = plain(plan, row, *rest)  # type: ignore[arg-type]
        return replace(made, lat_p99_ns=None, lat_bins_ns=(), lat_counts=()) if row.chunk_kib == 4 else made

    monkeypatch.setattr(synthetic, "observation", without_latency)

    def without_capacity(row: TrialRow) -> TrialRow:
        return replace(row, usable_bytes=None) if row.chunk_kib == 8 else row

    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300, 310), seconds=1), change=without_capacity)
    wishes = Wishes(require=("p99 < 60 s", "usable >= 1 GiB"))
    latency, capacity = only(tmp_path / "s", wishes=wishes).constraints
    assert constraint_line(latency).endswith(
        "met by 3 points, not met by 0, not measured for 1 (raid0 x4 4K xfs flat)."
    )
    assert constraint_line(capacity).endswith("not measured for 1 (raid0 x4 8K xfs flat).")
    noisy = only(tmp_path / "s", wishes=Wishes(require=("iops > 300",))).constraints[0]
    assert "inconclusive for 1 (raid0 x4 16K xfs flat)" in constraint_line(noisy)


@pytest.mark.parametrize(
    ("finalists", "words"),
    [
        ((16,), "raid0 x4 16K xfs flat alone of 3 points was left for the fresh runs of the race"),
        ((), "no point of 3 has fresh runs of the race: either it has not ended, or no point met its requirements"),
    ],
)
def test_a_race_without_two_finalists_says_so(tmp_path: Path, finalists: tuple[int, ...], words: str) -> None:
    def race(row: TrialRow) -> TrialRow:
        return replace(row, phase="confirmation" if row.chunk_kib in finalists else "screening")

    def status(point: int, block: int) -> str:
        return "ok" if block == 0 or 4 << point in finalists else "missing"

    synthetic.write(tmp_path / "s", Plan(chunks(100, 200, 300), seconds=1), change=race, status=status)
    answer = only(tmp_path / "s")
    assert answer.refusal is not None
    assert words in answer.refusal
    assert "replicates" not in answer.refusal
    assert "rerun the same command: it resumes" in answer.next_runs[0].sentence
    assert "into a new store" in answer.next_runs[0].sentence
