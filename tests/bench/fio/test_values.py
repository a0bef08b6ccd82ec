"""Values of fio's options: those that are let through are fio's, and those that mean nothing never reach it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.errors import SweepFileError
from bench.fio import allowed, jobfile
from permutations.workload import Workload

SAMPLES = {
    "rw": ["randread", "readwrite", "read:8"], "readwrite": ["randrw"], "bs": ["4k", "4k,8k", "1MiB", ",64k"],
    "blocksize": ["512"], "ba": ["4k"], "blockalign": ["8k"], "bsrange": ["4k-64k", "1k-4k,2k-8k"],
    "blocksize_range": ["4k-8k"], "bssplit": ["4k/60:64k/40", "4k/50:8k/50,4k/10:8k/90", "4k:8k"],
    "randseed": ["1234567890123"], "random_generator": ["lfsr", "tausworthe64"],
    "random_distribution": ["random", "zipf:1.2", "pareto:0.3", "normal:20", "zoned:60/10:40/90"],
    "percentage_random": ["50", "20,80"], "rw_sequencer": ["identical"], "ioengine": sorted(allowed.ENGINES),
    "iodepth": ["32"], "io_submit_mode": ["offload"], "io_size": ["1g", "50%", "64MiB"], "io_limit": ["1m"],
    "offset": ["1m", "10%"], "offset_increment": ["1m"], "offset_align": ["4k"], "number_ios": ["100"],
    "loops": ["3"], "file_service_type": ["random", "roundrobin:8", "zipf:1.1"], "openfiles": ["4"],
    "fadvise_hint": ["0", "sequential"], "fsync": ["32"], "fdatasync": ["1"], "write_barrier": ["8"],
    "sync_file_range": ["wait_before,write:8", "write:4"], "sync": ["none", "dsync", "1"], "numjobs": ["4"],
    "runtime": ["30", "500ms", "2h"], "timeout": ["10s"], "ramp_time": ["5"], "clocksource": ["clock_gettime"],
    "rwmixread": ["70"], "rwmixwrite": ["100"], "nice": ["-5", "19"], "prio": ["4"], "prioclass": ["2"],
    "write_hint": ["short"], "thinktime": ["100", "10ms"], "thinktime_spin": ["50"], "thinktime_blocks": ["8"],
    "thinktime_blocks_type": ["issue"], "thinktime_iotime": ["1s"], "rate": ["1m", "1m,500k", ",2m", "10MiB"],
    "rate_min": ["64k"], "rate_process": ["poisson"], "rate_cycle": ["1000"], "rate_iops": ["100", "100,50"],
    "rate_iops_min": ["10"], "max_latency": ["10ms"], "latency_target": ["5ms"], "latency_window": ["1s"],
    "latency_percentile": ["99.9"], "cpumask": ["1"], "cpus_allowed": ["0", "0-1", "0,1"],
    "cpus_allowed_policy": ["split"], "lockmem": ["1m"], "buffer_compress_percentage": ["50"],
    "buffer_compress_chunk": ["4k"], "dedupe_percentage": ["30"], "dedupe_mode": ["working_set"],
    "dedupe_working_set_percentage": ["5"], "steadystate": ["iops:0.3%", "bw_slope:2%"], "ss": ["bw:10"],
    "steadystate_duration": ["30"], "ss_dur": ["10s"], "steadystate_ramp_time": ["5"], "ss_ramp": ["5s"],
    "iodepth_batch": ["4"], "iodepth_batch_submit": ["4"], "iodepth_batch_complete": ["2"],
    "iodepth_batch_complete_min": ["1"], "iodepth_batch_complete_max": ["8"], "iodepth_low": ["2"],
}  # fmt: skip
WITHOUT_SAMPLE = {
    "cmdprio", "cmdprio_class", "cmdprio_percentage", "force_async", "hipri", "fixedbufs", "registerfiles",
    "nonvectored", "uncached", "nowait", "sqthread_poll", "sqthread_poll_cpu", "userspace_reap", "numa_cpu_nodes",
    "numa_mem_policy",
}  # fmt: skip
"""Options of single I/O engines, and of builds of fio with NUMA."""


def parses(*words: str) -> str:
    """What fio says against a job, without running it; nothing where it takes it."""
    done = subprocess.run(
        ["fio", "--parse-only", "--name=j", "--rw=read", "--size=1m", "--filename=/nonexistent/x", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr + done.stdout if done.returncode else ""


def test_every_option_has_a_sample_or_is_a_flag() -> None:
    assert {key for key, shape in allowed.ALLOWED.items() if not shape.bare} - WITHOUT_SAMPLE <= set(SAMPLES)


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in SAMPLES.items() for value in values])
def test_what_fio_takes_is_let_through(key: str, value: str) -> None:
    assert allowed.keep_option("here", key, value) == ((key, value), None)
    assert parses(f"--{key}={value}") == ""


@pytest.mark.parametrize("key", sorted({key for key, shape in allowed.ALLOWED.items() if shape.bare} - WITHOUT_SAMPLE))
def test_a_bare_flag_is_switched_on(key: str) -> None:
    assert allowed.keep_option("here", key, "") == ((key, "1"), None)
    assert parses(f"--{key}=1") == ""


HOSTILE = [
    "rate=1e999", "rate=inf", "rate=nan", "rate=-1", "rate=99999999999999999999", "rate_iops=1e5", "iodepth=0",
    "iodepth=999999999", "iodepth=", "bs=1P", "bs=0", "bs=-4k", "io_size=9999999P", "size=9999999P", "size=1e999",
    "size=nan", "size=", "runtime=1e99", "runtime=-1", "runtime=inf", "numjobs=0", "numjobs=1025", "numjobs=٣",
    "loops=0", "rwmixread=101", "nice=-40", "prio=9", "rw=trim", "rw=randtrim", "rw=trimwrite", "rw=readwritten",
    "random_distribution=zoned:/etc/passwd", "random_distribution=zipf:/dev/sda", "cpus_allowed=/etc/passwd",
    "bssplit=/dev/sda", "ioengine=libaio:/tmp/x", "clocksource=/x", "percentage_random=200", "lockmem=1e9",
    "steadystate=iops:1e999%", "latency_percentile=101", "sync=/dev/sda", "write_hint=../x", "offset=1e3",
    "randseed=0x" + "f" * 9000, "bsrange=" + "1k-4k," * 90000, "file_service_type=exec:/bin/sh",
]  # fmt: skip


@pytest.mark.parametrize("line", HOSTILE, ids=[line[:40] for line in HOSTILE])
def test_a_value_that_means_nothing_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "job.fio"
    path.write_text(f"[job]\n{line}\n")
    with pytest.raises(SweepFileError, match=r"job\.fio:2: ") as refused:
        jobfile.load(Workload("w", job_file=str(path)))
    assert len(refused.value.message) < 600


def test_a_job_file_with_too_many_jobs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.fio"
    path.write_text("[global]\nnumjobs=1000\n[a]\n[b]\n")
    with pytest.raises(SweepFileError, match="2000 jobs"):
        jobfile.load(Workload("w", job_file=str(path)))
