"""What can be known of a plan without running it: one list of problems, for ``stripelab plan`` and ``run`` alike.

Each check looks at the plan and at what is known of the machine (:mod:`bench.machine`); what is not known is not
judged.  What an engine refuses of a workload is found when the sweep file is read (``workload_problem`` of
:class:`permutations.vocabulary.Vocabulary`).
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import spread
from bench.engine import Targets
from bench.errors import StackError, SweepFileError
from bench.events import Emit, Event
from bench.fio import jobfile
from bench.machine import Machine
from bench.stack import filesystems
from bench.stack.layout import files_by_group
from bench.stack.throttle import WINDOW_S
from permutations import durability
from permutations.capacity import fullest_bytes, roomy_disk_bytes
from permutations.cost import bounded_bytes
from permutations.durability import Commits
from permutations.errors import SweepError
from permutations.objective import as_measured
from permutations.plan import Plan
from permutations.point import DesignPoint
from permutations.reading import toml_lines
from permutations.reading.source import key_text
from permutations.requirement import can_meet_all, known_constraints, known_range
from permutations.workload import Workload
from stripelab import raid
from stripelab.constraint import Constraint, parse
from stripelab.settings import RAW
from stripelab.units import capacity, format_size

MOST_REQUESTS = 2048
"""Longest queue that Linux gives a scheduler: MAX_SCHED_RQ of block/blk-mq.c."""

FEWEST_TAGS = 32
"""Requests that a SATA disk takes at once with native command queueing; no usual disk takes fewer."""

LEAST_WINDOWS = 10
"""A run bounded by its size is at least this many windows of the throttle long: the first passes at once."""

FAIR_WINDOWS = 20
"""From this length on the throttle's first window raises a figure by at most 5 %."""


@dataclass(frozen=True)
class Problem:
    """Something that is known beforehand; ``fatal``: trials would fail, or their figures would mean nothing."""

    text: str
    fatal: bool


Check = Callable[[Plan, Machine], Iterator[Problem]]


def problems(plan: Plan, machine: Machine) -> tuple[Problem, ...]:
    """Everything that speaks against running a plan on a machine, what is fatal first."""
    found = dict.fromkeys(problem for check in CHECKS for problem in check(plan, machine))
    return tuple(sorted(found, key=lambda each: not each.fatal))


def checked(plan: Plan, machine: Machine) -> tuple[str, ...]:
    """The warnings about a plan; raises :class:`SweepFileError` with every fatal problem where there is one."""
    found = problems(plan, machine)
    fatal = [each.text for each in found if each.fatal]
    if fatal:
        raise SweepFileError("\n".join(fatal))
    return tuple(each.text for each in found)


def require(plan: Plan, machine: Machine, emit: Emit | None = None) -> None:
    """As :func:`checked`; the warnings go to ``emit``."""
    for text in checked(plan, machine):
        if emit is not None:
            emit(Event("note", message=f"warning: {text}"))


def _schedulers(plan: Plan, machine: Machine) -> Iterator[Problem]:
    """A scheduler that the kernel does not have."""
    if machine.schedulers is None:
        return
    for name in sorted({point.text("scheduler") or "none" for point in plan.points} - machine.schedulers):
        known = ", ".join(sorted(machine.schedulers))
        yield _fatal(plan, ("factors", "scheduler"), f'"{name}" is not available on {machine.name}: there are {known}')


def _queue_lengths(plan: Plan, machine: Machine) -> Iterator[Problem]:
    """A queue length that the kernel refuses: without a scheduler a disk has no more requests than tags."""
    pairs = {(point.number("nr_requests"), point.text("scheduler") or machine.scheduler) for point in plan.points}
    for wanted, scheduler in sorted(pairs, key=str):
        if wanted is None:
            continue
        if wanted > MOST_REQUESTS and scheduler not in {None, "none"}:
            yield _fatal(plan, _REQUESTS, f"Linux refuses {wanted} with scheduler {scheduler}: at most {MOST_REQUESTS}")
        if scheduler != "none":
            continue
        if machine.tags is None and wanted > FEWEST_TAGS:
            text = (
                f'{wanted} with scheduler = "none" is refused by disks with fewer tags (SATA: {FEWEST_TAGS}): '
                "`run` asks the disks before the first trial"
            )
            yield Problem(_placed(plan, _REQUESTS, text), fatal=False)
        elif machine.tags is not None and wanted > machine.tags:
            text = (
                f'{wanted} is refused with scheduler = "none" on {machine.name}: at most {machine.tags}, the tags of a '
                'disk; hint: leave these points out with [[forbid]] scheduler = "none", nr_requests = '
            )
            yield _fatal(plan, _REQUESTS, f"{text}{wanted}")


def _room(plan: Plan, machine: Machine) -> Iterator[Problem]:
    """A data set that does not fit on the filesystem of a point."""
    dataset = plan.sweep.dataset
    if machine.disk_bytes is None:
        return
    seen: set[tuple[object, ...]] = set()
    for point in plan.points:
        array = (point.level, point.disks, point.filesystem, point.text("mkfs_options"))
        if point.filesystem == RAW or array in seen:
            continue
        seen.add(array)
        whole = point.raid.usable_bytes(point.disks, machine.disk_bytes)
        device_bytes = machine.disk_bytes if not point.raid.array else whole
        kind = filesystems.by_name(point.filesystem)
        room = kind.room_bytes(device_bytes, tuple(shlex.split(point.text("mkfs_options") or "")))
        needed = fullest_bytes(dataset, point.level, point.disks)
        disks = f"{point.level} x{point.disks} with disks of {format_size(machine.disk_bytes)}"
        if room == 0:
            yield _fatal(plan, ("factors", "filesystem"), f"{point.filesystem} cannot be made on {disks}: too small")
        elif needed > room:
            text = f"{dataset.files} files, {format_size(dataset.total_bytes)} in all, do not fit on {disks}"
            share = f"{format_size(needed)} of them on each disk, where " if not point.raid.array else ""
            larger = roomy_disk_bytes(dataset, point.level, point.disks)
            yield _fatal(
                plan,
                ("dataset",),
                f"{text}: {share}{point.filesystem} has room for {format_size(room)} at most; "
                f"hint: fewer or smaller files, or disks of {format_size(larger)}",
            )


def _shares(plan: Plan, _: Machine) -> Iterator[Problem]:
    """Jobs that would have no block of a file to themselves."""
    dataset = plan.sweep.dataset
    seen: set[tuple[object, ...]] = set()
    for point in plan.points:
        key = (point.text("layout"), not point.raid.array, point.disks)
        if point.filesystem == RAW or key in seen:
            continue
        seen.add(key)
        devices = point.disks if not point.raid.array else 1
        places = [Path(f"/{number}") for number in range(devices)]
        try:
            groups = files_by_group(point.text("layout") or "flat", places, point.disks, dataset.files)
            targets = Targets(groups, dataset.file_bytes, device=False)
            for workload in plan.sweep.workloads:
                if workload.job_file is None:
                    spread.portions(workload, targets)
        except (SweepFileError, StackError) as error:
            yield _fatal(plan, ("workload",), f"{error.message} ({point.label()})")


def _page_cache(plan: Plan, machine: Machine) -> Iterator[Problem]:
    """Buffered reads of a data set that stays in memory: from the second pass on no disk is read."""
    total = plan.sweep.dataset.total_bytes
    if machine.memory_bytes is None or total > machine.memory_bytes or not _on_files(plan):
        return
    for number, workload in enumerate(plan.sweep.workloads):
        if workload.direct or not workload.reads or _reads_once(plan, workload):
            continue
        text = (
            f"buffered, and its data set of {format_size(total)} fits in memory "
            f"({format_size(machine.memory_bytes)}): the figure is that of the page cache as much as of the disks; "
            "hint: direct = true, or a data set larger than memory"
        )
        yield Problem(_placed(plan, ("workload", number), f"workload {workload.name}: {text}"), fatal=False)


def _reads_once(plan: Plan, workload: Workload) -> bool:
    """Whether a workload goes over its files once at most: caches are dropped before it."""
    size = bounded_bytes(plan.sweep, workload)
    return not workload.random and size is not None and size <= plan.sweep.dataset.total_bytes


def _throttle_window(plan: Plan, machine: Machine) -> Iterator[Problem]:
    """A run so short that it measures what the throttle lets through at once, and not the limit."""
    profile = machine.profile
    if profile is None:
        return
    disks = max(point.disks for point in plan.points)
    for number, workload in enumerate(plan.sweep.workloads):
        size = bounded_bytes(plan.sweep, workload)
        rate = disks * raid.throttled_bw(profile.iops, profile.bw_bytes_s, workload.bs_bytes)
        seconds = workload.runtime_s if size is None else size / rate
        if workload.ramp_time_s >= WINDOW_S or seconds >= FAIR_WINDOWS * WINDOW_S:
            continue
        head = f"workload {workload.name}: "
        excess = f"the throttle lets the first {WINDOW_S:g} s through at once"
        if size is None:
            text = f"{excess}, up to {100 * WINDOW_S / seconds:.0f} % of a run of {seconds:g} s; hint: ramp_time_s = 1"
            yield Problem(_placed(plan, ("workload", number), head + text), fatal=False)
            continue
        enough = math.ceil(FAIR_WINDOWS * WINDOW_S * rate / workload.numjobs / (1 << 20))
        text = (
            f"{format_size(size)} take {seconds:.2g} s at the limit of {disks} disks, and {excess}: the figure would "
            f'be above the limit; hint: io_size = "{enough}M"{" for each job" if workload.numjobs > 1 else ""}'
        )
        yield Problem(_placed(plan, ("workload", number), head + text), fatal=seconds < LEAST_WINDOWS * WINDOW_S)


def _commits(plan: Plan, _: Machine) -> Iterator[Problem]:
    """Latencies of workloads that sync: what their names stand for, and what an engine cannot tell of a commit."""
    numbers = {each.name: number for number, each in enumerate(plan.sweep.workloads)}
    for objective in plan.sweep.objectives:
        workload = plan.sweep.workloads[numbers[objective.workload]]
        required = [(parse(each).metric, each) for each in objective.require]
        for metric, written in [(objective.metric, objective.written or objective.metric), *required]:
            for text, fatal in _of_commits(workload, as_measured(metric, workload), written):
                at = _placed(plan, ("workload", numbers[workload.name]), f"workload {workload.name} {text}")
                yield Problem(at, fatal=fatal)


def _of_commits(workload: Workload, metric: str, written: str) -> Iterator[tuple[str, bool]]:
    """What there is to be said of a figure of a workload, and whether it is fatal."""
    if not metric.startswith("commit_"):
        return
    known = durability.commits(workload)
    if known is Commits.NONE or (known is Commits.MEAN and metric != "commit_lat_mean_ns"):
        mean = "" if known is Commits.NONE else ", or minimise commit_lat_mean_ns, since means can be added"
        of_file = "" if workload.job_file is None else "in place of the job file write the workload out here, and "
        text = (
            f"syncs, so {written} is about commits, a write with its sync; {workload.engine} measures the two apart, "
            f"and {metric} cannot be computed from them; hint: {of_file}"
            f'set engine = "native", which measures commits{mean}, '
            f"or ask for {metric.replace('commit', 'sync')}, the sync alone"
        )
        yield text, True
    elif "commit" not in written:
        yield f"syncs, so {written} is read as {metric}: a write with the sync that makes it durable", False


def _job_files(plan: Plan, _: Machine) -> Iterator[Problem]:
    """Options of job files that the sweep file overrides."""
    for number, workload in enumerate(plan.sweep.workloads):
        for text in jobfile.replaced(workload):
            yield Problem(_placed(plan, ("workload", number), text), fatal=False)


def _requirements(plan: Plan, machine: Machine) -> Iterator[Problem]:
    """Requirements that no point can meet, of one workload or of all; and points that cannot be recommended."""
    sweep = plan.sweep
    met_by_some = True
    for number, objective in enumerate(sweep.objectives):
        for text in _unmet(plan.points, known_constraints([objective]), machine):
            met_by_some = False
            yield _fatal(plan, _at_require(plan, number), f"workload {objective.workload}: {text}")
    wanted = known_constraints(sweep.objectives)
    able = sum(can_meet_all(point, wanted, machine.disk_bytes) for point in plan.points)
    words = " and ".join(each.text for each in wanted)
    if not able and met_by_some:
        yield _fatal(plan, ("objective",), f"no point can meet the requirements of all workloads together: {words}")
    elif able < len(plan.points) and able and sweep.racing is None:
        text = (
            f"{len(plan.points) - able} of {len(plan.points)} points cannot meet {words}: they are measured for what "
            "they say of the factors, and are never recommended"
        )
        yield Problem(_placed(plan, ("objective",), text), fatal=False)


def _unmet(points: Sequence[DesignPoint], wanted: Sequence[Constraint], machine: Machine) -> Iterator[str]:
    """The constraints that no point can meet, each with the point that comes closest; or all of them together."""
    alone = False
    for constraint in wanted:
        ranges = [(found, point) for point in points
                  if (found := known_range(point, constraint.metric, machine.disk_bytes)) is not None]  # fmt: skip
        if len(ranges) < len(points) or any(constraint.holds(end) for found, _ in ranges for end in found):
            continue
        alone = True
        (_, most), closest = max(ranges, key=lambda each: each[0][1])
        said = f"{most:g}"
        if constraint.metric == "usable_bytes":
            said = f"at most {capacity(most)} on disks of {format_size(machine.disk_bytes or 0)}"
        yield f"no point can meet {constraint.text}; the closest is {closest.label()}: {said}"
    if not alone and not any(can_meet_all(point, wanted, machine.disk_bytes) for point in points):
        yield f"no point can meet {' and '.join(each.text for each in wanted)} together"


def _at_require(plan: Plan, number: int) -> toml_lines.Path:
    """Where the requirements of an objective are written."""
    several = ("objective", number) in toml_lines.locate(plan.sweep.text)
    return ("objective", number, "require") if several else ("objective", "require")


def _on_files(plan: Plan) -> bool:
    """Whether any point has a filesystem, and so the data set."""
    return any(point.filesystem != RAW for point in plan.points)


def _fatal(plan: Plan, at: toml_lines.Path, text: str) -> Problem:
    return Problem(_placed(plan, at, text), fatal=True)


def _placed(plan: Plan, at: toml_lines.Path, text: str) -> str:
    """A text with the line of the sweep file that it is about."""
    lines = toml_lines.locate(plan.sweep.text)
    line = next((lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in lines), None)
    key = None if at[0] == "workload" else key_text(at)  # those name their workload
    return str(SweepError(plan.sweep.path, line, key, text))


_REQUESTS = ("factors", "nr_requests")
CHECKS: tuple[Check, ...] = (
    _schedulers,
    _queue_lengths,
    _room,
    _shares,
    _page_cache,
    _throttle_window,
    _job_files,
    _commits,
    _requirements,
)
