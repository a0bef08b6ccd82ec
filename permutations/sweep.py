"""A sweep file as a frozen, validated value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from permutations.capacity import roomy_disk_bytes
from permutations.designs.spec import DesignSpec
from permutations.feasible.conflict import why_empty
from permutations.feasible.rules import Forbid, Require, Rule, Unfit, hardware_rules
from permutations.feasible.space import FactorValues, Space
from permutations.identity import digest
from permutations.objective import Objective
from permutations.racing.spec import RacingSpec
from permutations.reading.design import KEYS, parse_design
from permutations.reading.lab import lab_disks, parse_dataset, parse_disk, parse_lab, parse_objectives
from permutations.reading.racing import parse_racing
from permutations.reading.source import parse, read_text
from permutations.reading.space import parse_factors, parse_forbid, parse_require, unfit_options
from permutations.reading.table import Table
from permutations.reading.workload import JobFiles, parse_workloads
from permutations.vocabulary import Vocabulary
from permutations.workload import DataSet, LabSpec, Workload
from stripelab.raid import LEVELS

TABLES = (
    "sweep",
    "factors",
    "forbid",
    "require",
    "baseline",
    "point",
    "racing",
    "workload",
    "dataset",
    "lab",
    "disk",
    "objective",
)
ORDERS = ("blocked", "split-plot")
INITIAL_SYNCS = ("wait", "assume-clean")


@dataclass(frozen=True)
class Sweep:
    """The content of a sweep file.

    ``factors`` holds every factor, in the order of :data:`permutations.factors.FACTORS`.
    ``spec`` has the options of the design.
    ``lab_given`` is whether the file has a ``[lab]`` table; without one ``lab`` is the default lab
    with as many disks as the sweep needs.  ``path`` and ``text`` are the file's name and content.
    ``rated_bytes_written`` is the rated endurance of each disk; ``racing`` has the options of a race and is
    None for every other design.  ``watched`` marks a sweep that runs every night: limits of single disks of the
    lab then count as hardware, whose changes are to be detected, and are not part of the protocol.
    ``unfit`` are options of mkfs and mount that a filesystem of the sweep does not support.
    """

    name: str
    seed: int
    replicates: int
    design: str
    order: str
    factors: tuple[FactorValues, ...]
    forbid: tuple[Forbid, ...]
    workloads: tuple[Workload, ...]
    dataset: DataSet
    initial_sync: str
    lab: LabSpec
    objectives: tuple[Objective, ...]
    require: tuple[Require, ...] = ()
    spec: DesignSpec = field(default_factory=DesignSpec)
    lab_given: bool = False
    rated_bytes_written: int | None = None
    racing: RacingSpec | None = None
    path: str | None = None
    text: str = ""
    watched: bool = False
    unfit: tuple[Unfit, ...] = ()

    @classmethod
    def load(cls, path: Path | str, vocabulary: Vocabulary | None = None) -> Sweep:
        """Read and check a sweep file; raises :class:`permutations.errors.SweepError`.

        ``vocabulary`` has the names that ``bench`` supports; with None any filesystem is accepted, and a disk
        profile must be given by its limits.
        """
        path = Path(path)
        return cls.parse(read_text(path), path, vocabulary)

    @classmethod
    def parse(
        cls,
        text: str,
        path: Path | str,
        vocabulary: Vocabulary | None = None,
        job_files: Mapping[str, bytes] | None = None,
    ) -> Sweep:
        """Like :meth:`load`, from a text; file names in it are relative to the folder of ``path``.

        ``job_files`` has the content of job files by the name of the workload; with None the files are read.
        """
        path = Path(path)
        values, source = parse(text, str(path))
        root = Table(values, (), source)
        root.only(TABLES)
        for key in ("factors", "workload"):
            if not root.has(key):
                source.refuse(
                    (key,), f"the table is missing: a sweep needs {'[[workload]]' if key == 'workload' else key}"
                )
        return _sweep(root, path, text, vocabulary, JobFiles(path.parent, job_files))

    @cached_property
    def space(self) -> Space:
        """All combinations, and the rules that leave some out: those of md first."""
        return Space(self.factors, rules_of(self.forbid, self.require, self.unfit))

    @cached_property
    def protocol_id(self) -> str:
        """Sixteen hex digits made from what runs at every point; stores with the same protocol can be joined.

        It includes the content of a job file, but not its path.
        """
        content: dict[str, object] = {
            "workloads": [workload.content for workload in self.workloads],
            "dataset": asdict(self.dataset),
            "initial_sync": self.initial_sync,
            "profile": asdict(self.lab.profile) if self.lab.profile is not None else None,
        }
        if self.lab.own_limits and not self.watched:  # absent otherwise, so that existing results keep their identity
            content["own_limits"] = [[number, asdict(limit)] for number, limit in self.lab.own_limits]
        return digest(content, 16)

    @property
    def default_disk_bytes(self) -> int:
        """Default size of a virtual disk, or more if the data set needs it."""
        return max(LabSpec.disk_bytes, roomy_disk_bytes_of(self.space, self.dataset))

    @property
    def max_disks(self) -> int:
        """Maximum number of disks of a point."""
        (disks,) = (factor.values for factor in self.factors if factor.name == "disks")
        return max(int(value) for value in disks if value is not None)


def roomy_disk_bytes_of(space: Space, dataset: DataSet) -> int:
    """Size of a disk that fits the data set on every array of the sweep."""
    values = {factor.name: factor.values for factor in space.factors}
    arrays = [(str(level), int(disks)) for level in values["level"] for disks in values["disks"] if disks is not None]
    valid = [
        (level, disks) for level, disks in arrays if LEVELS[level].capacity_disks(disks) > 0
    ]  # md rejects the others
    return max((roomy_disk_bytes(dataset, level, disks) for level, disks in valid), default=0)


def rules_of(forbid: tuple[Forbid, ...], require: tuple[Require, ...], unfit: tuple[Unfit, ...]) -> tuple[Rule, ...]:
    """The rules of md and of the filesystems, then the rules of a sweep."""
    unsupported = tuple(table.rule() for table in unfit)
    forbidden = tuple(table.rule(number) for number, table in enumerate(forbid, start=1))
    required = tuple(table.rule(number) for number, table in enumerate(require, start=1))
    return (*hardware_rules(), *unsupported, *forbidden, *required)


def _sweep(root: Table, path: Path, text: str, vocabulary: Vocabulary | None, files: JobFiles) -> Sweep:
    head = root.table("sweep")
    head.only(("name", "seed", "replicates", "design", "order", "initial_sync", *KEYS))
    lab = root.table("lab")
    factors = parse_factors(root.table("factors"), vocabulary, lab_disks(lab))
    unfit = unfit_options(root.table("factors"), factors, vocabulary)
    workloads = parse_workloads(root.tables("workload"), files, vocabulary)
    if not workloads:
        root.refuse("workload", "the list is empty")
    (disks,) = (factor.values for factor in factors if factor.name == "disks")
    forbid = parse_forbid(root.tables("forbid"), vocabulary)
    require = parse_require(root.tables("require"), vocabulary)
    space = Space(factors, rules_of(forbid, require, unfit))
    empty = why_empty(space)
    if empty is not None:
        root.source.refuse(("factors",), empty)
    spec = parse_design(root, space, vocabulary)
    multiple = isinstance(root.values.get("objective"), list)
    objectives = root.tables("objective") if multiple else (root.table("objective"),) if root.has("objective") else ()
    dataset = parse_dataset(root.table("dataset"), workloads)
    return Sweep(
        name=head.name("name") if head.has("name") else path.stem,
        seed=head.integer("seed", 0, 0),
        replicates=head.integer("replicates", 1, 1, 1000),
        design=spec.kind,
        order=_available(head, "order", ORDERS),
        factors=factors,
        forbid=forbid,
        workloads=workloads,
        dataset=dataset,
        initial_sync=head.word("initial_sync", INITIAL_SYNCS, "wait"),
        lab=parse_lab(
            lab,
            vocabulary,
            max(int(value) for value in disks if value is not None),
            roomy_disk_bytes_of(space, dataset),
        ),
        objectives=parse_objectives(objectives, workloads),
        require=require,
        spec=spec,
        lab_given=root.has("lab"),
        rated_bytes_written=parse_disk(root.table("disk")),
        racing=parse_racing(root),
        path=str(path),
        text=text,
        unfit=unfit,
    )


def _available(head: Table, key: str, known: tuple[str, ...]) -> str:
    """One of the words that this version supports."""
    value = head.text(key, known[0])
    if value not in known:
        head.refuse(key, f'"{value}" is not available: this version has {", ".join(known)}')
    return value
