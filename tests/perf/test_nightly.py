"""The verdict stage on three years of nights: 40 metrics, 20 trials a night."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from results.nightly.courses import Night, courses
from results.nightly.history import read_history
from results.nightly.judge import Fresh, verdict
from results.query import load
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name
from tests.results.nightly.test_judge import pinned

NIGHTS, POINTS, REPLICATES = 3 * 365, 4, 5
WORKLOADS = ("scan", "random-read", "random-write", "log", "mixed")


@pytest.mark.timeout(1800)
def test_time_of_the_verdict_stage_over_three_years(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    fell = -0.2
    stored.write(
        store,
        Nights(
            count=NIGHTS,
            points=POINTS,
            replicates=REPLICATES,
            workloads=WORKLOADS,
            effect=lambda night, _point, _workload: fell if night >= NIGHTS - 3 else 0.0,
        ),
    )
    points = [synthetic.point_id(stored.settings(number)) for number in range(POINTS)]
    started = time.perf_counter()
    history = read_history(load(store, verify=False))
    read_s = time.perf_counter() - started
    night = Night(night_name(NIGHTS - 1), dict(zip(points, points, strict=True)), pinned(60), 60)
    ready, silent = courses(history, night, ())
    found = [verdict(each, each.screened(), Fresh(again=each.since[-3:]), 0.05) for each in ready]
    spent_s = time.perf_counter() - started
    assert (len(found), silent) == (40, ())
    assert all(each.since is not None and each.since.night == night_name(NIGHTS - 3) for each in found)
    with capsys.disabled():
        trials = POINTS * REPLICATES * NIGHTS
        print(f"\n{NIGHTS} nights, {trials:,} trials, 40 metrics, every one of them dated: {spent_s:.1f} s")
        print(f"of that, reading: {read_s:.1f} s")
