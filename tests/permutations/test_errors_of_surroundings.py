"""What a user reads of the data set, the lab and the objective: the whole line."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from permutations.errors import SweepError
from tests.permutations.sweep_texts import FIVE, TAIL, in_workload

CASES = {
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
            't.toml:10: [objective] require: "survives 2" is not a constraint: write NAME OPERATOR NUMBER [UNIT], as in '
            '"p99 < 20 ms" or "survives >= 2"'
        ),
    ),
    "constraint of a figure that is not known": (
        FIVE + '[objective]\nmaximise = "iops"\nrequire = ["survives >= 1", "price < 2"]\n',
        (
            't.toml:10: [objective] require: "price" is not a metric that a constraint can name: use survives, usable, '
            "bandwidth, p50, p95, p99, p999, cpu, disk_failures_survived, usable_bytes, iops, bw_bytes_s, lat_mean_ns, "
            "lat_p50_ns, lat_p95_ns, lat_p99_ns, lat_p999_ns, lat_max_ns, cpu_ns_per_io; of latencies also those of one "
            "kind, with read_, write_, sync_, commit_ in front"
        ),
    ),
    "constraint the wrong way round": (
        FIVE + '[objective]\nmaximise = "iops"\nrequire = ["p99 > 20 ms"]\n',
        't.toml:10: [objective] require: "p99 > 20 ms": lat_p99_ns is better the lower it is: use <',
    ),
    "constraint with a unit of another figure": (
        FIVE + '[objective]\nmaximise = "iops"\nrequire = ["p99 < 20 MiB"]\n',
        't.toml:10: [objective] require: "p99 < 20 MiB": lat_p99_ns has no unit MiB: use ns, us, ms, s',
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
        't.toml:9: [objective] maximise: unknown metric "bandwidth"; known are iops, bw_bytes_s, lat_mean_ns, lat_p50_ns, lat_p95_ns, lat_p99_ns, lat_p999_ns, lat_max_ns; of latencies also those of one kind, with read_, write_, sync_, commit_ in front',
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
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES.keys())
def test_bad_surroundings_get_one_clear_line(sweep_of, text, said):
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert str(refused.value) == said
