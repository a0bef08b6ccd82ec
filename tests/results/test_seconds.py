"""Seconds summed up in bounded memory: against pandas on the whole table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from results.errors import ResultsError
from results.runs.seconds import added, by_workload, series, summaries
from results.store import bundles
from results.store.folder import Store
from results.store.query import load
from tests.results import synthetic
from tests.results.synthetic import Plan

PLAN = Plan(synthetic.raid_truth()[:4], replicates=3, seconds=31, directions=("read", "write"), scans=("scan",))


@pytest.mark.parametrize("bundled", [False, True])
def test_summaries_are_those_of_the_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundled: bool) -> None:
    monkeypatch.setattr(bundles, "ROW_GROUP_ROWS", 200)  # several row groups, several trials in each
    store = synthetic.write(tmp_path / "s", PLAN)
    if bundled:
        store.bundle()
    frames = load(tmp_path / "s")
    whole = frames.intervals()
    found = {(each.trial_id, each.workload, each.direction): each for each in summaries(frames, "iops")}
    groups = whole.groupby(["trial_id", "workload", "direction"])["iops"]
    assert set(found) == set(groups.groups)
    for key, values in groups:
        each, figures = found[key], values.to_numpy()
        assert each.seconds == len(figures) == 31
        assert each.missing == 0
        assert each.mean == pytest.approx(figures.mean())
        assert each.sd == pytest.approx(figures.std(ddof=1))
        assert each.quantiles == tuple(np.quantile(figures, (0.01, 0.5, 0.99), method="inverted_cdf"))
        assert each.first_third == pytest.approx(figures[:10].mean())
        assert each.last_third == pytest.approx(figures[-10:].mean())


@pytest.mark.parametrize("bundled", [False, True])
def test_directions_are_added_up_second_by_second(tmp_path: Path, bundled: bool) -> None:
    store = synthetic.write(tmp_path / "s", PLAN)
    if bundled:
        store.bundle()
    frames = load(tmp_path / "s")
    sums = frames.intervals().groupby(["trial_id", "workload", "second"])["iops"].sum()
    seen = set()
    for trial_id, workload, directions in by_workload(series(frames)):
        values, known = added(directions, "iops")
        assert known.all()
        assert values == pytest.approx(sums[trial_id, workload].sort_index().to_numpy(dtype=float))
        seen.add((trial_id, workload))
    assert seen == {key[:2] for key in sums.index}


def test_seconds_come_in_the_order_of_time_however_they_were_written(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    store.put_environment(synthetic.environment())
    row = synthetic.trial(PLAN, PLAN.truth[0][0], 0, 0)
    seconds = [each for way in ("read", "write") for each in synthetic.intervals(PLAN, row, 100.0, way)]
    mixed = [seconds[place] for place in np.random.default_rng(1).permutation(len(seconds))]
    mixed[0] = replace(mixed[0], iops=None)
    store.append(row, [synthetic.observation(PLAN, row, 100.0, "write", None)], mixed)
    frames = load(tmp_path / "s")
    found = {each.direction: each for each in series(frames, ("iops",))}
    assert set(found) == {"read", "write"}
    for way, each in found.items():
        assert each.second.tolist() == list(range(31))
        wanted = {second.second: second.iops for second in mixed if second.direction == way}
        np.testing.assert_array_equal(
            each.figures["iops"], [np.nan if wanted[n] is None else wanted[n] for n in range(31)]
        )
    assert sorted(each.missing for each in summaries(frames, "iops")) == [0, 1]
    assert list(summaries(frames, "lat_p99_ns")) == []


def test_only_the_trials_and_workloads_that_are_asked_for_are_read(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", PLAN).bundle()
    frames = load(tmp_path / "s")
    one = min(frames.store.trial_ids())
    found = list(series(frames, ("iops",), trial_ids=[one], workload="scan"))
    assert [(each.trial_id, each.workload, each.direction) for each in found] == [(one, "scan", "read")]


def test_a_figure_or_quantile_that_is_none_is_refused(tmp_path: Path) -> None:
    synthetic.write(tmp_path / "s", replace(PLAN, replicates=1))
    with pytest.raises(ResultsError, match="no figure speed"):
        list(series(load(tmp_path / "s"), ("speed",)))
    with pytest.raises(ResultsError, match="between 0 and 1"):
        list(summaries(load(tmp_path / "s"), "iops", quantiles=(2,)))
