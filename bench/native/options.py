"""What a run of the native engine does, in fio's words, and the text that the library reads.

:class:`Load` says what every job does, :class:`Job` where one of them does it.  Both are checked when they
are made; the library checks again what it is given, since it trusts nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any, NoReturn

from bench.errors import SweepFileError

IOENGINES = ("auto", "io_uring", "libaio", "psync", "null", "nop")
"""Ways to the kernel; ``null`` does nothing at all and ``nop`` is a ring of no-ops: the floor of what a job costs."""
DISTRIBUTIONS = ("random", "zipf", "pareto")
"""``random`` is uniform, as fio calls it."""
RW = {"read": (1, 0), "write": (0, 1), "rw": (1, 1), "readwrite": (1, 1)}
SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
SEED = 20261122
MOST_SPLITS = 16
MOST_DEPTH = 4096


@dataclass(frozen=True)
class Split:
    """A block size in bytes and the weight with which it is chosen."""

    bs_bytes: int
    weight: int = 100


@dataclass(frozen=True)
class Verify:
    """What a run that reads expects to find: the ``writes`` first writes of a run of the same load that wrote.

    ``random`` says that it wrote at random offsets.  Zero writes: each block is judged by itself.
    """

    random: bool = False
    writes: int = 0


@dataclass(frozen=True, kw_only=True)
class Load:
    """What each job does.  Words and meanings are fio's; docs/native-engine.md lists where they differ.

    Attributes:
        rw: read, write, rw (or readwrite), or one of these with rand before it.
        bs: block sizes of reads, and of writes unless ``bs_write`` is given, with weights.
        iodepth: I/Os in flight, 1 to 4096.
        batch_submit, batch_complete: I/Os to hand over at a time and to wait for; 0: the engine picks.
        rwmixread: share of reads in percent, of rw and randrw.
        io_size_bytes: how much each job moves; None: all of its files once, or until ``runtime_s``.
        runtime_s, ramp_time_s: measured time, and time before it that is not counted.
        time_based: go on until ``runtime_s``, however small the files; None: where that is given and no io_size is.
        random_map: random I/O meets each block once a pass; without, it draws with replacement.
        distribution, theta: random, zipf (theta above 0) or pareto (0 < theta < 1) of the blocks.
        fsync, fdatasync: sync after so many writes; 0: never.
        rate_iops: I/Os a second and job that start on a schedule (open loop): latency then counts from the
            scheduled start.  0: each I/O starts when one ends (closed loop).
        poisson: the schedule is a Poisson process, else evenly spaced.
        compress_pct: share of zeros in what is written; 0 cannot be compressed.
        huge_pages: buffers in huge pages, also for blocks of more than 4 KiB: fewer and larger requests than programs
            with ordinary memory cause.
        verify: the pattern of offset, generation and checksum; with ``rw`` that writes it is written.
        continue_on_error: count errors and go on, else the first ends the job.
        record: count latencies; without, only I/Os and bytes are.
        slat_every: one of so many submissions is looked at on its way, for slat and clat; 0: none.
        seed: of offsets, directions and sizes; the same seed does the same I/O.
    """

    rw: str = "read"
    bs: tuple[Split, ...] = (Split(4096),)
    bs_write: tuple[Split, ...] | None = None
    ioengine: str = "auto"
    iodepth: int = 1
    batch_submit: int = 0
    batch_complete: int = 0
    rwmixread: int = 50
    io_size_bytes: int | None = None
    runtime_s: float | None = None
    ramp_time_s: float = 0.0
    time_based: bool | None = None
    random_map: bool = True
    distribution: str = "random"
    theta: float = 1.1
    fsync: int = 0
    fdatasync: int = 0
    direct: bool = True
    rate_iops: int = 0
    poisson: bool = False
    compress_pct: int = 0
    huge_pages: bool = False
    verify: Verify | None = None
    continue_on_error: bool = False
    record: bool = True
    slat_every: int = 16
    seed: int = SEED

    @property
    def random(self) -> bool:
        """Whether offsets are random."""
        return self.rw.startswith("rand")

    @property
    def reads(self) -> bool:
        """Whether it reads."""
        return bool(RW[self.rw.removeprefix("rand")][0])

    @property
    def writes(self) -> bool:
        """Whether it writes."""
        return bool(RW[self.rw.removeprefix("rand")][1])

    @property
    def largest_bs(self) -> int:
        """The largest block, bytes."""
        return max(split.bs_bytes for split in (*self.bs, *(self.bs_write or ())))

    @property
    def goes_on(self) -> bool:
        """Whether it goes over its files again and again until its time is over."""
        return self.runtime_s is not None and self.io_size_bytes is None if self.time_based is None else self.time_based

    def __post_init__(self) -> None:
        """Raise :class:`SweepFileError` where a word is unknown; numbers are checked by the library."""
        if self.rw.removeprefix("rand") not in RW:
            refuse(f"rw {self.rw!r} is not one of read, write, rw, randread, randwrite, randrw")
        if self.ioengine not in IOENGINES:
            refuse(f"ioengine {self.ioengine!r} is not one of {', '.join(IOENGINES)}")
        if self.distribution not in DISTRIBUTIONS:
            refuse(f"random_distribution {self.distribution!r} is not one of {', '.join(DISTRIBUTIONS)}")
        if self.iodepth > 1 and self.ioengine == "psync":
            refuse(f"ioengine psync has one I/O in flight, not {self.iodepth}: use auto, or raise numjobs")


@dataclass(frozen=True)
class Part:
    """A part of a file or device: where one job works; bytes."""

    path: Path
    offset: int
    size: int


@dataclass(frozen=True)
class Job:
    """One job: its files in the order in which it takes them, and the CPU it is bound to."""

    parts: tuple[Part, ...]
    cpu: int | None = None


def refuse(message: str) -> NoReturn:
    """Raise :class:`SweepFileError`: the load is what the user wrote."""
    raise SweepFileError(f"native engine: {message}", remedy="docs/native-engine.md lists every option.")


OTHER_WORDS = frozenset({"bs", "bs_write", "io_size_bytes", "distribution", "theta", "poisson", "compress_pct"})
SAME = frozenset(field.name for field in fields(Load)) - OTHER_WORDS
"""Words that are fields of :class:`Load` by the same name."""


def load(words: Mapping[str, Any]) -> Load:
    """A load from fio's words; raises :class:`SweepFileError` naming the first that is none.

    These are :data:`SAME`, fields of :class:`Load`, and :data:`WORDS`: ``bs`` is a size (``4k``), ``bssplit`` is like
    ``4k/60:64k/40``, ``random_distribution`` like ``zipf:1.1``, ``rate_process`` linear or poisson.
    """
    found: dict[str, Any] = {}
    for key, value in words.items():
        if key in SAME:
            found[key] = value
        elif key in WORDS:
            found.update(WORDS[key](value))
        else:
            refuse(f"unknown option {key!r}")
    return Load(**found)


def _distribution(text: str) -> dict[str, Any]:
    name, _, theta = text.partition(":")
    try:
        return {"distribution": name} | ({"theta": float(theta)} if theta else {})
    except ValueError:
        refuse(f"random_distribution {text!r} is not like random, zipf:1.1 or pareto:0.2")


def _splits(text: str) -> dict[str, Any]:
    reads, writes = splits(text)
    return {"bs": reads, "bs_write": writes}


def _process(text: str) -> dict[str, Any]:
    if text not in {"linear", "poisson"}:
        refuse(f"rate_process {text!r} is not linear or poisson")
    return {"poisson": text == "poisson"}


WORDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "bs": lambda value: {"bs": (Split(size_bytes(value)),)},
    "bssplit": _splits,
    "io_size": lambda value: {"io_size_bytes": size_bytes(value)},
    "norandommap": lambda value: {"random_map": not int(value)},
    "random_distribution": _distribution,
    "buffer_compress_percentage": lambda value: {"compress_pct": int(value)},
    "rate_process": _process,
    "iodepth_batch_submit": lambda value: {"batch_submit": int(value)},
    "iodepth_batch_complete_min": lambda value: {"batch_complete": int(value)},
    "randseed": lambda value: {"seed": int(value)},
}
"""Words of fio that say a field of :class:`Load` in another way."""


def size_bytes(text: str | int) -> int:
    """Bytes of a size in fio's notation: 4096, 4k, 1M, 2GiB (powers of two)."""
    if isinstance(text, int):
        return text
    found = re.fullmatch(r"(\d+)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if not found:
        refuse(f"{text!r} is no size such as 4096, 4k or 1M")
    return int(found[1]) * SIZES[found[2]]


def splits(text: str) -> tuple[tuple[Split, ...], tuple[Split, ...] | None]:
    """Block sizes of a ``bssplit`` in fio's notation, ``4k/60:64k/40``; a comma parts reads from writes."""
    sides = [tuple(_side(side)) for side in text.split(",")]
    if len(sides) > 2:
        refuse(f"bssplit {text!r} has more than two sides")
    return sides[0], sides[1] if len(sides) == 2 else None


def _side(text: str) -> Iterator[Split]:
    for entry in text.split(":"):
        bs, _, weight = entry.partition("/")
        if not re.fullmatch(r"[1-9]\d{0,5}", weight):
            refuse(f"bssplit {text!r} is no list of SIZE/PERCENT with a colon between")
        yield Split(size_bytes(bs), int(weight))


def render(load: Load, jobs: Sequence[Job], *, exclusive: bool = True) -> bytes:
    """The text that the library reads; ``exclusive`` refuses a device that is mounted or claimed (open(2), O_EXCL)."""
    lines = [f"{key}={int(number(load))}" for key, number in NUMBERS.items()]
    lines.append(f"exclusive={int(exclusive)}")
    for direction, side in enumerate((load.bs, load.bs_write or load.bs)):
        lines += [f"split={direction}:{size}:{below}" for size, below in _below(side)]
    for job in jobs:
        lines.append("job")
        if job.cpu is not None:
            lines.append(f"cpu={job.cpu}")
        for part in job.parts:
            if "\n" in str(part.path):
                refuse(f"the path {str(part.path)!r} has a line break")
            lines.append(f"file={part.offset}:{part.size}:{part.path}")
    return "\n".join(lines).encode(errors="surrogateescape")


def _below(side: Sequence[Split]) -> Iterator[tuple[int, int]]:
    """Each block size with the largest draw of 32 bits that chooses it."""
    total, before = sum(split.weight for split in side), 0
    for split in side:
        before += split.weight
        yield split.bs_bytes, (before << 32) // total - 1


NUMBERS: Mapping[str, Callable[[Load], int | float]] = {
    **{name: attrgetter(name) for name in ("random", "reads", "writes", "iodepth", "batch_submit", "batch_complete")},
    **{
        name: attrgetter(name)
        for name in ("seed", "random_map", "fsync", "fdatasync", "direct", "record", "slat_every")
    },
    **{name: attrgetter(name) for name in ("compress_pct", "huge_pages", "rate_iops", "poisson")},
    "ioengine": lambda load: IOENGINES.index(load.ioengine),
    "rwmixread_pct": attrgetter("rwmixread"),
    "io_size": lambda load: load.io_size_bytes or 0,
    "runtime_ns": lambda load: round((load.runtime_s or 0) * 1e9),
    "ramp_ns": lambda load: round(load.ramp_time_s * 1e9),
    "time_based": attrgetter("goes_on"),
    "distribution": lambda load: DISTRIBUTIONS.index(load.distribution),
    "theta_ppm": lambda load: round(load.theta * 1e6),
    "go_on": attrgetter("continue_on_error"),
    "verify": lambda load: load.verify is not None,
    "verify_random": lambda load: load.verify is not None and load.verify.random,
    "verify_writes": lambda load: load.verify.writes if load.verify is not None else 0,
}
"""Keys of the text and what a load says for each; ``exclusive`` alone is not the load's."""
