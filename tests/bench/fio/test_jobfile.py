"""Job files: what stands where, whose times count, and what fio makes of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bench.cli.main import outcome
from bench.engine import Targets
from bench.errors import SweepFileError
from bench.fio import jobfile
from bench.fio.engine import FioEngine
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.reading.job_file import seconds_of
from permutations.sweep import Sweep
from permutations.workload import Workload

SWEEP = '[factors]\nlevel = "raid0"\ndisks = 2\n[[workload]]\nname = "pages"\njob_file = "pages.fio"\n'
MIB = 1 << 20


def workload(folder: Path, job: str | bytes, more: str = "") -> Workload:
    """The workload of a sweep with this job file."""
    (folder / "pages.fio").write_bytes(job if isinstance(job, bytes) else job.encode())
    (found,) = Sweep.parse(SWEEP + more, folder / "t.toml", vocabulary()).workloads
    return found


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (b"", r"pages\.fio: a fio job file needs a section beside \[global\]"),
        (b"[a]\nrw=read\n\x00\x01\x02", r"pages\.fio:3: has characters that are not printable"),
        (b"\x7fELF\x02\x01\x01\x00" + os.urandom(64), r"pages\.fio:1: (is not UTF-8 text|has characters)"),
        (b"[a]\nrw=read\n# caf\xe9\n", r"pages\.fio:3: is not UTF-8 text"),
        (b"[a]\nrw=read\n\x0c\nblocksise=4k", r"pages\.fio:3: has characters"),
        (b"[a]\nrw=read\n\nblocksise=4k", r"pages\.fio:4: fio option 'blocksise' is refused"),
        (b"[a]\nrw=read\nexec_prerun=/bin/true", r"pages\.fio:3: fio option 'exec_prerun' is refused: it runs a"),
        (b"[a]\nrw=read\nfilename=/dev/sdx", r"pages\.fio:3: fio option 'filename' is refused"),
        (b"[global]\nioengine=psync\n[a]\nrw=read\niodepth=16", r"pages\.fio:5: ioengine psync is synchronous"),
        (b"[a]\nrw=read\niodepth=16", r"pages\.fio:3: fio's default ioengine, psync, is synchronous"),
        (b"[global]\niodepth=16\n[a]\nioengine=libaio\n[b]\nioengine=sync", r"pages\.fio:2: ioengine sync is sync"),
        (b"[a]\nrw=trimwrite", r"pages\.fio:2: rw=trimwrite is not supported"),
        (b"rw=read\n[a]", r"pages\.fio:1: 'rw=read' stands before the first \[section\]"),
        (b"[a\nrw=read", r"pages\.fio:1: '\[a' is not a section"),
    ],
)
def test_what_run_would_refuse_is_refused_when_the_sweep_is_read(tmp_path: Path, job: bytes, said: str) -> None:
    with pytest.raises(SweepError, match=rf"t\.toml:\d: \[\[workload\]\] 1( job_file)?: .*{said}"):
        workload(tmp_path, job)


@pytest.mark.parametrize("flag", ["time_based", "time_based=1", "time_based = 1"])
def test_a_bare_flag_stays_switched_on(tmp_path: Path, flag: str) -> None:
    found = workload(tmp_path, f"[a]\nrw=read\n{flag}\nruntime=60\nnorandommap\n")
    (section,) = jobfile.load(found).sections
    assert ("time_based", "1") in section.options
    assert ("norandommap", "1") in section.options


@pytest.mark.parametrize(
    ("job", "more", "runtime_s", "size"),
    [
        ("[a]\nruntime=60\n", "", 60.0, None),
        ("[a]\nruntime=60\n", "runtime_s = 2\n", 2.0, None),
        ("[a]\nruntime=1m\nramp_time=500ms\n", "", 60.0, None),
        ("[global]\nruntime=10\n[a]\n[b]\ntimeout=20\n", "", 20.0, None),
        ("[a]\nsize=10M\nnumjobs=3\n", "", 30.0, 30 * MIB),
        ("[a]\nsize=10M\n[b]\nio_size=1M\nloops=4\n", "", 30.0, 14 * MIB),
        ("[a]\nsize=10M\n", "runtime_s = 3\n", 3.0, None),
        ("[a]\nrw=read\n", "", 0.0, None),
        ("[a]\nrw=read\nruntime=9\n[b]\nrw=read\n", "", 0.0, None),
    ],
)
def test_how_long_a_job_file_runs(tmp_path: Path, job: str, more: str, runtime_s: float, size: int | None) -> None:
    found = workload(tmp_path, job, more)
    assert (found.runtime_s, found.io_size_bytes) == (runtime_s, size)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60.0), ("500ms", 0.5), ("2h", 7200.0), ("1d", 86400.0), ("3min", 180.0), ("x", None), ("1.5", None)],
)
def test_times_of_fio(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("flag", ["", "time_based\n"])
def test_the_time_of_the_sweep_wins_in_the_run_and_plan_says_so(tmp_path: Path, capsys, flag: str) -> None:
    """F9: the job's ``runtime=60`` won over ``runtime_s = 2`` without a word."""
    job = f"[global]\nioengine=psync\n{flag}runtime=60\nsize=10G\n[a]\nrw=randread\nrate_iops=200\n"
    found = workload(tmp_path, job, "runtime_s = 1\n")
    target = tmp_path / "target"
    target.write_bytes(os.urandom(MIB))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    measured = FioEngine().run(found, Targets(((target,),), MIB, device=False), scratch=scratch, timeout_s=50)
    assert {each.second for each in measured.intervals} <= {0, 1}
    assert 100 <= measured.directions[0].ios <= 260
    (tmp_path / "t.toml").write_text(f"{SWEEP}runtime_s = 1\n")
    assert outcome(["plan", str(tmp_path / "t.toml"), "--json"]) == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    line = job.splitlines().index("runtime=60") + 1
    assert "workload pages: runtime_s = 1 of the sweep file is used" in warning
    assert warning.endswith(f"runtime=60 at {tmp_path}/pages.fio:{line} is not")


def test_nothing_is_said_where_both_agree_or_the_sweep_says_nothing(tmp_path: Path) -> None:
    assert jobfile.replaced(workload(tmp_path, "[a]\nrw=read\nruntime=60\n")) == ()
    assert jobfile.replaced(workload(tmp_path, "[a]\nrw=read\nruntime=1m\n", "runtime_s = 60\n")) == ()
    (said,) = jobfile.replaced(workload(tmp_path, "[a]\nrw=read\nruntime=9\nramp_time=5\n", "ramp_time_s = 1\n"))
    assert "ramp_time_s = 1 of the sweep file is used; ramp_time=5" in said


def test_what_was_read_with_the_sweep_is_run_whatever_became_of_the_file(tmp_path: Path) -> None:
    found = workload(tmp_path, "[a]\nrw=read\nbs=64k\nruntime=9\n")
    (tmp_path / "pages.fio").write_text("[a]\nrw=write\nbs=4k\n")
    assert ("bs", "64k") in jobfile.load(found).sections[0].options
    assert make_plan(Sweep.parse(SWEEP, tmp_path / "t.toml", vocabulary())).sweep.workloads[0].rw == "write"


def test_too_deep_a_queue_is_refused_by_the_engine_too(tmp_path: Path) -> None:
    path = tmp_path / "job.fio"
    path.write_text("[a]\nrw=read\niodepth=4\n")
    with pytest.raises(SweepFileError, match="caps iodepth '4' at 1"):
        FioEngine().check_workload(Workload("w", job_file=str(path)))
