"""One stack for all workloads: shares, simultaneous bounds, requirements, weights, refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from results.errors import ResultsError
from results.estimates.estimate import fit
from results.estimates.joint import Share, joint, range_critical, shares
from results.estimates.responses import Response
from results.recommendation.answer import STATISTICALLY
from results.recommendation.blocks import Table
from results.recommendation.joint import parse_weights
from results.recommendation.recommend import Wishes, recommend
from results.recommendation.summary import blocks as brief
from results.report import write
from results.store.folder import Store
from tests.results import synthetic
from tests.results.synthetic import Plan

LEVELS = ("jbod", "raid0", "raid5", "raid10")
TRUE = {
    "scan": {"jbod": 400e6, "raid0": 800e6, "raid5": 600e6, "raid10": 400e6},
    "oltp": {"jbod": 800.0, "raid0": 810.0, "raid5": 400.0, "raid10": 700.0},
    "wal": {"jbod": 10.0, "raid0": 20.0, "raid5": 40.0, "raid10": 19.0},  # a latency, ms
}


def store_of(path: Path, sweep: str = "", cv: float = 0.01, blocks: int = 4, missing: str = "") -> Path:
    """A store of three workloads over four levels."""
    store = Store.create(path)
    store.put_environment(synthetic.environment())
    points = [{"level": level, "disks": 4, "chunk_kib": 64, "filesystem": "xfs", "layout": "flat"} for level in LEVELS]
    plan = Plan([(point, 1.0) for point in points], replicates=blocks)
    random = np.random.default_rng(7)
    order = 0
    for block in range(blocks):
        for place in random.permutation(len(points)):
            point = points[place]
            row = synthetic.trial(plan, point, block, order)
            order += 1
            seen = []
            for workload, by_level in TRUE.items():
                if workload == missing and point["level"] == "raid0":
                    continue
                value = by_level[str(point["level"])] * float(np.exp(random.normal(0, cv)))
                metric = {"scan": "bw_bytes_s", "oltp": "iops", "wal": "lat_p99_ns"}[workload]
                own = replace(plan, workload=workload, metric="iops" if metric == "lat_p99_ns" else metric)
                made = synthetic.observation(own, row, value, "write", None)
                if metric == "lat_p99_ns":
                    made = replace(made, lat_p99_ns=int(value * 1e6), lat_bins_ns=(), lat_counts=())
                seen.append(made)
            store.append(row, seen)
    if sweep:
        (path / "sweep.toml").write_text(sweep)
    return path


OBJECTIVES = """
[[objective]]
workload = "scan"
maximise = "bw_bytes_s"
[[objective]]
workload = "oltp"
maximise = "iops"
[[objective]]
workload = "wal"
minimise = "lat_p99_ns"
"""


def test_the_worst_share_decides_and_each_workload_says_what_it_gives_up(tmp_path: Path) -> None:
    """By hand: shares are jbod .5 .99 1, raid0 1 1 .5, raid5 .75 .49 .25, raid10 .5 .86 .53."""
    found = recommend(store_of(tmp_path / "s", OBJECTIVES)).joint
    assert found is not None
    assert found.refusal is None
    assert found.workloads == ("scan", "oltp", "wal")
    assert {each.settings["level"]: round(each.score_pct) for each in found.points} == {
        "jbod": pytest.approx(50, abs=2),
        "raid0": pytest.approx(50, abs=2),
        "raid10": pytest.approx(50, abs=2),
        "raid5": pytest.approx(25, abs=2),
    }
    assert {each.settings["level"] for each in found.points if each.tied == STATISTICALLY} == {
        "jbod",
        "raid0",
        "raid10",
    }
    assert found.chosen.settings["level"] == "raid10"  # of the tied it survives a disk failure
    by_workload = {each.workload: each for each in found.chosen.shares}
    assert by_workload["oltp"].share_pct == pytest.approx(100 * 700 / 810, rel=0.03)
    assert by_workload["wal"].share_pct == pytest.approx(100 * 10 / 19, rel=0.03)
    for each in found.points:
        assert each.at_least_pct <= each.score_pct <= each.at_most_pct
        assert each.limited_by in TRUE


def test_the_joint_front_leaves_out_what_another_beats_everywhere_and_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """raid10 is behind raid5 in every workload and in capacity, and as redundant."""
    for workload, value in (("scan", 300e6), ("oltp", 300.0), ("wal", 60.0)):
        monkeypatch.setitem(TRUE[workload], "raid10", value)
    store = store_of(tmp_path / "s", OBJECTIVES)
    found = recommend(store).joint
    assert found is not None
    front = found.front
    assert front is not None
    assert [each.label for each in front.beaten] == ["raid10 x4 64K xfs flat"]
    assert sorted(each.label for each in front.points) == [
        "jbod x4 64K xfs flat",
        "raid0 x4 64K xfs flat",
        "raid5 x4 64K xfs flat",
    ]
    assert front.workloads == ("scan", "oltp", "wal", "", "")
    assert set(front.metrics[3:]) == {"usable_bytes", "disk_failures_survived"}
    write(store, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "3 of 4 candidates are beaten by no other in every workload, capacity and redundancy at once." in text
    for across, upward in ((0, 1), (0, 2), (1, 2)):
        drawn = text[: text.index(f"<figcaption>{front.name(across)} and {front.name(upward)}")]
        assert "</svg>" in drawn[-20:]
    assert "Candidates on the joint Pareto front" in text


def test_weights_make_a_geometric_mean(tmp_path: Path) -> None:
    weighted = OBJECTIVES.replace('maximise = "bw', 'weight = 8\nmaximise = "bw').replace(
        'maximise = "iops', 'weight = 1\nmaximise = "iops'
    )
    store = store_of(tmp_path / "s", weighted + "weight = 1\n")
    found = recommend(store).joint
    assert found is not None
    assert found.chosen.settings["level"] == "raid0"
    assert found.chosen.score_pct == pytest.approx(100 * 0.5**0.1, rel=0.02)
    asked = recommend(store, wishes=Wishes(weights={"scan": 1, "oltp": 1, "wal": 8})).joint
    assert asked is not None
    assert asked.chosen.settings["level"] == "jbod"
    with pytest.raises(ResultsError, match="wa is not a workload"):
        recommend(store, wishes=Wishes(weights={"scan": 1, "oltp": 1, "wa": 8}))
    with pytest.raises(ResultsError, match="oltp, wal has none"):
        recommend(store, wishes=Wishes(weights={"scan": 1}))


@pytest.mark.parametrize("text", ["scan", "=2", "scan=", "scan=0", "scan=-1", "scan=nan", "scan=inf", "scan=x"])
def test_weights_that_are_not_positive_numbers_are_refused(text: str) -> None:
    with pytest.raises(ResultsError, match="must be WORKLOAD=NUMBER"):
        parse_weights([text])


def test_requirements_of_one_workload_bind_the_stack_for_all(tmp_path: Path) -> None:
    sweep = OBJECTIVES.replace('workload = "wal"', 'workload = "wal"\nrequire = ["p99 < 15 ms"]')
    found = recommend(store_of(tmp_path / "s", sweep)).joint
    assert found is not None
    assert [each.settings["level"] for each in found.points] == ["jbod"]
    assert found.requirements == ("p99 latency < 15 ms (wal)",) or "15" in found.requirements[0]
    assert len(found.excluded) == 3
    shares_ = {each.workload: each for each in found.chosen.shares}
    assert shares_["scan"].share_pct == pytest.approx(50, abs=2)  # against the best of scan, which has no requirement


def test_requirements_that_no_stack_meets_together_are_a_refusal(tmp_path: Path) -> None:
    sweep = OBJECTIVES.replace('workload = "wal"', 'workload = "wal"\nrequire = ["p99 < 15 ms"]').replace(
        'workload = "scan"', 'workload = "scan"\nrequire = ["bandwidth > 500 MiB/s"]'
    )
    found = recommend(store_of(tmp_path / "s", sweep))
    assert found.joint is not None
    assert found.joint.refusal is not None
    assert "no point is shown to meet the requirements of every workload" in found.joint.refusal
    assert found.refused


def test_a_workload_without_evidence_refuses_the_joint_answer_and_not_the_others(tmp_path: Path) -> None:
    found = recommend(store_of(tmp_path / "s", OBJECTIVES, blocks=1))
    assert found.joint is not None
    assert found.joint.refusal is not None
    assert "scan" in found.joint.refusal


def test_a_point_without_a_result_of_some_workload_is_no_candidate(tmp_path: Path) -> None:
    found = recommend(store_of(tmp_path / "s", OBJECTIVES, missing="wal")).joint
    assert found is not None
    assert "raid0" not in {each.settings["level"] for each in found.points}
    assert any("raid0" in label for label in found.excluded)


def test_one_workload_needs_no_joint_answer(tmp_path: Path) -> None:
    assert recommend(store_of(tmp_path / "s", OBJECTIVES), workload="scan").joint is None


def test_the_first_screen_names_one_stack_and_two_screens_hold_it_all(tmp_path: Path) -> None:
    text = brief(recommend(store_of(tmp_path / "s", OBJECTIVES)))
    lines = sum(len(each.rows) + 1 if isinstance(each, Table) else len(each.lines) for each in text) + len(text)
    assert lines <= 100
    headings = [each.lines[0] for each in text if not isinstance(each, Table) and each.style == "heading"]
    assert headings[0].startswith("Recommended for all 3 workloads: raid10")


def test_the_critical_value_is_that_of_tukey() -> None:
    """Tables of the studentised range, 5 % (Pearson and Hartley, Biometrika Tables I, 29): q(3, 10) = 3.88."""
    assert range_critical(3, 10.0, 0.95) * 2**0.5 == pytest.approx(3.877, abs=2e-3)
    assert range_critical(10, 20.0, 0.95) * 2**0.5 == pytest.approx(5.01, abs=5e-3)
    level = 1 - 0.05 / (300 * 299)
    assert range_critical(300, 30.0, 0.95) == pytest.approx(float(stats.t.ppf(level, 30)))


def test_bounds_of_shares_are_those_of_tukeys_intervals() -> None:
    """One block effect short of scipy's tukey_hsd: with points alone the intervals of all pairs are the same."""
    random = np.random.default_rng(3)
    logs = np.array([0.0, 0.1, 0.3])[:, None] + random.normal(0, 0.05, (3, 6))
    logs -= logs.mean(axis=0) - logs.mean()  # no block effects at all
    responses = [
        Response(f"{point}{block}", f"p{point}", block, 3 * block + point, float(np.exp(logs[point, block])))
        for point in range(3)
        for block in range(6)
    ]
    model = fit(responses)
    found = shares(model, range(3), maximise=True, confidence=0.95)
    critical = float(stats.studentized_range.ppf(0.95, 3, model.df)) / 2**0.5
    half = critical * model.sd * (2 / 6) ** 0.5
    means = logs.mean(axis=1)
    assert found["p0"].at_least_pct == pytest.approx(100 * np.exp(means[0] - means[2] - half))
    assert found["p0"].at_most_pct == pytest.approx(100 * np.exp(min(0, means[0] - means[2] + half)))
    assert found["p2"] == Share(100.0, pytest.approx(100 * np.exp(means[2] - means[1] - half), abs=40), 100.0)


def test_latencies_count_the_other_way_round() -> None:
    responses = [
        Response(f"{point}{block}", point, block, 2 * block + place, value * (1 + 0.01 * block * (-1) ** place))
        for block in range(5)
        for place, (point, value) in enumerate((("fast", 10.0), ("slow", 40.0)))
    ]
    found = shares(fit(responses), range(2), maximise=False, confidence=0.95)
    assert found["slow"].pct == pytest.approx(25, rel=0.05)
    assert found["fast"].pct == 100.0


def test_the_joint_score_is_the_smallest_share_with_its_own_bounds() -> None:
    one = {"a": Share(90, 80, 95), "b": Share(100, 97, 100), "c": Share(50, 40, 60)}
    other = {"a": Share(70, 60, 80), "b": Share(60, 50, 70)}
    first, second = joint([one, other])
    assert (first.point_id, first.pct, first.at_least_pct, first.at_most_pct, first.limited_by) == ("a", 70, 60, 80, 1)
    assert (second.point_id, second.pct, second.limited_by) == ("b", 60, 1)


def test_points_that_differ_by_less_than_figures_can_show_are_tied() -> None:
    """Without noise in the figures a difference of 1e-10 would be certain."""
    responses = [
        Response(f"{point}{block}", point, block, 2 * block + place, value)
        for block in range(5)
        for place, (point, value) in enumerate((("one", 100.0), ("other", 100.0 * (1 + 1e-10))))
    ]
    found = shares(fit(responses), range(2), maximise=True, confidence=0.95)
    assert found["one"].at_most_pct == 100.0
    assert found["other"].at_least_pct < 100.0


def test_preferences_do_not_choose_a_stack_of_half_the_score(tmp_path: Path) -> None:
    """Noise of 30 % leaves nearly everything tied; redundancy alone would take RAID 5 at a quarter."""
    found = recommend(store_of(tmp_path / "s", OBJECTIVES, cv=0.3, blocks=2)).joint
    assert found is not None
    assert found.refusal is None
    assert len(found.tied) == len(LEVELS)
    assert found.chosen.score_pct >= 0.95 * found.points[0].score_pct
