from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import EngineError
from bench.fio import merge
from bench.fio.model import Job
from bench.fio.parser import parse

RECORDED = Path(__file__).parents[2] / "data" / "fio" / "3.33"
ALL_RECORDINGS = sorted(path.name for path in RECORDED.iterdir() if path.suffix in {".json", ".txt"})


def recording(name: str) -> str:
    return (RECORDED / name).read_text()


def only_job(name: str) -> Job:
    (job,) = parse(recording(name)).result.jobs
    return job


def test_jobs_stay_apart_and_count_what_they_were_told_to_write() -> None:
    document = parse(recording("randwrite-4-jobs.json")).result
    assert document.fio_version == "3.33"
    assert [job.name for job in document.jobs] == ["w"] * 4
    for job in document.jobs:
        write = next(part for part in job.directions if part.name == "write")
        assert (write.total_bytes, write.ios, job.error) == (2 << 20, 512, 0)
        assert write.lat is not None
        assert write.lat.histogram is not None
        assert write.lat.histogram.samples == write.lat.samples == 512
        assert next(part for part in job.directions if part.name == "read").lat is None


def test_latency_percentiles_that_were_not_recorded_are_none_and_never_zero() -> None:
    job = only_job("clat-by-default.json")
    write = next(part for part in job.directions if part.name == "write")
    assert write.clat is not None
    assert write.clat.percentiles
    assert write.lat is not None
    assert write.lat.percentiles == ()
    (result,) = merge.results([job])
    assert result.lat_p50_ns is result.lat_p99_ns is None
    assert result.lat_mean_ns == write.lat.mean_ns > 0
    assert result.lat_bins_ns == ()


def test_without_percentiles_there_are_none() -> None:
    (result,) = merge.results([only_job("no-percentiles.json")])
    assert result.lat_p999_ns is None
    assert result.ios == 256


def test_fsync_is_a_direction_of_its_own() -> None:
    results = {result.direction: result for result in merge.results([only_job("randrw-fsync.json")])}
    assert set(results) == {"read", "write", "sync"}
    sync = results["sync"]
    assert sync.ios > 0
    assert sync.total_bytes == 0
    assert sync.lat_p50_ns is not None
    assert sum(sync.lat_counts) == sync.ios
    assert results["read"].total_bytes + results["write"].total_bytes == 2 << 20


def test_unified_reporting_is_one_direction_and_both_is_not_counted_twice() -> None:
    (mixed,) = merge.results([only_job("mixed.json")])
    assert (mixed.direction, mixed.total_bytes) == ("mixed", 1 << 20)
    both = merge.results([only_job("mixed-and-both.json")])
    assert [result.direction for result in both] == ["read", "write"]
    assert sum(result.total_bytes for result in both) == 1 << 20


def test_text_before_the_json_is_kept_as_evidence() -> None:
    output = parse(recording("text-before.txt"))
    assert output.prefix.startswith("note: both iodepth >= 1 and synchronous I/O engine are selected")
    assert output.result.jobs[0].ios == 64


@pytest.mark.parametrize("name", [name for name in ALL_RECORDINGS if name.endswith(".json")])
def test_text_beside_a_document_changes_nothing_in_it(name: str) -> None:
    alone, beside = parse(recording(name)), parse("fio: a note\n" + recording(name) + "another\n")
    assert beside.documents == alone.documents
    assert beside.prefix.startswith("fio: a note")
    assert beside.prefix.endswith("another")


def test_of_documents_in_a_row_all_are_returned_and_the_last_is_the_result() -> None:
    output = parse(recording("status-interval.txt"))
    ios = [document.jobs[0].ios for document in output.documents]
    assert len(ios) >= 3
    assert ios == sorted(ios)
    assert output.result.jobs[0].ios == ios[-1] >= 1400
    assert not output.truncated


def test_a_document_cut_short_leaves_the_complete_ones() -> None:
    whole, cut = parse(recording("status-interval.txt")), parse(recording("status-interval-cut.txt"))
    assert cut.truncated
    assert cut.documents == whole.documents[:-1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("fio: pid=1, err=2\n", "there is no JSON"),
        ("\x00\x01{\x02", "cut short"),
        ('{"a": 1}', "neither jobs nor client_stats"),
        ('{"jobs": [{"jobname": 3}]}', "not fio's"),
        ('{"jobs": ' + "[" * 100_000, "cut short"),
        ('{"jobs": ' + "[" * 100_000 + "]" * 100_000 + "}", "not fio's"),
    ],
)
def test_what_is_no_result_says_why(text: str, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        parse(text)


def test_a_cut_recording_says_so() -> None:
    with pytest.raises(EngineError, match="cut short"):
        parse(recording("cut.txt"))


def test_the_error_of_a_job_is_kept() -> None:
    assert only_job("no-space.txt").error == 28
    assert "No space left on device" in parse(recording("no-space.txt")).prefix


def test_steady_state_means_only_where_it_was_attained() -> None:
    attained = only_job("steady-attained.json").steady_state
    assert attained is not None
    assert attained.attained
    assert attained.iops_mean is not None
    assert attained.iops_mean == pytest.approx(300, rel=0.1)
    missed = only_job("steady-not-attained.json").steady_state
    assert missed is not None
    assert not missed.attained
    assert missed.iops_mean is None
    assert missed.bw_mean_bytes_s is None


def test_clients_are_jobs_and_their_sum_is_left_out() -> None:
    output = parse(recording("two-clients.txt"))
    document = output.result
    assert document.client_mode
    assert [(job.name, job.hostname) for job in document.jobs] == [("c", "127.0.0.1")] * 2
    (read,) = merge.results(document.jobs)
    assert read.total_bytes == 2 * (512 << 10)
    assert "Starting 1 thread" in output.prefix
    raw = json.loads(recording("two-clients.txt").partition("\n{")[2].join(("{", "")))
    assert document.timestamp_ms == raw["timestamp"] * 1000


def test_the_sum_of_all_clients_is_taken_where_there_is_nothing_else() -> None:
    raw = json.loads(recording("two-clients.txt").partition("\n{")[2].join(("{", "")))
    raw["client_stats"] = [each for each in raw["client_stats"] if each["jobname"] == "All clients"]
    (job,) = parse(json.dumps(raw)).result.jobs
    assert job.name == "All clients"
    assert [part.total_bytes for part in job.directions if part.ios] == [2 * (512 << 10)]


def test_options_of_a_job_win_over_global_ones() -> None:
    document = parse(recording("job-overrides-global.json")).result
    first, second = document.jobs
    assert document.options_of(first)["bs"] == "4k"
    assert document.options_of(second)["bs"] == "8k"
    assert parse(recording("text-before.txt")).result.options_of(parse(recording("text-before.txt")).result.jobs[0])


@pytest.mark.parametrize("name", [name for name in ALL_RECORDINGS if name != "cut.txt"])
def test_percentiles_of_the_histogram_are_those_that_fio_printed(name: str) -> None:
    seen = 0
    for job in parse(recording(name)).result.jobs:
        latencies = [job.sync, *(kind for part in job.directions for kind in (part.slat, part.clat, part.lat))]
        for latency in latencies:
            if latency is None or latency.histogram is None:
                continue
            for percent, value_ns in latency.percentiles:
                assert latency.histogram.percentile_ns(percent) == value_ns
                seen += 1
    if name.endswith(".json") and "--" not in name and "lat_percentiles" in recording(name):
        assert seen or "no-percentiles" in name


# What follows is synthetic: shaped after other versions of fio, of which there is no recording.


def shaped(**changes: object) -> str:
    """A minimal document with the entries of ``read`` changed."""
    read = {"io_bytes": 4096, "io_kbytes": 4, "total_ios": 1, "runtime": 1000, "iops": 1.0, "bw_bytes": 4096}
    return json.dumps({"fio version": "fio-3.1", "jobs": [{"jobname": "j", "read": {**read, **changes}}]})


def test_synthetic_not_a_number_is_a_missing_figure() -> None:
    for word in ("nan", "-nan", "inf", "-inf", "NaN", "Infinity"):
        text = shaped(iops="@").replace('"@"', word)
        (job,) = parse(text).result.jobs
        assert job.directions[0].iops is None
    named = json.dumps({"jobs": [{"jobname": "inf nan", "read": {"io_bytes": 1, "iops": "@"}}]}).replace('"@"', "nan")
    assert parse(named).result.jobs[0].name == "inf nan"


def test_synthetic_filling_keys_of_the_percentile_list_are_dropped() -> None:
    lat = '{"min": 1, "max": 9, "mean": 5.0, "N": 1, "percentile": {"50.000000": 5, "0.00": 0, "0.00": 0}}'
    (job,) = parse(shaped(lat_ns="@").replace('"@"', lat)).result.jobs
    assert job.directions[0].lat is not None
    assert job.directions[0].lat.percentiles == ((50.0, 5),)


def test_synthetic_fio_2_has_microseconds_and_kib() -> None:
    read = {"io_bytes": 64, "bw": 64, "iops": 16.0, "runtime": 1000, "total_ios": 16}
    lat = {"min": 100, "max": 300, "mean": 200.5, "stddev": 10.0}
    clat = {**lat, "percentile": {"99.000000": 290, "0.00": 0}, "bins": {"290": 1, "200": 15}}
    document = {"fio version": "fio-2.16", "jobs": [{"jobname": "old", "read": {**read, "lat": lat, "clat": clat}}]}
    (job,) = parse(json.dumps(document)).result.jobs
    (direction,) = job.directions
    assert (direction.total_bytes, direction.bw_bytes_s) == (65536, 65536.0)
    assert direction.lat is not None
    assert direction.clat is not None
    assert direction.clat.histogram is not None
    assert (direction.lat.mean_ns, direction.lat.samples, direction.lat.percentiles) == (200_500.0, 16, ())
    assert direction.clat.percentiles == ((99.0, 290_000),)
    assert direction.clat.histogram.bins_ns == (200_000, 290_000)


def test_synthetic_global_options_as_a_list_of_servers() -> None:
    text = json.dumps({"global options": [{"bs": "4k"}, {"bs": "8k"}], "client_stats": [{"jobname": "c"}]})
    document = parse(text).result
    assert [options["bs"] for options in document.global_options] == ["4k", "8k"]


def test_synthetic_disk_util_of_a_stacked_device() -> None:
    util = {"name": "md0", "read_ios": 8, "aggr_read_ios": 2, "aggr_write_merge": 7, "aggr_util": 99.5}
    (found,) = parse(json.dumps({"jobs": [], "disk_util": [util]})).result.disk_util
    assert found.aggregate is not None
    assert (found.read_ios, found.aggregate.read_ios, found.aggregate.write_merges) == (8, 2, 7)


def test_synthetic_foreign_json_lines_and_documents_on_one_line() -> None:
    text = '{"level": "info"}\nnote {not json}\n' + shaped() + shaped(total_ios=2) + "\nbye\n"
    output = parse(text)
    assert [document.jobs[0].ios for document in output.documents] == [1, 2]
    assert "note {not json}" in output.prefix
    assert "bye" in output.prefix


def test_synthetic_fields_of_newer_versions_are_no_hindrance() -> None:
    text = shaped(lat_ns={"min": 1, "max": 2, "mean": 1.5, "N": 2}, priohint=0, read_sectors=8)
    job = json.loads(text)
    job["jobs"][0] |= {"job_start": 1, "latency_target_ns": 5, "latency_window_us": 6, "zone_resets": 0}
    assert parse(json.dumps(job)).result.jobs[0].ios == 1


FRAGMENTS = [
    "{",
    "}",
    "[",
    "]",
    '"',
    "\\",
    ",",
    ":",
    "nan",
    "-1",
    "1e999",
    "1e300",
    "null",
    "9" * 400,
    "\x00",
    "\ud800",
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_recordings_raise_nothing_but_engine_errors(data: st.DataObject) -> None:
    text = recording(data.draw(st.sampled_from(["text-before.txt", "randrw-fsync.json", "two-clients.txt"])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 30))
        filler = data.draw(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)))
        text = text[:at] + filler + text[at + cut :]
    try:
        output = parse(text)
        merge.results(output.result.jobs)
    except EngineError:
        pass


KEYS = ["io_bytes", "iops", "runtime", "total_ios", "min", "mean", "N", "99.000000"]
VALUES = st.one_of(st.integers(), st.floats(), st.none(), st.text(max_size=3), st.lists(st.integers(), max_size=1))


@settings(max_examples=200, deadline=None)
@given(key=st.sampled_from(KEYS), value=VALUES)
def test_odd_values_in_known_places_raise_nothing_but_engine_errors(key: str, value: object) -> None:
    document = json.loads(recording("randwrite-4-jobs.json"))
    write = document["jobs"][0]["write"]
    for place in (write, write["lat_ns"], write["lat_ns"]["percentile"]):
        if key in place:
            place[key] = value
    try:
        found = merge.results(parse(json.dumps(document)).result.jobs)
    except EngineError:
        return  # our own words for it
    assert all(each.ios >= 0 and each.total_bytes >= 0 for each in found)
