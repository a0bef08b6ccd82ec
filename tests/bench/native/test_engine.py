from __future__ import annotations

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from bench import campaign
from bench.cli.main import outcome
from bench.engine import Targets
from bench.errors import EngineError, HostTaintedError, SweepFileError
from bench.fio.engine import FioEngine
from bench.native import api, words
from bench.native.engine import NativeEngine, jobs_of
from bench.native.options import Job, Part
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.sweep import Sweep
from permutations.workload import Workload

MIB = 1 << 20
ENGINE = NativeEngine()
LOAD = Workload("w", engine="native", rw="randrw", ioengine="auto", iodepth=4, numjobs=2, io_size_bytes=MIB)


@pytest.fixture
def targets(tmp_path: Path) -> Targets:
    paths = tuple(tmp_path / f"target:{number}" for number in range(3))
    for path in paths:
        path.write_bytes(os.urandom(MIB))
    return Targets((paths,), MIB, device=False)


def run(workload: Workload, targets: Targets, tmp_path: Path, timeout_s: float = 60):
    return ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=timeout_s)


def test_each_job_moves_its_io_size_and_every_figure_is_there(targets, tmp_path):
    workload = replace(LOAD, rwmixread=70, fsync=8)
    measured = run(workload, targets, tmp_path)
    by_name = {each.direction: each for each in measured.directions}
    assert set(by_name) == {"read", "write", "sync", "commit"}
    assert by_name["read"].total_bytes + by_name["write"].total_bytes == 2 * MIB
    assert 0.6 < by_name["read"].ios / 512 < 0.8
    least, most = (sum((count - less) // 8 for count in writes_of_jobs(measured)) for less in (1, 0))
    assert least <= by_name["sync"].ios <= most  # the last one is due after the last write, when the job may be done
    for each in measured.directions:
        assert (each.errors, sum(each.lat_counts)) == (0, each.ios)
        assert each.lat_min_ns <= each.lat_p50_ns <= each.lat_p99_ns <= each.lat_p999_ns
        assert each.iops == pytest.approx(each.ios * 1e9 / each.runtime_ns)
    assert measured.warnings == ()  # how it was measured is no warning, and is in the raw output
    assert all(job["picked"] for job in json.loads(measured.raw)["jobs"])
    assert measured.engine_version.endswith(("(c)", "(python)"))


def writes_of_jobs(measured):
    return [job["sequence"] for job in json.loads(measured.raw)["jobs"]]


def test_there_is_a_row_for_every_second_with_percentiles_of_its_own(targets, tmp_path):
    measured = run(replace(LOAD, rw="randread", io_size_bytes=None, runtime_s=2.0), targets, tmp_path)
    assert [row.second for row in measured.intervals] == [0, 1]
    for row in measured.intervals:
        assert 0 < row.lat_p50_ns <= row.lat_p99_ns <= row.lat_p999_ns
    assert sum(row.iops for row in measured.intervals) <= measured.directions[0].ios


def test_the_raw_output_keeps_every_histogram_of_every_second(targets, tmp_path):
    measured = run(replace(LOAD, rw="randread", io_size_bytes=None, runtime_s=1.0), targets, tmp_path)
    raw = json.loads(measured.raw)
    (second,) = raw["seconds"]
    assert sum(second["histogram"][1::2]) == second["ios"]
    assert sum(raw["directions"][0]["lat_ns"]["histogram"][1::2]) == measured.directions[0].ios


def test_sequential_jobs_go_over_their_own_bytes(targets):
    jobs = jobs_of(replace(LOAD, rw="read", numjobs=6), targets)
    places = [(part.path, part.offset, part.size) for job in jobs for part in job.parts]
    assert sorted(places) == sorted((path, at, MIB // 2) for path in targets.paths for at in (0, MIB // 2))


def test_the_jobs_are_bound_to_the_cpus_in_turn(targets):
    jobs = jobs_of(replace(LOAD, numjobs=3, options=(("cpus_allowed", "0,4-5"),)), targets)
    assert [job.cpu for job in jobs] == [0, 4, 5]
    assert [job.cpu for job in jobs_of(LOAD, targets)] == [None, None]


def test_the_command_does_the_same_again(targets, tmp_path, capsys):
    measured = run(replace(LOAD, fsync=8), targets, tmp_path)
    first, second, *arguments = shlex.split(measured.command)
    assert (first, second) == ("stripelab", "native")
    assert outcome(["native", *arguments, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert [(each["direction"], each["ios"]) for each in again["directions"]] == [
        (each.direction, each.ios) for each in measured.directions
    ]


def test_it_writes_as_often_as_fio_does(targets, tmp_path):
    """The same io_size, share of reads and fsync: counts agree exactly where fio's meaning is kept."""
    workload = replace(LOAD, rw="randwrite", fsync=8)
    fio = FioEngine().run(replace(workload, ioengine="psync", iodepth=1), targets, scratch=tmp_path, timeout_s=60)
    native = run(workload, targets, tmp_path)
    assert next((each.direction, each.ios) for each in native.directions) == ("write", fio.directions[0].ios)
    assert native.directions[1].direction == fio.directions[1].direction == "sync"


def test_a_run_that_outlasts_its_time_is_stopped(targets, tmp_path):
    with pytest.raises(EngineError, match=r"not done after 0\.2 s and was stopped"):
        run(replace(LOAD, io_size_bytes=None, runtime_s=30.0), targets, tmp_path, timeout_s=0.2)


def test_io_that_never_comes_back_taints_the_host(targets, tmp_path, monkeypatch):
    finished = api.run_jobs

    def stuck(*arguments, **options):
        result = finished(*arguments, **options)
        return replace(result, jobs=(replace(result.jobs[0], abandoned=True), *result.jobs[1:]))

    monkeypatch.setattr(api, "run_jobs", stuck)
    with pytest.raises(HostTaintedError, match=r"job\(s\) 0 was still in the kernel"):
        run(LOAD, targets, tmp_path)


def test_a_failure_names_errno_and_offset(targets, tmp_path):
    targets.paths[0].unlink()
    targets.paths[0].symlink_to("/dev/full")
    broken = replace(LOAD, rw="randwrite", direct=False, numjobs=1)
    with pytest.raises(EngineError, match="is no regular file"):
        run(broken, targets, tmp_path)


def test_a_file_that_is_cut_short_meanwhile_fails_with_the_first_offsets(targets, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.native.engine.check_targets", lambda _: None)
    os.truncate(targets.paths[0], MIB // 2)
    with pytest.raises(EngineError, match=r"end of file \(at offset 524288") as caught:
        run(replace(LOAD, rw="read", numjobs=1, io_size_bytes=None, runtime_s=1.0), targets, tmp_path)
    assert caught.value.command.startswith("stripelab native --rw=read")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"options": (("rate_iops", "many"),)}, "rate_iops 'many' is no whole number"),
        ({"options": (("thinktime", "5"),)}, "has no option 'thinktime'; known are bssplit"),
        ({"options": (("bssplit", "4k:8k"),)}, "is no list of SIZE/PERCENT"),
        ({"options": (("bssplit", "1000/100"),)}, "multiple of 512, not 1000"),
        ({"options": (("cpus_allowed", "3-1"),)}, "no list of CPUs"),
        ({"options": (("buffer_compress_percentage", "101"),)}, "compress_pct"),
        ({"ioengine": "mmap"}, "ioengine 'mmap' is not one of auto"),
        ({"iodepth": 2, "ioengine": "psync"}, "psync has one I/O in flight"),
        ({"job_file": "x.fio"}, "job_file is a matter of fio"),
        ({"fsync": 1, "options": (("fdatasync", "1"),)}, "fsync and fdatasync"),
        ({"rw": "read", "options": (("fdatasync", "1"),)}, "fdatasync needs a workload that writes"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_touched(change, said):
    with pytest.raises(SweepFileError, match=said.replace("(", r"\(")):
        ENGINE.check_workload(replace(LOAD, **change))


def test_a_job_as_one_word_comes_back_whole():
    job = Job((Part(Path("/a:b\\c"), 0, 5), Part(Path("/d@1+2"), 7, 9)))
    assert words.job_parts(words.job_text(job)) == job.parts


@pytest.mark.parametrize("text", ["", "/a", "/a@x+1", "/a@1", ":"])
def test_a_job_without_a_part_is_refused(text):
    with pytest.raises(SweepFileError):
        words.job_parts(text)


SWEEP = """
[sweep]
name = "native"
[factors]
level = ["jbod"]
disks = [1]
filesystem = ["raw"]
[[workload]]
name = "w"
engine = "native"
rw = "randread"
bs = "4k"
runtime_s = 1
options = {{ {option} }}
"""


def plan_with(option, folder):
    path = folder / "sweep.toml"
    path.write_text(SWEEP.format(option=option))
    return make_plan(Sweep.load(path, vocabulary()))


def test_before_a_disk_is_touched_a_sweep_needs_no_program_of_the_engines_name(tmp_path):
    assert "native" not in campaign.preflight(plan_with("rate_iops = 10", tmp_path))


def test_before_a_disk_is_touched_an_option_with_a_value_that_is_none_is_refused(tmp_path):
    with pytest.raises(SweepError, match="rate_iops 'many' is no whole number"):
        plan_with('rate_iops = "many"', tmp_path)
