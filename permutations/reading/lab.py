"""``[dataset]``, ``[disk]``, ``[lab]`` and ``[objective]`` of a sweep file."""

from __future__ import annotations

from permutations.errors import nearest
from permutations.objective import Objective, as_measured, metric_problem
from permutations.reading.table import Table, quoted
from permutations.vocabulary import Vocabulary
from permutations.workload import DataSet, DiskProfile, LabSpec, Workload
from stripelab.constraint import ConstraintError, parse
from stripelab.metrics import OBJECTIVES, listed, lower_is_better
from stripelab.preference import PREFERENCES

MAX_LAB_DISKS = 16
"""Limit of User-Mode Linux."""

BLOCK_BYTES = 4096
TERABYTE = 10**12
"""Disk vendors count in powers of ten."""


def parse_dataset(table: Table, workloads: tuple[Workload, ...]) -> DataSet:
    """The files that the workloads run on."""
    table.only(("files", "file_size"))
    default = DataSet()
    files = table.integer("files", default.files, 1, 1_000_000)
    file_bytes = table.size("file_size", default.file_bytes, BLOCK_BYTES, 1 << 50)
    if file_bytes % BLOCK_BYTES:
        table.refuse("file_size", f"{quoted(table.values['file_size'])} is no multiple of 4096 bytes")
    for workload in workloads:
        if workload.bs_bytes > file_bytes:
            table.source.refuse(
                (*table.at, "file_size"), f'is {file_bytes} bytes, less than one block of workload "{workload.name}"'
            )
    return DataSet(files, file_bytes)


def parse_disk(table: Table) -> int | None:
    """Rated endurance of each real disk (TBW) in bytes; None if the sweep does not give it."""
    table.only(("rated_tbw_tb",))
    if not table.has("rated_tbw_tb"):
        return None
    return round(table.number("rated_tbw_tb", 0.0, 0.001, 1e9) * TERABYTE)


def lab_disks(table: Table) -> int | None:
    """Number of disks of the lab; None if the sweep does not give it."""
    return table.integer("disks", None, 1, MAX_LAB_DISKS)


def parse_lab(table: Table, vocabulary: Vocabulary | None, max_disks: int, least_disk_bytes: int) -> LabSpec:
    """The virtual lab; by default it has the maximum number of disks that the sweep uses.

    The default size of a disk is the larger of :attr:`LabSpec.disk_bytes` and ``least_disk_bytes``.
    """
    table.only(("disks", "disk_size", "memory", "profile", "disk"))
    default = LabSpec()
    disks = lab_disks(table)
    if disks is not None and disks < max_disks:
        table.refuse("disks", f"the lab has {disks}, but [factors] disks goes up to {max_disks}")
    if table.values and max_disks > MAX_LAB_DISKS:
        table.source.refuse(table.at, f"the lab has at most {MAX_LAB_DISKS} disks, but [factors] asks for {max_disks}")
    count = max_disks if disks is None else disks
    return LabSpec(
        disks=count,
        disk_bytes=table.size("disk_size", max(default.disk_bytes, least_disk_bytes), 64 << 20, 1 << 44),
        memory_bytes=table.size("memory", default.memory_bytes, 128 << 20, 1 << 40),
        profile=_profile(table, vocabulary),
        own_limits=_own_limits(table, count),
    )


def _own_limits(table: Table, disks: int) -> tuple[tuple[int, DiskProfile], ...]:
    """``[[lab.disk]]``: disks with other limits than the profile."""
    limits: dict[int, DiskProfile] = {}
    for disk in table.tables("disk"):
        disk.only(("number", "iops", "bandwidth"))
        disk.require("number", "iops", "bandwidth")
        if not table.has("profile"):
            disk.source.refuse(disk.at, "a disk has a limit of its own only beside a profile of all the others")
        number = disk.integer("number", 0, 1, disks)
        if number in limits:
            disk.refuse("number", f"disk {number} has a limit of its own already")
        limits[number] = _limit(disk)
    return tuple(sorted(limits.items()))


def _limit(table: Table) -> DiskProfile:
    """A limit from its two figures."""
    iops = table.integer("iops", 0, 1, 10_000_000)
    bandwidth = table.size("bandwidth", 0, BLOCK_BYTES, 1 << 44)
    return DiskProfile(f"{iops}-iops-{bandwidth}-bytes-s", iops, bandwidth)


def _profile(table: Table, vocabulary: Vocabulary | None) -> DiskProfile | None:
    """A disk profile, given by name or by its two limits."""
    if not table.has("profile"):
        return None
    if isinstance(table.values["profile"], dict):
        inner = table.table("profile")
        inner.only(("iops", "bandwidth"))
        inner.require("iops", "bandwidth")
        return _limit(inner)
    profiles = {profile.name: profile for profile in vocabulary.disk_profiles} if vocabulary is not None else {}
    if not profiles and isinstance(table.values["profile"], str):
        table.refuse("profile", 'no profile is known by name here: write profile = {iops = 100, bandwidth = "20M"}')
    return profiles[table.word("profile", tuple(profiles), "", "unknown profile")]


def parse_objectives(tables: tuple[Table, ...], workloads: tuple[Workload, ...]) -> tuple[Objective, ...]:
    """The objectives of the sweep; by default one for each workload."""
    if not tables:
        return tuple(Objective.default_for(workload) for workload in workloads)
    objectives: dict[tuple[str, str], Objective] = {}
    for table in tables:
        objective = _objective(table, workloads)
        if (objective.workload, objective.metric) in objectives:
            table.source.refuse(table.at, "the same objective is there already")
        objectives[objective.workload, objective.metric] = objective
    if len({objective.weight is None for objective in objectives.values()}) > 1:
        table.source.refuse(table.at, "weight must be given for every objective, or for none")
    return tuple(objectives.values())


def _objective(table: Table, workloads: tuple[Workload, ...]) -> Objective:
    table.only(("maximise", "minimise", "workload", "require", "prefer", "weight"))
    if table.has("maximise") == table.has("minimise"):
        table.source.refuse(table.at, "must have either maximise or minimise")
    key = "maximise" if table.has("maximise") else "minimise"
    metric = table.text(key, "")
    if metric not in OBJECTIVES and nearest(metric, OBJECTIVES) is None:
        table.refuse(key, f"unknown metric {quoted(metric)}; known are {listed(OBJECTIVES)}")
    metric = table.word(key, OBJECTIVES, "", "unknown metric")
    lower = lower_is_better(metric)
    if lower is not (key == "minimise"):
        other = "minimise" if key == "maximise" else "maximise"
        table.refuse(key, f"{metric} is better the {'lower' if lower else 'higher'} it is", other)
    names = {workload.name: workload for workload in workloads}
    if not table.has("workload") and len(names) > 1:
        table.source.refuse(table.at, f"workload is missing; known are {', '.join(names)}")
    name = table.word("workload", tuple(names), next(iter(names)), "unknown workload")
    if names[name].engine == "dd" and metric != "bw_bytes_s":
        table.refuse(key, f'dd reports no {metric}: workload "{name}" has bw_bytes_s alone', "bw_bytes_s")
    problem = metric_problem(metric, names[name])
    if problem is not None:
        table.refuse(key, problem)
    weight = table.number("weight", 1.0, 1e-6, 1e6) if table.has("weight") else None
    measured = as_measured(metric, names[name])
    written = metric if metric != measured else None
    require = _require(table, names[name])
    return Objective(name, measured, key == "maximise", require, _prefer(table), weight, written)


def _require(table: Table, workload: Workload) -> tuple[str, ...]:
    """The requirements of an objective, checked."""
    constraints = []
    for at, value in table.elements("require") if table.has("require") else ():
        if not isinstance(value, str):
            table.source.refuse(at, f"{quoted(value)} is not text")
        try:
            problem = metric_problem(parse(value).metric, workload)
        except ConstraintError as error:
            problem = str(error)
        if problem is not None:
            table.source.refuse(at, problem)
        constraints.append(value)
    return tuple(constraints)


def _prefer(table: Table) -> tuple[str, ...]:
    """The preferences in order of priority."""
    preferences: list[str] = []
    for at, value in table.elements("prefer") if table.has("prefer") else ():
        if value not in PREFERENCES or value in preferences:
            table.source.refuse(at, f"{quoted(value)} must be one of {', '.join(PREFERENCES)}, and each once")
        preferences.append(value)
    return tuple(preferences)
