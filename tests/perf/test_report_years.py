"""The report over years of nights, as HTML and as a PDF: what it weighs, and how long it takes.

Forty metrics, twenty trials a night, an outcome for each night, the seconds of every run and a histogram of each: three
years of them.  Beside it stands what the same report weighs with 300 nights trial by trial (``--nights 300``).
"""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path

import pytest

from results.nightly import answer
from results.nightly.answer import Baseline, Nightly, Verdict
from results.report import trend, write
from results.store.folder import BUNDLE_TRIALS
from results.store.query import load
from tests.results import synthetic
from tests.results.nightly import stored
from tests.results.nightly.stored import Nights, night_name

NIGHTS, POINTS, REPLICATES, SECONDS, BUCKETS = 3 * 365, 4, 5, 10, 60
WORKLOADS = ("scan", "random-read", "random-write", "log", "mixed")
FELL = 3
"""Nights before the last one since which everything is a fifth slower."""


def years(path: Path, nights: int = NIGHTS, *, seconds: int = SECONDS, buckets: int = BUCKETS) -> None:
    """A store of so many nights, with an outcome of each."""
    plan = Nights(
        count=nights,
        points=POINTS,
        replicates=REPLICATES,
        workloads=WORKLOADS,
        nights_a_bundle=BUNDLE_TRIALS // (POINTS * REPLICATES),
        seconds=seconds,
        buckets=buckets,
        effect=lambda night, _point, _workload: -0.2 if night >= nights - FELL else 0.0,
    )
    stored.write(path, plan)
    trends = trend.read_nights(load(path, verify=False)).trends
    (path / "nights").mkdir()
    for number in range(nights):
        night = _outcome(trends, number, slow=number >= nights - FELL)
        (path / "nights" / f"{night.night}.json").write_text(json.dumps(night.to_json()))


def _outcome(trends: tuple[trend.Trend, ...], number: int, *, slow: bool) -> Nightly:
    """A night on which everything is well, or everything is slower."""
    word = answer.REGRESSION if slow else answer.OK
    reason = "12 pairs confirm it, and the interval excludes the practical margin" if slow else ""
    change = -20.0 if slow else 0.3
    verdicts = tuple(
        Verdict(metric=each.metric, word=word, reason=reason, baseline="first", change_pct=change, margin_pct=5.0)
        for each in trends
    )
    return Nightly(
        night=night_name(number),
        sweep="synthetic",
        store="S",
        hostname="bench-01",
        started_at_ns=synthetic.START_NS + number * 86_400 * 10**9,
        duration_s=3600.0,
        verdicts=verdicts,
        baseline=Baseline(name="first", set_at_ns=synthetic.START_NS, reason="the first nights", nights=60),
        substrates=("disk",),
    )


def _timed(store: Path, target: Path, nights: str | None = None) -> str:
    started, cpu = time.perf_counter(), time.process_time()
    written = write(store, target, nights=nights)
    spent = f"{time.perf_counter() - started:.1f} s, CPU {time.process_time() - cpu:.1f} s"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{written.size_bytes / 1e6:.2f} MB in {spent}, peak so far {peak:.0f} MiB"


@pytest.mark.timeout(1800)
def test_the_report_of_three_years_of_nights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    years(store)
    page = tmp_path / "report.html"
    with capsys.disabled():
        print(f"\n{NIGHTS} nights, {NIGHTS * POINTS * REPLICATES:,} trials, {len(WORKLOADS)} workloads:")
        print(f"HTML: {_timed(store, page)}")
        assert page.stat().st_size < 5_000_000
        print(f"HTML, 300 nights trial by trial: {_timed(store, tmp_path / 'more.html', '300')}")
        print(f"PDF: {_timed(store, tmp_path / 'report.pdf')}")
