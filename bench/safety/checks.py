"""The safety checks: each a small function over a description, all of which must find nothing.

A new check is one function here and one row of the table in docs/safety-checks.md; a test compares the two.  A check
yields a sentence for each reason to refuse the disk.  Nothing in here touches the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bench.safety.description import Description, Refusal, Role

Check = Callable[[Description], Iterable[str]]

PASSING = frozenset({"open", "claim"})
"""Checks whose refusal may be over in a moment: udev(7) opens a device whenever it changes."""


def named(disk: Description) -> Iterator[str]:
    """The user named it, by its serial or WWN, in the lease that is asked for it."""
    if disk.in_lease and disk.leased is None:
        yield "the user did not name it"


def identity(disk: Description) -> Iterator[str]:
    """It has a WWN or serial that can be named, and no other disk has the same one."""
    if disk.disk is None:
        return
    if not disk.disk.id:
        yield "it has neither WWN nor serial, so it cannot be told from another disk"
    elif "," in disk.disk.id or disk.disk.id != disk.disk.id.strip():
        yield f"its identity {disk.disk.id!r} has a comma or blanks at its ends, so that it cannot be named"
    elif disk.twins:
        yield f"{', '.join(disk.twins)} has the same identity {disk.disk.id} (multipath, or a cloned serial)"


def unchanged(disk: Description) -> Iterator[str]:
    """It is the disk that was leased: identity, size, model and the kernel's sequence number are the same."""
    if disk.disk is not None and disk.leased is not None and disk.leased.fingerprint != disk.disk.fingerprint:
        yield f"it is another disk now: was {disk.leased.fingerprint}, is {disk.disk.fingerprint}"


def node(disk: Description) -> Iterator[str]:
    """The device nodes have the numbers that the kernel gave the devices."""
    for device in disk.devices:
        if device.node is not None:
            yield f"{device.name}: its device node {device.node}"


def whole(disk: Description) -> Iterator[str]:
    """It is a whole disk that can be written to and is not removable."""
    if disk.disk is not None and disk.disk.read_only:
        yield "it is read-only"
    if disk.disk is not None and disk.disk.removable:
        yield "it is removable"


def system(disk: Description) -> Iterator[str]:
    """The system, swap and the result store do not lie on it or on what it lies on."""
    for what in disk.needed_for:
        yield f"{what} lies on it"
    for device in disk.devices:
        if device.swap:
            yield f"{device.name} is in use as swap"


def mounted(disk: Description) -> Iterator[str]:
    """Nothing of it is mounted, as a member of a btrfs neither."""
    for device in disk.devices:
        for point in device.mounted_at:
            yield f"{device.name} is mounted at {point}"
        if device.btrfs_member:
            yield f"{device.name} is a member of a mounted btrfs"


def held(disk: Description) -> Iterator[str]:
    """Nothing is stacked on it but our own array, if there is one."""
    for device in disk.devices:
        if device.role is Role.DISK and disk.array is not None:
            if device.holders != (disk.array,):
                yield f"held by {', '.join(device.holders) or 'nothing'}, not by our array {disk.array} alone"
        else:
            for holder in device.holders:
                yield f"{holder} holds {device.name}"
    for device in disk.of(Role.ABOVE):
        yield f"{device.name} is stacked on it"


def loop(disk: Description) -> Iterator[str]:
    """No loop device lies on it, or on the file that it lies on, whatever name that was attached by."""
    for device in disk.devices:
        for name in device.loops:
            yield f"{name} is a loop device on {device.name}"


def opened(disk: Description) -> Iterator[str]:
    """No other process has it open."""
    for device in disk.devices:
        for who in device.openers:
            yield f"{who} has {device.name} open"


def claim(disk: Description) -> Iterator[str]:
    """The kernel grants exclusive use, which sees other mount namespaces and members of a btrfs."""
    for device in disk.devices:
        if device.claim_error is not None:
            yield f"the kernel does not grant exclusive use of {device.name}: {device.claim_error}"


def partitions(disk: Description) -> Iterator[str]:
    """The kernel lists no partition of it."""
    if _content_counts(disk):
        for device in disk.of(Role.PARTITION):
            yield f"it has the partition {device.name}"


def signature(disk: Description) -> Iterator[str]:
    """No superblock or partition table is on it or on a partition, or only what this store wrote."""
    if _content_counts(disk):
        for device in disk.of(Role.DISK, Role.PARTITION):
            for found in device.signatures:
                if found.uuid not in disk.known.uuids:
                    yield f"{device.name} holds {found}, which this store did not write"


def blank(disk: Description) -> Iterator[str]:
    """A sample of it is zero, or is what this store left there."""
    if not _content_counts(disk) or disk.known.taken:
        return
    if disk.content is None:
        yield "its content was not read"
    elif disk.content.data_at is not None and disk.content.digest != disk.known.returned:
        yield f"it holds data that this store did not write, the first at byte {disk.content.data_at}"


def answered(disk: Description) -> Iterator[str]:
    """Every question was answered: what could not be found out counts against the disk."""
    yield from disk.unknown
    if not disk.devices:
        yield "nothing could be found out about it"
    if disk.array is not None and disk.array not in {device.name for device in disk.of(Role.ARRAY)}:
        yield f"nothing could be found out about our array {disk.array}"


def _content_counts(disk: Description) -> bool:
    """Whether what is written on the disk counts against it: not where the user gave it up, nor under our array."""
    return disk.disk is not None and not disk.erase and disk.array is None


CHECKS: dict[str, Check] = {
    "named": named,
    "identity": identity,
    "unchanged": unchanged,
    "node": node,
    "whole": whole,
    "system": system,
    "mounted": mounted,
    "held": held,
    "loop": loop,
    "open": opened,
    "claim": claim,
    "partitions": partitions,
    "signature": signature,
    "blank": blank,
    "answered": answered,
}
"""Every check by the name that a refusal has, in the order of the reasons."""

CONTENT = frozenset({"partitions", "signature", "blank"})
"""Checks that ``--erase SERIAL`` answers."""


def refusals(disk: Description) -> tuple[Refusal, ...]:
    """Every reason that refuses the disk; empty where it may be written to."""
    return tuple(Refusal(name, reason) for name, check in CHECKS.items() for reason in check(disk))
