"""The queue layer: scheduler, queue length, read-ahead and md's stripe cache, read back and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import inventory
from bench.acts import QueueAct
from bench.errors import StackError
from bench.journal import Entry, effect
from bench.lease import Lease
from bench.stack.spec import Site, StackSpec, Volume
from stripelab.raid import LEVELS

ARRAY = "data"
"""Name of the array in the lines that apply a stack for good."""


@contextmanager
def queue_settings(site: Site, spec: StackSpec, volume: Volume) -> Iterator[None]:
    """Set what the point asks for; scheduler and length on the members, the others on the top device."""
    members = [_Device(disk.name, disk.id) for disk in volume.members]
    arrays = [_Device(volume.array, None)] if volume.array is not None else []
    # The scheduler comes first: changing it resets the length of the queue.
    wanted: list[tuple[_Device, str, str | int | None]] = [
        *((each, "queue/scheduler", spec.scheduler) for each in members),
        *((each, "queue/nr_requests", spec.nr_requests) for each in members),
        *((each, "queue/read_ahead_kb", spec.read_ahead_kib) for each in arrays or members),
        *((each, "md/stripe_cache_size", spec.stripe_cache_pages) for each in arrays),
    ]
    with ExitStack() as stack:
        for device, attribute, value in wanted:
            if value is not None:
                stack.enter_context(_setting(site, device, attribute, str(value)))
        site.apply += apply_lines(spec)
        yield


def apply_lines(spec: StackSpec) -> list[str]:
    """Rules of udev(7) that apply the settings at every boot: to the disks of the stack and its array, no others.

    ``MD_DEVNAME`` is the name in /dev/md, from mdadm's own rules.
    """
    disks = "|".join(f"disk/by-id/DISK{number}" for number in range(1, spec.disks + 1))
    members = f'ACTION=="add|change", SUBSYSTEM=="block", ENV{{DEVTYPE}}=="disk", SYMLINK=="{disks}"'
    array = f'ACTION=="add|change", SUBSYSTEM=="block", ENV{{MD_DEVNAME}}=="{ARRAY}"'
    top = array if LEVELS[spec.level].array else members
    rules = (
        (members, "queue/scheduler", spec.scheduler),
        (members, "queue/nr_requests", spec.nr_requests),
        (top, "queue/read_ahead_kb", spec.read_ahead_kib),
        (array, "md/stripe_cache_size", spec.stripe_cache_pages),
    )
    return [f'udev: {match}, ATTR{{{name}}}="{value}"' for match, name, value in rules if value is not None]


def value_of(place: Path) -> str:
    """The value in force; where sysfs lists the choices, the one in brackets."""
    text = place.read_text(encoding="ascii").strip()
    return text.partition("[")[2].partition("]")[0] if "[" in text else text


@dataclass(frozen=True)
class _Device:
    """A disk with its identity, or (None) our array."""

    name: str
    disk: str | None


@contextmanager
def _setting(site: Site, device: _Device, attribute: str, value: str) -> Iterator[None]:
    place = inventory.SYS_BLOCK / device.name / attribute
    try:
        before = value_of(place)
    except OSError as failure:
        raise StackError(f"{place}: {failure.strerror}") from failure

    def write() -> None:
        site.commands.append(f"echo {value} > {place}")
        put(place, value, site.commands[-1])

    act = QueueAct(device.disk, attribute, before)
    with effect(site.journal, act, write, lambda entry: _put_back(entry, place)):
        yield


def put(place: Path, value: str, command: str) -> None:
    """Write a setting and read it back: a kernel may refuse it, or round it, in silence."""
    try:
        place.write_text(value, encoding="ascii")
        now = value_of(place)
    except OSError as failure:
        raise StackError(f"{place} refuses {value}: {failure.strerror}", command=command) from failure
    if now != value:
        raise StackError(f"{place}: wrote {value}, read back {now}", command=command)


def undo(entry: Entry, lease: Lease) -> None:
    """Put a setting of a leased disk back; one of an array goes with the array."""
    act = entry.act
    assert isinstance(act, QueueAct)  # noqa: S101 - the table of undos is by type
    for disk in lease.of([act.disk] if act.disk is not None else []):
        _put_back(entry, inventory.SYS_BLOCK / disk.name / act.attribute)


def _put_back(entry: Entry, place: Path) -> None:
    """Write the value from before; after a reboot, or without the device, there is nothing to put back."""
    assert isinstance(entry.act, QueueAct)  # noqa: S101 - as above
    if entry.of_this_boot and place.exists():
        put(place, entry.act.before, f"echo {entry.act.before} > {place}")
