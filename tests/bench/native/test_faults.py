"""What the engine does when I/O fails or cannot be done: real files, limits, and a loop device of 4 KiB sectors."""

from __future__ import annotations

import errno
import os
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from bench.native import api, options
from bench.native.api import NativeRunError
from bench.native.library import by_name
from bench.native.options import Job, Part
from tests.bench.native.ways import READ, WRITE, Way, check_books, every_way, text

BS = 4096
BLOCKS = 64
SIZE = BS * BLOCKS
BLKSSZGET = 0x1268
LIBRARIES = pytest.mark.parametrize("implementation", ["c", "python"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * SIZE)
    return path


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """A limit on what may be written to; Python ignores the signal that the kernel sends with it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@every_way
def test_a_write_across_the_limit_of_a_file_is_short_and_then_an_error_with_its_offset(way: Way, file: Path) -> None:
    limit = 16 * BS + 1000
    with largest_file(limit):
        (job,) = way.run(text(way, [(file, 0, SIZE)], writes=1, direct=0))
    check_books(job)
    assert job["short_ios"] == 1
    assert job["errors"] == [{"errno": errno.EFBIG, "direction": WRITE, "count": 1, "first_offsets": [limit]}]
    assert job["directions"][WRITE]["ios"] == 16
    assert file.read_bytes()[limit:] == b"\xa5" * (SIZE - limit)


@every_way
def test_writes_beyond_the_limit_are_counted_with_their_first_offsets_and_the_rest_is_done(
    way: Way, file: Path
) -> None:
    with largest_file(16 * BS):
        (job,) = way.run(text(way, [(file, 0, SIZE)], writes=1, go_on=1, iodepth=1 if way.name == "psync" else 4))
    check_books(job)
    (error,) = job["errors"]
    assert (error["errno"], error["direction"], error["count"]) == (errno.EFBIG, WRITE, BLOCKS - 16)
    assert len(error["first_offsets"]) == 4
    assert all(offset >= 16 * BS for offset in error["first_offsets"])
    assert job["directions"][WRITE]["ios"] == 16


@every_way
def test_reads_of_what_was_cut_off_are_the_end_of_the_file(way: Way, file: Path) -> None:
    os.truncate(file, 16 * BS)
    (job,) = way.run(text(way, [(file, 0, SIZE)], reads=1, go_on=1, iodepth=1 if way.name == "psync" else 4))
    (error,) = job["errors"]
    assert (error["errno"], error["direction"], error["count"]) == (errno.ENODATA, READ, BLOCKS - 16)
    assert job["directions"][READ]["ios"] == 16


def test_an_error_ends_a_run_with_what_was_measured_its_offset_and_a_remedy(file: Path) -> None:
    with largest_file(16 * BS), pytest.raises(NativeRunError) as caught:
        api.run(file, rw="write", bs=BS, overwrite=True)
    assert f"1 write(s) failed: File too large (at offset {16 * BS})" in str(caught.value)
    assert caught.value.result is not None
    assert caught.value.result.directions[0].ios == 16
    assert any("continue_on_error" in line for line in caught.value.lines())


def test_a_file_is_probed_to_the_byte_and_its_alignment_is_that_of_its_filesystem(file: Path) -> None:
    os.truncate(file, SIZE - 123)
    found = api.probe(file)
    assert found.size_bytes == file.stat().st_size == SIZE - 123
    assert not found.device
    assert found.offset_align == 0 or file.stat().st_blksize % found.offset_align == 0


@pytest.mark.loop
@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_the_alignment_of_a_device_is_its_logical_block(make_loop: Any, sector_bytes: int) -> None:
    device = make_loop(8, f"--sector-size={sector_bytes}").path
    with Path(device).open("rb") as opened:
        (logical,) = struct.unpack("=i", ioctl(opened, BLKSSZGET, bytes(4)))
    assert logical == sector_bytes
    found = api.probe(device)
    assert (found.size_bytes, found.offset_align, found.device) == (8 << 20, logical, True)


@pytest.mark.loop
@LIBRARIES
def test_blocks_smaller_than_the_devices_are_refused_with_the_size_that_it_takes(
    make_loop: Any, implementation: str
) -> None:
    device = Path(make_loop(8, "--sector-size=4096").path)
    jobs = [Job((Part(device, 0, 8 << 20),))]
    with pytest.raises(NativeRunError, match="in multiples of 4096 bytes, and 512 is none") as caught:
        api.run_jobs(options.load({"rw": "read", "bs": 512}), jobs, library=by_name(implementation))
    assert any("multiples of 4096" in line and "direct=False" in line for line in caught.value.lines())
    whole = api.run_jobs(options.load({"rw": "read", "bs": 4096}), jobs, library=by_name(implementation))
    assert whole.directions[0].total_bytes == 8 << 20
    buffered = api.run_jobs(
        options.load({"rw": "read", "bs": 512, "direct": False, "io_size": 65536}),
        jobs,
        library=by_name(implementation),
    )
    assert buffered.directions[0].ios == 128
