"""A workload, with fio's terms, and the data set that it runs on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from permutations.conditioning import Precondition, SteadyState

RW_MODES = ("read", "write", "randread", "randwrite", "rw", "randrw")


@dataclass(frozen=True)
class Workload:
    """One load that an engine runs.

    Terms and defaults are fio's; ``bs_bytes`` is parsed from ``bs``.  ``runtime_s`` is the measured time and excludes
    ``ramp_time_s``; it is 0 if a job file sets neither time nor size, so that each of its jobs transfers the data set
    once.  ``job_file`` is an existing fio job file that runs instead of a generated one (fio only):
    ``job_text`` is its content, ``job_sha256`` the digest of that, and ``rw`` what it does.  ``job_replaced``
    names the keys of the sweep that override the job file: runtime_s, ramp_time_s.
    ``options`` are additional ``key = value`` lines for fio, or with fio's names for the native engine.
    ``precondition`` and ``steady_state`` describe what runs before the measured run.

    Every field that is not None is part of the protocol's identity, so a new field must default to
    None: otherwise existing results would be measured again.
    """

    name: str
    engine: str = "fio"
    rw: str = "read"
    bs_bytes: int = 4096
    iodepth: int = 1
    numjobs: int = 1
    runtime_s: float = 30.0
    ramp_time_s: float = 0.0
    rwmixread: int | None = None
    fsync: int | None = None
    direct: bool = True
    ioengine: str = "libaio"
    io_size_bytes: int | None = None
    job_file: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    job_sha256: str | None = None
    precondition: Precondition | None = None
    steady_state: SteadyState | None = None
    job_text: str | None = field(default=None, repr=False)
    job_replaced: tuple[str, ...] | None = None

    @property
    def content(self) -> dict[str, object]:
        """All fields except path and text of a job file, whose digest stands for them."""
        return {**asdict(self), "job_file": None, "job_text": None}

    @property
    def reads(self) -> bool:
        """Whether the workload reads."""
        return self.rw in {"read", "randread", "rw", "randrw"}

    @property
    def writes(self) -> bool:
        """Whether the workload writes."""
        return self.rw in {"write", "randwrite", "rw", "randrw"}

    @property
    def random(self) -> bool:
        """Whether offsets are random."""
        return self.rw.startswith("rand")


@dataclass(frozen=True)
class DataSet:
    """The files that every workload of a sweep runs on, written before the first workload."""

    files: int = 16
    file_bytes: int = 64 << 20

    @property
    def total_bytes(self) -> int:
        """Bytes of all files together."""
        return self.files * self.file_bytes


@dataclass(frozen=True)
class DiskProfile:
    """Limits that the lab's throttle enforces for each disk while a workload runs."""

    name: str
    iops: int
    bw_bytes_s: int


@dataclass(frozen=True)
class LabSpec:
    """The virtual lab of the ``[lab]`` table; None as ``profile`` means not throttled.

    ``own_limits`` are disks (numbered from 1) with other limits than ``profile``, so that a lab can have
    a disk that is slower than the others.
    """

    disks: int = 4
    disk_bytes: int = 1 << 30
    memory_bytes: int = 1 << 30
    profile: DiskProfile | None = None
    own_limits: tuple[tuple[int, DiskProfile], ...] = ()
