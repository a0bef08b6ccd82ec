"""Describing disks for the safety checks: every question to the kernel is asked here, and none is answered twice.

A question that fails does not end the description: it becomes an entry of ``unknown``, which refuses the disk.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench import content, inventory, nodes, probes
from bench.errors import DiskRefusedError, MissingToolError, StackError
from bench.inventory import Disk
from bench.openers import Openers, Thing, openers, thing_of
from bench.safety.description import Content, Description, Device, Known, Role, Signature

ATTEMPTS = 5
PROTECTED_MOUNTS = ("/", "/boot", "/boot/efi", "/usr", "/var", "/home")


@dataclass(frozen=True)
class Question:
    """What is asked about disks beside their state: the lease and the store that they are described for.

    ``leased`` are the disks of the lease as they were when it began, None outside a lease; ``erase`` the identities
    that the user typed a second time; ``known`` tells what the store's journal knows of an identity; ``array`` is
    the kernel name of our own array on the disks.
    """

    store: Path | None = None
    leased: Collection[Disk] | None = None
    erase: Collection[str] = ()
    known: Callable[[str | None], Known] = lambda _: Known()
    array: str | None = None

    def erases(self, disk: Disk) -> bool:
        """Whether the user gave up what is written on a disk."""
        return any(disk.answers_to(identity) for identity in self.erase)


@dataclass(frozen=True)
class _Place:
    """A device or file of a description before its use is known."""

    role: Role
    name: str
    thing: Thing | None
    path: Path
    aliases: frozenset[Thing] = frozenset()

    @property
    def things(self) -> frozenset[Thing]:
        """Everything that it is to the kernel."""
        return self.aliases | ({self.thing} if self.thing is not None else frozenset())


@dataclass(frozen=True)
class _Host:
    """The kernel's lists at one moment."""

    present: tuple[Disk, ...]
    mounts: tuple[probes.Mount, ...]
    swaps: Mapping[Thing, str]
    backings: tuple[probes.Backing, ...]
    unknown: tuple[str, ...]

    @classmethod
    def now(cls) -> _Host:
        """Read the lists."""
        backings, unknown = probes.loops()
        return cls(inventory.disks(), probes.mounts(), probes.swaps(), backings, unknown)

    @property
    def remote(self) -> tuple[str, ...]:
        """Folders where to look at a file could hang."""
        return probes.remote_folders(self.mounts)

    def loops_on(self, things: frozenset[Thing]) -> tuple[str, ...]:
        """Loop devices that lie directly on a device or file."""
        return tuple(each.loop for each in self.backings if each.things & things)

    def backing(self, name: str) -> probes.Backing | None:
        """What a loop device lies on."""
        return next((each for each in self.backings if each.loop == name), None)


def describe(disks: Sequence[Disk], question: Question) -> dict[Disk, Description]:
    """Each disk as it is now; the key is the disk as it was given, whose kernel name is looked up again.

    Raises :class:`DiskRefusedError` where the kernel's lists cannot be read, or change all the time.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(FileNotFoundError):  # a device or mount that went while it was looked at
            return _describe(disks, question)
    try:
        return _describe(disks, question)
    except OSError as failure:
        raise DiskRefusedError(
            f"the devices of this machine cannot be looked at: {failure.filename}: {failure.strerror}"
        ) from failure


def _describe(disks: Sequence[Disk], question: Question) -> dict[Disk, Description]:
    host = _Host.now()
    needed = _needed(question.store)
    places = {disk: _places(disk.name, host, question.array) for disk in disks}
    opened = openers(_wanted([place for each in places.values() for place in each]), host.remote)
    found = {}
    for disk in disks:
        now = inventory.read(disk.name)
        chain = {place.name for place in places[disk] if place.role in {Role.DISK, Role.BELOW}}
        devices = tuple(_device(place, host, opened, chain) for place in places[disk])
        under = [place.thing for place in places[disk] if place.role in _UNDER]
        numbers = {thing.number for thing in under if thing is not None and thing.kind == "block"}
        found[disk] = Description(
            disk=now or disk,
            devices=devices,
            twins=tuple(str(each.path) for each in host.present if each.id == disk.id and each.name != disk.name),
            needed_for=tuple(what for what, devices_of_it in needed.items() if devices_of_it & numbers),
            known=question.known(disk.id),
            leased=disk if disk in (question.leased or ()) else None,
            in_lease=question.leased is not None,
            erase=question.erases(disk),
            array=question.array,
            unknown=(
                *host.unknown,
                *opened.failed,
                *(() if now is not None else ("it is gone",)),
                *_odd_backing(disk, host),
            ),
            unseen=tuple(opened.unseen),
        )
    found = {
        disk: replace(each, devices=tuple(_claimed(one, question) for one in each.devices))
        for disk, each in found.items()
    }
    return found if question.array is not None else _with_content(found)


def describe_file(path: Path, found: os.stat_result, *, opened: bool) -> Description:
    """A regular file that a user lets something write to, and that ``found`` says what it is.

    With ``opened`` other processes that have it open are looked for.
    """
    host = _Host.now()
    place = _Place(Role.FILE, str(path), thing_of(found), path, probes.aliases(str(path), host.mounts))
    open_in = openers(_wanted([place]), host.remote) if opened else Openers()
    return Description(None, (_device(place, host, open_in, set()),), unknown=host.unknown)


def _odd_backing(disk: Disk, host: _Host) -> Sequence[str]:
    """Why what a loop device lies on is not sure: its filesystem may not answer, or its path leads to another file."""
    backing = host.backing(disk.name)
    if backing is None:
        return ()
    if backing.thing is probes.UNASKED:
        return (f"it lies on {backing.path}, whose filesystem may not answer (FUSE, NFS and the like)",)
    try:
        here = thing_of(Path(backing.path).stat())
    except OSError:
        return ()
    odd = backing.thing.kind == "file" and here is not None and here not in backing.things
    return (
        (f"{backing.path} is another file here: it was attached in another mount namespace, or replaced",)
        if odd
        else ()
    )


_UNDER = frozenset({Role.DISK, Role.PARTITION, Role.BELOW})
"""What the system must not lie on."""


def _needed(store: Path | None) -> dict[str, frozenset[str]]:
    """What must survive, with the device numbers it lies on."""
    needed = {mount: Path(mount) for mount in PROTECTED_MOUNTS if Path(mount).is_mount()}
    if store is not None:
        absolute = store.absolute()
        needed[f"the result store {store}"] = next(place for place in (absolute, *absolute.parents) if place.exists())
    found = {what: probes.devices_under(path) for what, path in needed.items()}
    for thing, path in probes.swaps().items():
        found[f"the swap {path}"] = probes.ancestors(thing.number)
    return found


def _places(name: str, host: _Host, array: str | None) -> list[_Place]:
    """The disk, its partitions, and all that lies below and above; with our array on it, that in its place above."""
    places = [_block(Role.DISK, name), *(_block(Role.PARTITION, part) for part in inventory.partitions(name))]
    places += _below(name, host)
    if array is not None:
        return [*places, _block(Role.ARRAY, array), *(_block(Role.ARRAY, part) for part in inventory.partitions(array))]
    return places + _above([place.name for place in places if place.role is not Role.BELOW], host)


def _block(role: Role, name: str) -> _Place:
    try:
        number = probes.number_of(probes.SYS_CLASS_BLOCK / name)
    except OSError:
        return _Place(role, name, None, inventory.node(name))
    return _Place(role, name, Thing("block", number), inventory.node(name))


def _below(name: str, host: _Host) -> list[_Place]:
    """What a device lies on, all the way down; of every disk below its partitions too."""
    found: dict[str, _Place] = {}
    left = [name]
    while left:
        current = left.pop()
        folder = (probes.SYS_CLASS_BLOCK / current).resolve()
        under = [slave.name for slave in (folder / "slaves").glob("*")]
        under += [folder.parent.name] if (folder / "partition").exists() else []
        backing = host.backing(current)
        if backing is not None and backing.thing.kind == "file":
            found[backing.path] = _Place(Role.BELOW, backing.path, backing.thing, Path(backing.path), backing.aliases)
        elif backing is not None:
            under.append((probes.SYS_DEV_BLOCK / backing.thing.number).resolve().name)
        for each in under:
            for part in (each, *inventory.partitions(each)):
                if part not in found and part != name:
                    found[part] = _block(Role.BELOW, part)
                    left.append(part)
    return list(found.values())


def _above(names: Sequence[str], host: _Host) -> list[_Place]:
    """What is stacked on these devices, all the way up."""
    found: dict[str, _Place] = {}
    left = list(names)
    while left:
        place = _block(Role.ABOVE, left.pop())
        stacked = [*probes.holders(place.name), *host.loops_on(place.things)]
        for each in (*stacked, *(part for one in stacked for part in inventory.partitions(one))):
            if each not in found and each not in names:
                found[each] = _block(Role.ABOVE, each)
                left.append(each)
    return list(found.values())


def _wanted(places: Sequence[_Place]) -> dict[Thing, tuple[str, ...]]:
    """What to look for among the open files of processes, with the names it may go by."""
    wanted: dict[Thing, tuple[str, ...]] = {}
    for place in places:
        wanted |= dict.fromkeys(place.things, (place.name,))
        wanted |= {Thing("char", number): () for number in probes.generic_nodes(place.name)}
    return wanted


def _device(place: _Place, host: _Host, opened: Openers, chain: Collection[str]) -> Device:
    """A device or file, with who uses it beside the disk that is described and what lies below that."""
    thing = place.thing
    if thing is None:
        return Device(place.role, place.name, node="is gone")
    block = thing.kind == "block"
    generic = [Thing("char", number) for number in probes.generic_nodes(place.name)] if block else []
    return Device(
        role=place.role,
        name=place.name,
        node=nodes.problem_of(place.path, thing.number) if block else None,
        mounted_at=tuple(each.mount_point for each in host.mounts if block and each.device_number == thing.number),
        swap=any(each in host.swaps for each in place.things),
        holders=probes.holders(place.name) if block else (),
        loops=tuple(each for each in host.loops_on(place.things) if each not in chain),
        openers=tuple(who for each in (*place.things, *generic) for who in opened.of(each)),
        btrfs_member=block and bool(probes.btrfs_peers(place.name)),
    )


def _with_content(described: Mapping[Disk, Description]) -> dict[Disk, Description]:
    """The same, with signatures and samples, where what is written counts."""
    read = {disk: each for disk, each in described.items() if not each.erase and not each.unknown}
    samples = content.samples(disk for disk, each in read.items() if not each.known.taken)
    signatures = _signatures(list(read.values()))
    found = dict(described)
    for (disk, each), probed in zip(read.items(), signatures, strict=True):
        sampled = samples.get(disk)
        missing = (f"its content could not be read: {sampled.strerror}",) if isinstance(sampled, OSError) else ()
        found[disk] = replace(
            each,
            content=sampled if isinstance(sampled, Content) else None,
            devices=tuple(_signed(device, probed) for device in each.devices),
            unknown=(*each.unknown, *missing, *((probed,) if isinstance(probed, str) else ())),
        )
    return found


def _signed(device: Device, probed: Sequence[Signature] | str) -> Device:
    """The same, with its own among the signatures that were found."""
    if isinstance(probed, str) or device.role not in {Role.DISK, Role.PARTITION}:
        return device
    return replace(device, signatures=tuple(each for each in probed if each.device == device.name))


def _signatures(described: Sequence[Description]) -> list[Sequence[Signature] | str]:
    """Signatures of each disk and its partitions; for one that cannot be probed, the reason."""
    names = [device.name for each in described for device in each.of(Role.DISK, Role.PARTITION) if device.node is None]
    try:
        with ExitStack() as stack:
            probed = []
            for name in names:
                number = probes.number_of(probes.SYS_CLASS_BLOCK / name)
                descriptor = nodes.open_device(inventory.node(name), number)
                stack.callback(os.close, descriptor)
                probed.append((name, descriptor))
            return [content.signatures(probed)] * len(described)
    except (StackError, MissingToolError, OSError) as failure:
        if len(described) > 1:  # one bad disk must not refuse its neighbours: ask each on its own
            return [found for each in described for found in _signatures([each])]
        why = failure.strerror if isinstance(failure, OSError) else failure.message
        return [f"it could not be probed for signatures: {why}"] * len(described)


def _claimed(device: Device, question: Question) -> Device:
    """The same, with the kernel's answer to a claim; files, and what is held by design, are not asked."""
    asked = {Role.BELOW, Role.ARRAY} if question.array is not None else {Role.BELOW, Role.DISK, Role.PARTITION}
    if device.role not in asked or device.node is not None or device.name.startswith("/"):
        return device
    try:
        os.close(os.open(inventory.node(device.name), os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as failure:
        if failure.errno == errno.EBUSY:
            return replace(device, claim_error="it is in use, perhaps in another mount namespace (O_EXCL)")
        return replace(device, claim_error=f"it cannot be opened: {failure.strerror}")
    return device
