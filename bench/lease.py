"""The one consent to destroy: a lease over disks that the user named one by one.

Every destructive act happens inside :meth:`Lease.destroying`, which asks every rail again,
journals the intent and only then lets the caller act.  There is no other way to it, and no
selector such as "all".
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import inventory, rails
from bench.errors import BusyError, DiskRefusedError
from bench.inventory import Disk
from bench.journal import Journal


@dataclass(frozen=True)
class Lease:
    """Disks that the user gave, in the order given, for as long as the run lasts."""

    disks: tuple[Disk, ...]
    store: Path
    journal: Journal
    consented: tuple[str, ...] = ()

    @property
    def substrate(self) -> str:
        """disk, loop or uml; a mixture counts as the least real of its parts."""
        kinds = {disk.substrate for disk in self.disks}
        return next(kind for kind in ("loop", "uml", "disk") if kind in kinds)

    def of(self, identities: Sequence[str]) -> tuple[Disk, ...]:
        """The leased disks that an earlier act names; a loop file that is no longer attached holds nothing."""
        attached = [identity for identity in identities if not identity.startswith("loop:") or self._leased(identity)]
        missing = [identity for identity in attached if not self._leased(identity)]
        if missing:
            raise DiskRefusedError(
                f"{', '.join(missing)} is not leased, but an earlier run left something on it",
                remedy=f"Name it in --disks too, so that it can be cleared: {','.join(missing)}",
            )
        return tuple(disk for identity in attached for disk in self._leased(identity))

    def _leased(self, identity: str) -> tuple[Disk, ...]:
        return tuple(disk for disk in self.disks if disk.answers_to(identity))

    def check(self, disks: Sequence[Disk], *, held_by: str | None = None) -> None:
        """Ask every rail about these disks; raises :class:`DiskRefusedError` with every reason.

        ``held_by`` is the kernel name of our own array on them.
        """
        refused = []
        for disk, reasons in rails.refusals(disks, store=self.store, consented=self.consented, held_by=held_by).items():
            named = () if disk in self.disks else (rails.Refusal(rails.IDENTITY, "the user did not name it"),)
            refused += [
                f"{disk.path} ({disk.id}): {each.reason}" for each in (*named, *rails.unchanged(disk), *reasons)
            ]
        if refused:
            raise DiskRefusedError("; ".join(refused))

    @contextmanager
    def destroying(self, what: str, disks: Sequence[Disk], *, held_by: str | None = None) -> Iterator[None]:
        """The one door to destruction: rails, then the journal, then the caller's act."""
        self.check(disks, held_by=held_by)
        act = self.journal.begin("destroy", {"what": what, "disks": [disk.id for disk in disks]})
        try:
            yield
        finally:
            # Nothing can bring the old content back: the record says that the act is over.
            self.journal.undone(act)


@contextmanager
def open_lease(
    wanted: Sequence[str], *, store: Path, journal: Journal, consented: Sequence[str] = ()
) -> Iterator[Lease]:
    """Lease the disks with these identities: found, unambiguous, locked and passed by every rail.

    The rails of use and content are asked after :func:`bench.journal.recover` has cleared what an
    earlier run left, that is in :meth:`Lease.check` before each act.
    """
    found = tuple(find(identity) for identity in wanted)
    if len(set(found)) != len(found):
        raise DiskRefusedError("the same disk is named twice in --disks")
    with ExitStack() as locks:
        for disk in found:
            locks.enter_context(locked(disk))
        yield Lease(found, store, journal, tuple(consented))


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
        descriptor = os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC)
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
