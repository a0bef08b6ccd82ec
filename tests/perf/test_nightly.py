"""The verdict stage on three years of nights: 40 metrics, 20 trials a night.

A store merges every 256 trials, which are twelve of these nights; a file for every night, as a store gathered from
elsewhere may have, is the worse case.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from results.nightly.courses import Night, courses
from results.nightly.history import read_history
from results.nightly.judge import Fresh, verdict
from results.store.folder import BUNDLE_TRIALS
from results.store.query import load
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name
from tests.results.nightly.test_judge import pinned

NIGHTS, POINTS, REPLICATES = 3 * 365, 4, 5
WORKLOADS = ("scan", "random-read", "random-write", "log", "mixed")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("nights_a_bundle", [BUNDLE_TRIALS // (POINTS * REPLICATES), 1])
def test_time_of_the_verdict_stage_over_three_years(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nights_a_bundle: int
) -> None:
    store = tmp_path / "store"
    fell = -0.2
    stored.write(
        store,
        Nights(
            count=NIGHTS,
            points=POINTS,
            replicates=REPLICATES,
            workloads=WORKLOADS,
            nights_a_bundle=nights_a_bundle,
            effect=lambda night, _point, _workload: fell if night >= NIGHTS - 3 else 0.0,
        ),
    )
    points = [synthetic.point_id(stored.settings(number)) for number in range(POINTS)]
    started, started_cpu = time.perf_counter(), time.process_time()
    history = read_history(load(store, verify=False))
    read_s = time.perf_counter() - started
    night = Night(night_name(NIGHTS - 1), dict(zip(points, points, strict=True)), pinned(60), 60)
    ready, silent = courses(history, night, ())
    found = [verdict(each, each.screened(), Fresh(again=each.since[-3:]), 0.05) for each in ready]
    spent_s, cpu_s = time.perf_counter() - started, time.process_time() - started_cpu
    assert (len(found), silent) == (40, ())
    assert all(each.since is not None and each.since.night == night_name(NIGHTS - 3) for each in found)
    with capsys.disabled():
        trials = POINTS * REPLICATES * NIGHTS
        print(f"\n{NIGHTS} nights, {trials:,} trials, 40 metrics, {nights_a_bundle} nights a file, all metrics dated:")
        print(f"{spent_s:.1f} s, of that reading {read_s:.1f} s; CPU {cpu_s:.1f} s")
