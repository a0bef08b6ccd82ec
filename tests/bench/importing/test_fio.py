from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.errors import EngineError
from bench.fio.logs import parse_log
from bench.importing import fio
from bench.importing.fio_logs import Logs, is_log
from bench.importing.pattern import compile_pattern
from bench.importing.run import Naming, Run
from tests.bench.importing.conftest import DATA, RECORDED, at, document

NO_LOGS = Logs(Path(), (), "")


def read(text: str, path: str = "x.json", factors: Sequence[str] = ()) -> list[Run]:
    return fio.read(text, Naming.of(path, [compile_pattern(each) for each in factors]), NO_LOGS)


def beside(name: str) -> Run:
    """A recording with the logs that lie beside it."""
    names = tuple(sorted(path.name for path in RECORDED.glob("*.log")))
    logs = Logs(RECORDED, names, name.removesuffix(".json"))
    (run,) = fio.read((RECORDED / name).read_text(), Naming.of(name, []), logs)
    return run


def test_jobs_that_run_at_once_and_do_the_same_are_one_workload() -> None:
    (run,) = read((RECORDED / "randwrite-4-jobs.json").read_text())
    (part,) = run.parts
    (write,) = part.results
    jobs = document()["jobs"]
    assert write.ios == sum(job["write"]["total_ios"] for job in jobs)
    assert write.total_bytes == sum(job["write"]["io_bytes"] for job in jobs)
    assert write.lat_p99_ns is not None
    assert part.workload.startswith("randwrite 4k qd4 j4 direct=1")


def test_stages_of_one_file_are_workloads_and_repetitions_of_their_own() -> None:
    (run,) = read((RECORDED / "stages.json").read_text())
    assert [(part.workload.split()[0], part.group) for part in run.parts] == [
        ("randread", 0),
        ("randread", 1),
        ("randwrite", 2),
    ]
    assert run.parts[0].workload == run.parts[1].workload


def test_documents_of_one_run_are_one_run_and_those_of_several_are_several() -> None:
    (status,) = read((RECORDED / "status-interval.txt").read_text())
    assert status.parts[0].results[0].runtime_ns == pytest.approx(3e9, rel=0.05)
    together = (RECORDED / "put-together.txt").read_text()
    runs = read(together)
    assert [next(iter(run.parts)).workload.split()[0] for run in runs] == ["randread", "randread", "randwrite"]
    assert len({run.identity for run in runs}) == 3


def test_a_server_is_not_counted_twice() -> None:
    (run,) = read((RECORDED / "two-clients.txt").read_text())
    (part,) = run.parts
    assert part.results[0].total_bytes == 2 * 512 * 1024
    assert len(run.hosts) == 1  # both servers ran on this host


def test_a_file_without_any_job_is_refused_and_not_taken_for_one_that_is_there_already() -> None:
    with pytest.raises(EngineError, match="fio ran no job"):
        read('{"fio version" : "fio-3.33", "timestamp" : 1, "jobs" : []}')


def test_what_fio_says_of_every_run_is_no_note_and_what_it_complains_of_is_one() -> None:
    """The lines of a run of 3.42 with --output-format=json,normal; a complaint among each part of them."""
    before = [
        "/dev/nvme8n10: (g=0): rw=randwrite, bs=(R) 4096B-4096B, (W) 4096B-4096B, ioengine=libaio, iodepth=2",
        "...",
        "fio-3.42-6-g219f",
        "Starting 4 processes",
        "  ",
    ]
    after = [
        "/dev/nvme8n10: (groupid=0, jobs=1): err= 0: pid=455825: Wed Jul  8 09:08:21 2026",
        "  write: IOPS=1976, BW=7907KiB/s (8097kB/s)(77.2MiB/10001msec)",
        "Run status group 0 (all jobs):",
        "  WRITE: bw=7907KiB/s (8097kB/s), io=77.2MiB (81.0MB), run=10001-10001msec",
    ]
    plain = (RECORDED / "clat-by-default.json").read_text()
    (run,) = read("\n".join([*before, plain, *after]))
    assert run.notes == ()
    cold, full = "note: the cache was not dropped", "fio: pid=7, err=28/file:io_u.c:1876, error=No space left on device"
    (run,) = read("\n".join([*before[:2], cold, *before[2:], plain, *after[:2], full, *after[2:]]))
    assert run.notes == (f"beside the JSON: {cold} | {full}",)


def test_bytes_without_a_time_or_a_count_are_no_figure_and_not_called_nothing() -> None:
    """As fio 2.1.4 writes of a run below a millisecond."""
    old = {"io_bytes": 131072, "bw": 0, "iops": 0, "runtime": 0}
    (run,) = read(json.dumps({"fio version": "fio-2.1.4", "jobs": [{"jobname": "short", "read": old}]}))
    assert run.parts[0].error is not None
    assert "moved bytes" in run.parts[0].error


@pytest.mark.parametrize(
    ("version", "workload", "ios", "ended"),
    [
        ("2.1.11", "w", None, None),
        ("2.2.10", "w", 512, 1480611510),
        ("2.10", "randwrite 4k qd4 direct=1 ioengine=libaio", 512, 1480611510),
    ],
)
def test_documents_of_fio_2_are_read_in_their_units(
    version: str, workload: str, ios: int | None, ended: int | None
) -> None:
    """Constructed by the documented format from a recording of 3.33, whose figures must come out."""
    (run,) = read((DATA / "fio" / version / "constructed.json").read_text())
    (part,) = run.parts
    (write,) = part.results
    new = document("clat-by-default.json")["jobs"][0]["write"]
    assert run.engine_version == version
    assert (part.workload, run.ended_ns) == (workload, None if ended is None else ended * 10**9)
    assert write.total_bytes == new["io_bytes"]
    assert write.ios == pytest.approx(new["total_ios"] if ios is None else ios, rel=0.02)
    assert write.bw_bytes_s == pytest.approx(new["bw_bytes"], rel=0.01)
    assert write.lat_mean_ns == pytest.approx(new["lat_ns"]["mean"], rel=0.001)
    assert write.clat_p99_ns == pytest.approx(new["clat_ns"]["percentile"]["99.000000"], rel=0.01)


def test_completion_latency_is_kept_where_total_latency_was_not_asked_for() -> None:
    (run,) = read((RECORDED / "clat-by-default.json").read_text())
    (write,) = run.parts[0].results
    percentiles = document("clat-by-default.json")["jobs"][0]["write"]["clat_ns"]["percentile"]
    assert write.lat_p99_ns is None
    assert write.clat_p99_ns == percentiles["99.000000"]
    assert write.clat_p999_ns == percentiles["99.900000"]


def test_options_of_the_job_go_before_the_path_and_the_path_fills_what_is_missing() -> None:
    pattern = "{rw}-{iodepth}-{rwmixread}.json"
    (run,) = read((RECORDED / "clat-by-default.json").read_text(), "read-99-70.json", [pattern])
    options = run.parts[0].options
    assert (options["rw"], options["iodepth"], options["rwmixread"]) == ("randwrite", "4", "70")


def test_jobs_at_different_points_are_parts_of_their_own() -> None:
    found = document("stages.json")
    for job, mount in zip(found["jobs"], ("raid5", "raid10", "raid10"), strict=True):
        job["job options"]["directory"] = f"/mnt/{mount}"
    (run,) = read(json.dumps(found), factors=["directory=/mnt/{level}"])
    assert [part.named.factors for part in run.parts] == [{"level": "raid5"}, {"level": "raid10"}, {"level": "raid10"}]


def test_a_run_is_the_same_whatever_stands_around_it() -> None:
    plain = (RECORDED / "clat-by-default.json").read_text()
    (one,) = read(plain)
    (other,) = read("note: something\n" + json.dumps(json.loads(plain)))
    (later,) = read(at(1_800_000_000_000))
    assert one.identity == other.identity != later.identity
    assert other.notes[0].startswith("beside the JSON: note: something")


def test_a_job_that_failed_and_one_that_did_nothing_say_so() -> None:
    (full,) = read((RECORDED / "no-space.txt").read_text())
    assert full.parts[0].error == "1 of 1 jobs of full on /dev/full ended with error 28"
    (absent,) = read((RECORDED / "absent-status-0.txt").read_text())
    assert absent.parts[0].error == "absent did no I/O"


def test_not_a_number_is_a_missing_figure_and_no_reason_to_skip() -> None:
    text = (RECORDED / "clat-by-default.json").read_text()
    value = f'"mean" : {document("clat-by-default.json")["jobs"][0]["write"]["lat_ns"]["mean"]:f}'
    assert value in text
    (run,) = read(text.replace(value, '"mean" : nan'))
    (write,) = run.parts[0].results
    assert write.lat_mean_ns is None
    assert write.ios == 512
    assert run.notes == ("some figures are no numbers (nan or inf): they are left empty",)


@pytest.mark.parametrize("text", ["", "{}", '{"jobs": []', '{"jobs": 3}', "[1, 2]"])
def test_what_is_no_document_is_an_error_in_words(text: str) -> None:
    with pytest.raises(EngineError, match="no complete result"):
        read(text)


def test_windows_of_a_quarter_second_give_each_second() -> None:
    (part,) = beside("logs.json").parts
    assert [each.second for each in part.intervals] == [0, 1, 2]
    assert all(each.iops == pytest.approx(120, rel=0.1) for each in part.intervals)


def test_windows_of_a_second_of_two_jobs_that_report_together_are_added() -> None:
    (part,) = beside("whole-seconds.json").parts
    assert [each.second for each in part.intervals] == [0, 1, 2]
    assert all(each.bw_bytes_s == pytest.approx(200 * 4096, rel=0.05) for each in part.intervals)
    assert all(each.iops == pytest.approx(200, rel=0.05) for each in part.intervals)


def test_a_log_of_single_ios_is_counted() -> None:
    (part,) = beside("single-ios.json").parts
    samples = parse_log((RECORDED / "single-ios_lat.1.log").read_text())
    first = [sample for sample in samples if sample.time_ms < 1000]
    assert part.intervals[0].iops == len(first)
    assert part.intervals[0].bw_bytes_s == 4096 * len(first)
    assert part.intervals[0].lat_mean_ns == pytest.approx(sum(each.value for each in first) / len(first))


def test_a_log_that_cannot_be_read_costs_the_seconds_and_not_the_run(tmp_path: Path) -> None:
    name = "single-ios_lat.1.log"
    (tmp_path / name).write_text("not a log\n")
    logs = Logs(tmp_path, (name,), "single-ios")
    (run,) = fio.read((RECORDED / "single-ios.json").read_text(), Naming.of("x", []), logs)
    assert run.parts[0].intervals == ()
    assert "its logs are left out: line 1 of a fio log is no sample" in run.notes[0]


@pytest.mark.parametrize(
    ("name", "log"), [("a_bw.1.log", True), ("a_clat.log", True), ("a_clat_hist.3.log", True), ("dd.log", False)]
)
def test_names_of_logs(name: str, log: bool) -> None:
    assert is_log(name) is log
