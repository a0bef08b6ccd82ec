"""What a user reads of tables, factors and `[[forbid]]`: the whole line, with file, line, key and the nearest name."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest

from permutations.errors import SweepError
from tests.permutations.sweep_texts import HEAD, TAIL, factors

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
        't.toml:2: [factors] level: unknown level "default"; known are jbod, raid0, raid1, raid10, raid5, raid6',
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
}


@pytest.mark.parametrize(("text", "said"), CASES.values(), ids=CASES.keys())
def test_bad_factors_get_one_clear_line(sweep_of, text, said):
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert str(refused.value) == said
