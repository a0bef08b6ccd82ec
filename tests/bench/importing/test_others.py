from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bench.errors import EngineError, ImportFailedError
from bench.importing import dd, elbencho, formats, gpcheckperf
from bench.importing.fio_logs import NO_LOGS
from bench.importing.pattern import compile_pattern
from bench.importing.run import Naming, Run
from tests.bench.importing.conftest import DATA

GIB = 1 << 30


def naming(path: str = "x.txt", factors: Sequence[str] = ()) -> Naming:
    return Naming.of(path, [compile_pattern(each) for each in factors])


def dd_runs(text: str, path: str = "x.txt", factors: Sequence[str] = ()) -> list[Run]:
    return dd.read(text, naming(path, factors))


def test_dd_as_it_prints_now_with_the_command_before_it(tmp_path) -> None:
    done = subprocess.run(
        ["sh", "-xc", "dd if=/dev/zero of=out bs=64k count=32 oflag=direct && dd if=out of=/dev/null bs=64k"],
        cwd=tmp_path, capture_output=True, text=True, check=True, env={"LC_ALL": "C", "PATH": "/bin:/usr/bin"},
    )  # fmt: skip
    write, read = dd_runs(done.stderr)
    assert [run.parts[0].results[0].direction for run in (write, read)] == ["write", "read"]
    assert [run.parts[0].results[0].total_bytes for run in (write, read)] == [2 << 20, 2 << 20]
    assert write.parts[0].options["bs"] == str(64 << 10)
    assert write.parts[0].workload == "write 64k direct=1 engine=dd"
    assert write.command == "dd if=/dev/zero of=out bs=64k count=32 oflag=direct"
    assert any("page cache" in line for line in read.warnings)
    assert not any("page cache" in line for line in write.warnings)


@pytest.mark.parametrize(
    "line",
    [
        "10485760 bytes (10 MB, 10 MiB) copied, 0.5 s, 21.0 MB/s",
        "10485760 bytes (10 MB, 10 MiB) copied, 0,5 s, 21,0 MB/s",
        "10485760 bytes (10.0MB) copied, 0.500000 seconds, 20.0MB/s",
        "10485760 bytes transferred in 0.500000 secs (20971520 bytes/sec)",
    ],
)
def test_dd_of_other_systems_and_places(line: str) -> None:
    (run,) = dd_runs(f"10+0 records in\n10+0 records out\n{line}\n", "seq-write.log")
    (result,) = run.parts[0].results
    assert (result.total_bytes, result.runtime_ns, result.ios) == (10 << 20, 500_000_000, 10)
    assert result.bw_bytes_s == 2 * (10 << 20)


def test_what_dd_did_is_asked_for_where_nothing_says_it() -> None:
    text = (DATA / "dd" / "9.1" / "10-mib.txt").read_text()
    with pytest.raises(ImportFailedError, match="read or wrote"):
        dd_runs(text, "10-mib.txt")
    (run,) = dd_runs(text, "raid5/read/1.txt", ["{level}/{rw}/{run}.txt"])
    assert run.parts[0].named.factors == {"level": "raid5"}
    assert run.parts[0].results[0].direction == "read"


@pytest.mark.parametrize("name", ["noxfer.txt", "nothing.txt", "none.txt"])
def test_dd_without_figures_says_why(name: str) -> None:
    with pytest.raises(EngineError, match="dd"):
        dd_runs((DATA / "dd" / "9.1" / name).read_text(), "write.txt")


def test_gpcheckperf_has_its_units_its_date_and_its_hosts() -> None:
    (run,) = gpcheckperf.read((DATA / "gpcheckperf" / "6" / "two-hosts.txt").read_text(), naming())
    write, read = (part.results[0] for part in run.parts)
    assert write.bw_bytes_s == pytest.approx(2000.25 * 1024**2)
    assert read.bw_bytes_s == pytest.approx(4000.50 * 1024**2)
    assert (write.total_bytes, write.ios) == (209715200000, 209715200000 // 32768)
    assert (write.runtime_ns, read.runtime_ns) == (100 * 10**9, 50 * 10**9)
    assert run.hosts == ("sdw2", "sdw1")
    assert run.ended_ns == 1741083630 * 10**9  # date -u -d 2025-03-04T10:20:30 +%s
    assert [part.workload for part in run.parts] == ["write 32k engine=gpcheckperf", "read 32k engine=gpcheckperf"]
    assert run.command.startswith("gpcheckperf -f hosts -r ds -D")


def test_gpcheckperf_without_a_date_and_with_decimal_commas() -> None:
    (run,) = gpcheckperf.read((DATA / "gpcheckperf" / "6" / "no-date.txt").read_text(), naming())
    (write,) = run.parts[0].results
    assert (write.bw_bytes_s, write.runtime_ns, write.ios) == (20 * 1024**2, 500_000_000, 10)
    assert run.ended_ns is None


PRINTED = (DATA / "gpcheckperf" / "6" / "two-hosts.txt").read_text()


@pytest.mark.parametrize(
    ("option", "bs_bytes", "spelt"),
    [
        ("-B 1MB", 1 << 20, "1m"),
        ("-B 1KB", 1 << 10, "1k"),
        ("-B 64k", 64 << 10, "64k"),
        ("-B1MB", 1 << 20, "1m"),
        ("-DB 8K", 8 << 10, "8k"),
        ("-B 65536", 65536, "64k"),
        ("-B 0", 32 << 10, "32k"),
        ("", 32 << 10, "32k"),
    ],
)
def test_gpcheckperf_has_the_block_size_that_it_was_told(option: str, bs_bytes: int, spelt: str) -> None:
    """Of 209,715,200,000 bytes 1 MiB blocks make 200,000 I/Os; gpcheckperf's parseMemorySize says what sizes are."""
    (run,) = gpcheckperf.read(PRINTED.replace("-r ds -D", f"-r ds -D {option}"), naming())
    assert [part.results[0].ios for part in run.parts] == [209715200000 // bs_bytes] * 2
    assert run.parts[0].workload == f"write {spelt} engine=gpcheckperf"


def test_gpcheckperf_with_direct_io_is_not_the_page_cache() -> None:
    (run,) = gpcheckperf.read(PRINTED.replace("-r ds", "-r ds --direct-io"), naming())
    assert run.parts[0].workload == "write 32k direct=1 engine=gpcheckperf"
    assert not any("page cache" in line for line in run.warnings)


@pytest.mark.parametrize(
    ("folder", "version"),
    [
        ("greenplum-db-6.17.0", "6.17.0"),
        ("greenplum-db-7.1.0-rhel8", "7.1.0"),
        ("cloudberry-db-1.5.4", "1.5.4"),
        ("greenplum-db", "unknown"),
    ],
)
def test_gpcheckperf_has_the_version_of_the_folder_that_it_is_in(folder: str, version: str) -> None:
    (run,) = gpcheckperf.read(PRINTED.replace("/usr/local/greenplum-db/", f"/usr/local/{folder}/"), naming())
    assert run.engine_version == version


def test_latencies_of_zero_were_not_measured() -> None:
    text = (DATA / "elbencho" / "3" / "phases.csv").read_text().replace("1661,9383,120903", "0,0,0")
    (figures,) = elbencho.read(text, naming())[0].parts[0].results
    assert (figures.lat_min_ns, figures.lat_mean_ns, figures.lat_max_ns) == (None, None, None)


def test_elbenchos_documents_say_what_its_lines_say() -> None:
    """The same three phases in both forms; the documents have bytes, the lines whole MiB."""
    lines = elbencho.read((DATA / "elbencho" / "3" / "phases.csv").read_text(), naming())
    text = (DATA / "elbencho" / "3" / "phases.json").read_text()
    documents = elbencho.read(text, naming())
    assert [run.ended_ns for run in documents] == [run.ended_ns for run in lines]
    for line, document in zip(lines, documents, strict=True):
        assert document.engine_version == line.engine_version
        assert document.parts[0].workload == line.parts[0].workload
        assert document.parts[0].named == line.parts[0].named
        for one, other in zip(line.parts[0].results, document.parts[0].results, strict=True):
            assert other.bw_bytes_s == pytest.approx(one.bw_bytes_s, abs=1 << 20)
            same: dict[str, Any] = {"bw_bytes_s": 0.0, "total_bytes": 0, "ios": 0}
            assert replace(one, **same) == replace(other, **same)
    assert documents[0].parts[0].results[0].total_bytes == 8192 << 20
    listed = elbencho.read(f"[{','.join(text.splitlines())}]", naming())
    assert [run.identity for run in listed] == [run.identity for run in documents]
    with pytest.raises(EngineError, match="cut short"):
        elbencho.read(text[:-40], naming())
    assert [run.engine for run in formats.read(text.encode(), naming(), NO_LOGS)] == ["elbencho"] * 3


def test_elbenchos_live_lines_become_phases_with_their_seconds() -> None:
    write, mixed, again = elbencho.read((DATA / "elbencho" / "3" / "live.csv").read_text(), naming())
    (part,) = write.parts
    (figures,) = part.results
    assert (figures.total_bytes, figures.runtime_ns) == (300 << 20, 3_000_000_000)
    assert (figures.bw_bytes_s, figures.iops, figures.ios) == (100 << 20, 100.0, 300)
    assert [each.second for each in part.intervals] == [0, 1, 2]
    assert [each.bw_bytes_s for each in part.intervals] == [90 << 20, 110 << 20, 100 << 20]
    assert (figures.lat_mean_ns, part.named.labels) == (None, {"label": "night"})
    assert part.workload == "elbencho engine=elbencho phase=write"
    assert write.ended_ns == 1748772004 * 10**9  # date -d 2025-06-01T12:00:04+0200 +%s
    assert [each.direction for each in mixed.parts[0].results] == ["write", "read"]
    assert [each.total_bytes for each in mixed.parts[0].results] == [30 << 20, 70 << 20]
    assert again.parts[0].intervals == ()  # one line after half a second
    assert again.parts[0].results[0].bw_bytes_s == 200 << 20
    assert any("block size" in line for line in write.warnings)


def test_elbencho_is_read_by_the_names_of_its_columns() -> None:
    write, read, mixed = elbencho.read((DATA / "elbencho" / "3" / "phases.csv").read_text(), naming())
    (figures,) = write.parts[0].results
    assert figures.total_bytes == 8192 << 20
    assert figures.runtime_ns == 4 * 10**9
    assert figures.bw_bytes_s == 2 * GIB
    assert (figures.iops, figures.ios) == (2048.0, 8192)
    assert (figures.lat_min_ns, figures.lat_mean_ns, figures.lat_max_ns) == (1_661_000, 9_383_000.0, 120_903_000)
    assert write.parts[0].workload == "write 1m qd4 j8 direct=1 dirs=1 engine=elbencho files=4 hosts=1 size=268435456"
    assert write.parts[0].named.labels == {"label": "night"}
    assert write.ended_ns == (1748772001 + 4) * 10**9  # date -d 2025-06-01T12:00:01+0200 +%s, and four seconds
    assert read.parts[0].workload.startswith("randread 4k qd16 j8")
    assert [each.direction for each in mixed.parts[0].results] == ["write", "read"]
    assert [each.iops for each in mixed.parts[0].results] == [3000.0, 7000.0]
    assert write.engine_version == "3.1-1"


def test_a_line_of_elbencho_that_is_cut_short_is_named() -> None:
    text = (DATA / "elbencho" / "3" / "phases.csv").read_text()
    with pytest.raises(EngineError, match="of 55 columns"):
        elbencho.read(text[: text.index(",3000,2048,3000")], naming())


def test_a_growing_file_of_elbencho_keeps_the_identity_of_its_lines() -> None:
    lines = (DATA / "elbencho" / "3" / "phases.csv").read_text().splitlines(keepends=True)
    before = [run.identity for run in elbencho.read("".join(lines[:3]), naming())]
    after = [run.identity for run in elbencho.read("".join(lines), naming())]
    assert after[: len(before)] == before


READERS: tuple[Callable[[str, Naming], list[Run]], ...] = (dd.read, gpcheckperf.read, elbencho.read)


@pytest.mark.parametrize("read", READERS)
def test_nothing_at_all_is_an_error_in_words(read: Callable[[str, Naming], list[Run]]) -> None:
    with pytest.raises(EngineError):
        read("", naming())
