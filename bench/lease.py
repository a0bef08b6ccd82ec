"""The one consent to destroy: a lease over disks that the user named one by one.

Every destructive act happens inside :meth:`Lease.destroying`, which asks every safety check again,
journals the intent and only then lets the caller act.  There is no other way to it, and no
selector such as "all".
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import content, inventory, nodes, probes
from bench.acts import DestroyAct, LoopAct, TakenAct
from bench.errors import BusyError, DiskRefusedError
from bench.inventory import Disk
from bench.journal import Entry, Journal
from bench.safety import checks
from bench.safety.describe import Question, describe
from bench.safety.description import Content, Description, Refusal, Role

PATIENCE_S = 5.0
"""How long to wait for a process that has a device open to close it again, as udev does after each change."""
POLL_S = 0.1


@dataclass(frozen=True)
class Lease:
    """Disks that the user gave, in the order given, for as long as the run lasts."""

    disks: tuple[Disk, ...]
    store: Path
    journal: Journal
    consented: tuple[str, ...] = ()
    _taken: dict[str, Entry] = field(default_factory=dict)

    @property
    def substrate(self) -> str:
        """disk, loop or uml; a mixture counts as the least real of its parts."""
        kinds = {disk.substrate for disk in self.disks}
        return next(kind for kind in ("loop", "uml", "disk") if kind in kinds)

    def of(self, identities: Sequence[str]) -> tuple[Disk, ...]:
        """The leased disks that an earlier act names; a loop file that is no longer attached holds nothing."""
        attached = [identity for identity in identities if not _detached(identity)]
        missing = [identity for identity in attached if not self.leased(identity)]
        if missing:
            raise DiskRefusedError(
                f"{', '.join(missing)} is not leased, but an earlier run left something on it",
                remedy=f"Name it in --disks too, so that it can be cleared: {','.join(missing)}",
            )
        return tuple(disk for identity in attached for disk in self.leased(identity))

    def leased(self, identity: str) -> tuple[Disk, ...]:
        """The leased disk that answers to an identity, or none."""
        return tuple(disk for disk in self.disks if disk.answers_to(identity))

    def check(self, disks: Sequence[Disk], *, held_by: str | None = None) -> None:
        """Ask every safety check about these disks; raises :class:`DiskRefusedError` with every reason.

        ``held_by`` is the kernel name of our own array on them.
        """
        deadline = time.monotonic() + PATIENCE_S
        while refused := self._refusals(disks, held_by):
            lasting = any(each.check not in checks.PASSING for _, each in refused)
            if lasting or time.monotonic() > deadline:
                raise _refused(refused)
            time.sleep(POLL_S)

    def _refusals(self, disks: Sequence[Disk], held_by: str | None) -> list[tuple[Disk, Refusal]]:
        question = Question(self.store, self.disks, self.consented, self.journal.known, held_by)
        described = describe(disks, question)
        return [(disk, each) for disk, found in described.items() for each in checks.refusals(found)]

    @contextmanager
    def destroying(self, what: str, disks: Sequence[Disk], *, held_by: str | None = None) -> Iterator[tuple[int, ...]]:
        """The one door to destruction: the safety checks, then the journal, then the caller's act.

        Yields open descriptors of what may be written to, the disks in their order or our array ``held_by`` on them.
        The act goes through these (:func:`bench.nodes.through`), since a name may lead elsewhere by now.
        """
        self.check(disks, held_by=held_by)
        for disk in disks:
            self._take(disk)
        targets = [(disk.path, disk.device_number, disk.diskseq) for disk in disks]
        if held_by is not None:
            targets = [(inventory.node(held_by), probes.number_of(probes.SYS_CLASS_BLOCK / held_by), "")]
        entry = self.journal.begin(DestroyAct(what, tuple(disk.id or "" for disk in disks)))
        try:
            with _opened(targets) as descriptors:
                yield descriptors
        finally:
            # Nothing can bring the old content back: the record says that the act is over.
            self.journal.undone(entry)

    @contextmanager
    def opened(self, disks: Sequence[Disk]) -> Iterator[tuple[int, ...]]:
        """Descriptors of leased disks, to look at them; DiskRefusedError where a node leads elsewhere."""
        with _opened([(disk.path, disk.device_number, disk.diskseq) for disk in disks]) as descriptors:
            yield descriptors

    def _take(self, disk: Disk) -> None:
        """Record that what lies on the disk is ours from now on."""
        if disk.id is not None and disk.id not in self._taken:
            self._taken[disk.id] = self.journal.begin(TakenAct(disk.id, disk.diskseq))

    def give_back(self) -> None:
        """Record what this lease leaves on each disk that it took, so that a later run knows it again.

        Where something of ours is still to be taken back, the disks stay taken.
        """
        if any(not isinstance(entry.act, TakenAct | LoopAct) for entry in self.journal.pending):
            return
        given = {disk: self._taken.pop(disk.id or "") for disk in self.disks if disk.id in self._taken}
        for disk, found in content.samples(given).items():
            self.journal.undone(given[disk], sample=found.digest if isinstance(found, Content) else None)

    def adopt(self) -> None:
        """Make the disks ours that a run which died had taken, where they are surely as it left them.

        Surely means: the kernel has seen the disk all the time since, or it carries an array or filesystem with a
        UUID of that run.  Anything else is not known, and its content speaks against it as on any other disk.
        """
        left = {entry.act.disk: entry for entry in self.journal.pending if isinstance(entry.act, TakenAct)}
        disks = [disk for disk in self.disks if disk.id in left]
        described = describe(disks, Question(known=self.journal.known)) if disks else {}
        for disk, found in described.items():
            entry = left[disk.id or ""]
            if _untouched(entry, disk) or _signed(found):
                self._taken[disk.id or ""] = entry
            else:
                self.journal.undone(entry)
        for identity, entry in left.items():
            if _detached(identity):
                self.journal.undone(entry)


def _refused(refused: Sequence[tuple[Disk, Refusal]]) -> DiskRefusedError:
    """The words for disks that were refused, with what can be done where only their content counts against them."""
    remedy = None
    if all(each.check in checks.CONTENT for _, each in refused):
        serials = ",".join(dict.fromkeys(disk.id or "" for disk, _ in refused))
        remedy = f"If nobody needs what is written there, type each serial a second time: --erase {serials}"
    reasons = "; ".join(f"{disk.path} ({disk.id}): {each.reason}" for disk, each in refused)
    return DiskRefusedError(reasons, remedy=remedy)


def _detached(identity: str) -> bool:
    """Whether this names a loop file that no loop device lies on any more."""
    return identity.startswith("loop:") and not any(disk.answers_to(identity) for disk in inventory.disks())


def _untouched(entry: Entry, disk: Disk) -> bool:
    """Whether the kernel knows the disk since before an act of an earlier run."""
    return isinstance(entry.act, TakenAct) and entry.of_this_boot and entry.act.diskseq == disk.diskseq != ""


def _signed(found: Description) -> bool:
    """Whether the disk carries something that the journal knows by its UUID."""
    return any(each.uuid in found.known.uuids for device in found.of(Role.DISK) for each in device.signatures)


@contextmanager
def _opened(targets: Sequence[tuple[Path, str, str]]) -> Iterator[tuple[int, ...]]:
    """Descriptors of the targets; DiskRefusedError where a node leads elsewhere."""
    with ExitStack() as stack:
        try:
            descriptors = stack.enter_context(nodes.opened(targets))
        except OSError as failure:
            raise DiskRefusedError(f"{failure.filename}: {failure.strerror}") from failure
        yield descriptors


@contextmanager
def open_lease(
    wanted: Sequence[str], *, store: Path, journal: Journal, consented: Sequence[str] = ()
) -> Iterator[Lease]:
    """Lease the disks with these identities: found, unambiguous and locked.

    The safety checks are asked after :func:`bench.journal.recover` has cleared what an
    earlier run left, that is in :meth:`Lease.check` before each act.
    """
    _refuse_split(wanted)
    found = tuple(find(identity) for identity in wanted)
    if len(set(found)) != len(found):
        raise DiskRefusedError("the same disk is named twice in --disks")
    for identity in consented:
        if sum(disk.answers_to(identity) for disk in found) != 1:
            raise DiskRefusedError(
                f"--erase {identity} must name one of the disks in --disks, and no more than one",
                remedy="Name it by its WWN or serial, as in --disks; nothing was written.",
            )
    with ExitStack() as locks:
        for disk in found:
            locks.enter_context(locked(disk))
        lease = Lease(found, store, journal, tuple(consented))
        lease.adopt()
        try:
            yield lease
        finally:
            lease.give_back()


def _refuse_split(wanted: Sequence[str]) -> None:
    """Refuse words that are one identity, cut at its commas or blanks: they would name other disks than were meant."""
    together = {
        ",".join(wanted[start:stop]) for start in range(len(wanted)) for stop in range(start + 1, len(wanted) + 1)
    }
    for disk in inventory.disks():
        names = [name for name in (disk.id, disk.serial, disk.wwn) if name and ("," in name or name != name.strip())]
        if any(name in together or name.strip() in together for name in names):
            raise DiskRefusedError(f"{disk.id!r} has a comma or blanks at its ends, so that it cannot be named")


def find(identity: str) -> Disk:
    """The one disk that answers to ``identity``."""
    present = inventory.disks()
    matching = [disk for disk in present if disk.answers_to(identity)]
    if len(matching) == 1:
        return matching[0]
    by_name = next((disk for disk in present if identity in {disk.name, str(disk.path)}), None)
    if by_name is not None:
        raise DiskRefusedError(
            f"{identity} is a kernel name, which may mean another disk after the next boot",
            remedy=f"Name the disk by its serial or WWN: {by_name.id or 'this one has none and cannot be used'}",
        )
    if matching:
        names = ", ".join(str(disk.path) for disk in matching)
        raise DiskRefusedError(f"{identity} is claimed by more than one disk: {names}")
    raise DiskRefusedError(f"no disk of this machine has the serial or WWN {identity}")


@contextmanager
def locked(disk: Disk) -> Iterator[None]:
    """An advisory lock on the device for the whole lease: stops a second stripelab, and udev."""
    try:
        descriptor = nodes.open_device(disk.path, disk.device_number, diskseq=disk.diskseq)
    except OSError as failure:
        raise DiskRefusedError(f"{disk.path} ({disk.id}): cannot be opened: {failure.strerror}") from failure
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(f"{disk.path} ({disk.id}) is locked by another program") from None
    else:
        yield
    finally:
        os.close(descriptor)
