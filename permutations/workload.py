"""A workload, in fio's words, and the data set that it runs over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from permutations.conditioning import Precondition, SteadyState

RW_MODES = ("read", "write", "randread", "randwrite", "rw", "randrw")


@dataclass(frozen=True)
class Workload:
    """What an engine is asked to do.

    Words and defaults are fio's; ``bs_bytes`` is parsed from ``bs``.  ``runtime_s`` is the measured time and excludes
    ``ramp_time_s``; it is 0 where a job file names neither time nor size, so that each of its jobs goes over the data
    set once.  ``job_file`` names an existing fio job file that is run in place of a rendered one (fio only):
    ``job_text`` is its content, ``job_sha256`` the digest of that, and ``rw`` says what it does.  ``job_replaced``
    names what the sweep sets in place of the job file: runtime_s, ramp_time_s.
    ``options`` are further ``key = value`` lines for fio, or in its words for the native engine.
    ``precondition`` and ``steady_state`` say what is run before it is measured.

    Every field is part of the protocol's identity unless it is None, so a new field must default to
    None: otherwise whatever was measured before would be measured again.
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
        """Every field but where a job file lies and its text, for which its digest stands."""
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
    """The files that every workload of a sweep runs over: laid out before the first workload."""

    files: int = 16
    file_bytes: int = 64 << 20

    @property
    def total_bytes(self) -> int:
        """Bytes of all files together."""
        return self.files * self.file_bytes


@dataclass(frozen=True)
class DiskProfile:
    """A limit per disk that the lab's throttle enforces while a workload runs."""

    name: str
    iops: int
    bw_bytes_s: int


@dataclass(frozen=True)
class LabSpec:
    """The virtual lab that a sweep asks for with ``[lab]``; None as profile means unthrottled.

    ``own_limits`` are disks (numbered from 1) that are limited otherwise than ``profile`` says, so that a
    lab can have a disk that is slower than its peers.
    """

    disks: int = 4
    disk_bytes: int = 1 << 30
    memory_bytes: int = 1 << 30
    profile: DiskProfile | None = None
    own_limits: tuple[tuple[int, DiskProfile], ...] = ()
