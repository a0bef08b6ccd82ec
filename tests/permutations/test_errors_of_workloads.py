"""What a user reads of workloads, engines, options and job files: the whole line."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from permutations.errors import SweepError
from tests.permutations.sweep_texts import FIVE, HEAD, TAIL, in_workload

CASES = {
    "workload key": (
        in_workload("run_time_s = 5"),
        "t.toml:8: [[workload]] 1 run_time_s: unknown key; did you mean runtime_s?",
    ),
    "no name": (HEAD + '[[workload]]\nrw = "read"\n', "t.toml:4: [[workload]] 1: name is missing"),
    "bad name": (
        HEAD + '[[workload]]\nname = "../w"\n',
        "t.toml:5: [[workload]] 1 name: must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit",
    ),
    "global": (
        HEAD + '[[workload]]\nname = "global"\n',
        't.toml:5: [[workload]] 1 name: "global" is the name of a section of its own in fio',
    ),
    "same name": (
        FIVE + TAIL,
        't.toml:9: [[workload]] 2 name: a workload named "w" is there already: names must differ',
    ),
    "no bs": (HEAD + '[[workload]]\nname = "w"\nrw = "read"\n', "t.toml:4: [[workload]] 1: bs is missing"),
    "rw": (
        in_workload("").replace('"read"', '"rand-write"'),
        't.toml:6: [[workload]] 1 rw: unknown value "rand-write"; did you mean randwrite?',
    ),
    "bs": (
        FIVE.replace('"4k"', '"4q"'),
        't.toml:7: [[workload]] 1 bs: "4q" is no size: write for example "4k", "1M", "128KiB" or 4096',
    ),
    "bs type": (
        FIVE.replace('"4k"', "4.5"),
        't.toml:7: [[workload]] 1 bs: must be a size such as "4k", "1M" or 4096, not 4.5',
    ),
    "bs bool": (
        FIVE.replace('"4k"', "true"),
        't.toml:7: [[workload]] 1 bs: must be a size such as "4k", "1M" or 4096, not true',
    ),
    "bs odd": (
        FIVE.replace('"4k"', "1000"),
        "t.toml:7: [[workload]] 1 bs: 1000 is no multiple of 512 bytes, as direct I/O needs",
    ),
    "bs small": (FIVE.replace('"4k"', "0"), "t.toml:7: [[workload]] 1 bs: 0 is too small: at least 512 B"),
    "bs huge": (FIVE.replace('"4k"', '"2G"'), 't.toml:7: [[workload]] 1 bs: "2G" is too large: at most 1 GiB'),
    "iodepth": (in_workload("iodepth = 0"), "t.toml:8: [[workload]] 1 iodepth: 0 is out of range: from 1 to 65536"),
    "iodepth bool": (
        in_workload("iodepth = true"),
        "t.toml:8: [[workload]] 1 iodepth: must be a whole number, not true",
    ),
    "negative time": (
        in_workload("runtime_s = -1"),
        "t.toml:8: [[workload]] 1 runtime_s: -1 is out of range: from 1 to 604800",
    ),
    "nan": (
        in_workload("ramp_time_s = nan"),
        "t.toml:8: [[workload]] 1 ramp_time_s: nan is not a number that can be used",
    ),
    "infinite": (
        in_workload("runtime_s = inf"),
        "t.toml:8: [[workload]] 1 runtime_s: inf is not a number that can be used",
    ),
    "time text": (in_workload('runtime_s = "30s"'), 't.toml:8: [[workload]] 1 runtime_s: must be a number, not "30s"'),
    "time bool": (in_workload("runtime_s = true"), "t.toml:8: [[workload]] 1 runtime_s: must be a number, not true"),
    "direct": (in_workload("direct = 1"), "t.toml:8: [[workload]] 1 direct: must be true or false, not 1"),
    "mix": (
        in_workload("rwmixread = 50"),
        '\
t.toml:8: [[workload]] 1 rwmixread: needs rw = "rw" or "randrw", not "read"',
    ),
    "fsync": (in_workload("fsync = 1"), "t.toml:8: [[workload]] 1 fsync: needs a workload that writes"),
    "io_size": (in_workload('io_size = "1k"'), "t.toml:8: [[workload]] 1 io_size: is smaller than bs"),
    "ioengine": (
        in_workload('ioengine = "libaio\\nexec=x"'),
        "t.toml:8: [[workload]] 1 ioengine: must be one line of text, and not empty",
    ),
    "ioengine path": (
        in_workload('ioengine = "external:/x.so"'),
        't.toml:8: [[workload]] 1 ioengine: unknown I/O engine "external:/x.so"; known are libaio, io_uring, psync',
    ),
    "engine": (
        in_workload('engine = "vdbench"'),
        't.toml:8: [[workload]] 1 engine: unknown engine "vdbench"; known are fio, dd, native',
    ),
    "native option": (
        in_workload('engine = "native"\noptions = {rate_iop = 5}'),
        "t.toml:9: [[workload]] 1 options rate_iop: is not an option that is passed on to native; did you mean rate_iops?",
    ),
    "native way": (
        in_workload('engine = "native"\nioengine = "sync"'),
        't.toml:9: [[workload]] 1 ioengine: unknown I/O engine "sync"; did you mean psync?',
    ),
    "native depth": (
        in_workload('engine = "native"\niodepth = 5000'),
        "t.toml:9: [[workload]] 1 iodepth: 5000 is too deep for the native engine: at most 4096",
    ),
    "native psync": (
        in_workload('engine = "native"\nioengine = "psync"\niodepth = 2'),
        "t.toml:10: [[workload]] 1 iodepth: 2 is too deep for the native engine: at most 1 with psync",
    ),
    "dd random": (
        FIVE.replace('"read"', '"randread"') + 'engine = "dd"\n',
        't.toml:6: [[workload]] 1 rw: dd reads or writes from the front: "randread" needs another engine; did you mean "read"?',
    ),
    "dd deep": (
        in_workload('engine = "dd"\niodepth = 4'),
        "t.toml:9: [[workload]] 1 iodepth: must be 1 for dd: it has one I/O in flight",
    ),
    "dd ramp": (
        in_workload('engine = "dd"\nramp_time_s = 4'),
        "t.toml:9: [[workload]] 1 ramp_time_s: is a matter of fio: dd has no such thing",
    ),
    "dd options": (
        in_workload('engine = "dd"\noptions = {norandommap = true}'),
        "t.toml:9: [[workload]] 1 options norandommap: is not an option that is passed on to dd",
    ),
    "option of ours": (
        in_workload("options = {rw = 'write'}"),
        "t.toml:8: [[workload]] 1 options rw: has a key of its own in [[workload]]; did you mean rw?",
    ),
    "option runtime": (
        in_workload("[workload.options]\nruntime = 3"),
        "t.toml:9: [[workload]] 1 options runtime: has a key of its own in [[workload]]; did you mean runtime_s?",
    ),
    "other file": (
        in_workload("options = {filename = '/dev/sda'}"),
        "t.toml:8: [[workload]] 1 options filename: is not an option that is passed on to fio",
    ),
    "option typo": (
        in_workload("options = {norandmap = true}"),
        "t.toml:8: [[workload]] 1 options norandmap: is not an option that is passed on to fio; did you mean norandommap?",
    ),
    "two ends": (
        in_workload('io_size = "1M"\nruntime_s = 5'),
        "t.toml:9: [[workload]] 1 runtime_s: says when to end, and io_size says so too: leave one of them out",
    ),
    "dd time": (
        in_workload('engine = "dd"\nruntime_s = 5'),
        "t.toml:9: [[workload]] 1 runtime_s: is a matter of fio: dd has no such thing",
    ),
    "option lines": (
        in_workload('options = {rate = "1\\nfilename=x"}'),
        "t.toml:8: [[workload]] 1 options rate: must be one line of text, and not empty",
    ),
    "option list": (
        in_workload("options = {rate = [1]}"),
        "t.toml:8: [[workload]] 1 options rate: must be text, not a list",
    ),
    "option nan": (
        in_workload("options = {rate = nan}"),
        "t.toml:8: [[workload]] 1 options rate: nan is not a number that can be used",
    ),
    "option name": (
        in_workload('options = {"a\\nb" = 1}'),
        "t.toml:8: [[workload]] 1 options a\\nb: is no name of a fio option",
    ),
    "job file": (
        HEAD + '[[workload]]\nname = "w"\njob_file = "absent.fio"\n',
        "t.toml:6: [[workload]] 1 job_file: absent.fio does not exist",
    ),
    "job folder": (
        HEAD + '[[workload]]\nname = "w"\njob_file = "."\n',
        "t.toml:6: [[workload]] 1 job_file: . is not a regular file",
    ),
    "job and rw": (
        in_workload('job_file = "absent.fio"'),
        "t.toml:6: [[workload]] 1 rw: is set by the job file: leave it out here",
    ),
    "job dd": (
        HEAD + '[[workload]]\nname = "w"\nengine = "dd"\njob_file = "x"\n',
        "t.toml:7: [[workload]] 1 job_file: is supported by the fio engine only, not by dd",
    ),
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES.keys())
def test_bad_workloads_get_one_clear_line(sweep_of, text, said):
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert str(refused.value) == said
