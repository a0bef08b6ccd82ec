from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.engine import Targets
from bench.errors import EngineError, SweepFileError
from bench.spread import check_targets, portions
from permutations.workload import Workload

SIZE = 1 << 20
GROUPS = st.integers(1, 5).flatmap(lambda count: st.lists(st.integers(1, 6), min_size=count, max_size=count))


def targets(sizes: list[int]) -> Targets:
    groups = tuple(tuple(Path(f"/g{group}/f{file}") for file in range(count)) for group, count in enumerate(sizes))
    return Targets(groups, SIZE, device=False)


@given(GROUPS, st.integers(1, 12))
def test_sequential_jobs_go_over_every_byte_of_a_target_at_most_once(sizes: list[int], jobs: int) -> None:
    """And over all of it, but for blocks left over where a file is sliced."""
    given_targets = targets(sizes)
    found = portions(Workload("w", rw="read", bs_bytes=4096, numjobs=jobs), given_targets)
    assert len(found) == jobs
    covered: Counter[Path] = Counter()
    spans: dict[Path, list[tuple[int, int]]] = {}
    for portion in found:
        for path in portion.files:
            size = SIZE if portion.size is None else portion.size
            spans.setdefault(path, []).append((portion.offset, portion.offset + size))
            covered[path] += size
    assert set(covered) == set(given_targets.paths)
    for path, parts in spans.items():
        parts.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(parts))
        assert SIZE - 4096 * len(parts) <= covered[path] <= SIZE


@given(GROUPS, st.integers(1, 12))
def test_random_jobs_use_all_files_of_their_group_and_leave_no_group_idle(sizes: list[int], jobs: int) -> None:
    given_targets = targets(sizes)
    found = portions(Workload("w", rw="randread", numjobs=jobs), given_targets)
    assert len(found) == jobs
    assert {path for portion in found for path in portion.files} == set(given_targets.paths)
    if jobs >= len(sizes):
        for index, portion in enumerate(found):
            assert set(portion.files) == set(given_targets.groups[index % len(sizes)])


def test_sequential_streams_lie_on_all_mount_points() -> None:
    files = tuple(Path(f"/m{index % 4}/f{index}") for index in range(16))
    found = portions(Workload("w", rw="write", numjobs=4), Targets((files,), SIZE, device=False))
    assert [{path.parent.name for path in portion.files} for portion in found] == [{"m0"}, {"m1"}, {"m2"}, {"m3"}]


def test_more_jobs_than_blocks_are_refused() -> None:
    with pytest.raises(SweepFileError, match="leave none of them a block"):
        portions(Workload("w", rw="read", bs_bytes=SIZE, numjobs=2), targets([1]))


def test_targets_are_what_was_laid_out_or_nothing_runs(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(4096))
    check_targets(Targets(((file,),), 4096, device=False))
    for path, size, device, reason in (
        (file, 8192, False, "holds 4096 bytes"),
        (file, 4096, True, "no block device"),
        (tmp_path, 4096, False, "no regular file"),
        (tmp_path / "absent", 4096, False, "No such file"),
        (Path("relative"), 4096, False, "absolute path"),
        (Path("/tmp/$HOME"), 4096, False, "plain characters"),
    ):
        with pytest.raises(EngineError, match=reason):
            check_targets(Targets(((path,),), size, device))
    with pytest.raises(EngineError, match="no target"):
        check_targets(Targets((), 4096, device=False))
