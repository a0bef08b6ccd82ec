from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bench.engine import Targets
from bench.errors import EngineError, SweepFileError
from bench.fio import allowed
from bench.fio.engine import FioEngine
from bench.fio.job import check_workload, render
from permutations.workload import Workload

DANGEROUS = [
    "filename=/dev/sda",
    "filename=relative",
    "filename=${A}:/dev/sda",
    "directory=/etc",
    "filename_format=/tmp/$jobnum",
    "opendir=/home",
    "exec_prerun=touch /tmp/x",
    "exec_postrun=touch /tmp/x",
    "include other.fio",
    "unlink=1",
    "unlink_each_loop",
    "allow_mounted_write=1",
    "ioengine=external:/tmp/evil.so",
    "ioengine=exec",
    "ioengine=filedelete",
    "ioengine=net",
    "mem=mmap:/etc/passwd",
    "write_iolog=/etc/passwd",
    "read_iolog=/tmp/trace",
    "merge_blktrace_file=/tmp/x",
    "ioscheduler=none",
    "cgroup=x",
    "uid=0",
    "verify=crc32c",
    "verify_state_save=1",
    "verify_dump=1",
    "replay_redirect=/dev/sda",
    "aux-path=/etc",
    "output=/etc/passwd",
    "size=50%",
    "bs=`id`",
    "bs=$(id)",
    "bs=${HOME}",
    "buffer_pattern='/etc/passwd'",
    "rw=exec",
    "numjobs=9999999",
    "gtod_reduce=1",
    "continue_on_error=io",
    "zonemode=zbd",
]


def job_file(folder: Path, *lines: str) -> str:
    path = folder / "job.fio"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.mark.parametrize("line", DANGEROUS)
@pytest.mark.parametrize("section", ["global", "job"])
def test_a_job_file_that_reaches_beyond_the_targets_is_refused_with_its_line(
    tmp_path: Path, line: str, section: str
) -> None:
    lines = ["; a comment", "[global]", "rw=read", "[job]", "bs=4k"]
    lines.insert(2 if section == "global" else 5, line)
    path = job_file(tmp_path, *lines)
    with pytest.raises(SweepFileError, match=f"job.fio:{3 if section == 'global' else 6}: "):
        check_workload(Workload("w", job_file=path))


@pytest.mark.parametrize("line", [line for line in DANGEROUS if "include" not in line])
def test_options_of_a_workload_are_checked_by_the_same_list(line: str) -> None:
    key, _, value = line.partition("=")
    with pytest.raises(SweepFileError, match="workload 'w'"):
        check_workload(Workload("w", options=((key, value),)))


def test_options_with_a_key_of_their_own_name_that_key() -> None:
    with pytest.raises(SweepFileError, match="runtime_s = "):
        check_workload(Workload("w", options=(("runtime", "5"),)))
    with pytest.raises(SweepFileError, match="stripelab keeps"):
        check_workload(Workload("w", options=(("group_reporting", "1"),)))


def test_every_option_that_is_let_through_is_known_to_fio() -> None:
    """The allow-list names real options: 3.33's, or those of newer versions."""
    listed = subprocess.run(["fio", "--cmdhelp=all"], capture_output=True, text=True, check=False).stdout
    known = {line.split(":")[0].strip() for line in listed.splitlines()}
    engines = "".join(
        subprocess.run(["fio", f"--enghelp={name}"], capture_output=True, text=True, check=False).stdout
        for name in ("io_uring", "libaio", "pvsync2")
    )
    known |= {line.split(":")[0].strip() for line in engines.splitlines()}
    not_fio = set()
    for key in set(allowed.ALLOWED) - known:
        found = subprocess.run(["fio", f"--cmdhelp={key}"], capture_output=True, text=True, check=False).stdout
        if key not in found and "alias" not in found.lower():
            not_fio.add(key)
    assert not_fio <= {"cmdprio", "cmdprio_class", "userspace_reap", "cmdprio_percentage"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ioengine": "psync", "iodepth": 16}, "caps iodepth 16 at 1"),
        ({"ioengine": "http"}, "must be"),
        ({"rw": "trim"}, "is not one of"),
        ({"rw": "randread", "rwmixread": 70}, "rwmixread"),
        ({"bs_bytes": 1000}, "multiple of 512"),
        ({"io_size_bytes": 4096, "ramp_time_s": 1.0}, "counts the I/O of the ramp"),
        ({"runtime_s": 1.0, "ramp_time_s": 2.0}, "leaves out a ramp"),
        ({"job_file": "/nowhere/job.fio"}, "does not exist"),
        ({"job_file": "/nowhere/job.fio", "options": (("rate", "1m"),)}, "write the options into"),
    ],
)
def test_what_fio_would_quietly_do_otherwise_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(SweepFileError, match=reason):
        check_workload(Workload("w", **changes))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("rw=read",), "before the first"),
        (("[global]", "rw=read"), "beside"),
        (("[", "rw=read"), "is not a section"),
        (("[a]", "[b]", "stonewall"), "at once"),
    ],
)
def test_a_job_file_that_is_none_says_why(tmp_path: Path, lines: tuple[str, ...], reason: str) -> None:
    with pytest.raises(SweepFileError, match=reason):
        check_workload(Workload("w", job_file=job_file(tmp_path, *lines)))


def test_a_job_file_keeps_its_load_and_runs_over_our_targets(tmp_path: Path) -> None:
    path = job_file(
        tmp_path,
        "# from the wiki",
        "[global]",
        "ioengine=libaio",
        "direct=1",
        "group_reporting",
        "filename=${TARGET}",
        "size=256k",
        "bs=8k",
        "[readers]",
        "rw=randread",
        "numjobs=2",
        "[writer]",
        "rw=write",
        "bs=64k",
    )
    files = tuple(tmp_path / name for name in ("x", "y"))
    for file in files:
        file.write_bytes(bytes(1 << 20))
    targets = Targets((files,), 1 << 20, device=False)
    job = render(Workload("w", job_file=path), targets)
    assert job.jobs == 3
    measured = FioEngine().run(Workload("w", job_file=path), targets, scratch=tmp_path / "scratch", timeout_s=60)
    figures = {direction.direction: direction for direction in measured.directions}
    assert figures["read"].total_bytes == 2 * (256 << 10)
    assert figures["write"].total_bytes == 256 << 10
    assert figures["read"].ios == 2 * 32
    assert figures["write"].ios == 4
    assert any("group_reporting is left out" in warning for warning in measured.warnings)
    assert any("taken as io_size" in warning for warning in measured.warnings)
    assert {file.stat().st_size for file in files} == {1 << 20}


def test_a_refused_job_file_is_a_failure_of_the_engine_and_nothing_runs(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "target"
    for file in (victim, target):
        file.write_bytes(b"\x55" * 65536)
    path = job_file(tmp_path, "[job]", f"filename={victim}", "rw=write", "size=64k")
    targets = Targets(((target,),), 65536, device=False)
    with pytest.raises(EngineError, match="filename"):
        FioEngine().run(Workload("w", job_file=path), targets, scratch=tmp_path / "scratch", timeout_s=60)
    assert victim.read_bytes() == target.read_bytes() == b"\x55" * 65536
    shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
