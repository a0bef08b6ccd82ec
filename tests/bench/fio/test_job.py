"""Where the I/O of a rendered job really goes: fio's own trace of every I/O (write_iolog) says."""

from __future__ import annotations

import itertools
import os
import subprocess
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bench.engine import Targets
from bench.fio.job import render
from permutations.workload import Workload

KIB = 1024


@dataclass(frozen=True)
class Io:
    """One I/O of a trace."""

    name: str
    offset: int
    size: int


def make(folder: Path, groups: int, files: int, size: int) -> Targets:
    found = []
    for group in range(groups):
        paths = tuple(folder / f"g{group}-f{file}" for file in range(files))
        for path in paths:
            path.write_bytes(b"")
            os.truncate(path, size)
        found.append(paths)
    return Targets(tuple(found), size, device=False)


def trace(workload: Workload, targets: Targets, folder: Path) -> list[list[Io]]:
    """Run the rendered job and return the I/Os of each of its jobs."""
    words: list[str] = []
    jobs = 0
    for word in render(workload, targets).arguments:
        words.append(word)
        if word.startswith("--name="):
            (folder / f"trace-{jobs}").unlink(missing_ok=True)  # fio appends
            words.append(f"--write_iolog={folder / f'trace-{jobs}'}")
            jobs += 1
    finished = subprocess.run(
        ["fio", "--output-format=json", "--eta=never", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return [_ios(folder / f"trace-{number}") for number in range(jobs)]


def _ios(path: Path) -> list[Io]:
    found = []
    for line in path.read_text().splitlines()[1:]:
        fields = line.split()
        if len(fields) == 5 and fields[2] in {"read", "write"}:
            found.append(Io(Path(fields[1]).name, int(fields[3]), int(fields[4])))
    return found


def test_random_jobs_spread_their_ios_evenly_over_all_files(tmp_path: Path) -> None:
    targets = make(tmp_path, 1, 5, 256 * KIB)
    workload = Workload("w", rw="randwrite", numjobs=3, iodepth=4, io_size_bytes=800 * KIB)
    jobs = trace(workload, targets, tmp_path)
    first = [job[0].name for job in jobs]
    assert len(set(first)) == 3, "each job starts with another file"
    for job in jobs:
        per_file = Counter(io.name for io in job)
        assert sum(per_file.values()) == 200
        assert len(per_file) == 5
        assert max(per_file.values()) - min(per_file.values()) <= 1
    assert [io.offset for io in jobs[0]] != [io.offset for io in jobs[1]], "jobs have offsets of their own"


def test_offsets_are_the_same_in_every_run(tmp_path: Path) -> None:
    targets = make(tmp_path, 1, 2, 256 * KIB)
    workload = Workload("w", rw="randread", numjobs=2, io_size_bytes=128 * KIB)
    assert trace(workload, targets, tmp_path) == trace(workload, targets, tmp_path)


def test_jobs_stay_within_their_group(tmp_path: Path) -> None:
    targets = make(tmp_path, 3, 2, 64 * KIB)
    jobs = trace(Workload("w", rw="randread", numjobs=4, io_size_bytes=64 * KIB), targets, tmp_path)
    assert [{io.name[:2] for io in job} for job in jobs] == [{"g0"}, {"g1"}, {"g2"}, {"g0"}]


def test_fewer_jobs_than_groups_leave_no_group_idle(tmp_path: Path) -> None:
    targets = make(tmp_path, 4, 2, 64 * KIB)
    jobs = trace(Workload("w", rw="randread", numjobs=2, io_size_bytes=256 * KIB), targets, tmp_path)
    assert [{io.name[:2] for io in job} for job in jobs] == [{"g0", "g2"}, {"g1", "g3"}]


@pytest.mark.parametrize(("files", "jobs", "share_kib"), [(5, 2, 512), (2, 5, 80), (3, 3, 256), (1, 1, 256)])
def test_sequential_jobs_are_streams_that_never_go_over_the_same_bytes(
    tmp_path: Path, files: int, jobs: int, share_kib: int
) -> None:
    """``share_kib`` is what the smallest portion holds: so much, and no job begins again."""
    targets = make(tmp_path, 1, files, 256 * KIB)
    workload = Workload("w", rw="read", bs_bytes=16 * KIB, numjobs=jobs, io_size_bytes=share_kib * KIB)
    traced = trace(workload, targets, tmp_path)
    seen = [(io.name, io.offset) for job in traced for io in job]
    assert len(seen) == len(set(seen)) == jobs * share_kib // 16
    for job in traced:
        for before, after in itertools.pairwise(job):
            assert after.offset == before.offset + 16 * KIB or (after.name != before.name and after.offset == 0)
        assert len({io.name for io in job}) == max(1, share_kib // 256), "one file after the other"


def test_hundreds_of_files_with_long_names_are_all_used(tmp_path: Path) -> None:
    """fio cuts an option at 4096 characters: the names are given in several."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    targets = make(folder, 1, 120, 8 * KIB)
    (job,) = trace(Workload("w", rw="randread", io_size_bytes=480 * KIB), targets, tmp_path)
    assert len({io.name for io in job}) == 120


def test_a_colon_in_a_name_is_no_separator(tmp_path: Path) -> None:
    path = tmp_path / "a:b"
    path.write_bytes(bytes(64 * KIB))
    (job,) = trace(Workload("w", io_size_bytes=16 * KIB), Targets(((path,),), 64 * KIB, device=False), tmp_path)
    assert len(job) == 4


@pytest.mark.parametrize("bs_kib", [4, 64, 1024])
def test_what_fio_writes_does_not_compress_unless_it_is_asked_to(tmp_path: Path, bs_kib: int) -> None:
    """fio by itself writes a buffer again and again: blocks of 4 KiB then compress to a few per cent."""
    targets = make(tmp_path, 1, 1, 2048 * KIB)
    workload = Workload(
        "w", rw="write", bs_bytes=bs_kib * KIB, io_size_bytes=2048 * KIB, ioengine="psync", direct=False
    )
    (path,) = targets.paths
    trace(workload, targets, tmp_path)
    assert len(zlib.compress(path.read_bytes())) > 0.99 * 2048 * KIB
    zeros = replace(workload, options=(("buffer_compress_percentage", "100"),))
    trace(zeros, targets, tmp_path)
    assert len(zlib.compress(path.read_bytes())) < 0.1 * 2048 * KIB
