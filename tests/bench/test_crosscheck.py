from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace

import pytest
from typer import Exit

from bench.cli.crosscheck import print_result, table_lines
from bench.cli.main import outcome
from bench.crosscheck import (
    MARGINS_PCT,
    OF_ALL,
    OF_BATCHES,
    OF_DD,
    OF_DRAIN,
    OF_RAMP,
    OF_WRITES,
    Comparison,
    differences,
    opened_targets,
)
from bench.crosscheck import unwritten as check_unwritten
from bench.errors import DiskRefusedError
from bench.extents import written_bytes
from permutations.workload import Workload
from results.statistics.agreement import agreement

MIB = 1 << 20


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "target"
    path.write_bytes(os.urandom(8 * MIB))
    return path


def test_every_engine_that_can_is_compared_on_every_figure(file, capsys):
    status = outcome(["crosscheck", str(file), "--rw=read", "--bs=1M", "--runtime-s=1", "--rounds=2", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert status == (0 if said["agree"] else 1)
    figures = {(each["against"], each["figure"]) for each in said["comparisons"]}
    assert ("dd", "bw_bytes_s") in figures
    assert {name for engine, name in figures if engine == "fio"} == {
        "iops",
        "bw_bytes_s",
        "lat_p50_ns",
        "lat_p99_ns",
        "lat_p999_ns",
        "cpu_ns_per_io",
    }
    assert [command.split()[0] for command in said["commands"]] == ["stripelab", "fio", "export"]


def test_writing_must_be_asked_for(file):
    before = file.read_bytes()
    assert outcome(["crosscheck", str(file), "--rw=randwrite"]) == 2
    assert file.read_bytes() == before


@pytest.mark.parametrize("words", [["--rw=trim"], ["--option=x"]])
def test_what_cannot_be_read_is_a_usage_error(file, words):
    assert outcome(["crosscheck", str(file), *words]) == 2


def test_an_option_that_an_engine_does_not_have_is_refused(file):
    assert outcome(["crosscheck", str(file), "--option=thinktime=5"]) == 3


def test_files_of_two_sizes_are_refused(file, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(bytes(MIB))
    assert outcome(["crosscheck", str(file), str(other)]) == 7


def comparison(figure, native, other, direction="read", against="fio"):
    judged = figure in MARGINS_PCT
    found = agreement(native, other, MARGINS_PCT.get(figure, 5.0))
    return Comparison(direction, figure, against, tuple(native), tuple(other), found, judged)


def test_the_answer_names_what_differs_what_cannot_be_told_and_what_to_do(capsys):
    compared = [
        comparison("iops", [100.0, 101.0, 100.0], [100.0, 100.5, 100.2]),
        comparison("lat_p50_ns", [2e6, 2.01e6, 2e6], [1e6, 1.01e6, 1e6]),
        comparison("lat_p99_ns", [1e6, 9e6, 2e6], [5e6, 1e6, 2e6]),
        comparison("bw_bytes_s", [1e6, 1.001e6, 1e6], [1e6, 1e6, 1.001e6], against="dd"),
    ]
    with pytest.raises(Exit) as ended:
        print_result(compared, ["fio --rw=read"], ["a difference"], as_json=False)
    said = capsys.readouterr().out
    assert ended.value.exit_code == 1
    assert "native and fio differ in read lat_p50_ns\n" in said
    assert "native and fio: inconclusive for read lat_p99_ns, because" in said
    assert "native and dd agree\n" in said
    assert "2.00 ms     1.00 ms   1.997" in said
    assert "command: fio --rw=read\nnote: a difference\n" in said


def test_only_differences_that_apply_are_told():
    plain = Workload("w", rw="randread", iodepth=4)
    assert differences(plain) == (OF_ALL, OF_BATCHES, OF_DRAIN)
    assert OF_RAMP in differences(replace(plain, ramp_time_s=1.0))
    assert differences(replace(plain, rw="write", iodepth=1)) == (OF_WRITES, OF_DD)


@pytest.mark.parametrize(
    "name", ["disk#2", "disk;2", "disk ", " disk", "disk\t", "a:disk", "disk\\", "b\n[job]\nfilename=disk"]
)
def test_no_name_makes_an_engine_write_to_another_file(tmp_path, monkeypatch, name):
    """fio cuts a name at ``#`` and ``;``, and strips blanks: none of them gets a name of the user's."""
    monkeypatch.chdir(tmp_path)
    canary, named = tmp_path / "disk", tmp_path / name
    canary.write_bytes(b"precious" * (MIB // 8))
    named.write_bytes(bytes(MIB))
    status = outcome(
        ["crosscheck", str(named), "--rw=randwrite", "--direct=0", "--runtime-s=1", "--rounds=2", "--overwrite"]
    )
    assert status in {0, 1}
    assert canary.read_bytes() == b"precious" * (MIB // 8)
    assert named.read_bytes() != bytes(MIB)


@pytest.mark.parametrize("verb", [["native"], ["crosscheck"], ["native", "--overwrite", "--rw=write"]], ids=" ".join)
@pytest.mark.parametrize("kind", ["pipe", "folder", "terminal"])
def test_what_is_no_target_is_refused_at_once(tmp_path, capsys, verb, kind):
    path = tmp_path / "target"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/ptmx")
    assert outcome([*verb, str(path)]) == DiskRefusedError.status
    assert "files and block devices" in capsys.readouterr().err


@pytest.mark.loop
def test_a_file_that_is_in_use_is_not_written_over(tmp_path, make_loop):
    disk = make_loop(16)
    backing = str(disk.id).removeprefix("loop:")
    for verb in ("native", "crosscheck"):
        assert outcome([verb, "--overwrite", "--rw=write", backing]) == DiskRefusedError.status
        assert outcome([verb, "--overwrite", "--rw=write", str(disk.path)]) == DiskRefusedError.status


def test_the_ratio_is_that_of_the_columns_beside_it():
    """Of medians 1.00 would stand beside 2.00 and 1.00: the ratio of each round is another one."""
    native, other = (1.0, 2.0, 4.0), (1.0, 1.0, 8.0)
    found = Comparison("read", "iops", "fio", native, other, agreement(native, other, 2.0), judged=True)
    words = table_lines([found])[1].split()
    shown, beside, ratio = (float(word.replace(",", "")) for word in words[3:6])
    assert ratio == pytest.approx(shown / beside, abs=0.01)


@pytest.mark.parametrize(
    ("make", "unwritten"),
    [
        (lambda path: os.truncate(path, 8 * MIB), 8 * MIB),
        (lambda path: subprocess.run(["fallocate", "-l", str(8 * MIB), path], check=True), 8 * MIB),
        (lambda path: path.write_bytes(os.urandom(8 * MIB)), 0),
        (lambda path: (path.write_bytes(os.urandom(2 * MIB)), os.truncate(path, 8 * MIB)), 6 * MIB),
    ],
    ids=["hole", "allocated", "written", "partly"],
)
def test_files_that_were_never_written_are_warned_of(tmp_path, make, unwritten):
    """Also where they were read before: the pages that are in the cache then are no data."""
    path = tmp_path / "target"
    path.touch()
    make(path)
    path.read_bytes()
    with opened_targets([path], writes=False) as targets:
        if written_bytes(targets.descriptors[0], 8 * MIB) is None:
            pytest.skip("this file system has no FIEMAP")
        said = check_unwritten([path], targets)
    assert bool(said) is bool(unwritten)
    assert all(line.startswith(f"{unwritten:,} of the {8 * MIB:,} bytes of {path} were never written") for line in said)


def test_the_warning_reaches_the_user(tmp_path, capsys):
    path = tmp_path / "target"
    path.touch()
    os.truncate(path, 8 * MIB)
    outcome(["crosscheck", str(path), "--rw=read", "--bs=1M", "--runtime-s=1", "--rounds=2"])
    assert "warning: 8,388,608 of the 8,388,608 bytes" in capsys.readouterr().err
