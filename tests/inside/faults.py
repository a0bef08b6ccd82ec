"""Devices that fail on purpose: device-mapper over a disk of the lab, and a SCSI disk that can be pulled out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench import native
from bench.native import Job, Load, Part
from tests.inside.conftest import sh

SECTOR = 512
MIB = 1 << 20
SIZE = 16 * MIB
AFTER_CALLS = 40
"""Progress reports before a fault, 20 ms each: the engine has long found its batches, and measures."""
SCSI = Path("/sys/bus/pseudo/drivers/scsi_debug/add_host")

T = TypeVar("T")
Row = tuple[int, str, str]
"""Of a table: bytes, target, its arguments."""


@dataclass
class Mapped:
    """A device-mapper device over the start of a disk."""

    name: str
    below: Path

    @property
    def path(self) -> Path:
        return Path("/dev/mapper", self.name)

    def linear(self, start: int, size: int) -> Row:
        return size, "linear", f"{self.below} {start // SECTOR}"

    def drop_writes(self, start: int, size: int) -> Row:
        """dm-flakey that is down for an hour: writes are acknowledged and never arrive."""
        return size, "flakey", f"{self.below} {start // SECTOR} 0 3600 1 drop_writes"

    def delay(self, start: int, size: int, delay_ms: int) -> Row:
        return size, "delay", f"{self.below} {start // SECTOR} {delay_ms}"

    def table(self, rows: Sequence[Row]) -> str:
        lines, at = [], 0
        for size, target, arguments in rows:
            lines.append(f"{at // SECTOR} {size // SECTOR} {target} {arguments}".rstrip())
            at += size
        return "\n".join(lines)

    def become(self, *rows: Row) -> None:
        """Another table, while it is in use."""
        sh("dmsetup", "reload", self.name, "--table", self.table(rows))
        sh("dmsetup", "resume", self.name)

    def hang(self) -> None:
        """From now on I/O waits, until :meth:`wake`."""
        sh("dmsetup", "suspend", self.name)

    def wake(self) -> None:
        sh("dmsetup", "resume", self.name)


@contextmanager
def mapped(below: Path, *rows: Row, name: str = "faulty") -> Iterator[Mapped]:
    """A device with this table; of :data:`SIZE` and plainly the disk where none is given."""
    device = Mapped(name, below)
    sh("dmsetup", "create", name, "--table", device.table(rows or (device.linear(0, SIZE),)))
    try:
        yield device
    finally:
        sh("dmsetup", "resume", name)
        sh("dmsetup", "remove", "--retry", name)


@contextmanager
def scsi_disk() -> Iterator[Path]:
    """A disk of scsi_debug that :func:`pull_out` can take away."""
    before = set(Path("/sys/block").glob("sd*"))
    SCSI.write_text("1")
    try:
        (found,) = until(lambda: set(Path("/sys/block").glob("sd*")) - before)
        node = Path("/dev", found.name)
        until(node.exists)
        yield node
    finally:
        SCSI.write_text("-1")


def pull_out(disk: Path) -> None:
    Path("/sys/block", disk.name, "device/delete").write_text("1")


def until(found: Callable[[], T], within_s: float = 20.0) -> T:
    """What ``found`` says as soon as it is true."""
    deadline = time.monotonic() + within_s
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return value


def drive(path: Path, *, size: int = SIZE, offset: int = 0, after: Callable[[], object] | None = None, **words):
    """A run of one job over a file or device; ``after`` is called once, :data:`AFTER_CALLS` reports after its start."""
    calls = 0

    def progress(_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == AFTER_CALLS and after is not None:
            after()

    verify = words.pop("verify", None)
    load = native.options.load({"time_based": "runtime_s" in words, **words, "verify": verify})
    assert isinstance(load, Load)
    return native.run_jobs(load, [Job((Part(path, offset, size),))], on_progress=progress)
