"""What to run, read from text: lines of ``key=number``, with the words for what is wrong with them.

``options.c`` has the same rules, since it trusts nobody, and just refuses.  docs/native-engine.md lists the keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

READ, WRITE, SYNC, COMMIT = range(4)
DIRECTIONS = 4
AUTO, URING, LIBAIO, PSYNC, NULL, NOP = range(6)
IOENGINES = ("auto", "io_uring", "libaio", "psync", "null", "nop")
UNIFORM, ZIPF, PARETO = range(3)
SECTOR = 512
"""Unit of the verify pattern and of compressible contents, bytes."""

SPLITS = 16
LARGEST_BS = 1 << 30
JOBS = 1024
DEPTH = 4096
FILES = (1 << 16) - 1
MEMORY = 1 << 36
WEEK_NS = 7 * 24 * 3600 * 1_000_000_000
LARGEST_OFFSET = 1 << 62
UINT32_MAX = (1 << 32) - 1
UINT64_MAX = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Split:
    """Block sizes of one direction, bytes; each is chosen where a draw of 32 bits is at most its ``below``."""

    sizes: tuple[int, ...] = ()
    below: tuple[int, ...] = ()

    def whole(self) -> bool:
        """Whether every draw chooses a size."""
        return bool(self.below) and self.below[-1] == UINT32_MAX


@dataclass(frozen=True, slots=True)
class File:
    """The part of a file that a job works on, bytes."""

    path: bytes
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class JobOptions:
    """A thread of the C library: its CPU (-1: any) and its files."""

    cpu: int = -1
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What a text says, with the defaults of the C library; fields are named like the keys."""

    ioengine: int = AUTO
    random: int = 0
    reads: int = 0
    writes: int = 0
    iodepth: int = 1
    batch_submit: int = 0
    batch_complete: int = 0
    rwmixread_pct: int = 50
    io_size: int = 0
    runtime_ns: int = 0
    ramp_ns: int = 0
    time_based: int = 0
    seed: int = 0
    random_map: int = 1
    distribution: int = UNIFORM
    theta_ppm: int = 1_100_000
    fsync: int = 0
    fdatasync: int = 0
    direct: int = 1
    exclusive: int = 0
    record: int = 1
    slat_every: int = 16
    compress_pct: int = 0
    huge_pages: int = 0
    verify: int = 0
    verify_random: int = 0
    verify_writes: int = 0
    rate_iops: int = 0
    poisson: int = 0
    go_on: int = 0
    splits: tuple[Split, Split] = (Split(), Split())
    jobs: tuple[JobOptions, ...] = ()

    @property
    def smallest(self) -> int:
        """The smallest block of both directions, bytes: the unit of random offsets."""
        return min(size for split in self.splits for size in split.sizes)

    @property
    def largest(self) -> int:
        """The largest block of both directions, bytes."""
        return max(size for split in self.splits for size in split.sizes)


LIMITS = {
    **dict.fromkeys(
        ("random", "reads", "writes", "time_based", "random_map", "direct", "exclusive", "record", "huge_pages"), (0, 1)
    ),
    **dict.fromkeys(("verify", "verify_random", "poisson", "go_on"), (0, 1)),
    **dict.fromkeys(("fsync", "fdatasync", "slat_every"), (0, UINT32_MAX)),
    **dict.fromkeys(("batch_submit", "batch_complete"), (0, DEPTH)),
    **dict.fromkeys(("rwmixread_pct", "compress_pct"), (0, 100)),
    **dict.fromkeys(("io_size", "verify_writes"), (0, LARGEST_OFFSET)),
    **dict.fromkeys(("runtime_ns", "ramp_ns"), (0, WEEK_NS)),
    "ioengine": (AUTO, NOP),
    "iodepth": (1, DEPTH),
    "seed": (0, UINT64_MAX),
    "distribution": (UNIFORM, PARETO),
    "theta_ppm": (1, 100_000_000),
    "rate_iops": (0, 1_000_000_000),
}
"""Least and most of every number."""


def parse(text: bytes) -> Options:
    """The options of a text; raises ValueError that names the line."""
    if not isinstance(text, bytes):
        raise TypeError("the text of options is no bytes")
    if b"\0" in text:
        raise ValueError("a zero byte")
    reading = _Reading()
    lines = text.split(b"\n")
    for line_number, line in enumerate(lines[:-1] if lines[-1] == b"" else lines, start=1):
        try:
            reading.take(line)
        except ValueError as error:
            raise ValueError(f"line {line_number}: {error}") from None
    options = reading.options()
    _check(options)
    return options


def _number(text: bytes) -> int:
    digits = text.lstrip(b"0")
    if not re.fullmatch(rb"[0-9]+", text) or len(digits) > 20 or int(digits or b"0") > UINT64_MAX:
        raise ValueError(f"no number: {text[:40].decode(errors='replace')}")
    return int(digits or b"0")


class _Reading:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self.numbers: dict[str, Any] = {}
        self.splits = (Split(), Split())
        self.jobs: list[tuple[int, list[File]]] = []

    def options(self) -> Options:
        """All of it."""
        jobs = tuple(JobOptions(cpu, tuple(files)) for cpu, files in self.jobs)
        return Options(**self.numbers, splits=self.splits, jobs=jobs)

    def take(self, line: bytes) -> None:
        """One more line; raises ValueError."""
        key, equals, value = line.partition(b"=")
        if line == b"job":
            if len(self.jobs) == JOBS:
                raise ValueError(f"more than {JOBS} jobs")
            self.jobs.append((-1, []))
        elif not equals:
            raise ValueError(f"neither key=number nor job: {line[:40].decode(errors='replace')}")
        elif key == b"split":
            self.splits = _with_split(self.splits, value)
        elif key == b"file" and self.jobs:
            files = self.jobs[-1][1]
            files.append(_file(value, len(files)))
        else:
            self._take_number(key, _number(value))

    def _take_number(self, key: bytes, found: int) -> None:
        if key == b"cpu" and self.jobs and found < FILES:
            self.jobs[-1] = (found, self.jobs[-1][1])
            return
        name = key.decode(errors="replace")
        least, most = LIMITS.get(name, (1, 0))
        if not least <= found <= most:
            raise ValueError(f"unknown key, or out of range: {name[:40]}")
        self.numbers[name] = found


def _with_split(splits: tuple[Split, Split], value: bytes) -> tuple[Split, Split]:
    """``DIRECTION:BYTES:BELOW``."""
    parts = value.split(b":")
    if len(parts) != 3:
        raise ValueError("no DIRECTION:BYTES:BELOW")
    direction, size, below = map(_number, parts)
    if direction > WRITE or not 1 <= size <= LARGEST_BS or below > UINT32_MAX:
        raise ValueError("no DIRECTION:BYTES:BELOW")
    old = splits[direction]
    if len(old.sizes) == SPLITS or (old.below and old.below[-1] >= below):
        raise ValueError(f"more than {SPLITS} block sizes, or not in rising order")
    new = Split((*old.sizes, size), (*old.below, below))
    return (new, splits[WRITE]) if direction == READ else (splits[READ], new)


def _file(value: bytes, before: int) -> File:
    """``OFFSET:SIZE:PATH``."""
    parts = value.split(b":", 2)
    if len(parts) != 3 or not parts[2]:
        raise ValueError("no OFFSET:SIZE:PATH")
    offset, size = _number(parts[0]), _number(parts[1])
    if max(offset, size) > LARGEST_OFFSET:
        raise ValueError("no OFFSET:SIZE:PATH")
    if before == FILES:
        raise ValueError(f"more than {FILES} files")
    return File(parts[2], offset, size)


def _check(options: Options) -> None:
    """Refuse what is well-formed and makes no sense together."""
    reads, writes = options.splits
    if not (options.reads or options.writes) or not reads.sizes or not writes.sizes or not options.jobs:
        raise ValueError("no direction, no block size or no job")
    if not (reads.whole() and writes.whole()):
        raise ValueError("the shares of the block sizes are not whole")
    if options.largest * options.iodepth > MEMORY:
        raise ValueError(f"iodepth times block size is more than {MEMORY} bytes")
    if (
        (options.distribution == PARETO and options.theta_ppm >= 1_000_000)
        or (options.time_based and not options.runtime_ns)
        or (options.fsync and options.fdatasync)
    ):
        raise ValueError("a pareto share of 1, no runtime, or fsync and fdatasync at once")
    if options.verify:
        _check_verify(options)
    for index, job in enumerate(options.jobs):
        if not job.files:
            raise ValueError(f"job {index} has no file")
        for file in job.files:
            _check_file(options, file)


def _check_verify(options: Options) -> None:
    reads, writes = options.splits
    random = options.random or options.verify_random
    if (
        (options.reads and options.writes)
        or len(reads.sizes) > 1
        or reads.sizes != writes.sizes
        or options.largest % SECTOR
        or (random and (not options.random_map or options.distribution != UNIFORM))
    ):
        raise ValueError("verify needs one direction, one block size of whole sectors, and the random map")


def _check_file(options: Options, file: File) -> None:
    path = file.path[:200].decode(errors="replace")
    if file.size < options.largest:
        raise ValueError(f"{path}: no room for a block of {options.largest} bytes")
    if options.verify and (file.offset % SECTOR or file.size // options.largest < 2 * options.iodepth):
        raise ValueError(f"{path}: verify needs whole sectors and room for twice the iodepth")
