"""The rails: every reason why a disk must not be touched, looked for afresh before each act.

What each probe can and cannot see differs (a disk mounted in another mount namespace is invisible
in ``/proc/mounts``, an unmounted filesystem is invisible to ``O_EXCL``), so all of them are asked.
A probe that fails is a refusal.  docs/rails.md explains each to a user.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import inventory, probes
from bench.errors import MissingToolError, StackError
from bench.inventory import Disk

IDENTITY, WHOLE, SYSTEM, IN_USE, SIGNATURE, EXCLUSIVE = range(1, 7)
PROTECTED_MOUNTS = ("/", "/boot", "/boot/efi", "/usr", "/var", "/home")


@dataclass(frozen=True)
class Refusal:
    """Why a disk is refused: the rail's number and a sentence."""

    rail: int
    reason: str


def refusals(
    disks: Sequence[Disk], *, store: Path | None = None, consented: Collection[str] = (), held_by: str | None = None
) -> Mapping[Disk, tuple[Refusal, ...]]:
    """Every reason that refuses each disk as it is now; empty where it may be written to.

    ``store`` is the result store, which must lie elsewhere.  ``consented`` holds the identities
    whose foreign signatures the user gave up by typing them.  ``held_by`` is the kernel name of
    our own array on the disks: it must then be their only holder, and itself be free.
    """
    ambiguous = inventory.ambiguous_ids(inventory.disks())
    protected = protected_devices(store)
    found = {disk: [*whole_disk(disk, ambiguous), *system_disk(disk, protected)] for disk in disks}
    if held_by is not None:
        for disk in disks:
            found[disk] += only_holder(disk, held_by)
    else:
        opened = probes.openers()
        foreign = foreign_signatures(disks, consented)
        for disk in disks:
            found[disk] += [*in_use(disk), *open_elsewhere(disk, opened), *foreign[disk], *exclusive(disk)]
    return {disk: tuple(reasons) for disk, reasons in found.items()}


def unchanged(disk: Disk) -> Iterable[Refusal]:
    """Rail 1: the disk behind this kernel name is still the one that was planned with."""
    now = inventory.read(disk.name)
    if now is None:
        yield Refusal(IDENTITY, "it is gone")
    elif now.fingerprint != disk.fingerprint:
        yield Refusal(IDENTITY, f"it is another disk now: was {disk.fingerprint}, is {now.fingerprint}")


def whole_disk(disk: Disk, ambiguous: Collection[str]) -> Iterable[Refusal]:
    """Rails 1 and 2: it has an identity of its own, and is a fixed, writable, whole disk."""
    if disk.id is None:
        yield Refusal(IDENTITY, "it has neither WWN nor serial, so it cannot be told from another disk")
    elif disk.id in ambiguous:
        yield Refusal(IDENTITY, f"more than one disk calls itself {disk.id} (multipath, or a cloned serial)")
    if disk.read_only:
        yield Refusal(WHOLE, "it is read-only")
    if disk.removable:
        yield Refusal(WHOLE, "it is removable")


def protected_devices(store: Path | None) -> Mapping[str, frozenset[str]]:
    """What must survive, with the device numbers it lies on."""
    needed = {mount: Path(mount) for mount in PROTECTED_MOUNTS if Path(mount).is_mount()}
    if store is not None:
        absolute = store.absolute()
        needed[f"the result store {store}"] = next(place for place in (absolute, *absolute.parents) if place.exists())
    protected = {what: probes.devices_under(path) for what, path in needed.items()}
    for device_number, device in probes.swap_devices().items():
        protected[f"the swap {device}"] = probes.ancestors(device_number)
    return protected


def system_disk(disk: Disk, protected: Mapping[str, frozenset[str]]) -> Iterable[Refusal]:
    """Rail 3: the system, swap and the result store do not depend on it."""
    for what, numbers in protected.items():
        if disk.device_number in numbers:
            yield Refusal(SYSTEM, f"{what} lies on it")


def in_use(disk: Disk) -> Iterable[Refusal]:
    """Rail 4: nothing holds or mounts the disk or a partition of it."""
    names = probes.device_numbers(disk)
    for name in names.values():
        for holder in probes.holders(name):
            yield Refusal(IN_USE, f"{holder} holds {name}")
        if probes.btrfs_peers(name):
            yield Refusal(IN_USE, f"{name} is a member of a mounted btrfs")
    for mount in probes.mounts():
        if mount.device_number in names:
            yield Refusal(IN_USE, f"{names[mount.device_number]} is mounted at {mount.mount_point}")
    for loop in probes.loops_on({f"/dev/{name}" for name in names.values()}):
        yield Refusal(IN_USE, f"{loop} is a loop device on it")


def open_elsewhere(disk: Disk, opened: Mapping[str, str]) -> Iterable[Refusal]:
    """Rail 4: no other process has the disk or a partition of it open."""
    for device_number, name in probes.device_numbers(disk).items():
        if device_number in opened:
            yield Refusal(IN_USE, f"process {opened[device_number]} has {name} open")


def only_holder(disk: Disk, array: str) -> Iterable[Refusal]:
    """Rail 4 under our own array: the array is the only holder, and nothing uses the array yet."""
    held = probes.holders(disk.name)
    if held != (array,):
        yield Refusal(IN_USE, f"held by {', '.join(held) or 'nothing'}, not by our array {array} alone")
    for holder in probes.holders(array):
        yield Refusal(IN_USE, f"our array {array} is held by {holder}")
    array_number = (probes.SYS_CLASS_BLOCK / array / "dev").read_text(encoding="ascii").strip()
    for mount in probes.mounts():
        if mount.device_number == array_number:
            yield Refusal(IN_USE, f"our array {array} is mounted at {mount.mount_point}")


def foreign_signatures(disks: Sequence[Disk], consented: Collection[str]) -> Mapping[Disk, tuple[Refusal, ...]]:
    """Rail 5: nothing is on it, or only what stripelab wrote, unless the user typed its serial."""
    asked = [disk for disk in disks if not any(disk.answers_to(identity) for identity in consented)]
    found: dict[Disk, tuple[Refusal, ...]] = dict.fromkeys(disks, ())
    try:
        present = probes.signatures(asked) if asked else ()
    except (StackError, MissingToolError) as failure:
        if len(asked) > 1:  # one bad disk must not refuse its neighbours: ask each on its own
            return found | {disk: foreign_signatures([disk], consented)[disk] for disk in asked}
        return found | {asked[0]: (Refusal(SIGNATURE, f"it could not be probed for signatures: {failure.message}"),)}
    for disk in asked:
        found[disk] = tuple(
            Refusal(SIGNATURE, f"it holds {signature}, which stripelab did not write")
            for signature in present
            if signature.device == disk.name and not signature.ours
        )
    return found


def exclusive(disk: Disk) -> Iterable[Refusal]:
    """Rail 6: the kernel grants exclusive use, which sees other mount namespaces and btrfs members."""
    try:
        os.close(os.open(disk.path, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
    except OSError as failure:
        if failure.errno == errno.EBUSY:
            yield Refusal(EXCLUSIVE, "the kernel says that it is in use (O_EXCL; perhaps in another mount namespace)")
        else:
            yield Refusal(EXCLUSIVE, f"it cannot be opened: {failure.strerror}")
