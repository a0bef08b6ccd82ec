from __future__ import annotations

import json
import os

import pytest

from bench.cli.main import outcome

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
