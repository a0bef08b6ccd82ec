"""Where the files of a data set go."""

from __future__ import annotations

import mmap
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import StackError
from bench.stack.layout import WRITE_BYTES, files_by_group, lay_out, targets_on_files
from permutations.workload import DataSet

HASHED = st.builds("hashed-{}x{}".format, st.integers(1, 4), st.integers(1, 9))
LAYOUTS = st.one_of(st.sampled_from(["flat", "per-disk"]), HASHED)


@given(layout=LAYOUTS, points=st.integers(1, 6), disks=st.integers(1, 8), files=st.integers(1, 64))
def test_every_file_has_a_place_of_its_own_and_no_place_is_empty(layout, points, disks, files):
    mounts = [Path(f"/m{number}") for number in range(points)]
    places = points if points > 1 or layout != "per-disk" else disks
    if files < places:
        with pytest.raises(StackError, match="cannot be spread"):
            files_by_group(layout, mounts, disks, files)
        return
    groups = files_by_group(layout, mounts, disks, files)
    paths = [path for group in groups for path in group]
    assert len(set(paths)) == len(paths) == files
    sizes = [len(group) for group in groups]
    assert max(sizes) - min(sizes) <= 1
    on_each = [sum(path.is_relative_to(mount) for path in paths) for mount in mounts]
    assert max(on_each) - min(on_each) <= 1
    if layout.startswith("hashed"):
        outer, inner = (int(number) for number in layout[7:].split("x"))
        assert len({path.parent for path in paths}) == min(files, outer * inner * points)


def test_files_are_written_to_their_size_with_data_that_does_not_compress(tmp_path):
    targets = targets_on_files("hashed-2x2", [tmp_path], 1, DataSet(5, WRITE_BYTES + 8192))
    assert [path.stat().st_size for path in targets.paths] == [WRITE_BYTES + 8192] * 5
    assert [path.stat().st_blocks * 512 >= WRITE_BYTES + 8192 for path in targets.paths] == [True] * 5
    content = targets.paths[0].read_bytes()
    assert len(zlib.compress(content)) > 0.99 * len(content)
    assert len({path.read_bytes() for path in targets.paths}) == 5


def test_no_room_is_said_before_anything_is_written(tmp_path):
    free = os.statvfs(tmp_path)
    size = (free.f_bavail * free.f_frsize // 4096 + 1) * 4096
    with pytest.raises(StackError, match="does not fit"):
        targets_on_files("flat", [tmp_path], 1, DataSet(1, size))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_write_that_fails_names_the_file(tmp_path):
    with mmap.mmap(-1, WRITE_BYTES) as noise, pytest.raises((StackError, FileNotFoundError)):
        lay_out(tmp_path / "no" / "such" / "folder", 4096, noise)
