from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.factors import FACTORS
from permutations.order import blocked
from permutations.point import DesignPoint
from permutations.sweep import Sweep
from stripelab.settings import FACTOR_NAMES

ROOT = Path(__file__).parents[2]


def point(**settings) -> DesignPoint:
    known = {name: factor.default for name, factor in FACTORS.items()} | {"level": "raid0", "disks": 4} | settings
    return DesignPoint(tuple(known[name] for name in FACTORS))


def points(count: int) -> list[DesignPoint]:
    return [point(nr_requests=4 + number) for number in range(count)]


def test_the_factors_are_the_columns_of_the_store():
    assert tuple(FACTORS) == FACTOR_NAMES


def test_a_factor_stands_after_the_one_it_depends_on():
    names = list(FACTORS)
    for name, factor in FACTORS.items():
        assert factor.when is None or names.index(factor.when.on) < names.index(name)


# Identity


def test_a_point_id_is_the_digest_of_its_settings():
    content = '{"chunk_kib":64,"disks":4,"filesystem":"xfs","layout":"flat","level":"raid5"}'
    expected = hashlib.sha256(content.encode()).hexdigest()[:12]
    assert point(level="raid5", chunk_kib=64).id == expected


def test_points_are_equal_by_their_settings_alone():
    plain = point()
    varied = replace(plain, varied=frozenset({"disks"}))
    assert plain == varied
    assert hash(plain) == hash(varied)
    assert plain.id == varied.id
    assert plain != point(disks=6)


def test_settings_have_every_factor_and_cannot_be_changed():
    settings = point(level="raid1").settings
    assert tuple(settings) == FACTOR_NAMES
    assert settings["chunk_kib"] is None
    with pytest.raises(TypeError):
        settings["level"] = "raid0"  # type: ignore[index]


def test_a_trial_id_is_the_digest_of_point_protocol_and_block(small):
    trial = make_plan(small).trials[0]
    content = {"block": trial.block, "point": trial.point.id, "protocol": small.protocol_id}
    written = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert trial.trial_id == hashlib.sha256(written.encode()).hexdigest()[:16]


def test_names_of_the_sweep_are_no_part_of_identity(small, sweep_of):
    renamed = replace(small, name="other", path="elsewhere.toml", text="")
    assert [t.trial_id for t in make_plan(renamed).trials] == [t.trial_id for t in make_plan(small).trials]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('bs = "4k"', 'bs = "8k"'),
        ('bs = "4k"', 'bs = "4k"\nfsync = 1'),
        ('name = "w"', 'name = "x"'),
        ("[factors]", "[dataset]\nfiles = 4\n[factors]"),
        ("[factors]", '[lab]\nprofile = "hdd"\n[factors]'),
        ("seed = 7", 'seed = 7\ninitial_sync = "assume-clean"'),
    ],
)
def test_the_protocol_changes_with_what_is_done_to_a_point(small, sweep_of, old, new):
    assert sweep_of(small.text.replace(old, new)).protocol_id != small.protocol_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed = 7", "seed = 8"),
        ("replicates = 2", "replicates = 5"),
        ("disks = [4]", "disks = [4, 6]"),
        ('bs = "4k"', "bs = 4096"),
        ("[sweep]", "[sweep] # a comment"),
        ("[factors]", "[lab]\ndisks = 6\n[factors]"),
    ],
)
def test_the_protocol_stays_where_only_the_plan_changes(small, sweep_of, old, new):
    assert sweep_of(small.text.replace(old, new)).protocol_id == small.protocol_id


def test_the_protocol_id_of_this_version_is_kept(small):
    """Whoever changes this makes every stored trial one of another protocol."""
    assert small.protocol_id == "a1816fbbdf43b541"


def test_a_job_file_counts_by_its_content_and_not_by_its_place(tmp_path, sweep_of):
    text = '[factors]\nlevel = "raid0"\ndisks = 2\n[[workload]]\nname = "w"\njob_file = "a.fio"\n'
    sweeps = []
    for folder, job in (("one", "[j]\nrw=randwrite\n"), ("two", "[j]\nrw=randwrite\n"), ("three", "[j]\nrw=write\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.fio").write_text(job)
        sweeps.append(Sweep.parse(text, tmp_path / folder / "s.toml"))
    one, two, three = sweeps
    assert one.workloads[0].job_file == str(tmp_path / "one" / "a.fio")
    assert one.workloads[0].rw == "randwrite"
    assert one.protocol_id == two.protocol_id != three.protocol_id


# Order


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 2**63 - 1))
def test_every_block_is_complete(count, replicates, seed):
    distinct = points(count)
    trials = blocked(distinct, seed=seed, replicates=replicates, protocol_id="p")
    assert [trial.run_order for trial in trials] == list(range(count * replicates))
    for block in range(replicates):
        visited = trials[block * count : (block + 1) * count]
        assert {trial.block for trial in visited} == {block}
        assert Counter(trial.point for trial in visited) == Counter(distinct)
    assert len({trial.trial_id for trial in trials}) == len(trials)


@given(st.integers(2, 12), st.integers(0, 2**63 - 1), st.randoms(use_true_random=False))
def test_the_order_depends_on_the_seed_and_not_on_the_order_of_the_points(count, seed, random):
    distinct = points(count)
    ordered = blocked(distinct, seed=seed, replicates=2, protocol_id="p")
    random.shuffle(distinct)
    assert blocked(distinct, seed=seed, replicates=2, protocol_id="p") == ordered


def test_blocks_and_seeds_have_orders_of_their_own():
    orders = {
        tuple(
            trial.point for trial in blocked(points(10), seed=seed, replicates=4, protocol_id="p")[start : start + 10]
        )
        for seed in range(5)
        for start in range(0, 40, 10)
    }
    assert len(orders) == 20  # of 10! orders


def test_a_further_block_or_point_leaves_the_rest_in_order():
    before = blocked(points(8), seed=3, replicates=2, protocol_id="p")
    longer = blocked(points(8), seed=3, replicates=3, protocol_id="p")
    wider = blocked(points(9), seed=3, replicates=2, protocol_id="p")
    assert longer[:16] == before
    assert [t.trial_id for t in wider if t.point != points(9)[8]] == [t.trial_id for t in before]


def test_each_place_of_a_block_is_as_likely_for_each_point():
    """Chi-square over 4 points by 4 places in 2000 blocks: 9 degrees of freedom, 99.9% quantile 27.88."""
    distinct, blocks = points(4), 2000
    trials = blocked(distinct, seed=1, replicates=blocks, protocol_id="p")
    seen = Counter((distinct.index(trial.point), trial.run_order % 4) for trial in trials)
    expected = blocks / 4
    assert sum((seen[p, q] - expected) ** 2 / expected for p in range(4) for q in range(4)) < 27.88


def test_the_plan_is_the_same_in_every_process(small):
    program = (
        "import sys; from permutations.sweep import Sweep; from permutations.design import make_plan;"
        "print(*(t.trial_id for t in make_plan(Sweep.parse(sys.stdin.read(), 'x.toml')).trials))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=small.text,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        .stdout.split()[0:4]
        .__repr__()
        for seed in ("0", "1", "4242")
    }
    assert told == {repr([trial.trial_id for trial in make_plan(small).trials])}


# Labels


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ({"level": "raid5", "chunk_kib": 64}, "raid5 x4 64K xfs flat"),
        ({"level": "raid0", "chunk_kib": 1024}, "raid0 x4 1M xfs flat"),
        ({"level": "jbod", "filesystem": "raw", "layout": None}, "jbod x4 raw"),
        ({"level": "raid10", "scheduler": "bfq"}, "raid10 x4 xfs flat"),
    ],
)
def test_labels_are_short(settings, label):
    assert point(**settings).label() == label


def test_a_label_names_what_varies(sweep_of, small):
    text = small.text.replace("disks = [4]", 'disks = [4]\nscheduler = ["default", "bfq"]\nnr_requests = [64]')
    assert [p.label() for p in make_plan(sweep_of(text)).points] == [
        "jbod x4 xfs flat scheduler=default",
        "jbod x4 xfs flat scheduler=bfq",
        "raid5 x4 xfs flat scheduler=default",
        "raid5 x4 xfs flat scheduler=bfq",
    ]


def test_labels_tell_the_points_of_a_sweep_apart(sweep_of):
    text = """[factors]
level = ["jbod", "raid1", "raid5", "raid10"]
disks = [4, 6]
chunk_kib = ["default", 64, 1024]
raid10_layout = ["default", "n2", "f2"]
stripe_cache_pages = [256, 4096]
filesystem = ["raw", "ext4"]
mount_options = ["default", "noatime"]
layout = ["flat", "per-disk"]
[[workload]]
name = "w"
rw = "read"
bs = "4k"
"""
    labels = Counter(each.label() for each in make_plan(sweep_of(text)).points)
    assert max(labels.values()) == 1


# Data sets


def test_a_data_set_with_fewer_files_than_places_is_refused(sweep_of, small):
    sweep = sweep_of(small.text + '[dataset]\nfiles = 3\nfile_size = "1M"\n')
    with pytest.raises(SweepError) as refused:
        make_plan(sweep)
    said = "files = 3, but jbod x4 xfs flat has 4 places: each needs a file"
    assert str(refused.value) == f"t.toml: [dataset]: {said}"


def test_a_slip_that_makes_millions_of_points_is_refused(sweep_of, small):
    rows = ", ".join(str(n) for n in range(4, 2000))
    text = small.text.replace("disks = [4]", f"disks = [4]\nnr_requests = [{rows}]\nread_ahead_kib = [{rows}]")
    text = text.replace(f"read_ahead_kib = [{rows}]", f"read_ahead_kib = [{', '.join(str(4 * n) for n in range(600))}]")
    with pytest.raises(SweepError, match=r"more than 1000000 points \(2395200\): shorten a list"):
        make_plan(sweep_of(text))
