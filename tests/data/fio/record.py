"""Make the recordings of fio in tests/data/fio/VERSION from real runs of the fio that is installed.

Usage: python tests/data/fio/record.py

Everything runs on small files in a temporary folder, and on 127.0.0.1 for client and server.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASE = ("--thread", "--direct=1", "--ioengine=libaio", "--allow_file_create=0", "--bs=4k", "--norandommap")
LAT = ("--lat_percentiles=1", "--clat_percentiles=0", "--percentile_list=1:50:90:95:99:99.9:99.99")
FILES = "--filename=a:b"


def fio(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["fio", "--eta=never", *arguments], capture_output=True, text=True, check=check)


def json_plus(out: Path, *arguments: str, check: bool = True) -> None:
    fio("--output-format=json+", f"--output={out}", *BASE, *arguments, check=check)


def shapes(out: Path) -> None:
    amount = ("--rw=randwrite", "--iodepth=4", "--io_size=2m")
    json_plus(out / "randwrite-4-jobs.json", *LAT, *amount, "--name=w", "--numjobs=4", FILES)
    json_plus(out / "clat-by-default.json", *amount, "--name=w", FILES)
    mixed = (*LAT, "--rw=randrw", "--name=m", FILES)
    json_plus(out / "randrw-fsync.json", *mixed, "--iodepth=4", "--io_size=2m", "--fsync=16")
    json_plus(out / "mixed.json", *mixed, "--io_size=1m", "--unified_rw_reporting=1")
    json_plus(out / "mixed-and-both.json", *mixed, "--io_size=1m", "--unified_rw_reporting=both")
    fio("--output-format=json", f"--output={out / 'no-percentiles.json'}", "--clat_percentiles=0", *BASE,
        "--rw=randread", "--io_size=1m", "--name=r", FILES)  # fmt: skip
    Path("options.fio").write_text("[global]\nbs=8k\nrw=randread\nthread\nfilename=a:b\nio_size=512k\n"
                                   "[first]\nbs=4k\n[second]\niodepth=2\n")  # fmt: skip
    fio("--output-format=json", f"--output={out / 'job-overrides-global.json'}", "options.fio")


def text_around(out: Path) -> None:
    noted = fio("--output-format=json", "--thread", "--direct=1", "--ioengine=psync", "--iodepth=8", "--bs=4k",
                "--rw=randread", "--io_size=256k", "--name=r", FILES)  # fmt: skip
    (out / "text-before.txt").write_text(noted.stdout)
    several = fio("--output-format=json", "--status-interval=1", *BASE, "--rw=randread", "--rate_iops=500",
                  "--time_based", "--runtime=3", "--name=r", FILES)  # fmt: skip
    (out / "status-interval.txt").write_text(several.stdout)
    cut = several.stdout.rindex('"write" : {')
    (out / "status-interval-cut.txt").write_text(several.stdout[:cut])
    (out / "cut.txt").write_text(noted.stdout[: noted.stdout.index('"write" : {')])


def failures(out: Path) -> None:
    full = fio("--output-format=json", "--thread", "--ioengine=psync", "--rw=write", "--bs=4k", "--size=64k",
               "--name=full", "--filename=/dev/full", check=False)  # fmt: skip
    (out / "no-space.txt").write_text(full.stdout)
    absent = fio("--output-format=json", "--thread", "--allow_file_create=0", "--rw=read", "--bs=4k", "--size=64k",
                 "--name=absent", "--filename=nothing-here", check=False)  # fmt: skip
    (out / "absent-status-0.txt").write_text(absent.stdout)


def steady(out: Path) -> None:
    common = (*BASE, "--rw=randread", "--rate_iops=300", "--time_based", "--name=s", FILES)
    fio("--output-format=json", f"--output={out / 'steady-attained.json'}", "--runtime=8", "--ss=iops:50%",
        "--ss_dur=2", *common)  # fmt: skip
    fio("--output-format=json", f"--output={out / 'steady-not-attained.json'}", "--runtime=2", "--ss=iops:0.001%",
        "--ss_dur=5", *common)  # fmt: skip


def groups(out: Path) -> None:
    """One run in which fio merges three jobs, and logs every latency of each: what a merge has to give."""
    json_plus(out / "group.json", *LAT, "--rw=randwrite", "--iodepth=4", "--io_size=512k", "--numjobs=3",
              "--group_reporting", "--write_lat_log=group", "--per_job_logs=1", "--name=g", FILES)  # fmt: skip
    for number in (1, 2, 3):
        shutil.copy(f"group_lat.{number}.log", out)


def logs(out: Path) -> None:
    windows = ("--per_job_logs=1", "--log_avg_msec=250", "--bwavgtime=250", "--iopsavgtime=250")
    json_plus(out / "logs.json", *LAT, *windows, "--rw=randwrite", "--time_based", "--runtime=3", "--ramp_time=1",
              "--rate_iops=60", "--numjobs=2", "--write_bw_log=logs", "--write_iops_log=logs", "--write_lat_log=logs",
              "--name=l", FILES)  # fmt: skip
    for number in (1, 2):
        for kind in ("bw", "iops", "lat"):
            shutil.copy(f"logs_{kind}.{number}.log", out)
    json_plus(out / "stall.json", *LAT, *windows, "--rw=randread", "--time_based", "--runtime=4", "--thinktime=1500ms",
              "--thinktime_blocks=32", "--write_bw_log=stall", "--write_lat_log=stall", "--name=l", FILES)  # fmt: skip
    for kind in ("bw", "lat"):
        shutil.copy(f"stall_{kind}.1.log", out)


@contextlib.contextmanager
def server(port: int) -> Iterator[str]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(["fio", f"--server=ip:127.0.0.1,{port}"], start_new_session=True, **quiet)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield f"--client=127.0.0.1,{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def clients(out: Path) -> None:
    Path("client.fio").write_text(
        "[global]\nthread\nrw=randread\nbs=4k\nio_size=512k\nfilename=a:b\n[c]\nioengine=psync\n"
    )
    with server(18765) as one, server(18766) as two:
        done = fio("--output-format=json+", one, "client.fio", two, "client.fio")
    (out / "two-clients.txt").write_text(done.stdout)


def runs(out: Path) -> None:
    """What an import must take apart: runs one after the other in one file, and different files put together."""
    Path("stages.fio").write_text(
        "[global]\nthread\nioengine=libaio\ndirect=1\niodepth=4\nbs=4k\nio_size=1m\nfilename=a\n"
        "[reads]\nrw=randread\n[again]\nstonewall\nrw=randread\n[writes]\nstonewall\nrw=randwrite\n"
    )
    fio("--output-format=json+", f"--output={out / 'stages.json'}", "stages.fio")
    common = ("--output-format=json", *BASE, "--iodepth=4", "--io_size=8m", "--name=r", FILES)
    several = [fio(*common, f"--rw={mode}").stdout for mode in ("randread", "randread", "randwrite")]
    (out / "put-together.txt").write_text("".join(several))
    json_plus(out / "single-ios.json", *LAT, "--per_job_logs=1", "--rw=randread", "--time_based", "--runtime=2",
              "--rate_iops=50", "--write_lat_log=single-ios", "--name=s", FILES)  # fmt: skip
    shutil.copy("single-ios_lat.1.log", out)
    json_plus(out / "whole-seconds.json", *LAT, "--per_job_logs=1", "--log_avg_msec=1000", "--bwavgtime=1000",
              "--iopsavgtime=1000", "--rw=randread", "--time_based", "--runtime=4", "--rate_iops=100", "--numjobs=2",
              "--group_reporting", "--write_bw_log=whole-seconds", "--write_lat_log=whole-seconds",
              "--write_iops_log=whole-seconds", "--name=w", FILES)  # fmt: skip
    for kind in ("bw", "lat", "iops"):
        for number in (1, 2):
            shutil.copy(f"whole-seconds_{kind}.{number}.log", out)


def main() -> None:
    version = fio("--version").stdout.strip().removeprefix("fio-")
    out = HERE / version
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for name in "ab":
            Path(name).write_bytes(os.urandom(4 << 20))
        for record in (shapes, text_around, failures, steady, groups, logs, clients, runs):
            record(out)
        os.chdir(HERE)


if __name__ == "__main__":
    main()
