"""Which processes have a device or file open, wherever the kernel shows it; proc_pid_fd(5), proc_pid_map_files(5).

A descriptor may belong to a thread with a table of its own, be closed and still mapped, or be registered with an
io_uring.  What nobody can see is said in docs/safety-checks.md: a descriptor that is in flight over a Unix socket, and
processes of another PID namespace.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import stat
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
SYS_KCMP = {"x86_64": 312, "aarch64": 272}
KCMP_FILES = 2
_GONE = {errno.ENOENT, errno.ESRCH}
_CLOSED = {errno.EACCES, errno.EPERM}
CAP_SYS_PTRACE = 19
_MAPPING = re.compile(rb"^([0-9a-f]+-[0-9a-f]+) \S+ \S+ (\S+) ([1-9]\d*) +(/.*)$", re.MULTILINE)
"""Addresses, device, inode and path of what is mapped: a line of proc_pid_maps(5)."""
_REGISTERED = re.compile(r"^ *\d+: (.+)$", re.MULTILINE)
"""A file registered with an io_uring, as its fdinfo lists it: the last part of its path, or all of it."""


@dataclass(frozen=True, order=True)
class Thing:
    """What can be open: a device by its number, or a file by its filesystem's number and its inode."""

    kind: str
    """block, char or file."""
    number: str
    """``major:minor``."""
    inode: int = 0


@dataclass
class Openers:
    """Processes by what they have open, as "process 12 (name)"; ``unseen`` are those that could not be looked at."""

    by_thing: dict[Thing, set[str]] = field(default_factory=lambda: defaultdict(set))
    unseen: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Why a question was not answered that this process may ask."""

    def of(self, thing: Thing) -> tuple[str, ...]:
        """Who has it open."""
        return tuple(sorted(self.by_thing.get(thing, ())))


def thing_of(found: os.stat_result) -> Thing | None:
    """What a file is to the kernel; None for pipes, sockets and folders."""
    if stat.S_ISBLK(found.st_mode):
        return Thing("block", number(found.st_rdev))
    if stat.S_ISCHR(found.st_mode):
        return Thing("char", number(found.st_rdev))
    return Thing("file", number(found.st_dev), found.st_ino) if stat.S_ISREG(found.st_mode) else None


def number(device: int) -> str:
    """A device number as ``major:minor``."""
    return f"{os.major(device)}:{os.minor(device)}"


def openers(wanted: Mapping[Thing, Collection[str]], remote: Sequence[str] = ()) -> Openers:
    """Other processes that have any of ``wanted`` open.

    The names of each thing are what the kernel may call it where it gives no number.  Files in the folders
    ``remote`` are not looked at, since their filesystem may never answer.
    """
    found = Openers()
    if os.geteuid() == 0 and not _looks_at_others():
        found.failed.append("this root may not look at other users' processes (CAP_SYS_PTRACE)")
    search = _Search(wanted, remote)
    for process in PROC.iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            for thing in search.of_process(process):
                found.by_thing[thing].add(f"process {process.name} ({_command(process)})")
        except OSError as failure:
            if failure.errno in _CLOSED:
                found.unseen.append(f"process {process.name} ({_command(process)}): {failure.strerror}")
            elif failure.errno not in _GONE:
                found.failed.append(f"process {process.name} could not be looked at: {failure.strerror}")
    return found


def _looks_at_others() -> bool:
    """Whether this process has the capability to see what others have open."""
    status = Path("/proc/self/status").read_text(errors="replace")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> CAP_SYS_PTRACE & 1)


class _Search:
    """One pass over all processes; what a mapped inode is gets looked up once."""

    def __init__(self, wanted: Mapping[Thing, Collection[str]], remote: Sequence[str]) -> None:
        self._wanted = frozenset(wanted)
        self._remote = tuple(remote)
        self._named: dict[str, set[Thing]] = defaultdict(set)
        for thing, names in wanted.items():
            for name in names:
                self._named[name.rpartition("/")[2]].add(thing)
        self._mapped: dict[tuple[bytes, bytes], Thing | None] = {}
        self._anonymous = _anonymous_device()

    def of_process(self, process: Path) -> Iterator[Thing]:
        """What a process has open, once or more often; raises OSError after that where not all of it can be seen."""
        yield from self._descriptors(process)
        for thread in (process / "task").iterdir():
            if thread.name != process.name and not _shares_files(int(process.name), int(thread.name)):
                with suppress(FileNotFoundError, ProcessLookupError):  # a thread may end meanwhile
                    yield from self._descriptors(thread)
        yield from self._mappings(process)

    def _descriptors(self, task: Path) -> Iterator[Thing]:
        with os.scandir(task / "fd") as scanned:
            entries = list(scanned)
        for entry in entries:
            try:
                if self._remote and self._is_remote(str(Path(entry.path).readlink())):
                    continue
                found = entry.stat()
                thing = thing_of(found)
                if found.st_dev == self._anonymous and str(Path(entry.path).readlink()) == "anon_inode:[io_uring]":
                    yield from self._registered((task / "fdinfo" / entry.name).read_text(errors="surrogateescape"))
            except OSError as failure:
                if failure.errno in _GONE:
                    continue
                raise
            if thing in self._wanted and thing is not None:
                yield thing

    def _is_remote(self, path: str) -> bool:
        """Whether a file lies where to look at it could hang."""
        return any(path.startswith(f"{folder}/") for folder in self._remote)

    def _registered(self, told: str) -> Iterator[Thing]:
        """Files of an io_uring, as far as their names tell."""
        files = told.partition("UserFiles:")[2].partition("UserBufs:")[0]
        for path in _REGISTERED.findall(files):
            yield from self._named.get(path.rpartition("/")[2], ())
            with suppress(OSError):
                thing = thing_of(Path(path).stat()) if path.startswith("/") else None
                if thing in self._wanted and thing is not None:
                    yield thing

    def _mappings(self, process: Path) -> Iterator[Thing]:
        """What is mapped; of it an ordinary user sees the numbers in maps alone, which differ on btrfs and overlays."""
        denied = None
        for addresses, device, inode, path in _MAPPING.findall((process / "maps").read_bytes()):
            key = (device, inode)
            if self._is_remote(os.fsdecode(path)):
                continue
            try:
                if key not in self._mapped:
                    self._mapped[key] = thing_of((process / "map_files" / _plain(addresses)).stat())
                thing = self._mapped[key]
            except PermissionError as failure:
                denied, thing = failure, Thing("file", _decimal(device), int(inode))
            except OSError as failure:
                if failure.errno not in _GONE:
                    raise
                continue
            if thing in self._wanted and thing is not None:
                yield thing
        if denied is not None:
            raise denied


def _plain(addresses: bytes) -> str:
    """Addresses as map_files names them: without the zeros in front that maps may have."""
    start, _, end = addresses.decode("ascii").partition("-")
    return f"{int(start, 16):x}-{int(end, 16):x}"


def _decimal(device: bytes) -> str:
    """A device number of maps, two hexadecimal numbers, as ``major:minor``."""
    major, _, minor = device.decode("ascii").partition(":")
    return f"{int(major, 16)}:{int(minor, 16)}"


def _anonymous_device() -> int:
    """Number of the filesystem that eventfds, io_urings and their like lie on."""
    descriptor = os.eventfd(0)
    try:
        return os.fstat(descriptor).st_dev
    finally:
        os.close(descriptor)


def _shares_files(process: int, thread: int) -> bool:
    """Whether a thread has the descriptors of its process; kcmp(2).  False where nobody can tell."""
    call = SYS_KCMP.get(os.uname().machine)
    return call is not None and ctypes.CDLL(None).syscall(call, process, thread, KCMP_FILES, 0, 0) == 0


def _command(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="backslashreplace").strip()
    except OSError:
        return "ended"
