from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.factors import FACTORS, LEVELS
from permutations.rules import HARDWARE_RULES, Forbid
from permutations.space import MERGED, FactorValues, Space

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
    walk = sweep.space.walk()
    points = set(walk)
    assert sweep.space.raw_combinations == 51_840
    assert len(points) == 17_856
    assert sum(entry.count for entry in walk.left_out()) == 51_840 - 17_856


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
    "level": LEVELS,
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


def brute_force(factors, forbidden):
    """Feasible points and the count of feasible raw combinations, over the whole product."""
    points, feasible = set(), 0
    for values in itertools.product(*(factor.values for factor in factors)):
        raw = dict(zip(NAMES, values, strict=True))
        matched = any(
            all(applies(name, raw) and raw[name] in wanted for name, wanted in forbid.keys) for forbid in forbidden
        )
        if matched or not ENOUGH[raw["level"]](raw["disks"]):
            continue
        feasible += 1
        points.add(tuple(raw[name] if applies(name, raw) else None for name in NAMES))
    return points, feasible


@st.composite
def spaces(draw):
    factors = tuple(
        FactorValues(name, tuple(draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3, unique=True))))
        for name, pool in POOLS.items()
    )
    forbids = draw(
        st.lists(
            st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).flatmap(
                lambda names: st.tuples(
                    *(
                        st.tuples(
                            st.just(name), st.lists(st.sampled_from(POOLS[name]), min_size=1, max_size=2).map(tuple)
                        )
                        for name in names
                    )
                )
            ),
            max_size=4,
        )
    )
    return factors, tuple(Forbid(keys) for keys in forbids)


def space_of(factors, forbids):
    return Space(factors, HARDWARE_RULES + tuple(forbid.rule(n) for n, forbid in enumerate(forbids, start=1)))


@settings(max_examples=150, deadline=None)
@given(spaces())
def test_the_walk_finds_what_brute_force_finds_and_counts_everything_once(drawn):
    factors, forbids = drawn
    space = space_of(factors, forbids)
    walk = space.walk()
    found = list(walk)
    points, feasible = brute_force(factors, forbids)
    assert len(found) == len(set(found))
    assert set(found) == points
    counted = {entry.rule: entry.count for entry in walk.left_out()}
    assert counted.get(MERGED, 0) == feasible - len(points)
    assert len(found) + sum(counted.values()) == math.prod(len(factor.values) for factor in factors)
    assert all(f"forbid-{n}" in counted for n, _ in enumerate(forbids, start=1))


@pytest.mark.timeout(60)
def test_a_lost_subtree_is_counted_and_not_walked():
    wide = {
        "level": ("raid6",),
        "disks": (2, 3),
        "read_ahead_kib": tuple(range(0, 40_000, 4)),
        "nr_requests": tuple(range(4, 65_000)),
    }
    factors = tuple(FactorValues(name, wide.get(name, (FACTORS[name].default,))) for name in NAMES)
    space = Space(factors, HARDWARE_RULES)
    walk = space.walk()
    assert list(walk) == []  # the product has 1.3e9 combinations: walking them would take an hour
    assert [entry.count for entry in walk.left_out()] == [2 * 10_000 * 64_996]


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
        ("raid6", 2, "raid6 needs at least 4 disks (raid6-disks, 1)"),
        ("raid10", 5, "raid10 needs an even number of disks, at least 4 (raid10-disks, 1)"),
        ("raid5", 2, "raid5 needs at least 3 disks (raid5-disks, 1)"),
        ("raid0", 1, "raid0 needs at least 2 disks (raid0-disks, 1)"),
        ("raid1", 1, "raid1 needs at least 2 disks (raid1-disks, 1)"),
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
    assert "raid6 needs at least 4 disks (raid6-disks, 2)" in refused.value.message
    assert "parity is out of the question (forbid-1, 2)" in refused.value.message


def test_the_rules_say_what_md_refuses():
    assert {rule.name for rule in HARDWARE_RULES} == {f"{level}-disks" for level in LEVELS}
    for level, disks in itertools.product(LEVELS, range(1, 13)):
        broken = [rule.name for rule in HARDWARE_RULES if rule.breaks({"level": level, "disks": disks})]
        assert broken == ([] if ENOUGH[level](disks) else [f"{level}-disks"])
