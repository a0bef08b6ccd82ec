"""The native engine on devices that fail: what is counted, what ends the run, and what verification finds."""

from __future__ import annotations

import errno
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from bench import native
from bench.engine import Targets
from bench.errors import HostTaintedError
from bench.native import Job, NativeRunError, Part, Verify
from bench.native import engine as native_engine
from permutations.workload import Workload
from tests.inside.conftest import mounted, sh
from tests.inside.faults import AFTER_CALLS, MIB, SIZE, drive, mapped, pull_out, scsi_disk, until

WAYS = {"io_uring": 8, "libaio": 8, "psync": 1}
"""Ways to the kernel, and how many I/Os are in flight."""
KIB64 = 64 << 10
TURN_S = 2.0
"""Time in which a job of the guest gets its turn, on a host with eight other programs for each CPU too."""

each_way = pytest.mark.parametrize("way", WAYS)
each_direction = pytest.mark.parametrize("rw", ["read", "write"])


@pytest.fixture
def disk(disks):
    return disks[0].path


@pytest.fixture
def faulty(disk):
    with mapped(disk) as device:
        yield device


def words(way, **more):
    return {"ioengine": way, "iodepth": WAYS[way], **more}


def bad_in_the_middle(device):
    """A table whose block of 64 KiB at 8 MiB is an error."""
    after = 8 * MIB + KIB64
    return device.linear(0, 8 * MIB), (KIB64, "error", ""), device.linear(after, SIZE - after)


@each_way
@each_direction
def test_a_bad_sector_ends_the_run_with_what_was_measured(faulty, way, rw):
    faulty.become(*bad_in_the_middle(faulty))
    with pytest.raises(
        NativeRunError, match=rf"1 {rw}\(s\) failed: Input/output error \(at offset 8388608\)"
    ) as caught:
        drive(faulty.path, **words(way, rw=rw, bs="64k"))
    measured = caught.value.result.direction(rw)
    assert 128 <= measured.ios < 128 + WAYS[way]  # all before it, and at most what was in flight with it
    assert sum(measured.lat.histogram.counts) == measured.ios


@each_way
@each_direction
def test_a_bad_sector_is_counted_and_passed_over_where_that_is_asked_for(faulty, way, rw):
    faulty.become(*bad_in_the_middle(faulty))
    done = drive(faulty.path, **words(way, rw=rw, bs="4k", continue_on_error=True))
    (error,) = done.errors
    assert (error.errno, error.direction, error.count) == (errno.EIO, rw, KIB64 // 4096)
    assert len(set(error.first_offsets)) == 4  # in the order in which they failed
    assert all(offset in range(8 * MIB, 8 * MIB + KIB64, 4096) for offset in error.first_offsets)
    assert done.direction(rw).ios == (SIZE - KIB64) // 4096
    assert not done.stopped


@each_way
def test_a_disk_that_dies_in_the_middle_ends_the_run_with_what_was_measured(faulty, way):
    with pytest.raises(NativeRunError, match="Input/output error") as caught:
        drive(faulty.path, after=lambda: faulty.become((SIZE, "error", "")), **words(way, rw="randread", runtime_s=60))
    assert caught.value.result.direction("read").ios > 0
    assert caught.value.result.runtime_ns < 60e9
    assert all(error.errno == errno.EIO for error in caught.value.result.errors)


@each_way
def test_a_disk_that_dies_and_comes_back_is_survived_where_that_is_asked_for(faulty, way):
    cancel, calls, back_ns = Event(), 0, 0

    def progress(_):
        nonlocal calls, back_ns
        calls += 1
        if calls == AFTER_CALLS:
            faulty.become((SIZE, "error", ""))
            time.sleep(TURN_S)
            faulty.become(faulty.linear(0, SIZE))
            back_ns = time.monotonic_ns()
        elif back_ns and time.monotonic_ns() - back_ns > TURN_S * 1e9:
            cancel.set()

    load = native.options.load(words(way, rw="randwrite", runtime_s=240, time_based=True, continue_on_error=True))
    done = native.run_jobs(load, [Job((Part(faulty.path, 0, SIZE),))], cancel=cancel, on_progress=progress)
    (error,) = done.errors
    assert (error.errno, error.direction) == (errno.EIO, "write")
    assert len(error.first_offsets) == min(4, error.count)
    assert done.stopped, "it went on after the errors"
    assert done.seconds[-1].ios > 0


@each_way
def test_a_disk_that_is_pulled_out_ends_the_run(way):
    """Linux gives a disk that is gone the size 0, so some find no error but the end; the remedy names both causes."""
    with scsi_disk() as disk:
        size = native.probe(disk).size_bytes
        with pytest.raises(NativeRunError, match="read") as caught:
            drive(disk, size=size, after=lambda: pull_out(disk), **words(way, rw="randread", runtime_s=60))
    gone = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENODATA}
    assert {error.errno for error in caught.value.result.errors} <= gone
    if errno.ENODATA in {error.errno for error in caught.value.result.errors}:
        assert "or the device is gone" in caught.value.next_step
    assert caught.value.result.direction("read").ios > 0
    assert not any(job.abandoned for job in caught.value.result.jobs)


@each_way
@pytest.mark.parametrize("go_on", [False, True])
def test_a_full_filesystem_is_no_space_at_the_first_offset_without_room(disk, tmp_path, way, go_on):
    with mapped(disk) as device:
        sh("mkfs.ext4", "-q", "-F", "-O", "^has_journal", device.path)
        with mounted(device.path, tmp_path / "full"):
            file = tmp_path / "full" / "sparse"
            with file.open("wb") as sparse:
                sparse.truncate(4 * SIZE)
            asked = words(way, rw="write", bs="64k", continue_on_error=go_on)
            if go_on:
                done = drive(file, size=4 * SIZE, **asked)
            else:
                with pytest.raises(NativeRunError, match="No space left on device") as caught:
                    drive(file, size=4 * SIZE, **asked)
                done = caught.value.result
    (error,) = done.errors
    written = done.direction("write")
    assert (error.errno, error.direction) == (errno.ENOSPC, "write")
    assert SIZE // 2 < written.total_bytes < SIZE
    assert SIZE // 2 < error.first_offsets[0] < SIZE
    if go_on:
        assert written.ios + error.count == 4 * SIZE // KIB64


@each_way
def test_a_file_that_is_cut_short_meanwhile_is_the_end_of_file(disk, tmp_path, way):
    """The cut is in the middle of a block: the I/O across it is short, taken up again, and finds the end."""
    with mapped(disk) as device:
        sh("mkfs.ext4", "-q", "-F", device.path)
        with mounted(device.path, tmp_path / "cut"):
            file = tmp_path / "cut" / "file"
            file.write_bytes(os.urandom(4 * MIB))
            cut = 2 * MIB + 2048
            with pytest.raises(NativeRunError, match="end of file") as caught:
                drive(file, size=4 * MIB, after=lambda: os.truncate(file, cut), **words(way, rw="read", runtime_s=60))
    (error,) = caught.value.result.errors
    assert error.errno == errno.ENODATA
    assert min(error.first_offsets) >= cut
    assert caught.value.result.direction("read").ios > 0


@each_way
def test_writes_that_were_acknowledged_and_never_arrived_are_found_as_lost(faulty, way):
    sh("dd", "if=/dev/zero", f"of={faulty.path}", "bs=1M", "oflag=direct", f"count={SIZE // MIB}", "status=none")
    faulty.become(faulty.linear(0, 8 * MIB), faulty.drop_writes(8 * MIB, 8 * MIB))
    asked = words(way, bs="16k")
    wrote = drive(faulty.path, rw="write", fdatasync=32, verify=Verify(), **asked)
    (job,) = wrote.jobs
    assert job.acked == SIZE >> 14  # the device said yes to all of them
    faulty.become(faulty.linear(0, SIZE))
    found = drive(faulty.path, rw="read", verify=Verify(writes=job.acked), **asked).findings
    assert blocks(found) == {"whole": 512, "lost": 512}
    assert first_offset(found, "lost") >= 8 * MIB  # the first that was seen: io_uring reads in no strict order


@each_way
def test_a_second_write_that_never_arrived_is_lost_and_the_first_is_no_excuse(faulty, way):
    """Both passes write every block; the generation in the pattern tells them apart."""
    asked = words(way, bs="16k", io_size=SIZE)
    drive(faulty.path, rw="write", verify=Verify(), **asked)
    faulty.become(faulty.drop_writes(0, SIZE))
    two_passes = {**asked, "io_size": 2 * SIZE}
    (job,) = drive(faulty.path, rw="write", verify=Verify(), **two_passes).jobs
    faulty.become(faulty.linear(0, SIZE))
    found = drive(faulty.path, rw="read", verify=Verify(writes=job.acked), **words(way, bs="16k")).findings
    assert blocks(found) == {"lost": SIZE >> 14}


@each_way
def test_torn_misplaced_and_overwritten_blocks_are_told_apart(faulty, way):
    asked = words(way, bs="16k")
    (job,) = drive(faulty.path, rw="write", verify=Verify(), **asked).jobs
    old = block_at(faulty.path, 0)
    (job,) = drive(faulty.path, rw="write", verify=Verify(), **asked, io_size=2 * SIZE).jobs
    put(faulty.path, 0, old[:8192])  # half of the block is the pass before: torn
    put(faulty.path, 5 << 14, block_at(faulty.path, 9 << 14))  # a whole block of elsewhere: misplaced
    put(faulty.path, 11 << 14, flipped(block_at(faulty.path, 11 << 14)))  # a bit in every sector: corrupt
    put(faulty.path, 13 << 14, os.urandom(16 << 10))  # somebody else wrote here: lost
    found = drive(faulty.path, rw="read", verify=Verify(writes=job.acked), **asked).findings
    assert blocks(found) == {"whole": (SIZE >> 14) - 4, "torn": 1, "misplaced": 1, "corrupt": 1, "lost": 1}
    places = {"torn": 0, "misplaced": 5, "corrupt": 11, "lost": 13}
    assert {kind: first_offset(found, kind) >> 14 for kind in places} == places


def blocks(findings):
    return {each.kind: each.blocks for each in findings}


def first_offset(findings, kind):
    return next(each.first_offset for each in findings if each.kind == kind)


def block_at(path, offset):
    with path.open("rb") as file:
        return os.pread(file.fileno(), 16 << 10, offset)


def put(path, offset, content):
    with path.open("r+b") as file:
        os.pwrite(file.fileno(), content, offset)
        os.fsync(file.fileno())


def flipped(block):
    changed = bytearray(block)
    for sector in range(0, len(changed), 512):
        changed[sector + 300] ^= 1
    return bytes(changed)


def threads():
    return len(list(Path("/proc/self/task").iterdir()))


def runnable():
    """Other threads of this process that are not waiting for anything."""
    tasks = Path("/proc/self/task").iterdir()
    others = [each for each in tasks if each.name != str(threading.get_native_id())]
    return [each for each in others if (each / "stat").read_text().rpartition(")")[2].split()[0] == "R"]


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@each_way
@pytest.mark.parametrize("rw", ["randread", "randwrite"])
def test_a_hung_disk_is_left_behind_when_cancelled_and_forgotten_when_it_wakes(faulty, way, rw):
    drive(faulty.path, rw="read", bs="64k", **words(way))  # whatever is made once is there
    before = threads(), descriptors()
    cancel = Event()
    asleep_ns = 0

    def progress(_):
        nonlocal asleep_ns
        if not asleep_ns:
            faulty.hang()
            asleep_ns = time.monotonic_ns()
        elif runnable():  # on a busy host the job may not have had its turn, and has nothing in flight
            asleep_ns = time.monotonic_ns()
        elif time.monotonic_ns() - asleep_ns > 300_000_000:
            cancel.set()

    load = native.options.load(words(way, rw=rw, runtime_s=60))
    try:
        done = native.run_jobs(load, [Job((Part(faulty.path, 0, SIZE),))], cancel=cancel, on_progress=progress)
        assert done.stopped
        assert [job.abandoned for job in done.jobs] == [True]
        assert done.runtime_ns < 60e9
    finally:
        faulty.wake()
    until(lambda: threads() <= before[0] and descriptors() <= before[1])
    again = drive(faulty.path, rw="read", bs="64k", **words(way))
    assert (again.direction("read").total_bytes, again.jobs[0].abandoned) == (SIZE, False)


@each_way
def test_a_disk_that_hangs_for_a_while_is_in_the_latency_of_every_arrival_of_an_open_loop(faulty, way):
    """However few I/Os may be in flight: those that could not start meanwhile have waited since they were due."""
    rate, stall_s, runtime_s = 64, 0.8, 4
    hung_ns = []

    def hang_for_a_while():
        faulty.hang()
        began_ns = time.monotonic_ns()
        time.sleep(stall_s)
        hung_ns.append(time.monotonic_ns() - began_ns)
        faulty.wake()

    done = drive(faulty.path, after=hang_for_a_while, rate_iops=rate, **words(way, rw="randread", runtime_s=runtime_s))
    (job,), read = done.jobs, done.direction("read")
    bins = zip(read.lat.histogram.bins_ns, read.lat.histogram.counts, strict=True)
    slow = sum(count for lat_ns, count in bins if lat_ns > hung_ns[0] / 4)
    held_up = hung_ns[0] / 1e9 * rate
    assert read.ios + job.missed == rate * runtime_s
    assert held_up > 5 * WAYS[way]
    assert slow >= 0.75 * held_up - 2  # arrivals are even: three quarters of them waited for more than a quarter
    assert read.lat.max_ns >= hung_ns[0] - 2e9 / rate
    assert read.lat.percentile_ns(99.0) >= 0.85 * hung_ns[0]
    assert job.late_max_ns >= hung_ns[0] - (WAYS[way] + 2) * 1e9 / rate


@each_way
def test_a_workload_on_a_hung_disk_taints_the_host(faulty, tmp_path, monkeypatch, way):
    monkeypatch.setattr(native_engine, "KILL_GRACE_S", 0.4)
    workload = Workload("hung", engine="native", rw="randread", runtime_s=60, iodepth=WAYS[way], ioengine=way)
    targets = Targets(((faulty.path,),), SIZE, device=True)
    sleeper = threading.Timer(0.5, faulty.hang)
    sleeper.start()
    before = threads()
    try:
        with pytest.raises(HostTaintedError, match=r"I/O of job\(s\) 0 was still in the kernel 0\.4 s") as caught:
            native_engine.NativeEngine().run(workload, targets, scratch=tmp_path, timeout_s=3.0)
        assert caught.value.command.startswith("stripelab native --rw=randread")
    finally:
        sleeper.join()
        faulty.wake()
    until(lambda: threads() <= before)
    again = replace(workload, runtime_s=0.2)
    measured = native_engine.NativeEngine().run(again, targets, scratch=tmp_path, timeout_s=30)
    assert measured.directions[0].ios > 0
