"""Workloads that sync are judged by what a commit takes, whatever the write alone does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from results.errors import ResultsError
from results.estimates.constraints import of_workload
from results.estimates.objective import usual_objective
from results.guarantee.answer import Question
from results.guarantee.judge import guarantee
from results.guarantee.text import contract
from results.nightly.history import read_history
from results.plotting.measured import measured, sweep_of
from results.recommendation.recommend import Wishes, recommend
from results.runs.seconds import added, series
from results.store.folder import Store
from results.store.query import load
from results.store.schema import NIGHT, IntervalRow, ObservationRow, TrialRow
from stripelab.constraint import parse
from stripelab.metrics import DIRECTED_LATENCIES, LAST_BUCKET_NS, LATENCIES, figure, metric_name, parts
from tests.results import synthetic
from tests.results.synthetic import Plan

MS = 1_000_000
QUICK_WRITE = {"level": "raid10", "disks": 4, "chunk_kib": 64, "filesystem": "xfs"}
QUICK_COMMIT = {"level": "raid5", "disks": 4, "chunk_kib": 64, "filesystem": "xfs"}
MEANS_MS = {"raid10": (10.0, 200.0), "raid5": (40.0, 60.0)}
"""Of a write and of a sync: the write alone ranks the array first whose commits take twice as long."""
PLAN = Plan([(QUICK_WRITE, 1.0), (QUICK_COMMIT, 1.0)], replicates=5, workload="wal")
SECONDS = 20
Rows = Sequence[ObservationRow]


def of_direction(trial: TrialRow, direction: str, mean_ms: float, **changes: object) -> ObservationRow:
    row = synthetic.observation(PLAN, trial, 16 * 1000 / mean_ms, direction, None)
    rate = 1000 / sum(MEANS_MS[trial.level])
    moved = 4096 * rate if direction == "write" else 0.0
    named = {"engine": "native", "runtime_ns": SECONDS * 1000 * MS, "iops": rate, "ios": round(rate * SECONDS)}
    named |= {"bw_bytes_s": moved, "total_bytes": round(moved * SECONDS)}
    return replace(row, **{**named, **changes})


def measurements(trial: TrialRow) -> list[ObservationRow]:
    noise = math.exp(np.random.default_rng([7, trial.run_order]).normal(0, 0.02))
    write, sync = (noise * each for each in MEANS_MS[trial.level])
    return [
        of_direction(trial, name, mean) for name, mean in (("write", write), ("sync", sync), ("commit", write + sync))
    ]


def seconds(row: ObservationRow) -> list[IntervalRow]:
    return [
        IntervalRow(
            trial_id=row.trial_id,
            workload=row.workload,
            direction=row.direction,
            second=second,
            iops=row.iops,
            bw_bytes_s=row.bw_bytes_s,
            lat_mean_ns=row.lat_mean_ns,
            lat_p99_ns=row.lat_p99_ns,
        )
        for second in range(SECONDS)
    ]


def make(path: Path, sweep: str = "", kept: Callable[[Rows], Rows] = lambda rows: rows, **columns: object) -> Path:
    store = Store.create(path)
    store.put_environment(synthetic.environment(PLAN.substrate))
    for order, (point, block, _) in enumerate(synthetic.values(PLAN)):
        trial = replace(synthetic.trial(PLAN, PLAN.truth[point][0], block, order), **columns)
        rows = list(kept(measurements(trial)))
        store.append(trial, rows, [second for row in rows for second in seconds(row)], [])
    if sweep:
        (path / "sweep.toml").write_text(sweep)
    return path


def asking(metric: str, more: str = "") -> str:
    return f'[[objective]]\nworkload = "wal"\nminimise = "{metric}"\n{more}'


def as_fio(rows: Rows) -> Rows:
    """What fio tells of an fsync: writes and syncs apart, and of commits nothing."""
    return [replace(row, engine="fio") for row in rows if row.direction != "commit"]


def level(answer) -> str:
    return answer.overall.chosen.settings["level"]


@pytest.mark.parametrize("metric", ["lat_p99_ns", "lat_p50_ns", "lat_mean_ns", "lat_max_ns"])
def test_a_plain_latency_of_a_workload_that_syncs_is_that_of_its_commits(tmp_path, metric):
    (answer,) = recommend(make(tmp_path / "s", asking(metric))).answers
    assert (answer.metric, level(answer)) == (f"commit_{metric}", "raid5")
    (note,) = [each for each in answer.notes if "is read as" in each]
    assert f"The workload syncs, so {metric} is read as commit_{metric}" in note
    assert f"write_{metric} and sync_{metric} are the parts" in note


@pytest.mark.parametrize(("direction", "fastest"), [("write", "raid10"), ("sync", "raid5"), ("commit", "raid5")])
def test_each_part_of_a_commit_can_be_named(tmp_path, direction, fastest):
    (answer,) = recommend(make(tmp_path / "s", asking(f"{direction}_lat_p99_ns"))).answers
    assert (answer.metric, level(answer)) == (f"{direction}_lat_p99_ns", fastest)
    said = [each for each in answer.notes if "commit_lat_p99_ns is write and sync together" in each]
    assert len(said) == (direction != "commit")  # a part is never ranked by without a word


def test_where_nothing_is_asked_for_commits_judge_a_workload_that_syncs(tmp_path):
    (answer,) = recommend(make(tmp_path / "s")).answers
    assert (answer.metric, answer.maximise, answer.objective_stated, level(answer)) == (
        "commit_lat_p99_ns",
        False,
        False,
        "raid5",
    )
    assert "commit_lat_p99_ns" in answer.front.metrics
    assert "lat_p99_ns" not in answer.front.metrics


def test_commits_that_the_engine_did_not_measure_are_refused_with_the_remedy(tmp_path):
    (answer,) = recommend(make(tmp_path / "s", asking("lat_p99_ns"), as_fio)).answers
    assert answer.overall is None
    assert "its latency is that of commits (commit_lat_p99_ns), and fio did not measure that" in answer.refusal
    assert 'run it with engine = "native", or ask for sync_lat_* or write_lat_* by name' in answer.refusal


def test_of_a_mean_alone_the_mean_judges(tmp_path):
    def mean_only(rows: Rows) -> Rows:
        gone = {"lat_p50_ns": None, "lat_p95_ns": None, "lat_p99_ns": None, "lat_p999_ns": None, "lat_bins_ns": ()}
        return [replace(row, **gone, lat_counts=()) if row.direction == "commit" else row for row in rows]

    (answer,) = recommend(make(tmp_path / "s", kept=mean_only)).answers
    assert (answer.metric, level(answer)) == ("commit_lat_mean_ns", "raid5")


def test_a_requirement_on_latency_is_one_on_commits(tmp_path):
    sweep = '[[objective]]\nworkload = "wal"\nmaximise = "iops"\nrequire = ["p99 < 250 ms"]\n'
    (answer,) = recommend(make(tmp_path / "s", sweep)).answers
    assert answer.meeting.chosen.settings["level"] == "raid5"  # writes of both are far below
    assert answer.constraints[0].constraint == "99th percentile of commit latency < 250 ms"
    (answer,) = recommend(tmp_path / "s", wishes=Wishes(require=("write_p99 < 50 ms",))).answers
    assert answer.meeting is None  # nothing meets both


def test_a_requirement_on_commits_that_were_not_measured_names_the_engine(tmp_path):
    wanted = '[[objective]]\nworkload = "wal"\nmaximise = "iops"\nrequire = ["commit_p99 < 20 ms"]\n'
    (answer,) = recommend(make(tmp_path / "s", wanted, kept=as_fio)).answers
    assert 'did not measure that: run it with engine = "native"' in str(answer)


def test_a_wish_about_commits_passes_by_what_does_not_sync():
    trial = synthetic.trial(PLAN, QUICK_WRITE, 0, 0)
    scan = replace(of_direction(trial, "write", 10.0), workload="scan", direction="read")
    wish = parse("commit_p99 < 20 ms")
    assert of_workload((), (wish,), [scan], "scan") == ()
    assert of_workload((), (wish,), [scan, *as_fio(measurements(trial))], "wal") == (wish,)
    assert len(of_workload(("p99 < 20 ms",), (parse("commit_p99 < 20 ms"),), as_fio(measurements(trial)), "wal")) == 1
    (kept,) = of_workload(("p99 < 20 ms",), (), [scan], "scan")
    assert kept.metric == "lat_p99_ns"


def test_rates_of_syncs_and_commits_are_never_added_to_those_of_writes(tmp_path):
    store = make(tmp_path / "s", '[[objective]]\nworkload = "wal"\nmaximise = "iops"\n')
    (answer,) = recommend(store).answers
    rate = 1000 / sum(MEANS_MS["raid5"])
    assert answer.overall.chosen.value == pytest.approx(rate)
    by_trial: dict[str, list] = {}
    for each in series(load(store), ("iops",)):
        by_trial.setdefault(each.trial_id, []).append(each)
    for own in by_trial.values():
        assert {each.direction for each in own} == {"write", "sync", "commit"}
        assert added(own, "iops")[0].max() <= rate


def test_few_commits_are_pointed_out(tmp_path):
    (answer,) = recommend(make(tmp_path / "s", asking("lat_p999_ns"))).answers
    assert any(
        "99.9th percentile of commit latency of a run with" in each and "needs 1000" in each for each in answer.notes
    )


def test_plots_and_comparisons_read_the_name_alike(tmp_path):
    found = measured(sweep_of(load(make(tmp_path / "s"))), "wal", "lat_p99_ns")
    assert found.metric == "commit_lat_p99_ns"


def guaranteed(store: Path, **asked: object):
    return guarantee(store, Question(workload="wal", point=synthetic.point_id(QUICK_WRITE)[:6], **asked))


def test_a_guarantee_of_latency_is_one_of_commits(tmp_path):
    found = guaranteed(make(tmp_path / "s"), metric="lat_p99_ns")
    assert (found.metric, found.direction) == ("lat_p99_ns", "commit")
    assert "wal (99th percentile of commit latency)" in " ".join(contract(found).split())
    assert found.bound.value > 400 * MS  # twice the mean; of writes it is 20 ms
    assert guaranteed(tmp_path / "s", metric="commit_lat_p99_ns").bound == found.bound
    assert guaranteed(tmp_path / "s").bound == found.bound
    assert guaranteed(tmp_path / "s", metric="lat_p99_ns", direction="write").bound.value < 30 * MS
    assert guaranteed(tmp_path / "s", metric="iops").bound.value == pytest.approx(1000 / 210)
    with pytest.raises(ResultsError, match="is of commits, and --direction says write"):
        guaranteed(tmp_path / "s", metric="commit_lat_p99_ns", direction="write")


def test_a_guarantee_of_commits_that_were_not_measured_names_the_engine(tmp_path):
    found = guaranteed(make(tmp_path / "s", kept=as_fio), metric="lat_p99_ns")
    (gap,) = [each for each in found.refusals if each.kind == "intervals-missing"]
    assert "no observation of the direction commit" in gap.reason
    assert "the native engine" in gap.remedy


@pytest.mark.parametrize(
    ("kept", "watched"),
    [
        (lambda rows: rows, {("write", "iops"), ("commit", "lat_p99_ns")}),
        (as_fio, {("write", "iops"), ("write", "lat_p99_ns"), ("sync", "lat_p99_ns")}),
    ],
)
def test_nights_watch_commits_and_nothing_twice(tmp_path, kept, watched):
    store = make(tmp_path / "s", kept=kept, night="2026-01-01", night_role=NIGHT)
    found = {(each.metric.direction, each.metric.figure) for each in read_history(load(store)).all_series()}
    assert found == watched


def test_names_and_units_of_every_latency():
    assert parts("commit_lat_p99_ns") == ("commit", "lat_p99_ns")
    assert parts("lat_p99_ns") == (None, "lat_p99_ns")
    assert parts("slat_mean_ns") == (None, "slat_mean_ns")
    assert metric_name("sync_lat_p999_ns") == "99.9th percentile of sync latency"
    assert metric_name("commit_lat_mean_ns") == "mean commit latency"
    assert figure("commit_lat_p99_ns", 12.1 * MS) == "12.1 ms"
    assert figure("commit_lat_p99_ns", LAST_BUCKET_NS).startswith("at least")
    assert set(DIRECTED_LATENCIES) < set(LATENCIES)
    assert {metric_name(each) for each in LATENCIES}.isdisjoint(LATENCIES)


def test_the_usual_objective_of_a_workload_without_syncs_stays_a_rate():
    trial = synthetic.trial(PLAN, QUICK_WRITE, 0, 0)
    assert usual_objective("wal", [of_direction(trial, "write", 10.0)]).metric == "iops"
