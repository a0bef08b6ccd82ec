"""What a workload means, over every way to the kernel: io_uring, libaio, pread and pwrite, and the Python twin."""

from __future__ import annotations

import errno
import zlib
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from bench.native.jobs import run_text
from tests.bench.native.ways import COMMIT, READ, SYNC, WRITE, Way, check_books, every_way, text

BS = 4096
BLOCKS = 64
SIZE = BS * BLOCKS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"\xa5" * SIZE)
    return path


def ios(job: dict[str, Any]) -> list[int]:
    return [found["ios"] for found in job["directions"][:COMMIT]]


def one(way: Way, options: bytes) -> dict[str, Any]:
    (job,) = way.run(options)
    assert (job["failed"], job["where"]) == (0, "")
    check_books(job)
    return job


@every_way
@pytest.mark.parametrize(("random", "writes"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_a_pass_touches_every_block_once(way: Way, file: Path, random: int, writes: int) -> None:
    job = one(way, text(way, [(file, 0, SIZE)], reads=not writes, writes=writes, random=random, iodepth=4))
    assert ios(job) == ([0, BLOCKS, 0] if writes else [BLOCKS, 0, 0])
    assert job["directions"][writes]["bytes"] == SIZE
    untouched = sum(file.read_bytes()[at : at + BS] == b"\xa5" * BS for at in range(0, SIZE, BS))
    assert untouched == (0 if writes else BLOCKS)


@every_way
def test_each_result_names_the_way_that_ran(way: Way, file: Path) -> None:
    job = one(way, text(way, [(file, 0, SIZE)], reads=1, iodepth=8))
    assert (job["ioengine"], job["iodepth"]) == {
        "io_uring": ("io_uring", 8),
        "libaio": ("libaio", 8),
        "psync": ("psync", 1),
        "twin": ("psync", 8),
    }[way.name]
    assert ("Python" in job["detail"]) == (way.name == "twin")


@every_way
def test_a_remainder_smaller_than_a_block_is_left_alone(way: Way, tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_bytes(b"\xa5" * (3 * BS + 100))
    job = one(way, text(way, [(path, 0, 3 * BS + 100)], writes=1, direct=0))
    assert ios(job) == [0, 3, 0]
    assert path.read_bytes()[3 * BS :] == b"\xa5" * 100


@every_way
def test_nothing_outside_the_part_is_written(way: Way, file: Path) -> None:
    one(way, text(way, [(file, 8 * BS, 16 * BS)], writes=1, random=1, iodepth=4, io_size=48 * BS))
    found = file.read_bytes()
    assert found[: 8 * BS] == b"\xa5" * (8 * BS)
    assert found[24 * BS :] == b"\xa5" * (SIZE - 24 * BS)
    assert all(found[at : at + BS] != b"\xa5" * BS for at in range(8 * BS, 24 * BS, BS))


@every_way
def test_io_size_ends_a_run_to_the_byte(way: Way, file: Path) -> None:
    job = one(way, text(way, [(file, 0, SIZE)], reads=1, random=1, iodepth=4, io_size=100 * BS))
    assert (ios(job)[READ], job["directions"][READ]["bytes"]) == (100, 100 * BS)


@every_way
def test_reads_and_writes_are_mixed_in_the_share_that_was_asked_for(way: Way, file: Path) -> None:
    count = 2000
    options = text(
        way, [(file, 0, SIZE)], reads=1, writes=1, rwmixread_pct=70, random=1, random_map=0, io_size=count * BS, seed=3
    )
    reads, writes, _ = ios(one(way, options))
    assert reads + writes == count
    assert stats.binomtest(reads, count, 0.7).pvalue > 1e-6


@every_way
def test_what_is_counted_is_what_is_drawn(way: Way, file: Path) -> None:
    splits = [(0, 4096, 2**31), (0, 8192, 2**32 - 1), (1, 4096, 2**32 - 1)]
    numbers = {"reads": 1, "writes": 1, "random": 1, "seed": 5, "fsync": 10, "io_size": 200 * BS, "iodepth": 4}
    options = text(way, [(file, 0, SIZE), (file, BS, SIZE // 2)], splits=splits, **numbers)
    job, drawn, bytes_left = one(way, options), [[0, 0] for _ in range(3)], 200 * BS
    for direction, _, _, length, _ in way.library.draw(options, 0, 1000):
        if bytes_left <= 0:
            break
        drawn[direction][0] += 1
        drawn[direction][1] += length
        bytes_left -= length
    assert [[found["ios"], found["bytes"]] for found in job["directions"][:COMMIT]] == drawn


@every_way
@pytest.mark.parametrize("kind", ["fsync", "fdatasync"])
def test_every_tenth_write_is_followed_by_a_sync(way: Way, file: Path, kind: str) -> None:
    job = one(way, text(way, [(file, 0, SIZE)], writes=1, io_size=100 * BS, time_based=0, **{kind: 10}))
    assert ios(job)[WRITE] == 100
    assert ios(job)[SYNC] in {9, 10}
    assert job["directions"][SYNC]["bytes"] == 0


@every_way
def test_a_timed_run_goes_on_past_the_end_and_its_ramp_is_left_out(way: Way, file: Path) -> None:
    options = text(
        way,
        [(file, 0, SIZE)],
        reads=1,
        random=1,
        time_based=1,
        runtime_ns=1_200_000_000,
        ramp_ns=200_000_000,
        iodepth=4,
    )
    job = one(way, options)
    assert ios(job)[READ] > BLOCKS
    assert 1_200_000_000 <= job["runtime_ns"] < 2_200_000_000


@every_way
def test_every_io_can_be_looked_at(way: Way, file: Path) -> None:
    job = one(way, text(way, [(file, 0, SIZE)], reads=1, slat_every=1, iodepth=4))
    read = job["directions"][READ]
    assert read["slat"]["samples"] == read["lat"]["samples"] == BLOCKS
    assert read["lat"]["max_ns"] >= read["clat"]["max_ns"]


@every_way
def test_contents_do_not_compress_unless_they_are_asked_to(way: Way, file: Path) -> None:
    one(way, text(way, [(file, 0, SIZE)], writes=1, iodepth=4))
    assert len(zlib.compress(file.read_bytes()[:BS])) > 0.99 * BS
    one(way, text(way, [(file, 0, SIZE)], writes=1, iodepth=4, compress_pct=50))
    assert 0.5 < len(zlib.compress(file.read_bytes()[:BS])) / BS < 0.6


@every_way
@pytest.mark.parametrize("iodepth", [1, 4])
def test_contents_of_neighbouring_blocks_do_not_compress_either(way: Way, file: Path, iodepth: int) -> None:
    """btrfs compresses 128 KiB at a time: a buffer that is written again and again would shrink to one block."""
    one(way, text(way, [(file, 0, SIZE)], writes=1, iodepth=iodepth))
    whole = file.read_bytes()
    assert len(zlib.compress(whole)) > 0.99 * SIZE
    assert len({whole[at : at + BS] for at in range(0, SIZE, BS)}) == BLOCKS
    one(way, text(way, [(file, 0, SIZE)], writes=1, iodepth=iodepth, compress_pct=50))
    assert 0.5 < len(zlib.compress(file.read_bytes())) / SIZE < 0.6


@every_way
def test_a_full_device_is_counted_with_its_first_offsets(way: Way) -> None:
    target = [(Path("/dev/full"), 0, SIZE)]
    (ends,) = way.run(text(way, target, writes=1, direct=0))
    (goes_on,) = way.run(text(way, target, writes=1, direct=0, go_on=1))
    code = errno.EINVAL if way.name == "libaio" else errno.ENOSPC  # Linux AIO cannot write to this device at all
    assert [(error["errno"], error["direction"]) for error in ends["errors"]] == [(code, WRITE)]
    assert ends["errors"][0]["count"] == 1
    assert goes_on["errors"] == [
        {"errno": code, "direction": WRITE, "count": BLOCKS, "first_offsets": [0, BS, 2 * BS, 3 * BS]}
    ]
    assert ios(goes_on) == [0, 0, 0]


@every_way
def test_an_unaligned_direct_io_is_an_error_of_that_io(way: Way, file: Path) -> None:
    (job,) = way.run(text(way, [(file, 0, SIZE)], reads=1, bs=100))
    assert [error["errno"] for error in job["errors"]] == [errno.EINVAL]


@every_way
def test_a_read_across_the_end_is_short_and_then_an_error(way: Way, tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"x" * (BS + 1000))
    (job,) = way.run(text(way, [(path, 0, 2 * BS)], reads=1, direct=0))
    assert job["short_ios"] == 1
    assert job["errors"] == [{"errno": errno.ENODATA, "direction": READ, "count": 1, "first_offsets": [BS + 1000]}]


@every_way
def test_a_target_that_is_not_there_is_named(way: Way, tmp_path: Path) -> None:
    (job,) = way.run(text(way, [(tmp_path / "nothing", 0, SIZE)], reads=1))
    assert job["failed"] == errno.ENOENT
    assert job["where"].startswith("opening /")
    assert not (tmp_path / "nothing").exists()


@every_way
def test_an_open_loop_counts_from_when_an_io_was_due(way: Way, file: Path) -> None:
    options = text(way, [(file, 0, SIZE)], reads=1, random=1, rate_iops=500, time_based=1, runtime_ns=1_000_000_000)
    job = one(way, options)
    assert ios(job)[READ] == pytest.approx(500, abs=25)


@every_way
def test_verification_finds_what_was_lost_torn_misplaced_corrupt_and_never_written(way: Way, file: Path) -> None:
    numbers = {"random": 1, "verify": 1, "verify_random": 1, "seed": 9, "iodepth": 4}
    wrote = one(way, text(way, [(file, 0, SIZE)], writes=1, io_size=2 * SIZE, **numbers))
    assert (wrote["sequence"], wrote["acked"]) == (2 * BLOCKS, 2 * BLOCKS)
    blocks = [bytearray(file.read_bytes()[at : at + BS]) for at in range(0, SIZE, BS)]
    blocks[1] = bytearray(way.library.pattern(BS, BS, 1))
    blocks[2][512:1024] = way.library.pattern(512, 2 * BS + 512, 1)
    blocks[3] = blocks[10]
    for at in range(100, BS, 512):
        blocks[4][at] ^= 1
    blocks[5] = bytearray(BS)
    file.write_bytes(b"".join(blocks))
    job = one(way, text(way, [(file, 0, SIZE)], reads=1, verify_writes=2 * BLOCKS, **numbers))
    assert [count for count, _ in job["findings"]] == [BLOCKS - 5, 0, 2, 1, 1, 1]
    assert [first for _, first in job["findings"]][3:] == [2 * BS, 3 * BS, 4 * BS]
    unknown = one(way, text(way, [(file, 0, SIZE)], reads=1, **numbers))
    assert [count for count, _ in unknown["findings"]] == [BLOCKS - 4, 1, 0, 1, 1, 1]


@every_way
def test_a_run_that_was_stopped_says_what_is_acknowledged_and_durable(way: Way, file: Path) -> None:
    numbers = {"random": 1, "verify": 1, "verify_random": 1, "seed": 9, "iodepth": 4}
    options = text(way, [(file, 0, SIZE)], writes=1, fsync=8, time_based=1, runtime_ns=60_000_000_000, **numbers)
    calls: list[list[tuple[int, int]]] = []

    def poll(progress: list[tuple[int, int]]) -> bool:
        calls.append(progress)
        return progress[0][1] > 0

    (job,), raised = run_text(way.library, options, poll, 2_000_000_000)
    assert raised is None
    assert not job["abandoned"]
    assert 0 < job["durable"] <= job["acked"] <= job["sequence"]
    assert calls[-1][0][1] <= job["durable"]
    found = one(way, text(way, [(file, 0, SIZE)], reads=1, verify_writes=job["acked"], **numbers))
    assert [count for count, _ in found["findings"]][2:] == [0, 0, 0, 0]


@every_way
def test_what_the_caller_raises_ends_the_run_with_the_results_so_far(way: Way, file: Path) -> None:
    options = text(way, [(file, 0, SIZE)], reads=1, time_based=1, runtime_ns=60_000_000_000)

    def poll(progress: list[tuple[int, int]]) -> bool:
        raise KeyboardInterrupt

    (job,), raised = run_text(way.library, options, poll, 2_000_000_000)
    assert isinstance(raised, KeyboardInterrupt)
    assert not job["abandoned"]
    assert job["runtime_ns"] < 10_000_000_000


@every_way
def test_several_jobs_start_together_and_each_has_its_result(way: Way, file: Path) -> None:
    jobs = way.run(text(way, [(file, 0, SIZE)], reads=1, random=1, jobs=3, iodepth=2))
    assert [ios(job) for job in jobs] == [[BLOCKS, 0, 0]] * 3


@every_way
def test_a_cpu_that_is_not_there_is_an_error_that_names_the_step(way: Way, file: Path) -> None:
    (job,) = way.run(text(way, [(file, 0, SIZE)], reads=1) + b"\ncpu=65000")
    assert (job["failed"], job["where"]) == (errno.EINVAL, "pinning to a CPU")
    assert ios(job) == [0, 0, 0]
