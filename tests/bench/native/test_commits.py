"""What a commit is, and how long it takes: over every way to the kernel, and from fio's output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.engine import Targets
from bench.fio.engine import FioEngine
from bench.native.engine import NativeEngine
from permutations.workload import Workload
from tests.bench.native.ways import COMMIT, READ, SYNC, WRITE, Way, check_books, every_way, text

BS = 4096
SIZE = 64 * BS
FIO, NATIVE = FioEngine(), NativeEngine()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * SIZE)
    return path


def one(way: Way, options: bytes) -> list[dict[str, Any]]:
    (job,) = way.run(options)
    assert (job["failed"], job["where"]) == (0, "")
    check_books(job)
    return job["directions"]


def sums_ns(directions: list[dict[str, Any]]) -> list[int]:
    return [found["lat"]["sum_ns"] for found in directions]


@every_way
@pytest.mark.parametrize("kind", ["fsync", "fdatasync"])
@pytest.mark.parametrize("reads", [0, 1])
def test_with_fsync_1_a_commit_is_a_write_and_its_sync(way: Way, file: Path, kind: str, reads: int) -> None:
    found = one(way, text(way, [(file, 0, SIZE)], reads=reads, writes=1, random=1, io_size=200 * BS, **{kind: 1}))
    assert found[COMMIT]["ios"] == found[SYNC]["ios"] > 50
    assert found[WRITE]["ios"] - found[SYNC]["ios"] in {0, 1}  # the last sync is due when the job is over
    assert found[COMMIT]["bytes"] == 0
    parts_ns = sums_ns(found)[WRITE] + sums_ns(found)[SYNC]
    unsynced_ns = (found[WRITE]["ios"] - found[SYNC]["ios"]) * found[WRITE]["lat"]["max_ns"]
    assert sums_ns(found)[COMMIT] >= parts_ns - unsynced_ns - 2 * found[WRITE]["ios"]  # each is rounded to a nanosecond
    assert found[COMMIT]["lat"]["min_ns"] >= found[WRITE]["lat"]["min_ns"] + found[SYNC]["lat"]["min_ns"] - 2
    if way.implementation == "c":  # between the two there is no time that is neither's
        assert sums_ns(found)[COMMIT] <= parts_ns + 2 * found[WRITE]["ios"]


@every_way
def test_with_fsync_n_a_commit_runs_from_the_first_of_the_writes(way: Way, file: Path) -> None:
    found = one(way, text(way, [(file, 0, SIZE)], writes=1, random=1, fsync=4, io_size=200 * BS))
    assert found[COMMIT]["ios"] == found[SYNC]["ios"] in {49, 50}
    lat = [each["lat"] for each in found]
    assert lat[COMMIT]["min_ns"] >= 4 * lat[WRITE]["min_ns"] + lat[SYNC]["min_ns"] - 5
    unsynced_ns = (200 - 4 * found[SYNC]["ios"]) * lat[WRITE]["max_ns"]
    assert lat[COMMIT]["sum_ns"] >= lat[WRITE]["sum_ns"] + lat[SYNC]["sum_ns"] - unsynced_ns - 500


@every_way
def test_a_sync_commits_the_writes_of_its_own_file(way: Way, tmp_path: Path) -> None:
    """Random I/O takes the files in turn, so that with fsync = 2 the second of two files alone is ever synced."""
    files = [(tmp_path / name, 0, SIZE) for name in ("a", "b")]
    for path, _, _ in files:
        path.write_bytes(b"\xa5" * SIZE)
    found = one(way, text(way, files, writes=1, random=1, fsync=2, io_size=200 * BS))
    assert found[COMMIT]["ios"] == found[SYNC]["ios"] >= 99
    if way.implementation == "c":
        first_file_ns = 99 * found[WRITE]["lat"]["min_ns"]
        parts_ns = sums_ns(found)[WRITE] + sums_ns(found)[SYNC]
        assert sums_ns(found)[COMMIT] <= parts_ns - first_file_ns + 500


@every_way
def test_with_several_in_flight_a_sync_commits_what_was_done_before_it(way: Way, file: Path) -> None:
    options = text(way, [(file, 0, SIZE)], writes=1, random=1, fsync=3, iodepth=8, io_size=300 * BS, slat_every=1)
    found = one(way, options)
    lat = [each["lat"] for each in found]
    assert 0 < found[COMMIT]["ios"] <= found[SYNC]["ios"]
    assert lat[COMMIT]["min_ns"] >= lat[WRITE]["min_ns"] + lat[SYNC]["min_ns"] - 2


@every_way
@pytest.mark.parametrize("record", [0, 1])
def test_what_does_not_sync_commits_nothing(way: Way, file: Path, record: int) -> None:
    found = one(way, text(way, [(file, 0, SIZE)], reads=1, writes=1, random=1, io_size=50 * BS)) if record else None
    if found is not None:
        assert (found[SYNC]["ios"], found[COMMIT]["ios"]) == (0, 0)
    (job,) = way.run(text(way, [(file, 0, SIZE)], writes=1, fsync=1, io_size=50 * BS, record=record))
    assert job["directions"][COMMIT]["ios"] == job["directions"][SYNC]["ios"]


@every_way
def test_an_open_loop_counts_from_when_the_write_was_due(way: Way, file: Path) -> None:
    """A write and its sync are arrivals of their own, so that a commit lasts from one to the end of the next."""
    options = text(way, [(file, 0, SIZE)], writes=1, fsync=1, rate_iops=200, io_size=20 * BS)
    found = one(way, options)
    assert found[COMMIT]["ios"] == found[SYNC]["ios"] > 0
    assert found[COMMIT]["lat"]["min_ns"] >= 4_900_000
    assert found[READ]["ios"] == 0


def measured(engine: Any, file: Path, tmp_path: Path, **more: Any) -> dict[str, Any]:
    workload = Workload("wal", engine=engine.name, rw="randwrite", io_size_bytes=200 * BS, **more)
    done = engine.run(workload, Targets(((file,),), SIZE, device=False), scratch=tmp_path, timeout_s=60)
    return {each.direction: each for each in done.directions}


def test_the_native_engine_reports_commits_as_a_direction_with_all_figures(file, tmp_path):
    found = measured(NATIVE, file, tmp_path, fsync=1, ioengine="auto")
    assert list(found) == ["write", "sync", "commit"]
    commit, sync = found["commit"], found["sync"]
    assert sum(commit.lat_counts) == commit.ios == sync.ios
    for name in ("lat_min_ns", "lat_mean_ns", "lat_p50_ns", "lat_p95_ns", "lat_p99_ns", "lat_p999_ns", "lat_max_ns"):
        assert getattr(commit, name) >= getattr(sync, name), name  # as each commit is longer than its sync
    assert (commit.total_bytes, commit.slat_mean_ns) == (0, None)


def test_fio_has_the_mean_of_a_commit_and_no_percentile(file, tmp_path):
    found = measured(FIO, file, tmp_path, fsync=1, ioengine="psync")
    write, sync, commit = (found[name] for name in ("write", "sync", "commit"))
    assert commit.lat_mean_ns == write.lat_mean_ns + sync.lat_mean_ns
    assert (commit.lat_p50_ns, commit.lat_p99_ns, commit.lat_max_ns, commit.lat_counts) == (None, None, None, ())
    assert sync.lat_p99_ns is not None


@pytest.mark.parametrize("more", [{"fsync": 4}, {"fsync": 1, "rw": "randrw"}, {"fsync": 1, "iodepth": 4}])
def test_fio_has_no_commit_where_write_and_sync_are_not_one_to_one(file, tmp_path, more):
    more = {"ioengine": "libaio" if "iodepth" in more else "psync", **more}
    workload = Workload("wal", **{"rw": "randwrite", "io_size_bytes": 200 * BS, **more})
    done = FIO.run(workload, Targets(((file,),), SIZE, device=False), scratch=tmp_path, timeout_s=60)
    assert "sync" in {each.direction for each in done.directions}
    assert "commit" not in {each.direction for each in done.directions}


def test_a_durable_write_of_fio_is_a_commit_with_every_figure(file, tmp_path):
    found = measured(FIO, file, tmp_path, ioengine="psync", options=(("sync", "dsync"),))
    assert list(found) == ["write", "commit"]
    write, commit = found["write"], found["commit"]
    for name in ("ios", "iops", "lat_mean_ns", "lat_p50_ns", "lat_p99_ns", "lat_max_ns", "lat_bins_ns", "lat_counts"):
        assert getattr(commit, name) == getattr(write, name)
    assert (commit.total_bytes, commit.bw_bytes_s) == (0, 0.0)
