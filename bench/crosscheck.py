"""The engines against each other on one point: in turn, round by round, and what their figures have in common.

Each round runs every engine once, in an order that turns from round to round, so that what drifts falls
on all alike.  What cannot be the same for all is said by :func:`differences`.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import engines
from bench.engine import Measurement, Targets
from bench.errors import EngineError
from bench.extents import written_bytes
from bench.fio.parser import parse
from bench.native.api import probe
from bench.nodes import through
from bench.safety import writable
from permutations.workload import Workload
from results.statistics.agreement import Agreement, agreement

MARGINS_PCT: Mapping[str, float] = {
    "iops": 2.0,
    "bw_bytes_s": 2.0,
    "lat_p50_ns": 3.0,
    "lat_p99_ns": 3.0,
    "lat_p999_ns": 3.0,
}
CPU = "cpu_ns_per_io"
"""Compared and not judged: an engine's own cost is no figure of the storage."""
OF_ALL = "random offsets are uniform and drawn with replacement in each engine, but are not the same offsets"
OF_WRITES = "dd syncs once, at the end of each file"
OF_BATCHES = "fio hands over one I/O at a time unless --option says otherwise; native picks batches"
OF_RAMP = "after a ramp fio counts I/Os by when they began: its IOPS lack those in flight then, its bandwidth has them"
OF_DRAIN = "fio waits for the last iodepth I/Os of a run together, and each of them gets the time of the last"
OF_DD = "dd reports a bandwidth, goes over its files once, and knows no time"
GRACE_S = 120.0


def unwritten(paths: Sequence[Path], targets: Targets) -> tuple[str, ...]:
    """A sentence for each file of which parts were never written: reads of those return zeros without any I/O."""
    said = []
    for path, descriptor in zip(paths, targets.descriptors, strict=True):
        written = written_bytes(descriptor, targets.size_bytes)
        if written is not None and written < targets.size_bytes:
            count = -(-targets.size_bytes // (1 << 20))
            said.append(
                f"{targets.size_bytes - written:,} of the {targets.size_bytes:,} bytes of {path} were never written: "
                "reads of these do not reach the disk, and first writes to them also write metadata; "
                f"hint: dd if=/dev/urandom of=FILE bs=1M count={count} conv=notrunc"
            )
    return tuple(said)


@dataclass(frozen=True)
class Comparison:
    """One figure of one direction, of the native engine against another; ``judged`` ones decide the answer."""

    direction: str
    figure: str
    against: str
    native: tuple[float, ...]
    other: tuple[float, ...]
    agreement: Agreement | None
    judged: bool


def same_interface(path: Path, iodepth: int, *, direct: bool) -> str:
    """The way to the kernel that the native engine would take, so that fio can be told to take it too."""
    if iodepth == 1:
        return "psync"
    return "io_uring" if probe(path, direct=direct).nowait else "libaio"


@contextmanager
def opened_targets(paths: Sequence[Path], *, writes: bool) -> Iterator[Targets]:
    """Files (or devices, for reading) of one size as targets, reached through descriptors for as long as this lasts.

    fio reads a file name as part of a line, where ``#`` and ``;`` end it: it never gets one of the user's.  Raises
    :class:`EngineError`, and :class:`bench.errors.DiskRefusedError` for what may not be written to.
    """
    sizes = {path: probe(path, direct=False).size_bytes for path in paths}
    if len(set(sizes.values())) != 1:
        said = ", ".join(f"{path} {size}" for path, size in sizes.items())
        raise EngineError(f"the files differ in size ({said} bytes)", remedy="Name files of one size.")
    with ExitStack() as stack:
        descriptors = []
        for path in paths:
            descriptors.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            stack.callback(os.close, descriptors[-1])
            if writes:
                writable.check(path, descriptors[-1])
        device = stat.S_ISBLK(os.fstat(descriptors[0]).st_mode)
        whole = tuple(through(each) for each in descriptors)
        yield Targets((whole,), next(iter(sizes.values())), device=device, descriptors=tuple(descriptors))


def names(workload: Workload) -> tuple[str, ...]:
    """The engines that can run the workload; dd where it is sequential, one way, with one I/O in flight."""
    plain = workload.rw in {"read", "write"} and workload.iodepth == 1 and not workload.options
    return ("native", "fio", "dd") if plain and workload.fsync is None else ("native", "fio")


def differences(workload: Workload) -> tuple[str, ...]:
    """What cannot be the same for the engines that run the workload, in words."""
    said = {
        OF_ALL: workload.rw.startswith("rand"),
        OF_WRITES: workload.writes,
        OF_BATCHES: workload.iodepth > 1,
        OF_RAMP: workload.ramp_time_s > 0,
        OF_DRAIN: workload.iodepth > 1,
        OF_DD: "dd" in names(workload),
    }
    return tuple(line for line, applies in said.items() if applies)


def crosscheck(
    workload: Workload, targets: Targets, rounds: int, scratch: Path, note: Callable[[str], None]
) -> tuple[tuple[Comparison, ...], tuple[str, ...]]:
    """Run the rounds; the comparisons, and the command of each engine."""
    used = names(workload)
    found: dict[str, list[Measurement]] = {name: [] for name in used}
    for turn in range(rounds):
        order = used[turn % len(used) :] + used[: turn % len(used)]
        note(f"round {turn + 1} of {rounds}: {', '.join(order)}")
        for name in order:
            found[name].append(_measure(name, workload, targets, scratch))
    commands = tuple(found[name][0].command for name in used)
    compared = [each for name in used[1:] for each in _compare(name, found["native"], found[name])]
    return tuple(compared), commands


def _measure(name: str, workload: Workload, targets: Targets, scratch: Path) -> Measurement:
    engine = engines.by_name(name)
    asked = replace(workload, engine=name)
    if name == "dd":
        asked = replace(asked, ioengine=Workload.ioengine, ramp_time_s=0.0)
    engine.check_workload(asked)
    time_s = workload.ramp_time_s + workload.runtime_s + GRACE_S
    return engine.run(asked, targets, scratch=scratch, timeout_s=time_s)


def figures(measurement: Measurement) -> dict[tuple[str, str], float]:
    """What a measurement says, by direction and figure; what an engine does not know is not there."""
    found: dict[tuple[str, str], float] = {}
    for each in measurement.directions:
        for name in MARGINS_PCT:
            value = getattr(each, name)
            if value:
                found[each.direction, name] = float(value)
    cpu = cpu_ns_per_io(measurement)
    return found if cpu is None else {**found, ("all", CPU): cpu}


def cpu_ns_per_io(measurement: Measurement) -> float | None:
    """CPU time of the jobs for each I/O, ns; None for dd, which does not tell."""
    if measurement.engine == "native":
        value = json.loads(measurement.raw)[CPU]
        return None if value is None else float(value)
    if measurement.engine != "fio":
        return None
    ios = spent_ns = 0.0
    for job in parse(measurement.raw.decode()).result.jobs:
        runtime_ms = max((part.runtime_ms for part in job.directions), default=0)
        spent_ns += ((job.user_cpu_pct or 0.0) + (job.system_cpu_pct or 0.0)) / 100 * runtime_ms * 1e6
        ios += job.ios
    return spent_ns / ios if ios else None


def _compare(against: str, native: Sequence[Measurement], other: Sequence[Measurement]) -> list[Comparison]:
    ours, theirs = [figures(each) for each in native], [figures(each) for each in other]
    common = [key for key in ours[0] if all(key in each for each in (*ours, *theirs))]
    compared = []
    for key in common:
        first, second = tuple(each[key] for each in ours), tuple(each[key] for each in theirs)
        judged = key[1] in MARGINS_PCT
        found = agreement(first, second, MARGINS_PCT.get(key[1], 5.0))
        compared.append(Comparison(*key, against, first, second, found, judged))
    return compared
