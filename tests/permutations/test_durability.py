"""Which workloads sync, what their engine tells of a commit, and what names of latencies stand for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from permutations.durability import Commits, commits, syncs
from permutations.errors import SweepError
from permutations.objective import Objective, as_measured, metric_problem
from permutations.sweep import Sweep
from permutations.workload import Workload
from stripelab.constraint import parse

LOG = Workload("wal", rw="randwrite")
JOBS = "[global]\nrw=write\nbs=8k\n{}\n[a]\n[b]\n"
SWEEP = '[factors]\nlevel = "raid0"\ndisks = 2\n[[workload]]\nname = "wal"\nrw = "write"\nbs = "8k"\n'


def of_file(text: str) -> Workload:
    return replace(LOG, job_file="wal.fio", job_text=JOBS.format(text))


@pytest.mark.parametrize(
    ("workload", "known"),
    [
        (replace(LOG, fsync=1), Commits.MEAN),
        (replace(LOG, fsync=8), Commits.NONE),
        (replace(LOG, fsync=1, iodepth=2), Commits.NONE),
        (replace(LOG, fsync=1, rw="randrw"), Commits.NONE),
        (replace(LOG, options=(("fdatasync", "1"),)), Commits.MEAN),
        (replace(LOG, options=(("sync", "dsync"),)), Commits.ALL),
        (replace(LOG, options=(("sync", "1"),), iodepth=16, rw="randrw"), Commits.ALL),
        (replace(LOG, options=(("sync", "1"),), fsync=1), Commits.MEAN),
        (replace(LOG, fsync=8, engine="native"), Commits.ALL),
        (of_file("sync=dsync"), Commits.ALL),
        (of_file("sync"), Commits.ALL),
        (of_file("fsync=1"), Commits.MEAN),
        (replace(LOG, job_file="x", job_text="[a]\nrw=write\nfsync=1\n[b]\nrw=write\n"), Commits.NONE),
    ],
)
def test_what_an_engine_tells_of_commits(workload: Workload, known: Commits) -> None:
    assert syncs(workload)
    assert commits(workload) is known
    assert as_measured("lat_p99_ns", workload) == "commit_lat_p99_ns"
    assert as_measured("iops", workload) == "iops"


@pytest.mark.parametrize(
    "workload",
    [
        LOG,
        replace(LOG, options=(("sync", "none"), ("fdatasync", "0"))),
        replace(LOG, options=(("sync_file_range", "write:8"),)),
        replace(LOG, rw="read", options=(("sync", "1"),)),
        of_file("end_fsync=1"),
    ],
)
def test_what_does_not_sync(workload: Workload) -> None:
    assert not syncs(workload)
    assert as_measured("lat_p99_ns", workload) == "lat_p99_ns"
    assert metric_problem("commit_lat_p99_ns", workload) is not None


@pytest.mark.parametrize(
    ("workload", "metric"),
    [
        (replace(LOG, fsync=1, engine="native"), "commit_lat_p99_ns"),
        (replace(LOG, fsync=1), "commit_lat_mean_ns"),
        (replace(LOG, fsync=4), "iops"),
        (LOG, "iops"),
    ],
)
def test_the_usual_objective_is_commit_latency_where_that_is_measured(workload: Workload, metric: str) -> None:
    found = Objective.default_for(workload)
    assert (found.metric, found.maximise) == (metric, metric == "iops")


@pytest.mark.parametrize(
    ("more", "engine"),
    [
        ("fsync = 1", "native"),
        ("options = {fdatasync = 4}", "fio"),  # nobody says here which options native takes
        ('engine = "fio"\nfsync = 1', "fio"),
        ("", "fio"),
    ],
)
def test_a_workload_that_syncs_goes_by_the_engine_that_measures_commits(more: str, engine: str) -> None:
    assert Sweep.parse(SWEEP + more, "t.toml").workloads[0].engine == engine


def test_short_names_of_requirements() -> None:
    assert parse("commit_p99 < 20 ms").metric == "commit_lat_p99_ns"
    assert parse("sync_p999 < 20 ms").metric == "sync_lat_p999_ns"


@pytest.mark.parametrize("line", ['minimise = "sync_lat_p99_ns"', 'maximise = "iops"\nrequire = ["commit_p99 < 9 ms"]'])
def test_a_latency_of_what_a_workload_does_not_do_is_refused(line: str) -> None:
    with pytest.raises(SweepError, match='workload "wal" has no fsync'):
        Sweep.parse(f"{SWEEP}[objective]\n{line}", "t.toml")
    with pytest.raises(SweepError, match='workload "wal" reads nothing, so it has no read_lat_p50_ns'):
        Sweep.parse(f'{SWEEP}[objective]\nminimise = "read_lat_p50_ns"', "t.toml")
