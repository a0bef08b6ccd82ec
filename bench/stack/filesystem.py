"""The filesystem layer: make one on each device, and verify that it took the stripe geometry."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import content, proc
from bench.acts import FilesystemAct
from bench.errors import StackError
from bench.journal import Entry, effect
from bench.lease import Lease
from bench.nodes import through
from bench.stack import filesystems
from bench.stack.allowed import OptionRefusedError
from bench.stack.filesystems import Filesystem
from bench.stack.modules import ensure_filesystem
from bench.stack.spec import Site, StackSpec, Volume

MKFS_TIMEOUT_S = 3600.0
LABEL = "stripelab"
OPTIONS_REMEDY = "Correct the sweep file; `stripelab plan FILE` lists the options that each filesystem takes."


@contextmanager
def filesystem(site: Site, spec: StackSpec, volume: Volume) -> Iterator[Volume]:
    """Make the filesystem on each device of ``volume``; wipe its signature from bare disks at the end.

    On an array nothing is wiped: the signature goes with the array's superblocks.
    """
    kind = filesystems.by_name(spec.filesystem)
    ensure_filesystem(kind)
    uuids = [str(uuid.uuid4()) for _ in volume.devices]
    mkfs_words(kind, spec)  # a word that is not allowed is refused before anything is written
    site.apply += apply_lines(kind, spec, volume)
    act = FilesystemAct(kind.name, tuple(disk.id or "" for disk in volume.members), volume.array is None, tuple(uuids))

    def make() -> None:
        what = f"{kind.program} for {site.tag}"
        with site.lease.destroying(what, volume.members, held_by=volume.array) as opened:
            for argv in make_argv(kind, spec, volume, uuids, [through(each) for each in opened]):
                finished = proc.run_on_disks(argv, timeout_s=MKFS_TIMEOUT_S, package=kind.package, descriptors=opened)
                site.commands.append(finished.command)
                said = " ".join(f"{finished.stdout} {finished.stderr}".split())
                if said:
                    site.warnings.append(f"{kind.program}: {said}")
            if not kind.own_geometry(mkfs_words(kind, spec)):
                verify_geometry(kind, volume, site, [through(each) for each in opened])

    with effect(site.journal, act, make, lambda entry: undo(entry, site.lease)):
        yield volume


def mkfs_words(kind: Filesystem, spec: StackSpec) -> tuple[str, ...]:
    """The sweep's own options of mkfs, word by word; raises :class:`StackError` for one that is not allowed."""
    try:
        return kind.mkfs_options.words(spec.mkfs_options or "")
    except OptionRefusedError as refused:
        raise StackError(f"mkfs_options {spec.mkfs_options!r}: {refused}", remedy=OPTIONS_REMEDY) from None


def make_argv(
    kind: Filesystem, spec: StackSpec, volume: Volume, uuids: Sequence[str], opened: Sequence[Path] = ()
) -> list[list[str]]:
    """A mkfs command line for each device of the volume; ``opened`` are paths in place of the devices' names."""
    options = mkfs_words(kind, spec)
    made = (
        kind.mkfs(device, volume.geometry, LABEL, options, each)
        for device, each in zip(opened or volume.devices, uuids, strict=True)
    )
    return [[argv[0], *kind.force, *argv[1:]] for argv in made]


def apply_lines(kind: Filesystem, spec: StackSpec, volume: Volume) -> list[str]:
    """The same for a user's host: placeholders for devices, labels of their own, and mkfs may still refuse."""
    options = mkfs_words(kind, spec)
    return [
        shlex.join(kind.mkfs(place, volume.geometry, f"data{number}", options))
        for number, place in enumerate(volume.places, start=1)
    ]


def verify_geometry(kind: Filesystem, volume: Volume, site: Site, opened: Sequence[Path]) -> None:
    """What mkfs was told must be what the filesystem says: mkfs.xfs drops it with a mere warning."""
    wanted = volume.geometry if kind.stripes else None
    for device, path in zip(volume.devices, opened, strict=True):
        found = kind.geometry_of(path)
        if found != wanted:
            raise StackError(
                f"{kind.name} on {device} was to have the stripe geometry {wanted}, but has {found}",
                command=site.commands[-1],
                remedy="Volumes that are small ignore it: use larger disks. " + " ".join(site.warnings),
            )


def wipe(site: Site, volume: Volume) -> None:
    """Wipe the filesystem from an array that stays, before it gets another one."""
    with site.lease.destroying(f"wipefs for {site.tag}", volume.members, held_by=volume.array) as opened:
        proc.run_on_disks(["wipefs", "--all", "--quiet", *map(through, opened)], descriptors=opened)


def undo(entry: Entry, lease: Lease) -> None:
    """Wipe what we wrote from bare disks, where it bears a UUID that we gave it."""
    act = entry.act
    assert isinstance(act, FilesystemAct)  # noqa: S101 - the table of undos is by type
    if not act.bare:
        return
    members = lease.of(act.disks)
    with lease.opened(members) as opened:
        found = content.signatures(zip((disk.name for disk in members), opened, strict=True))
    written = {signature.device for signature in found if signature.uuid in act.uuids}
    ours = [disk for disk in members if disk.name in written]
    if ours:
        with lease.destroying(f"wipefs ({act.filesystem})", ours) as opened:
            proc.run_on_disks(["wipefs", "--all", "--quiet", *map(through, opened)], descriptors=opened)
