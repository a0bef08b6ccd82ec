from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from bench.dd.engine import DdEngine, _run_side_by_side
from bench.engine import Targets
from bench.errors import EngineError, MissingToolError, SweepFileError
from bench.proc import SYSTEM_PATH
from permutations.workload import Workload

MIB = 1 << 20
ENGINE = DdEngine()
WRITE = Workload("w", engine="dd", rw="write", bs_bytes=256 << 10)
READ = replace(WRITE, rw="read")


@pytest.fixture
def targets(tmp_path: Path) -> Targets:
    paths = tuple(tmp_path / f"target-{number}" for number in range(3))
    for path in paths:
        path.write_bytes(b"\x55" * 2 * MIB)
    return Targets((paths,), 2 * MIB, device=False)


def running(word: str) -> bool:
    """Whether a process has ``word`` on its command line."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if word.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                    return True
    return False


def test_the_version_is_that_of_coreutils() -> None:
    said = subprocess.run(["dd", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    assert said == f"dd (coreutils) {ENGINE.version()}"


def test_another_dd_is_a_missing_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dd"
    program.write_text("#!/bin/sh\necho 'BusyBox v1.35.0 (Debian) multi-call binary.' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("bench.proc.SYSTEM_PATH", f"{tmp_path}:{SYSTEM_PATH}")
    with pytest.raises(MissingToolError, match="BusyBox"):
        ENGINE.version()


def test_reads_go_over_every_target_once(targets: Targets, tmp_path: Path) -> None:
    measured = ENGINE.run(READ, targets, scratch=tmp_path, timeout_s=60)
    (read,) = measured.directions
    assert (read.direction, read.total_bytes, read.ios, read.iops) == ("read", 6 * MIB, 24, None)
    assert read.bw_bytes_s == pytest.approx(read.total_bytes / (read.runtime_ns / 1e9), rel=1e-6)
    assert measured.intervals == ()
    assert measured.raw.decode().count("records out") == 3
    assert "iflag=direct" in measured.command


def test_writes_stay_within_the_files_and_are_synced(targets: Targets, tmp_path: Path) -> None:
    """A block size that does not divide the file leaves its end alone: O_DIRECT would be lost there."""
    workload = replace(WRITE, bs_bytes=768 << 10, numjobs=3)
    measured = ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60)
    assert measured.directions[0].total_bytes == 3 * 2 * (768 << 10)
    for path in targets.paths:
        content = path.read_bytes()
        assert len(zlib.compress(content[: 1536 << 10])) > 0.99 * (1536 << 10)
        assert content[1536 << 10 :] == b"\x55" * (512 << 10)
    assert measured.command.count("conv=notrunc,nocreat,fdatasync") == 3
    assert measured.command.count("oflag=direct") == 3


@pytest.mark.parametrize("direct", [True, False])
def test_no_write_is_ever_without_a_sync(targets: Targets, tmp_path: Path, direct: bool) -> None:
    command = ENGINE.run(replace(WRITE, direct=direct), targets, scratch=tmp_path, timeout_s=60).command
    assert command.count("noise | dd ") == command.count("fdatasync") == 3
    assert ("direct" in command) == direct


def test_zeros_are_written_where_the_workload_asks_for_them(targets: Targets, tmp_path: Path) -> None:
    zeros = replace(WRITE, options=(("buffer_compress_percentage", "100"),))
    command = ENGINE.run(zeros, targets, scratch=tmp_path, timeout_s=60).command
    assert command.count("dd if=/dev/zero") == 3
    assert "noise" not in command
    assert all(path.read_bytes() == bytes(2 * MIB) for path in targets.paths)


def test_blocks_of_4_kib_do_not_come_again(tmp_path: Path) -> None:
    """More than the memory that the noise comes from: deduplication finds nothing either."""
    path = tmp_path / "large"
    path.write_bytes(bytes(12 * MIB))
    ENGINE.run(WRITE, Targets(((path,),), 12 * MIB, device=False), scratch=tmp_path, timeout_s=60)
    content = path.read_bytes()
    assert len({content[at : at + 4096] for at in range(0, 12 * MIB, 4096)}) == 12 * MIB // 4096


def test_no_feeder_of_noise_outlives_its_dd(targets: Targets, tmp_path: Path) -> None:
    ENGINE.run(replace(WRITE, numjobs=3), targets, scratch=tmp_path, timeout_s=60)
    for thread in threading.enumerate():
        if thread.name == "noise for dd":
            thread.join(60)
            assert not thread.is_alive()


def test_more_dd_than_files_work_on_slices(targets: Targets, tmp_path: Path) -> None:
    workload = replace(WRITE, numjobs=5)
    measured = ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60)
    assert measured.directions[0].total_bytes == 6 * MIB
    assert all(len(zlib.compress(path.read_bytes())) > 0.99 * 2 * MIB for path in targets.paths)


def test_io_size_is_the_amount_of_each_dd(targets: Targets, tmp_path: Path) -> None:
    for amount in (512 << 10, 5 * MIB):
        workload = replace(READ, numjobs=3, io_size_bytes=amount)
        measured = ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60)
        assert measured.directions[0].total_bytes == 3 * amount


def test_the_command_can_be_pasted(targets: Targets, tmp_path: Path) -> None:
    command = ENGINE.run(replace(WRITE, numjobs=2), targets, scratch=tmp_path, timeout_s=60).command
    for path in targets.paths:
        path.write_bytes(b"\x55" * 2 * MIB)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr.count("2097152 bytes (2.1 MB, 2.0 MiB) copied") == 3
    assert all(len(zlib.compress(path.read_bytes())) > 0.99 * 2 * MIB for path in targets.paths)


def test_a_dd_that_fails_ends_the_others_and_names_its_command(tmp_path: Path) -> None:
    failing = ("dd", f"if={tmp_path / 'absent'}", "of=/dev/null", "bs=512", "count=1")
    endless = ("dd", "if=/dev/zero", "of=/dev/null", f"bs={MIB}", f"count={10**9}")
    with pytest.raises(EngineError, match="No such file or directory") as caught:
        _run_side_by_side([[endless], [failing]], 300.0, "both")
    assert caught.value.command == " ".join(failing)
    assert not running(f"count={10**9}")


def test_a_dd_that_copies_less_than_it_was_told_is_no_result(tmp_path: Path) -> None:
    file = tmp_path / "short"
    file.write_bytes(bytes(512))
    with pytest.raises(EngineError, match="dd copied 512 bytes of 1024"):
        _run_side_by_side([[("dd", f"if={file}", "of=/dev/null", "bs=512", "count=2")]], 60.0, "dd")


def test_an_odd_block_on_direct_io_is_refused_before_anything_runs(targets: Targets, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="multiple of 512"):
        ENGINE.run(replace(WRITE, bs_bytes=1000), targets, scratch=tmp_path, timeout_s=60)
    assert all(path.read_bytes() == b"\x55" * 2 * MIB for path in targets.paths)


def test_a_dd_that_does_not_end_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"")
    os.truncate(path, 1 << 40)
    workload = replace(READ, bs_bytes=512, numjobs=2)
    with pytest.raises(EngineError, match=r"dd did not end within 0\.5 s"):
        ENGINE.run(workload, Targets(((path,),), 1 << 40, device=False), scratch=tmp_path, timeout_s=0.5)
    assert not running(f"if={path}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rw": "randread"}, "sequentially"),
        ({"rw": "rw"}, "sequentially"),
        ({"iodepth": 8}, "one I/O in flight"),
        ({"fsync": 1, "rwmixread": 50}, "no rwmixread and no fsync"),
        ({"options": (("rate", "1m"),)}, "no option rate"),
        ({"options": (("buffer_compress_percentage", "50"),)}, "0 .random data. or 100 .zeros."),
        ({"job_file": "x.fio"}, "no job_file"),
        ({"io_size_bytes": 512}, "less than a bs"),
    ],
)
def test_what_dd_cannot_do_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(SweepFileError, match=reason):
        ENGINE.check_workload(replace(WRITE, **changes))
