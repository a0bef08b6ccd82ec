from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.factors import FACTORS
from permutations.feasible.conflict import conflict
from permutations.feasible.rules import Forbid, Require, hardware_rules
from permutations.feasible.space import MERGED, FactorValues, Space
from stripelab.raid import LEVELS

NAMES = tuple(FACTORS)

RAID_SPACE = """\
[factors]
level = ["jbod", "raid0", "raid1", "raid5", "raid6", "raid10"]
disks = [1, 2, 3, 4, 6, 8]
chunk_kib = ["default", 64, 128, 256, 512]
filesystem = ["xfs", "ext4", "btrfs", "f2fs"]
layout = ["flat", "hashed-2x16", "per-disk"]
scheduler = ["none", "mq-deadline", "kyber", "bfq"]
read_ahead_kib = [128, 1024, 4096]
nr_requests = [64, 256]

[[forbid]]
level = "jbod"
disks = [2, 3, 4, 6, 8]

[[forbid]]
level = "raid1"
disks = [3, 4, 6, 8]

[[forbid]]
level = ["raid0", "raid5", "raid6", "raid10"]
chunk_kib = "default"

[[workload]]
name = "w"
rw = "read"
bs = "4k"
"""


def test_the_constrained_raid_space_has_its_published_size(sweep_of):
    sweep = sweep_of(RAID_SPACE)
    points = set(sweep.space.walk())
    assert sweep.space.raw_combinations == 51_840
    assert len(points) == sweep.space.feasible == 17_856
    assert sum(entry.count for entry in sweep.space.left_out()) == 51_840 - 17_856


def test_the_constrained_raid_space_by_rule(sweep_of):
    plan = make_plan(sweep_of(RAID_SPACE))
    below = 5 * 4 * 3 * 4 * 3 * 2  # combinations of what stands below level and disks
    # by hand: raid10 loses 1, 2 and 3 disks; of 62 (level, disks, chunk) triples left, jbod and raid1 have one each
    assert {entry.rule: entry.count for entry in plan.left_out} == {
        "raid0-disks": below,
        "raid1-disks": below,
        "raid5-disks": 2 * below,
        "raid6-disks": 3 * below,
        "raid10-disks": 3 * below,
        "forbid-1": 5 * below,
        "forbid-2": 4 * below,
        "forbid-3": 15 * below // 5,
        MERGED: 2 * below - 2 * below // 5,
    }


# An independent definition of what is feasible, to hold against the walk.

POOLS = {
    "level": ("jbod", "raid0", "raid1", "raid5", "raid6", "raid10"),
    "disks": (1, 2, 3, 4, 5, 6),
    "chunk_kib": (None, 64, 512),
    "raid10_layout": (None, "n2", "f2"),
    "stripe_cache_pages": (None, 4096),
    "filesystem": ("raw", "xfs", "ext4"),
    "mkfs_options": (None,),
    "mount_options": (None, "noatime"),
    "layout": ("flat", "per-disk"),
    "scheduler": ("none", "bfq"),
    "read_ahead_kib": (None, 128),
    "nr_requests": (64,),
}
DEPENDS = {
    "chunk_kib": lambda s: s["level"] in {"raid0", "raid5", "raid6", "raid10"},
    "raid10_layout": lambda s: s["level"] == "raid10",
    "stripe_cache_pages": lambda s: s["level"] in {"raid5", "raid6"},
    "mkfs_options": lambda s: s["filesystem"] != "raw",
    "mount_options": lambda s: s["filesystem"] != "raw",
    "layout": lambda s: s["filesystem"] != "raw",
}
ENOUGH = {
    "jbod": lambda n: n >= 1,
    "raid0": lambda n: n >= 2,
    "raid1": lambda n: n >= 2,
    "raid5": lambda n: n >= 3,
    "raid6": lambda n: n >= 4,
    "raid10": lambda n: n >= 4 and n % 2 == 0,
}


def applies(name, combination):
    return DEPENDS.get(name, lambda _: True)(combination)


def matches(keys, raw):
    return all(applies(name, raw) and raw[name] in wanted for name, wanted in keys)


def brute_force(factors, forbidden, required=()):
    """Feasible points and the count of feasible raw combinations, over the whole product."""
    points, feasible = set(), 0
    for values in itertools.product(*(factor.values for factor in factors)):
        raw = dict(zip(NAMES, values, strict=True))
        lost = any(matches(forbid.keys, raw) for forbid in forbidden) or any(
            matches(require.when, raw)
            and any(applies(name, raw) and raw[name] not in wanted for name, wanted in require.then)
            for require in required
        )
        if lost or not ENOUGH[raw["level"]](raw["disks"]):
            continue
        feasible += 1
        points.add(tuple(raw[name] if applies(name, raw) else None for name in NAMES))
    return points, feasible


@st.composite
def keys(draw):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    values = [st.lists(st.sampled_from(POOLS[name]), min_size=1, max_size=2).map(tuple) for name in names]
    return tuple((name, draw(wanted)) for name, wanted in zip(names, values, strict=True))


@st.composite
def spaces(draw):
    factors = tuple(
        FactorValues(name, tuple(draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True))))
        for name, pool in POOLS.items()
    )
    forbids = tuple(Forbid(each) for each in draw(st.lists(keys(), max_size=4)))
    requires = []
    for when, then in draw(st.lists(st.tuples(keys(), keys()), max_size=3)):
        named = {name for name, _ in then}
        requires.append(Require(tuple(each for each in when if each[0] not in named), then))
    return factors, forbids, tuple(requires)


def space_of(factors, forbids, requires=()):
    forbidden = tuple(forbid.rule(n) for n, forbid in enumerate(forbids, start=1))
    return Space(
        factors, hardware_rules() + forbidden + tuple(each.rule(n) for n, each in enumerate(requires, start=1))
    )


@settings(max_examples=150, deadline=None)
@given(spaces())
def test_the_walk_finds_what_brute_force_finds_and_counts_everything_once(drawn):
    factors, forbids, requires = drawn
    space = space_of(*drawn)
    found = list(space.walk())
    points, feasible = brute_force(*drawn)
    assert len(found) == len(set(found)) == space.feasible
    assert set(found) == points
    counted = {entry.rule: entry.count for entry in space.left_out()}
    assert counted.get(MERGED, 0) == feasible - len(points)
    assert len(found) + sum(counted.values()) == math.prod(len(factor.values) for factor in factors)
    assert all(f"forbid-{n}" in counted for n, _ in enumerate(forbids, start=1))
    assert all(f"require-{n}" in counted for n, _ in enumerate(requires, start=1))


@settings(max_examples=60, deadline=None)
@given(spaces())
def test_a_conflict_is_minimal_and_explains_the_emptiness(drawn):
    space = space_of(*drawn)
    blamed = conflict(space)
    assert bool(blamed) is (space.feasible == 0)
    if blamed:
        assert not list(Space(space.factors, blamed).walk())
        for rule in blamed:
            without = tuple(other for other in blamed if other is not rule)
            assert next(iter(Space(space.factors, without).walk()), None) is not None


def test_the_smallest_of_two_conflicts_is_named():
    factors = tuple(
        FactorValues(name, {"level": ("raid5", "raid6"), "disks": (4,), "nr_requests": (4, 5)}.get(name, (None,)))
        for name in NAMES
    )
    rules = [
        Forbid((("level", ("raid5",)), ("nr_requests", (4,)))),
        Forbid((("level", ("raid5",)), ("nr_requests", (5,)))),
        Forbid((("level", ("raid6",)),)),
        Forbid((("nr_requests", (4, 5)),)),
    ]
    assert [rule.name for rule in conflict(space_of(factors, rules))] == ["forbid-4"]


def test_rules_that_join_the_last_factors_with_the_first_do_not_slow_the_walk():
    """1.6e9 raw combinations; by hand: each nr_requests fixes read_ahead_kib and disks, of 30 x 30 x 30 one in 900."""
    wide = {
        "level": ("raid0", "raid5"),
        "disks": tuple(range(3, 33)),
        "chunk_kib": (64, 128),
        "filesystem": ("xfs", "ext4"),
        "layout": tuple(f"hashed-1x{n}" for n in range(1, 251)),
        "read_ahead_kib": tuple(range(0, 120, 4)),
        "nr_requests": tuple(range(4, 34)),
        "scheduler": ("none", "bfq"),
        "stripe_cache_pages": tuple(range(100, 130)),
    }
    factors = tuple(FactorValues(name, wide.get(name, (FACTORS[name].default,))) for name in NAMES)
    requires = tuple(
        Require(
            (("nr_requests", (4 + n,)),),
            (("read_ahead_kib", (4 * n,)), ("disks", (3 + n,)), ("layout", ("hashed-1x1",))),
        )
        for n in range(30)
    )
    space = space_of(factors, (), requires)
    assert space.raw_combinations == 2 * 30 * 2 * 2 * 250 * 30 * 30 * 2 * 30
    # 30 triples; raid0 has no stripe cache
    assert space.feasible == 30 * 2 * 2 * 2 * (1 + 30)
    assert sum(1 for _ in space.walk()) == space.feasible


def test_a_lost_subtree_is_counted_and_not_walked():
    wide = {
        "level": ("raid6",),
        "disks": (2, 3),
        "read_ahead_kib": tuple(range(0, 40_000, 4)),
        "nr_requests": tuple(range(4, 65_000)),
    }
    factors = tuple(FactorValues(name, wide.get(name, (FACTORS[name].default,))) for name in NAMES)
    space = Space(factors, hardware_rules())
    assert list(space.walk()) == []  # the product has 1.3e9 combinations: walking them would take an hour
    assert [entry.count for entry in space.left_out()] == [2 * 10_000 * 64_996]


def test_a_forbid_matches_nothing_where_its_factor_does_not_apply(sweep_of):
    text = """
[factors]
level = ["raid1", "raid5"]
disks = [4]
chunk_kib = ["default", 64]
[[forbid]]
chunk_kib = "default"
[[workload]]
name = "w"
rw = "read"
bs = "4k"
"""
    labels = [point.label() for point in make_plan(sweep_of(text)).points]
    assert labels == ["raid1 x4 xfs flat", "raid5 x4 64K xfs flat"]


@pytest.mark.parametrize(
    ("level", "disks", "said"),
    [
        ("raid6", 2, "raid6 needs at least 4 disks (raid6-disks)"),
        ("raid10", 5, "raid10 needs an even number of disks, at least 4 (raid10-disks)"),
        ("raid5", 2, "raid5 needs at least 3 disks (raid5-disks)"),
        ("raid0", 1, "raid0 needs at least 2 disks (raid0-disks)"),
        ("raid1", 1, "raid1 needs at least 2 disks (raid1-disks)"),
    ],
)
def test_an_empty_space_names_the_rules_that_empty_it(sweep_of, level, disks, said):
    text = f'[factors]\nlevel = ["{level}"]\ndisks = [{disks}]\n[[workload]]\nname = "w"\nrw = "read"\nbs = "4k"\n'
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert str(refused.value) == (f"t.toml:1: [factors]: the space is empty: the only combination is left out: {said}")


def test_a_space_emptied_by_several_rules_names_each(sweep_of):
    text = """[factors]
level = ["raid6", "raid5"]
disks = [3]
filesystem = ["xfs", "btrfs"]
[[forbid]]
level = "raid5"
filesystem = ["xfs", "btrfs"]
reason = "parity is out of the question"
[[workload]]
name = "w"
rw = "read"
bs = "4k"
"""
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert "all 4 combinations are left out" in refused.value.message
    assert "raid6 needs at least 4 disks (raid6-disks)" in refused.value.message
    assert "parity is out of the question (forbid-1, line 5)" in refused.value.message


def test_the_rules_say_what_md_refuses():
    assert {rule.name for rule in hardware_rules()} == {f"{level}-disks" for level in LEVELS}
    for level, disks in itertools.product(ENOUGH, range(1, 13)):
        broken = [rule.name for rule in hardware_rules() if rule.breaks({"level": level, "disks": disks})]
        assert broken == ([] if ENOUGH[level](disks) else [f"{level}-disks"])
