"""What a user reads: the whole line, with file, line, key and the nearest valid name."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from permutations.errors import SweepError, nearest
from permutations.sweep import Sweep

HEAD = '[factors]\nlevel = ["raid5"]\ndisks = [4]\n'
TAIL = '[[workload]]\nname = "w"\nrw = "read"\nbs = "4k"\n'
FIVE = HEAD + TAIL  # the workload begins on line 4


def factors(lines: str) -> str:
    return f"[factors]\n{lines}\n{TAIL}"


def in_workload(lines: str) -> str:
    return FIVE + lines + "\n"


CASES = {
    "nothing": ("", "t.toml: [factors]: the table is missing: a sweep needs factors"),
    "no workload": (HEAD, "t.toml: [workload]: the table is missing: a sweep needs [[workload]]"),
    "workload list": ("workload = []\n" + HEAD, "t.toml:1: [workload]: the list is empty"),
    "one workload": (
        HEAD + '[workload]\nname = "w"\n',
        "t.toml:4: [workload]: must be tables: write [[workload]], with two brackets",
    ),
    "two factors": ("[[factors]]\n" + TAIL, "t.toml:1: [factors]: must be one table: write [factors], once"),
    "table": ("[facters]\n", "t.toml:1: [facters]: unknown key; did you mean factors?"),
    "factor": (
        factors('level = "raid5"\ndisks = 4\nchunk_kb = [64]'),
        "t.toml:4: [factors] chunk_kb: unknown key; did you mean chunk_kib?",
    ),
    "far factor": (
        factors('level = "raid5"\ndisks = 4\nzzz = 1'),
        "t.toml:4: [factors] zzz: unknown key; known are level, disks, chunk_kib, raid10_layout, stripe_cache_pages, filesystem, mkfs_options, mount_options, layout, scheduler, read_ahead_kib, nr_requests",
    ),
    "no level": (
        factors("disks = 4"),
        't.toml:1: [factors]: level is missing: write for example level = ["raid5", "raid10"]',
    ),
    "no disks": (
        factors('level = "raid5"'),
        "t.toml:1: [factors]: disks is missing: write for example disks = [4] here, or disks = 4 in [lab]",
    ),
    "level": (
        factors('level = ["raid0",\n  "riad5"]\ndisks = 4'),
        't.toml:3: [factors] level: unknown level "riad5"; did you mean raid5?',
    ),
    "level number": (
        factors("level = [5]\ndisks = 4"),
        't.toml:2: [factors] level: must be text, not 5; did you mean "raid5"?',
    ),
    "level default": (
        factors('level = "default"\ndisks = 4'),
        't.toml:2: [factors] level: unknown level "default"; known are jbod, raid0, raid1, raid5, raid6, raid10',
    ),
    "empty list": (factors("level = []\ndisks = 4"), "t.toml:2: [factors] level: the list is empty"),
    "there twice": (factors('level = "raid5"\ndisks = [4,\n4]'), "t.toml:4: [factors] disks: 4 is there twice"),
    "bool": (factors('level = "raid5"\ndisks = [true]'), "t.toml:3: [factors] disks: must be a whole number, not true"),
    "float": (factors('level = "raid5"\ndisks = 4.0'), "t.toml:3: [factors] disks: must be a whole number, not 4.0"),
    "text": (factors('level = "raid5"\ndisks = "4"'), 't.toml:3: [factors] disks: must be a whole number, not "4"'),
    "nested": (
        factors('level = "raid5"\ndisks = [[4]]'),
        "t.toml:3: [factors] disks: must be a whole number, not a list",
    ),
    "negative": (factors('level = "raid5"\ndisks = -4'), "t.toml:3: [factors] disks: -4: must be from 1 to 256"),
    "chunk": (
        factors('level = "raid5"\ndisks = 4\nchunk_kib = 96'),
        "t.toml:4: [factors] chunk_kib: 96: must be a power of two from 4 to 65536",
    ),
    "chunk size": (
        factors('level = "raid5"\ndisks = 4\nchunk_kib = "64k"'),
        't.toml:4: [factors] chunk_kib: must be a whole number, not "64k"',
    ),
    "stripe cache": (
        factors('level = "raid5"\ndisks = 4\nstripe_cache_pages = 16'),
        "t.toml:4: [factors] stripe_cache_pages: 16: must be from 17 to 32768",
    ),
    "read-ahead": (
        factors('level = "raid5"\ndisks = 4\nread_ahead_kib = 5'),
        "t.toml:4: [factors] read_ahead_kib: 5: must be from 0 to 1048576 and a multiple of 4",
    ),
    "layout": (
        factors('level = "raid5"\ndisks = 4\nlayout = "hashed-2"'),
        't.toml:4: [factors] layout: "hashed-2": must be flat, per-disk or hashed-AxB with A and B from 1 to 256',
    ),
    "fan-out": (
        factors('level = "raid5"\ndisks = 4\nlayout = "hashed-2x999"'),
        't.toml:4: [factors] layout: "hashed-2x999": must be flat, per-disk or hashed-AxB with A and B from 1 to 256',
    ),
    "filesystem": (
        factors('level = "raid5"\ndisks = 4\nfilesystem = "btfs"'),
        't.toml:4: [factors] filesystem: unknown filesystem "btfs"; did you mean btrfs?',
    ),
    "raid10 layout": (
        factors('level = "raid5"\ndisks = 4\nraid10_layout = "n3"'),
        't.toml:4: [factors] raid10_layout: unknown raid10_layout "n3"; known are n2, f2, o2',
    ),
    "scheduler": (
        factors('level = "raid5"\ndisks = 4\nscheduler = "deadline"'),
        't.toml:4: [factors] scheduler: unknown scheduler "deadline"; did you mean mq-deadline?',
    ),
    "second device": (
        factors('level = "raid5"\ndisks = 4\nmkfs_options = "-f /dev/sda"'),
        't.toml:4: [factors] mkfs_options: "-f /dev/sda": must not name a device or a file: a sweep touches only the disks that it was given',
    ),
    "log device": (
        factors('level = "raid5"\ndisks = 4\nmount_options = "logdev=sda"'),
        't.toml:4: [factors] mount_options: "logdev=sda": must not name a device or a file: a sweep touches only the disks that it was given',
    ),
    "two lines": (
        factors('level = "raid5"\ndisks = 4\nmkfs_options = "a\\nb"'),
        't.toml:4: [factors] mkfs_options: "a\\nb": must be one line of options',
    ),
    "forbid key": (
        HEAD + "[[forbid]]\nfilesytem = 1\n" + TAIL,
        "t.toml:5: [[forbid]] 1 filesytem: unknown key; did you mean filesystem?",
    ),
    "forbid nothing": (
        HEAD + '[[forbid]]\nreason = "x"\n' + TAIL,
        "t.toml:4: [[forbid]] 1: names no factor: it would forbid everything",
    ),
    "forbid value": (
        HEAD + '[[forbid]]\nlevel = "raid5"\n[[forbid]]\nlevel = ["raid6", "raid7"]\n' + TAIL,
        't.toml:7: [[forbid]] 2 level: unknown level "raid7"; did you mean raid6?',
    ),
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
        "t.toml:9: [[workload]] 1 options: is a matter of fio: dd has no such thing",
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
        "t.toml:6: [[workload]] 1 job_file: absent.fio cannot be read: No such file or directory",
    ),
    "job folder": (
        HEAD + '[[workload]]\nname = "w"\njob_file = "."\n',
        "t.toml:6: [[workload]] 1 job_file: . cannot be read: Is a directory",
    ),
    "job and rw": (
        in_workload('job_file = "absent.fio"'),
        "t.toml:6: [[workload]] 1 rw: is set by the job file: leave it out here",
    ),
    "job dd": (
        HEAD + '[[workload]]\nname = "w"\nengine = "dd"\njob_file = "x"\n',
        "t.toml:7: [[workload]] 1 job_file: is a matter of fio, not of dd",
    ),
    "files": (FIVE + "[dataset]\nfiles = 0\n", "t.toml:9: [dataset] files: 0 is out of range: from 1 to 1000000"),
    "file size": (
        FIVE + "[dataset]\nfile_size = 5000\n",
        "t.toml:9: [dataset] file_size: 5000 is no multiple of 4096 bytes",
    ),
    "small file": (
        FIVE.replace("4k", "1M") + "[dataset]\nfile_size = 4096\n",
        't.toml:9: [dataset] file_size: is 4096 bytes, less than one block of workload "w"',
    ),
    "profile": (FIVE + '[lab]\nprofile = "hd"\n', 't.toml:9: [lab] profile: unknown profile "hd"; did you mean hdd?'),
    "profile part": (FIVE + "[lab]\nprofile = {iops = 5}\n", "t.toml:9: [lab] profile: bandwidth is missing"),
    "own limit without the others'": (
        FIVE + '[[lab.disk]]\nnumber = 1\niops = 5\nbandwidth = "1M"\n',
        "t.toml:8: [lab] disk: a disk has a limit of its own only beside a profile of all the others",
    ),
    "own limit of no disk": (
        FIVE + '[lab]\nprofile = "hdd"\n[[lab.disk]]\nnumber = 5\niops = 5\nbandwidth = "1M"\n',
        "t.toml:11: [lab] disk number: 5 is out of range: from 1 to 4",
    ),
    "own limit twice": (
        FIVE + '[lab]\nprofile = "hdd"\n' + 2 * '[[lab.disk]]\nnumber = 2\niops = 5\nbandwidth = "1M"\n',
        "t.toml:15: [lab] disk number: disk 2 has a limit of its own already",
    ),
    "own limit incomplete": (
        FIVE + '[lab]\nprofile = "hdd"\n[[lab.disk]]\nnumber = 2\niops = 5\n',
        "t.toml:10: [lab] disk: bandwidth is missing",
    ),
    "constraint of another form": (
        FIVE + '[objective]\nmaximise = "iops"\nrequire = ["survives 2"]\n',
        (
            't.toml:10: [objective] require: "survives 2" is no constraint: write NAME OPERATOR NUMBER [UNIT], as in '
            '"p99 < 20 ms" or "survives >= 2"'
        ),
    ),
    "constraint of a figure that is not known": (
        FIVE + '[objective]\nmaximise = "iops"\nrequire = ["survives >= 1", "price < 2"]\n',
        (
            't.toml:10: [objective] require: "price" is no figure that can be asked for: known are survives, usable, '
            "bandwidth, p50, p95, p99, p999, cpu, lat_mean_ns, lat_p50_ns, lat_p95_ns, lat_p99_ns, lat_p999_ns, "
            "lat_max_ns, cpu_ns_per_io, iops, bw_bytes_s, usable_bytes, disk_failures_survived"
        ),
    ),
    "constraint the wrong way round": (
        FIVE + '[objective]\nmaximise = "iops"\nrequire = ["p99 > 20 ms"]\n',
        't.toml:10: [objective] require: "p99 > 20 ms": lat_p99_ns is better the lower it is',
    ),
    "constraint with a unit of another figure": (
        FIVE + '[objective]\nmaximise = "iops"\nrequire = ["p99 < 20 MiB"]\n',
        't.toml:10: [objective] require: "p99 < 20 MiB": lat_p99_ns has no unit MiB; it has ns, us, ms, s',
    ),
    "preference": (
        FIVE + '[objective]\nmaximise = "iops"\nprefer = ["cost", "price"]\n',
        't.toml:10: [objective] prefer: "price" must be one of redundancy, capacity, cost, simplicity, and each once',
    ),
    "profile key": (
        FIVE + '[lab.profile]\niops = 5\nbandwith = "1M"\n',
        "t.toml:10: [lab] profile bandwith: unknown key; did you mean bandwidth?",
    ),
    "few disks": (
        FIVE + "[lab]\ndisks = 2\n",
        "t.toml:9: [lab] disks: the lab has 2, but [factors] disks goes up to 4",
    ),
    "many disks": (FIVE + "[lab]\ndisks = 17\n", "t.toml:9: [lab] disks: 17 is out of range: from 1 to 16"),
    "large lab": (
        FIVE.replace("[4]", "[4, 20]") + '[lab]\nprofile = "hdd"\n',
        "t.toml:8: [lab]: the lab has at most 16 disks, but [factors] asks for 20",
    ),
    "metric": (
        FIVE + '[objective]\nmaximise = "bandwidth"\n',
        't.toml:9: [objective] maximise: unknown metric "bandwidth"; known are iops, bw_bytes_s, lat_mean_ns, lat_p50_ns, lat_p95_ns, lat_p99_ns, lat_p999_ns, lat_max_ns',
    ),
    "near metric": (
        FIVE + '[objective]\nminimise = "lat_p99_us"\n',
        't.toml:9: [objective] minimise: unknown metric "lat_p99_us"; did you mean lat_p99_ns?',
    ),
    "wrong way": (
        FIVE + '[objective]\nmaximise = "lat_p99_ns"\n',
        "t.toml:9: [objective] maximise: lat_p99_ns is better the lower it is; did you mean minimise?",
    ),
    "other way": (
        FIVE + '[[objective]]\nminimise = "iops"\n',
        "t.toml:9: [[objective]] 1 minimise: iops is better the higher it is; did you mean maximise?",
    ),
    "both ways": (
        FIVE + '[objective]\nmaximise = "iops"\nminimise = "lat_p99_ns"\n',
        "t.toml:8: [objective]: must have either maximise or minimise",
    ),
    "objective workload": (
        FIVE + '[objective]\nmaximise = "iops"\nworkload = "ww"\n',
        't.toml:10: [objective] workload: unknown workload "ww"; did you mean w?',
    ),
    "objective which": (
        FIVE + TAIL.replace('"w"', '"v"') + '[objective]\nmaximise = "iops"\n',
        "t.toml:12: [objective]: workload is missing; known are w, v",
    ),
    "objective twice": (
        FIVE + '[[objective]]\nmaximise = "iops"\n' * 2,
        "t.toml:10: [[objective]] 2: the same objective is there already",
    ),
    "objective dd": (
        in_workload('engine = "dd"') + '[objective]\nmaximise = "iops"\n',
        't.toml:10: [objective] maximise: dd reports no iops: workload "w" has bw_bytes_s alone; did you mean bw_bytes_s?',
    ),
    "replicates": (
        FIVE + "[sweep]\nreplicates = 0\n",
        "t.toml:9: [sweep] replicates: 0 is out of range: from 1 to 1000",
    ),
    "replicates float": (
        FIVE + "[sweep]\nreplicates = 3.0\n",
        "t.toml:9: [sweep] replicates: must be a whole number, not 3.0",
    ),
    "long seed": (
        FIVE + "[sweep]\nseed = 9223372036854775808\n",
        "t.toml:9: [sweep] seed: 9223372036854775808 is out of range: from 0 to 9223372036854775807",
    ),
    "longer seed": (FIVE + f"[sweep]\nseed = {'9' * 5000}\n", "t.toml:9: not valid TOML: a number is too long"),
    "design": (
        FIVE + '[sweep]\ndesign = "coverng"\n',
        't.toml:9: [sweep] design: unknown design "coverng"; did you mean covering?',
    ),
    "strength of full": (
        FIVE + "[sweep]\nstrength = 2\n",
        't.toml:9: [sweep] strength: design "full" has no strength: it is for covering',
    ),
    "strength": (
        FIVE + '[sweep]\ndesign = "covering"\nstrength = 4\n',
        "t.toml:10: [sweep] strength: 4 is out of range: from 2 to 3",
    ),
    "size missing": (
        FIVE + '[sweep]\ndesign = "latin-hypercube"\n',
        't.toml:9: [sweep] design: design "latin-hypercube" needs size = …',
    ),
    "baseline missing": (
        FIVE + '[sweep]\ndesign = "one-factor-at-a-time"\n',
        't.toml:9: [sweep] design: design "one-factor-at-a-time" needs a [baseline] table',
    ),
    "points missing": (
        FIVE + '[sweep]\ndesign = "list"\n',
        't.toml:9: [sweep] design: design "list" needs [[point]] tables',
    ),
    "points of full": (
        FIVE + '[[point]]\nlevel = "raid5"\n',
        't.toml:8: [point]: design "full" does not take this table',
    ),
    "model": (
        FIVE + '[sweep]\ndesign = "d-optimal"\nmodel = "interaction"\n',
        't.toml:10: [sweep] model: unknown value "interaction"; did you mean interactions?',
    ),
    "point key": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevle = "raid5"\n',
        "t.toml:11: [[point]] 1 levle: unknown key; did you mean level?",
    ),
    "point value": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid6"\n',
        "t.toml:11: [[point]] 1 level: is not among the values of [factors], which are raid5",
    ),
    "point open": (
        factors('level = ["raid5", "raid6"]\ndisks = 4') + '[sweep]\ndesign = "list"\n[[point]]\ndisks = 4\n',
        "t.toml:10: [[point]] 1: level is missing, and [factors] has 2 values of it",
    ),
    "point lost": (
        factors('level = ["raid5", "raid6"]\ndisks = [3, 4]')
        + '[sweep]\ndesign = "list"\n[[point]]\ndisks = 3\nlevel = "raid6"\n',
        "t.toml:10: [[point]] 1: is left out: raid6 needs at least 4 disks (raid6-disks)",
    ),
    "point moot": (
        factors('level = ["raid1", "raid5"]\ndisks = 4\nchunk_kib = [64, 128]')
        + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid1"\nchunk_kib = 64\n',
        "t.toml:13: [[point]] 1 chunk_kib: does not apply where the point has level raid1",
    ),
    "point twice": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid5"\n[[point]]\ndisks = 4\n',
        "t.toml:12: [[point]] 2: the same point as [[point]] 1",
    ),
    "point many": (
        FIVE + '[sweep]\ndesign = "list"\n[[point]]\nlevel = "raid5"\nfilesystem = ["xfs", "ext4"]\n',
        "t.toml:12: [[point]] 1 filesystem: must be one value: a point has one of each",
    ),
    "require nothing": (
        FIVE + '[[require]]\nwhen = {level = "raid5"}\n',
        "t.toml:8: [[require]] 1: names no factor beside when: it would require nothing",
    ),
    "require key": (
        FIVE + '[[require]]\nwhen = {levl = "raid5"}\ndisks = 4\n',
        "t.toml:9: [[require]] 1 when levl: unknown key; did you mean level?",
    ),
    "require both": (
        FIVE + '[[require]]\nwhen = {level = "raid5"}\nlevel = "raid5"\n',
        "t.toml:10: [[require]] 1 level: is in when as well: say which values go together with [[forbid]]",
    ),
    "range key": (
        factors('level = "raid5"\ndisks = {start = 3, stop = 9, stepp = 2}'),
        "t.toml:3: [factors] disks stepp: unknown key; did you mean step?",
    ),
    "range half": (
        factors('level = "raid5"\ndisks = {start = 3}'),
        "t.toml:3: [factors] disks: stop is missing",
    ),
    "range both": (
        factors('level = "raid5"\ndisks = {start = 3, stop = 9, step = 1, log2 = true}'),
        "t.toml:3: [factors] disks: a range has either step or log2 = true",
    ),
    "range back": (
        factors('level = "raid5"\ndisks = {start = 9, stop = 3, step = 1}'),
        "t.toml:3: [factors] disks stop: 3 is out of range: from 9 to 9223372036854775807",
    ),
    "range value": (
        factors('level = "raid5"\ndisks = 4\nchunk_kib = {start = 4, stop = 20, step = 4}'),
        "t.toml:4: [factors] chunk_kib: 12 is in the range, but chunk_kib must be a power of two from 4 to 65536",
    ),
    "range text": (
        factors("level = {start = 1, stop = 5, step = 1}\ndisks = 4"),
        "t.toml:2: [factors] level: must be text: a range is for numbers",
    ),
    "range long": (
        factors('level = "raid5"\ndisks = 4\nread_ahead_kib = {start = 0, stop = 9000000000, step = 4}'),
        "t.toml:4: [factors] read_ahead_kib: the range has more than 100000 values",
    ),
    "order": (
        FIVE + '[sweep]\norder = "grouped"\n',
        't.toml:9: [sweep] order: "grouped" is not available: this version has blocked, split-plot',
    ),
    "racing without a race": (
        FIVE + "[racing]\nbudget_trials = 9\n",
        't.toml:8: [racing]: is read with design = "racing" only',
    ),
    "race without a budget": (
        FIVE + '[sweep]\ndesign = "racing"\n',
        "t.toml: [racing]: must have either budget_trials or budget_hours",
    ),
    "race with replicates": (
        FIVE + '[sweep]\ndesign = "racing"\nreplicates = 2\n[racing]\nbudget_trials = 9\n',
        (
            "t.toml:10: [sweep] replicates: a race has a budget instead: write budget_trials or budget_hours under "
            "[racing]"
        ),
    ),
    "race in plots": (
        FIVE + '[sweep]\ndesign = "racing"\norder = "split-plot"\n[racing]\nbudget_trials = 9\n',
        (
            "t.toml:10: [sweep] order: a race runs in blocks: which points a block has is known only when the last has "
            "ended"
        ),
    ),
    "sampler": (
        FIVE + '[sweep]\ndesign = "racing"\n[racing]\nbudget_hours = 2\nsampler = "optuna-tpx"\n',
        't.toml:12: [racing] sampler: unknown sampler "optuna-tpx"; did you mean optuna-tpe?',
    ),
    "endurance": (
        FIVE + '[disk]\nrated_tbw_tb = "600"\n',
        't.toml:9: [disk] rated_tbw_tb: must be a number, not "600"',
    ),
    "sync": (
        FIVE + '[sweep]\ninitial_sync = "assume_clean"\n',
        't.toml:9: [sweep] initial_sync: unknown value "assume_clean"; did you mean assume-clean?',
    ),
    "date": (FIVE + "[sweep]\nname = 1979-05-27\n", "t.toml:9: [sweep] name: must be text, not 1979-05-27"),
    "deep": (
        FIVE + "[sweep]\nname = " + "[" * 5000 + "]" * 5000,
        "t.toml: not valid TOML for a sweep: nested too deeply",
    ),
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES.keys())
def test_bad_sweeps_get_one_clear_line(sweep_of, text, said):
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[factors]\nlevel = \n", 2),
        ("[factors]\nlevel = [1,\n\n", 2),
        ("a = 1\n\na = 2\n", 3),
        ("[factors]\nlevel = raid5\n", 2),
        ("[factors\n", 1),
        ('[factors]\nlevel = "raid5\n', 2),
    ],
)
def test_bad_syntax_has_its_line(sweep_of, text, line):
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert refused.value.line == line
    assert str(refused.value).startswith(f"t.toml:{line}: not valid TOML: ")
    assert "(at line" not in str(refused.value)


def test_an_error_can_be_taken_apart(sweep_of):
    with pytest.raises(SweepError) as refused:
        sweep_of(CASES["factor"][0])
    error = refused.value
    assert (error.path, error.line, error.key) == ("t.toml", 4, "[factors] chunk_kb")
    assert (error.message, error.suggestion) == ("unknown key", "chunk_kib")


def test_files_that_are_none(tmp_path):
    absent, folder, binary, large = (tmp_path / name for name in ("absent.toml", "folder", "binary", "large"))
    folder.mkdir()
    binary.write_bytes(b"a = 1\n\xff\xfe")
    large.write_bytes(b"#" * (1 << 21))
    for path, said in (
        (absent, f"{absent}: there is no such file"),
        (folder, f"{folder}: cannot be read: Is a directory"),
        (binary, f"{binary}:2: is not UTF-8 text"),
        (large, f"{large}: is over 1048576 bytes: this is no sweep file"),
    ):
        with pytest.raises(SweepError) as refused:
            Sweep.load(path)
        assert str(refused.value) == said


def test_a_profile_by_name_needs_somebody_who_knows_it():
    with pytest.raises(SweepError, match="no profile is known by name here"):
        Sweep.parse(FIVE + '[lab]\nprofile = "hdd"\n', "t.toml")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('ioengine = "external:/x.so"', 'ioengine: "external:/x.so" is no name of an I/O engine of fio'),
        ('options = {"../x" = 1}', "options ../x: is no name of a fio option"),
    ],
)
def test_without_a_vocabulary_words_must_still_be_plain(line, said):
    with pytest.raises(SweepError) as refused:
        Sweep.parse(in_workload(line), "t.toml")
    assert said in str(refused.value)


def test_a_job_file_that_trims_is_refused(tmp_path):
    (tmp_path / "a.fio").write_text("[global]\nrw=read\n[j]\nrw=randtrim\n")
    text = HEAD + '[[workload]]\nname = "w"\njob_file = "a.fio"\n'
    with pytest.raises(SweepError, match="has rw=randtrim, which is not supported"):
        Sweep.parse(text, tmp_path / "t.toml")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("chunk_kb", "chunk_kib"), ("Chunk_KiB", "chunk_kib"), ("kib", "chunk_kib"), ("zzz", None), ("", None)],
)
def test_the_nearest_name(written, meant):
    assert nearest(written, ("level", "disks", "chunk_kib")) == meant
