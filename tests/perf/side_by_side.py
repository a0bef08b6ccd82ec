"""Load generators in turn on one target and one core, in an order drawn for each round: a drift falls on all alike.

fio is driven by two command lines: ``fixed`` is its io_uring engine with registered buffers and files; ``batch``
adds ``iodepth_batch_*`` of a quarter of the depth, its best.  What is compared are medians of ratios, round by round.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bench import native

CORE = max(os.sched_getaffinity(0))
RUNTIME_S = float(os.environ.get("PERF_RUNTIME_S", "2"))
ROUNDS = int(os.environ.get("PERF_ROUNDS", "5"))
GIB = 1 << 30


@dataclass(frozen=True)
class Run:
    """What one run of a generator did: rates, and CPU time of its I/O thread for each I/O."""

    iops: float
    bw_bytes_s: float
    cpu_ns: float
    user_ns: float = 0.0
    said: str = ""
    ios: int = 0
    start_up_ns: float = 0.0


@dataclass(frozen=True)
class Case:
    """What the generators are given."""

    path: Path
    rw: str
    iodepth: int
    bs: int = 4096
    direct: bool = True
    size: int = GIB
    runtime_s: float = RUNTIME_S

    def __str__(self) -> str:
        return f"{self.rw} {self.bs >> 10} KiB QD{self.iodepth}"


def fio(case: Case, *, batch: bool = False, ioengine: str = "io_uring", buffers: Sequence[str] = ()) -> Run:
    """fio by the command line of the comparison; ``taskset`` keeps it on one core, as native is."""
    words = ["taskset", "-c", str(CORE), "fio", "--name=s", "--thread", f"--filename={case.path}"]
    words += [f"--direct={int(case.direct)}", f"--rw={case.rw}", f"--bs={case.bs}", "--time_based"]
    words += [f"--runtime={case.runtime_s:g}", "--randrepeat=0", "--norandommap", f"--size={case.size}"]
    words += [f"--iodepth={case.iodepth}", "--output-format=json", f"--ioengine={ioengine}", *buffers]
    if ioengine == "io_uring":
        words += ["--fixedbufs", "--registerfiles", "--nonvectored=1"]
    if batch:
        quarter = max(1, case.iodepth // 4)
        words += [f"--iodepth_batch_submit={quarter}", f"--iodepth_batch_complete_min={quarter}"]
        words += [f"--iodepth_batch_complete_max={case.iodepth}"]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    job = json.loads(said[said.index("{") :])["jobs"][0]
    sides = [job["read"], job["write"]]
    ios, seconds = sum(side["total_ios"] for side in sides), max(side["runtime"] for side in sides) / 1e3
    cpu_ns = job["job_runtime"] * 1e6 / 100 / ios
    return Run(
        iops=ios / seconds,
        bw_bytes_s=sum(side["io_bytes"] for side in sides) / seconds,
        cpu_ns=(job["usr_cpu"] + job["sys_cpu"]) * cpu_ns,
        user_ns=job["usr_cpu"] * cpu_ns,
        ios=ios,
        start_up_ns=fio_start_up_ns(),
    )


def ours(case: Case, **words) -> Run:
    """The native engine: latencies and the series of seconds are on, as always."""
    load = {"rw": case.rw, "bs": case.bs, "iodepth": case.iodepth, "direct": case.direct}
    load |= {"runtime_s": case.runtime_s, "norandommap": 1, "time_based": True, **words}
    done = native.run_jobs(native.options.load(load), [native.Job((native.Part(case.path, 0, case.size),), CORE)])
    ios = sum(found.ios for found in done.directions)
    return Run(
        iops=done.iops,
        bw_bytes_s=done.bw_bytes_s,
        cpu_ns=done.cpu_ns_per_io,
        user_ns=sum(job.cpu_user_ns for job in done.jobs) / ios,
        said=done.jobs[0].picked,
        ios=ios,
        start_up_ns=our_start_up_ns(case.bs, case.iodepth),
    )


def whole_process(case: Case, generator: Callable[[Case], Run]) -> Run:
    """The same run with the CPU time of the whole process: large I/Os make io_uring work in threads of its own, which
    a generator that counts its own thread leaves out."""
    fio_start_up_ns(), our_start_up_ns(case.bs, case.iodepth)  # measured once, and not within what is compared
    before = _cpu_ns()
    done = generator(case)
    return replace(done, cpu_ns=(_cpu_ns() - before - done.start_up_ns) / done.ios)


def _cpu_ns() -> float:
    """CPU time of this process and of those it has waited for."""
    times = os.times()
    return (times.user + times.system + times.children_user + times.children_system) * 1e9


@cache
def fio_start_up_ns() -> float:
    """CPU time of a fio that does next to nothing: what its start costs."""
    words = ["fio", "--name=s", "--thread", "--ioengine=null", "--size=4k", "--output-format=json"]
    return _median_cpu_ns(lambda: subprocess.run(words, check=True, capture_output=True))


@cache
def our_start_up_ns(bs: int, iodepth: int) -> float:
    """CPU time of a run of ours that does next to nothing."""
    load = native.options.load({"bs": bs, "iodepth": iodepth, "io_size": bs, "ioengine": "null"})
    return _median_cpu_ns(lambda: native.run_jobs(load, [native.Job((native.Part(Path("none"), 0, GIB),), CORE)]))


def _median_cpu_ns(run: Callable[[], object]) -> float:
    run()
    spent = []
    for _ in range(5):
        before = _cpu_ns()
        run()
        spent.append(_cpu_ns() - before)
    return statistics.median(spent)


def dd(case: Case) -> Run:
    """GNU dd over the whole target once, direct; CPU as the kernel counts it for the process."""
    count = f"count={case.size // case.bs}"
    words = ["taskset", "-c", str(CORE), "dd", f"bs={case.bs}", count, "status=none"]
    if case.rw == "read":
        words += [f"if={case.path}", "of=/dev/null", "iflag=direct"]
    else:
        words += ["if=/dev/zero", f"of={case.path}", "oflag=direct", "conv=notrunc,nocreat"]
    before, started = os.times(), time.perf_counter()
    subprocess.run(words, check=True)
    seconds, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    ios = case.size // case.bs
    return Run(ios / seconds, case.size / seconds, cpu * 1e9 / ios, ios=ios)


def in_turn(generators: dict[str, Callable[[], Run]], rounds: int = ROUNDS) -> dict[str, list[Run]]:
    """Each generator once a round, in random order."""
    found: dict[str, list[Run]] = {name: [] for name in generators}
    orders = random.Random(0)
    for _ in range(rounds):
        for name in orders.sample(list(generators), len(generators)):
            found[name].append(generators[name]())
    return found


def ratio(found: dict[str, list[Run]], over: str, under: str, figure: str = "iops") -> float:
    """Median over the rounds of one generator's figure divided by another's."""
    pairs = zip(found[over], found[under], strict=True)
    return statistics.median(getattr(a, figure) / getattr(b, figure) for a, b in pairs)


def show(what: str, found: dict[str, list[Run]]) -> None:
    """Medians of each generator, then ours over each of the others."""
    print(f"\n{what}")
    for name, runs in found.items():
        iops, cpu, user = (statistics.median(getattr(run, figure) for run in runs) for figure in FIGURES)
        over = "" if name == "native" else f"  native/{name}: IOPS {ratio(found, 'native', name):.3f}"
        over += "" if name == "native" else f", CPU {ratio(found, 'native', name, 'cpu_ns'):.3f}"
        print(f"  {name:<8}{iops / 1e3:10.1f} k/s {cpu:9.0f} ns CPU an I/O (user {user:6.0f}){over}")
    print(f"  picked: {found['native'][-1].said}")


FIGURES = ("iops", "cpu_ns", "user_ns")


@contextmanager
def loop_device(size: int = GIB) -> Iterator[Path]:
    """A loop device with direct I/O over a file in memory, 4 KiB blocks."""
    descriptor, name = tempfile.mkstemp(prefix="stripelab-perf-", suffix=".img", dir="/dev/shm")
    os.truncate(descriptor, size)
    os.close(descriptor)
    file = Path(name)
    words = ["losetup", "--find", "--show", "--direct-io=on", "--sector-size=4096", file]
    device = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(
            ["dd", "if=/dev/urandom", f"of={device}", "bs=1M", f"count={size >> 20}", "status=none"], check=True
        )
        yield Path(device)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
        file.unlink()


def written_file(folder: Path, size: int = GIB) -> Path:
    """A file on the disk whose every block has been written."""
    path = folder / "written"
    subprocess.run(
        ["dd", "if=/dev/urandom", f"of={path}", "bs=1M", f"count={size >> 20}", "oflag=direct", "status=none"],
        check=True,
    )
    return path


def unwritten_file(folder: Path, size: int = GIB) -> Path:
    """A file of extents that were allocated and never written: read by the direct path, without a device."""
    path = folder / "unwritten"
    subprocess.run(["fallocate", "--length", str(size), path], check=True)
    return path


def free_bytes(folder: Path) -> int:
    """Room below ``folder``."""
    return shutil.disk_usage(folder).free
