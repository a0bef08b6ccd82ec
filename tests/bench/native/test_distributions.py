"""Which blocks, sizes and files are drawn, against theory; seeds are fixed, and one in 10^9 fails a right engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.native import _engine, options, twin
from bench.native.options import Job, Part
from tests.bench.native.ways import READ, text

X, Y, Z = Path("/x"), Path("/y"), Path("/z")
BS = 4096
FALSE_ALARM = 1e-9
DRAWS = 20_000
LIBRARIES = pytest.mark.parametrize("library", [_engine, twin], ids=["c", "python"])


def drawn(library: Any, files: Sequence[tuple[Path, int, int]], count: int, **numbers: Any) -> list[Any]:
    requests: list[Any] = library.draw(text(None, files, **{"reads": 1, "seed": 11, **numbers}), 0, count)
    return requests


def blocks_of(requests: Sequence[Any]) -> Counter[int]:
    return Counter(offset // BS for _, _, offset, _, _ in requests)


@LIBRARIES
def test_draws_with_replacement_are_uniform(library: Any) -> None:
    blocks = 100
    counts = blocks_of(drawn(library, [(X, 0, blocks * BS)], DRAWS, random=1, random_map=0))
    assert stats.chisquare([counts[block] for block in range(blocks)]).pvalue > FALSE_ALARM
    assert set(counts) <= set(range(blocks))


def frequencies_agree(counts: Counter[int], shares: Any) -> bool:
    """Whether the blocks in order of how often they were drawn fit these shares: by rank, the rare ones together."""
    found = np.array([count for _, count in counts.most_common()] + [0] * (len(shares) - len(counts)))
    expected = np.asarray(shares) * found.sum()
    common = expected > 500  # so far apart that the order of the counts is that of the shares
    pooled = [*found[common], found[~common].sum()], [*expected[common], expected[~common].sum()]
    return float(stats.chisquare(*pooled).pvalue) > FALSE_ALARM


@LIBRARIES
@pytest.mark.parametrize("theta", [0.8, 1.0, 1.2])
def test_zipf_has_the_frequencies_of_its_law(library: Any, theta: float) -> None:
    blocks = 50
    numbers = {"random": 1, "distribution": 1, "theta_ppm": round(theta * 1e6)}
    counts = blocks_of(drawn(library, [(X, 0, blocks * BS)], DRAWS, **numbers))
    law = stats.zipfian(theta, blocks)
    assert frequencies_agree(counts, law.pmf(np.arange(1, blocks + 1)))


@LIBRARIES
@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_pareto_gives_the_rest_of_the_ios_to_its_share_of_the_blocks(library: Any, share: float) -> None:
    """fio, lib/zipf.c: rank = (n - 1) u^(log h / log(1 - h)), so that 1 - h of the I/Os fall on h of the blocks."""
    blocks = 501
    numbers = {"random": 1, "distribution": 2, "theta_ppm": round(share * 1e6)}
    counts = blocks_of(drawn(library, [(X, 0, blocks * BS)], DRAWS, **numbers))
    exponent = np.log(share) / np.log(1 - share)
    below = (np.arange(blocks + 1) / (blocks - 1)).clip(0, 1) ** (1 / exponent)
    assert frequencies_agree(counts, np.diff(below))
    hottest = sum(count for _, count in counts.most_common(round(share * (blocks - 1))))
    assert hottest / DRAWS == pytest.approx(1 - share, abs=0.02)


@LIBRARIES
@pytest.mark.parametrize("distribution", [1, 2])
def test_the_hottest_blocks_lie_apart(library: Any, distribution: int) -> None:
    numbers = {"random": 1, "distribution": distribution, "theta_ppm": 900_000 if distribution == 1 else 200_000}
    counts = blocks_of(drawn(library, [(X, 0, 1000 * BS)], DRAWS, **numbers))
    hottest = [block for block, _ in counts.most_common(10)]
    assert max(hottest) - min(hottest) > 100


@LIBRARIES
def test_block_sizes_have_the_shares_of_bssplit(library: Any) -> None:
    reads, writes = options.splits("4k/60:16k/30:64k/10,8k/25:4k/75")
    load = options.load({"rw": "randrw", "bssplit": "4k/60:16k/30:64k/10,8k/25:4k/75", "rwmixread": 40, "seed": 3})
    requests = library.draw(options.render(load, [Job((Part(X, 0, 1 << 30),))]), 0, DRAWS)
    assert writes is not None
    for direction, side in enumerate((reads, writes)):
        lengths = Counter(length for way, _, _, length, _ in requests if way == direction)
        assert set(lengths) == {split.bs_bytes for split in side}
        for split in side:
            share = split.weight / sum(each.weight for each in side)
            assert stats.binomtest(lengths[split.bs_bytes], lengths.total(), share).pvalue > FALSE_ALARM
    count = sum(direction == READ for direction, *_ in requests)
    assert stats.binomtest(count, DRAWS, 0.4).pvalue > FALSE_ALARM


@LIBRARIES
def test_random_ios_go_to_the_files_in_turn(library: Any) -> None:
    files = [(X, 0, 8 * BS), (Y, BS, 4 * BS), (Z, 0, 16 * BS)]
    requests = drawn(library, files, 300, random=1)
    assert [file for _, file, *_ in requests] == [0, 1, 2] * 100
    for file, (_, start, size) in enumerate(files):
        offsets = {offset for _, own, offset, _, _ in requests if own == file}
        assert offsets == set(range(start, start + size, BS))


@LIBRARIES
def test_sequential_ios_go_through_one_file_after_the_other_and_begin_again(library: Any) -> None:
    requests = drawn(library, [(X, 0, 3 * BS), (Y, BS, 2 * BS + 100)], 12)
    once = [(0, 0), (0, BS), (0, 2 * BS), (1, BS), (1, 2 * BS)]
    assert [(file, offset) for _, file, offset, _, _ in requests] == [*once, *once, *once[:2]]


@LIBRARIES
@given(
    blocks=st.integers(1, 300), rest=st.integers(0, BS - 1), offset=st.integers(0, 9), seed=st.integers(0, 2**64 - 1)
)
def test_a_random_pass_meets_each_block_once(library: Any, blocks: int, rest: int, offset: int, seed: int) -> None:
    passes = 3
    files = [(X, offset * BS, blocks * BS + rest)]
    requests = drawn(library, files, passes * blocks, random=1, seed=seed)
    orders = []
    for number in range(passes):
        order = [request[2] // BS - offset for request in requests[number * blocks : (number + 1) * blocks]]
        assert sorted(order) == list(range(blocks))
        orders.append(tuple(order))
    if blocks > 30:  # that two of 30! orders are alike by chance can be left out
        assert len(set(orders)) == passes
