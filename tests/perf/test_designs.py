"""What designs cost and how small they are (``make perf``): the figures of docs/methodology-designs.md."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time

import pytest

from permutations.designs.covering import cover
from permutations.factors import FACTORS
from permutations.feasible.rules import Require, hardware_rules
from permutations.feasible.space import FactorValues, Space
from tests.permutations.designs.models import (
    BEST_KNOWN,
    MODELS,
    PICT,
    missing,
    raid_feasible,
    raid_space,
    tuples_of,
)

SEED = 20261122


def space_of(values, rules=()):
    factors = tuple(FactorValues(name, values.get(name, (FACTORS[name].default,))) for name in FACTORS)
    return Space(factors, hardware_rules() + tuple(rule.rule(n) for n, rule in enumerate(rules, start=1)))


MILLION = {
    "level": ("jbod", "raid0", "raid5", "raid6", "raid10"),
    "disks": tuple(range(2, 27)),
    "chunk_kib": (64, 128, 256, 512),
    "filesystem": ("raw", "xfs", "ext4", "btrfs"),
    "layout": ("flat", "per-disk", "hashed-2x16"),
    "scheduler": ("none", "mq-deadline", "kyber", "bfq"),
    "read_ahead_kib": tuple(range(0, 64, 4)),
    "nr_requests": (64, 128, 256, 512, 1024),
}
BILLION = {
    "level": ("raid0", "raid5", "raid6", "raid10"),
    "disks": tuple(range(4, 36)),
    "chunk_kib": (64, 128, 256, 512),
    "stripe_cache_pages": tuple(range(100, 132)),
    "filesystem": ("xfs", "ext4", "btrfs"),
    "layout": ("flat", "per-disk", "hashed-2x16"),
    "mount_options": (None, "noatime"),
    "scheduler": ("none", "mq-deadline", "kyber", "bfq"),
    "read_ahead_kib": tuple(range(0, 128, 4)),
    "nr_requests": tuple(range(4, 36)),
}
JOINED = tuple(
    Require((("nr_requests", (4 + n,)),), (("read_ahead_kib", (4 * n,)), ("disks", (4 + n,)))) for n in range(32)
)


def streamed(space, name, capsys):
    started = time.perf_counter()
    feasible = space.feasible
    counted = time.perf_counter()
    seen = sum(1 for _ in space.walk())
    ended = time.perf_counter()
    assert seen == feasible
    with capsys.disabled():
        print(f"\n{name}: {space.raw_combinations} raw, {feasible} feasible: counted in {counted - started:.3f} s, "
              f"streamed in {ended - counted:.2f} s")  # fmt: skip


def test_streams_of_points(capsys):
    streamed(space_of(MILLION), "a million points", capsys)
    streamed(space_of(BILLION, JOINED), "a billion combinations", capsys)


def test_memory_of_a_stream(capsys):
    """In a process of its own, since the peak of this one says nothing."""
    program = (
        "import resource; from tests.perf.test_designs import *; space = space_of(MILLION);"
        "print(sum(1 for _ in space.walk()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    with capsys.disabled():
        print(f"\n{told[0]} points streamed: at most {told[1]} MiB, numpy and pytest among them")


@pytest.mark.parametrize("name", MODELS)
def test_covering_arrays(name, capsys):
    model = MODELS[name]
    started = time.perf_counter()
    found = cover(model, 2, SEED)
    took = time.perf_counter() - started
    assert missing(found.rows.tolist(), model.levels, 2, None) == 0
    with capsys.disabled():
        print(f"\n{name:<15} {len(found.rows):>4} rows (PICT {PICT[name]}, best known {BEST_KNOWN[name]}, none below "
              f"{found.lower_bound}) in {took:.1f} s, from {found.start}")  # fmt: skip


@pytest.mark.parametrize("strength", [2, 3])
def test_the_raid_space(strength, capsys):
    model = raid_space()
    started = time.perf_counter()
    found = cover(model, strength, SEED)
    took = time.perf_counter() - started
    whole = [row for row in itertools.product(*map(range, model.levels)) if raid_feasible(row)]
    assert missing(found.rows.tolist(), model.levels, strength, tuples_of(whole, strength)) == 0
    with capsys.disabled():
        print(f"\nRAID space, strength {strength}: {len(found.rows)} rows, all {found.tuples} tuples (none below "
              f"{found.lower_bound}) in {took:.1f} s")  # fmt: skip
