"""Split plots: every block whole, every plot in one piece, everything from the seed; and what orders cost."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permutations.cost import builds, plan_cost
from permutations.design import make_plan
from permutations.factors import FACTORS
from permutations.order import split_plot
from permutations.orders import compare_orders
from permutations.point import DesignPoint
from permutations.strata import ARRAY, FILESYSTEM, MOUNT, STRATA

LEVELS = st.sampled_from(["jbod", "raid0", "raid5", "raid6"])
POINTS = st.sets(
    st.tuples(
        LEVELS,
        st.sampled_from([None, 64, 256]),
        st.sampled_from(["xfs", "ext4", "raw"]),
        st.sampled_from(["flat", "hashed-2x2"]),
        st.sampled_from([None, "bfq", "none"]),
    ),
    min_size=2,
    max_size=30,
).map(lambda chosen: [point(*each) for each in sorted(chosen, key=repr)])
SEEDS = st.integers(0, 2**63 - 1)

ACCEPTANCE = """\
[sweep]
seed = 5
replicates = 2
order = "split-plot"
[factors]
level = ["jbod", "raid0", "raid1", "raid5", "raid6", "raid10"]
disks = [4]
chunk_kib = [64, 256, 1024]
filesystem = ["xfs", "ext4", "btrfs"]
layout = ["flat", "hashed-2x16", "per-disk"]
"""
WORKLOADS = "".join(f'[[workload]]\nname = "w{n}"\nrw = "write"\nbs = "1M"\n' for n in range(4))


def point(level, chunk_kib, filesystem, layout, scheduler) -> DesignPoint:
    given = {
        "level": level,
        "disks": 4,
        "chunk_kib": chunk_kib,
        "filesystem": filesystem,
        "layout": layout,
        "scheduler": scheduler,
    }
    return DesignPoint(tuple(given.get(name, factor.default) for name, factor in FACTORS.items()))


def plan(points, seed, replicates=3):
    return split_plot(points, seed=seed, replicates=replicates, protocol_id="p")


def test_every_factor_is_in_one_stratum():
    named = [factor for stratum in STRATA for factor in stratum.factors]
    assert sorted(named) == sorted(FACTORS)


@given(POINTS, SEEDS)
def test_every_block_is_complete(points, seed):
    trials = plan(points, seed)
    assert [trial.run_order for trial in trials] == list(range(3 * len(points)))
    for block in range(3):
        assert Counter(trial.point for trial in trials if trial.block == block) == Counter(points)
        assert {trial.block for trial in trials[block * len(points) : (block + 1) * len(points)]} == {block}


@given(POINTS, SEEDS)
def test_every_plot_is_in_one_piece_and_of_one_block_and_one_stratum(points, seed):
    trials = plan(points, seed)
    for number, of in (("whole_plot", (ARRAY,)), ("sub_plot", (ARRAY, FILESYSTEM))):
        runs = [(plot, list(group)) for plot, group in groupby(trials, key=lambda trial: getattr(trial, number))]
        assert [plot for plot, _ in runs] == list(range(len(runs)))
        for _, group in runs:
            assert len({(trial.block, *(stratum.settings(trial.point) for stratum in of)) for trial in group}) == 1
    # below the filesystem nothing is numbered, but mounts stay together too
    mounts = [(trial.sub_plot, MOUNT.settings(trial.point)) for trial in trials]
    assert len([key for key, _ in groupby(mounts)]) == len(set(mounts))


@given(POINTS, SEEDS, st.randoms(use_true_random=False))
def test_the_order_follows_from_the_seed_alone(points, seed, random):
    ordered = plan(points, seed)
    random.shuffle(points)
    assert plan(points, seed) == ordered
    assert plan(points, seed, replicates=4)[: len(ordered)] == ordered


@settings(max_examples=20)
@given(SEEDS)
def test_blocks_are_randomised_each_for_itself(seed):
    points = [point(level, chunk, "xfs", "flat", None) for level in ("raid0", "raid5", "raid6") for chunk in (64, 256)]
    points += [point(level, 64, "ext4", "flat", None) for level in ("raid0", "raid5", "raid6")]
    trials = plan(points, seed, replicates=6)
    orders = {tuple(trial.point for trial in trials if trial.block == block) for block in range(6)}
    assert len(orders) >= 4  # of 6! x 2^3 orders six should differ; two pairs alike has odds below one in a million


def test_a_whole_plot_is_as_likely_at_each_place():
    """Chi-square over 3 arrays by 3 places in 1500 blocks: 4 degrees of freedom, 99.9% quantile 18.47."""
    points = [point(level, 64, fs, "flat", None) for level in ("raid0", "raid5", "raid6") for fs in ("xfs", "ext4")]
    trials = plan(points, 3, replicates=1500)
    seen = Counter((trial.point.level, trial.run_order % 6 // 2) for trial in trials if trial.run_order % 2 == 0)
    assert sum((count - 500) ** 2 / 500 for count in seen.values()) + 500 * (9 - len(seen)) < 18.47


def test_split_plot_needs_at_most_a_third_of_the_rebuilds(sweep_of):
    made = make_plan(sweep_of(ACCEPTANCE + WORKLOADS))
    randomised, in_blocks, in_plots = compare_orders(made)
    # 4 levels with 3 chunks, jbod and raid1 without: 14 sets of disks, 13 of them arrays; 9 points on each
    assert [each.stacks for each in (randomised, in_blocks, in_plots)] == [2 * 14 * 9 * 4, 2 * 14 * 9, 2 * 14]
    assert [each.arrays for each in (randomised, in_blocks, in_plots)] == [2 * 13 * 9 * 4, 2 * 13 * 9, 2 * 13]
    assert [each.filesystems for each in (in_blocks, in_plots)] == [2 * 14 * 9, 2 * 14 * 3]
    assert in_plots.stacks <= in_blocks.stacks / 3 <= randomised.stacks / 3
    assert sum(does.array for does in builds(made.trials)) == in_plots.stacks
    assert len({trial.whole_plot for trial in made.trials}) == in_plots.stacks
    assert len({trial.sub_plot for trial in made.trials}) == in_plots.filesystems


def test_orders_differ_by_the_resyncs_they_await(sweep_of):
    made = make_plan(sweep_of(ACCEPTANCE + WORKLOADS + "[disk]\nrated_tbw_tb = 100\n"))
    disk = 10**12
    randomised, in_blocks, in_plots = compare_orders(made, disk)
    # raid1, and raid5, raid6 and raid10 with three chunks each: ten arrays are resynced
    assert in_blocks.bytes_written_per_disk - in_plots.bytes_written_per_disk == pytest.approx(2 * 10 * 8 * disk, abs=2)
    assert randomised.bytes_written_per_disk > in_blocks.bytes_written_per_disk + 2 * 10 * 27 * disk
    assert in_plots.endurance_pct == pytest.approx(in_plots.bytes_written_per_disk / 10**12)
    assert plan_cost(made, disk).estimated_s == pytest.approx(in_plots.estimated_s)
    assert plan_cost(made, disk).bytes_written_per_disk == in_plots.bytes_written_per_disk
