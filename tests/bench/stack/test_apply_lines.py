"""The lines that apply queue settings for good: to the disks of the stack and to its array, and to no other device."""

from __future__ import annotations

import re

import pytest

from bench.stack.queue import apply_lines
from bench.stack.spec import StackSpec
from permutations.factors import FACTORS
from permutations.point import DesignPoint
from results.recommendation.apply import script


def spec(level: str, **settings: object) -> StackSpec:
    values = dict.fromkeys(FACTORS) | {"level": level, "disks": 8, "filesystem": "xfs", **settings}
    return StackSpec.of(DesignPoint(tuple(values[name] for name in FACTORS)), "wait")


@pytest.mark.parametrize("level", ["jbod", "raid5"])
def test_every_rule_names_what_it_is_for(level: str) -> None:
    """A rule for md* or sd* would change every array and every disk of the host."""
    pages = {} if level == "jbod" else {"stripe_cache_pages": 256}
    lines = apply_lines(spec(level, scheduler="none", nr_requests=32, read_ahead_kib=4096, **pages))
    assert len(lines) == 3 + len(pages)
    for line in lines:
        assert "KERNEL==" not in line
        numbers = [int(number) for number in re.findall(r"disk/by-id/DISK([0-9]+)", line)]
        assert numbers == list(range(1, 9)) or 'ENV{MD_DEVNAME}=="data"' in line
    assert script(lines)[0] == "# DISK1 to DISK8: put the names of your disks in /dev/disk/by-id there."
