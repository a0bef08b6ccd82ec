"""What a run does to a host, as typed values: the only acts that a journal can hold, and hence be taken back.

A journal lies in the store, and whoever can write the store can write it.  So an act says no more than it must: the
name of an array in the one form that we give, a file by its place in the store, a setting by its attribute.  What a
line of a journal says beyond that is an error, and nothing is undone.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

RUN_FOLDER = Path("/run/stripelab-stacks")
"""Where the mount points and scratch files of a trial are: a folder of its own for each store and trial."""


def trial_folder(store: Path, trial: str) -> Path:
    """The folder of a trial: its name begins with what the store's folder is to the kernel."""
    found = store.stat()
    return RUN_FOLDER / f"{found.st_dev:x}-{found.st_ino:x}.{trial}"


def of_store(folder: Path, store: Path) -> bool:
    """Whether a folder below :data:`RUN_FOLDER` is that of a trial of this store."""
    return folder.name.startswith(trial_folder(store, "").name)


ARRAY_NAME = re.compile(r"stripelab-[0-9a-z]{8}")
LOOP_FILE = re.compile(r"disk[1-9][0-9]{0,2}\.img")
TRIAL_FOLDER = re.compile(re.escape(str(RUN_FOLDER)) + r"/[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
MOUNT_POINT = re.compile(TRIAL_FOLDER.pattern + r"/mnt[0-9]{1,3}")
DEVICE_NUMBER = re.compile(r"[0-9]{1,4}:[0-9]{1,7}")
QUEUE_ATTRIBUTES = frozenset({"queue/scheduler", "queue/nr_requests", "queue/read_ahead_kb", "md/stripe_cache_size"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,32}")
_NAME_CHARS = 4096


@dataclass(frozen=True)
class Act:
    """Something that a run does to a host and takes back; its fields are what the journal keeps of it.

    ``disks`` are identities (:attr:`bench.inventory.Disk.id`), never kernel names.
    """

    kind: ClassVar[str]

    @property
    def facts(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class ArrayAct(Act):
    """An array of this name and UUID over these disks."""

    kind = "md"
    name: str
    uuid: str
    disks: tuple[str, ...]

    def __post_init__(self) -> None:
        _match(self.name, ARRAY_NAME)
        _match(self.uuid, _UUID)
        _check_identities(self.disks)


@dataclass(frozen=True)
class FilesystemAct(Act):
    """Filesystems with these UUIDs; ``bare`` on the disks themselves, else on an array over them."""

    kind = "filesystem"
    filesystem: str
    disks: tuple[str, ...]
    bare: bool
    uuids: tuple[str, ...]

    def __post_init__(self) -> None:
        _match(self.filesystem, _WORD)
        _check_identities(self.disks)
        _check(isinstance(self.bare, bool), "bare is not true or false")
        _check(isinstance(self.uuids, tuple), "uuids is not a list")
        for uuid in self.uuids:
            _match(uuid, _UUID)


@dataclass(frozen=True)
class MountAct(Act):
    """A mount point of a trial."""

    kind = "mount"
    point: str

    def __post_init__(self) -> None:
        _match(self.point, MOUNT_POINT)


@dataclass(frozen=True)
class FolderAct(Act):
    """The folder of a trial below :data:`RUN_FOLDER`."""

    kind = "folder"
    folder: str

    def __post_init__(self) -> None:
        _match(self.folder, TRIAL_FOLDER)


@dataclass(frozen=True)
class QueueAct(Act):
    """A setting of a disk's queue, or (``disk`` is None) of an array that goes when it is taken back."""

    kind = "queue"
    disk: str | None
    attribute: str
    before: str

    def __post_init__(self) -> None:
        _check_identities((self.disk,) if self.disk is not None else ())
        _check(self.attribute in QUEUE_ATTRIBUTES, "the attribute is not one of a queue")
        _match(self.before, _WORD)


@dataclass(frozen=True)
class ThrottleAct(Act):
    """Limits on the devices with these numbers, which are disks of the lab."""

    kind = "throttle"
    devices: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(isinstance(self.devices, tuple), "devices is not a list")
        for number in self.devices:
            _match(number, DEVICE_NUMBER)


@dataclass(frozen=True)
class LoopAct(Act):
    """A loop file of this name in the store, and the loop device on it."""

    kind = "loop"
    file: str

    def __post_init__(self) -> None:
        _match(self.file, LOOP_FILE)


@dataclass(frozen=True)
class DestroyAct(Act):
    """What the disks held was given up; nothing brings it back."""

    kind = "destroy"
    what: str
    disks: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(isinstance(self.what, str), "what is not text")
        _check_identities(self.disks)


@dataclass(frozen=True)
class TakenAct(Act):
    """This store has begun to write to a disk, which the kernel knew by this sequence number then."""

    kind = "taken"
    disk: str
    diskseq: str

    def __post_init__(self) -> None:
        _check_identities((self.disk,))
        _check(isinstance(self.diskseq, str), "diskseq is not text")


KINDS: Mapping[str, type[Act]] = {
    each.kind: each
    for each in (
        ArrayAct,
        FilesystemAct,
        MountAct,
        FolderAct,
        QueueAct,
        ThrottleAct,
        LoopAct,
        DestroyAct,
        TakenAct,
    )
}


def parse(kind: object, facts: object) -> Act:
    """The act that a line of a journal holds; raises ValueError where it is not exactly one of ours."""
    _check(isinstance(kind, str) and kind in KINDS, f"there is no kind of act {kind!r}")
    _check(isinstance(facts, dict), "the facts are not an object")
    assert isinstance(kind, str) and isinstance(facts, dict)  # noqa: S101, PT018 - for mypy
    made = KINDS[kind]
    names = {field.name for field in dataclasses.fields(made)}
    _check(set(facts) == names, f"an act of kind {kind} has {', '.join(sorted(names))}")
    return made(**{name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()})


def _check(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


def _match(text: object, pattern: re.Pattern[str]) -> None:
    _check(isinstance(text, str) and pattern.fullmatch(text) is not None, f"{text!r} does not have the form of ours")


def _check_identities(disks: object) -> None:
    _check(isinstance(disks, tuple), "disks is not a list")
    assert isinstance(disks, tuple)  # noqa: S101 - for mypy
    for disk in disks:
        _check(isinstance(disk, str) and 0 < len(disk) <= _NAME_CHARS, f"{disk!r} does not name a disk")
