from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.engine import Targets
from bench.errors import EngineError
from bench.fio.engine import FioEngine, _judge
from bench.fio.job import FioJob
from bench.fio.parser import parse
from bench.inventory import Disk
from bench.proc import Finished
from permutations.workload import Workload

MIB = 1 << 20
ENGINE = FioEngine()


@pytest.fixture
def targets(tmp_path: Path) -> Targets:
    paths = tuple(tmp_path / f"target-{number}" for number in range(3))
    for path in paths:
        path.write_bytes(os.urandom(MIB))
    return Targets((paths,), MIB, device=False)


def running(mark: str) -> list[int]:
    """Processes of fio that have ``mark`` on their command line."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"fio") and any(mark.encode() in word for word in words):
                found.append(int(folder.name))
    return found


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition for up to thirty seconds; whether it came."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_the_version_is_what_fio_says() -> None:
    said = subprocess.run(["fio", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    assert f"fio-{ENGINE.version()}" == said


def test_a_run_yields_directions_seconds_and_the_raw_output(targets: Targets, tmp_path: Path) -> None:
    """Two jobs, each held to 200 IOPS: the rate is known beforehand."""
    workload = Workload(
        "held", rw="randwrite", numjobs=2, runtime_s=2.0, ramp_time_s=0.5, fsync=50, options=(("rate_iops", "200"),)
    )
    measured = ENGINE.run(workload, targets, scratch=tmp_path / "scratch", timeout_s=60)
    write, sync = measured.directions
    assert (write.direction, sync.direction) == ("write", "sync")
    assert write.iops == pytest.approx(400, rel=0.1)
    assert write.bw_bytes_s == pytest.approx(400 * 4096, rel=0.1)
    assert write.lat_min_ns is not None
    assert write.lat_p50_ns is not None
    assert write.lat_max_ns is not None
    assert 0 < write.lat_min_ns <= write.lat_p50_ns <= write.lat_max_ns
    assert sum(write.lat_counts) == write.ios
    assert sync.ios == pytest.approx(write.ios / 50, rel=0.2)
    assert [(row.direction, row.second) for row in measured.intervals] == [("write", 0), ("write", 1)]
    assert sum(row.iops or 0.0 for row in measured.intervals) == pytest.approx(800, rel=0.15)
    assert (
        parse(measured.raw.decode()).result.jobs[0].ios + parse(measured.raw.decode()).result.jobs[1].ios == write.ios
    )
    assert {path.stat().st_size for path in targets.paths} == {MIB}
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_command_can_be_pasted(targets: Targets, tmp_path: Path) -> None:
    workload = Workload("w", rw="read", bs_bytes=65536, numjobs=2, io_size_bytes=MIB // 2)
    measured = ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60)
    pasted = tmp_path / "pasted"
    pasted.mkdir()
    subprocess.run(["sh", "-c", measured.command], cwd=pasted, check=True, capture_output=True)
    (read,) = (part for part in measured.directions if part.direction == "read")
    jobs = parse((pasted / "fio.json").read_text()).result.jobs
    assert sum(job.ios for job in jobs) == read.ios == 16


def test_several_groups_are_all_driven(tmp_path: Path) -> None:
    groups = tuple((tmp_path / f"g{number}",) for number in range(4))
    for (path,) in groups:
        path.write_bytes(bytes(MIB))
    targets = Targets(groups, MIB, device=False)
    measured = ENGINE.run(Workload("w", rw="randwrite", numjobs=4, io_size_bytes=MIB // 4), targets,
                          scratch=tmp_path, timeout_s=60)  # fmt: skip
    assert measured.directions[0].total_bytes == MIB
    assert measured.intervals == ()
    options = [job.options["filename"] for job in parse(measured.raw.decode()).result.jobs]
    assert options == [str(path) for (path,) in groups]


def test_a_failed_job_is_an_error_with_the_command(targets: Targets, tmp_path: Path) -> None:
    workload = Workload("w", rw="read", options=(("offset", "1t"),))
    with pytest.raises(EngineError) as caught:
        ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60)
    assert "you need to specify valid offset" in caught.value.message
    assert caught.value.command is not None
    assert caught.value.command.startswith("fio --output-format=json+")


def test_a_run_without_io_is_no_result_though_the_status_is_0() -> None:
    """fio's recording of a file that it may not create: status 0, error 0, nothing done."""
    recorded = Path(__file__).parents[2] / "data" / "fio" / "3.33" / "absent-status-0.txt"
    document = parse(recorded.read_text()).result
    with pytest.raises(EngineError, match="did no I/O"):
        _judge(document, Finished(("fio",), 0, "", "", 1.0), FioJob((), (), 1, ()), "fio")
    with pytest.raises(EngineError, match="reported 1 jobs where 2"):
        _judge(document, Finished(("fio",), 0, "", "", 1.0), FioJob((), (), 2, ()), "fio")
    with pytest.raises(EngineError, match="aborted"):
        _judge(document, Finished(("fio",), 0, "", "fio: x appears mounted. Aborting.", 1.0), FioJob((), (), 1, ()), "")
    with pytest.raises(EngineError, match="exited with status 3"):
        _judge(document, Finished(("fio",), 3, "", "", 1.0), FioJob((), (), 1, ()), "fio")


def test_a_job_with_an_error_is_named_with_the_error() -> None:
    recorded = Path(__file__).parents[2] / "data" / "fio" / "3.33" / "no-space.txt"
    document = parse(recorded.read_text()).result
    with pytest.raises(EngineError, match="job full failed: No space left on device"):
        _judge(document, Finished(("fio",), 0, "", "", 1.0), FioJob((), (), 1, ()), "fio")


def test_what_fio_notes_is_kept_as_a_warning(targets: Targets, tmp_path: Path) -> None:
    workload = Workload("w", rw="write", direct=False, iodepth=4, io_size_bytes=MIB)
    warnings = ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60).warnings
    assert any("page cache" in warning for warning in warnings)
    assert any("submits buffered I/O synchronously" in warning for warning in warnings)


def test_steady_state_that_is_not_attained_is_said(targets: Targets, tmp_path: Path) -> None:
    options = (("rate_iops", "300"), ("steadystate", "iops:0.001%"), ("steadystate_duration", "9"))
    measured = ENGINE.run(Workload("w", rw="randread", runtime_s=1.0, options=options), targets,
                          scratch=tmp_path, timeout_s=60)  # fmt: skip
    assert any("was not attained" in warning for warning in measured.warnings)


def test_a_fio_that_does_not_end_is_killed(targets: Targets, tmp_path: Path) -> None:
    workload = Workload("w", rw="randread", runtime_s=300.0, options=(("rate_iops", "10"),))
    with pytest.raises(EngineError, match=r"fio did not end within 1\.5 s"):
        ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=1.5)
    assert running(str(targets.paths[0])) == []
    assert not list(tmp_path.glob("fio-*"))


HARNESS = """
import sys
from pathlib import Path
from bench.engine import Targets
from bench.fio.engine import FioEngine
from permutations.workload import Workload

target = Path(sys.argv[1])
workload = Workload("w", rw="randread", runtime_s=300.0, options=(("rate_iops", "10"),))
FioEngine().run(workload, Targets(((target,),), 1 << 20, False), scratch=target.parent / "scratch", timeout_s=400)
"""


@pytest.fixture
def harness(targets: Targets) -> Iterator[subprocess.Popen[bytes]]:
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(targets.paths[0])], cwd=root, env={**os.environ, "PYTHONPATH": root}
    ) as process:
        yield process
        process.kill()


def test_fio_does_not_outlive_a_killed_harness(harness: subprocess.Popen[bytes], targets: Targets) -> None:
    mark = str(targets.paths[0])
    assert until(lambda: bool(running(mark)))
    os.kill(harness.pid, signal.SIGKILL)
    harness.wait()
    assert until(lambda: not running(mark))


@pytest.mark.loop
def test_a_mounted_disk_is_not_written_and_is_no_result(make_loop: Callable[..., Disk], tmp_path: Path) -> None:
    disk = make_loop(64)
    device = Path("/dev") / disk.name
    mount_point = tmp_path / "mounted"
    mount_point.mkdir()
    subprocess.run(["mkfs.ext4", "-q", device], check=True)
    subprocess.run(["mount", device, mount_point], check=True)
    try:
        targets = Targets(((device,),), 64 * MIB, device=True)
        workload = Workload("w", rw="write", bs_bytes=MIB, io_size_bytes=4 * MIB)
        with pytest.raises(EngineError, match="mounted"):
            ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60)
    finally:
        subprocess.run(["umount", mount_point], check=True)
    subprocess.run(["fsck.ext4", "-f", "-n", device], check=True, capture_output=True)


@pytest.mark.loop
def test_a_bare_device_is_driven(make_loop: Callable[..., Disk], tmp_path: Path) -> None:
    disk = make_loop(16)
    targets = Targets(((Path("/dev") / disk.name,),), 16 * MIB, device=True)
    workload = Workload("w", rw="write", bs_bytes=MIB, numjobs=2, io_size_bytes=8 * MIB)
    (write,) = ENGINE.run(workload, targets, scratch=tmp_path, timeout_s=60).directions
    assert write.total_bytes == 16 * MIB
