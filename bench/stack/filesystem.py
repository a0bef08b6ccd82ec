"""The filesystem layer: make one on each device, and verify that it took the stripe geometry."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench import probes, proc
from bench.errors import StackError
from bench.journal import Act, effect
from bench.lease import Lease
from bench.stack import filesystems
from bench.stack.allowed import OptionRefusedError
from bench.stack.filesystems import Filesystem
from bench.stack.modules import ensure_filesystem
from bench.stack.spec import Site, StackSpec, Volume

MKFS_TIMEOUT_S = 3600.0
LABEL = probes.OWN_PREFIX
OPTIONS_REMEDY = "Correct the sweep file; `stripelab plan FILE` lists the options that each filesystem takes."


@contextmanager
def filesystem(site: Site, spec: StackSpec, volume: Volume) -> Iterator[Volume]:
    """Make the filesystem on each device of ``volume``; wipe its signature from bare disks at the end.

    On an array nothing is wiped: the signature goes with the array's superblocks.
    """
    kind = filesystems.by_name(spec.filesystem)
    ensure_filesystem(kind)
    uuids = [str(uuid.uuid4()) for _ in volume.devices]
    commands = make_argv(kind, spec, volume, uuids)
    site.apply += apply_lines(kind, spec, volume)
    facts = {
        "filesystem": kind.name,
        "disks": [disk.id for disk in volume.members],
        "bare": volume.array is None,
        "uuids": uuids,
    }

    def make() -> None:
        with site.lease.destroying(f"{kind.program} for {site.tag}", volume.members, held_by=volume.array):
            for argv in commands:
                finished = proc.run_on_disks(argv, timeout_s=MKFS_TIMEOUT_S, package=kind.package)
                site.commands.append(finished.command)
                said = " ".join(f"{finished.stdout} {finished.stderr}".split())
                if said:
                    site.warnings.append(f"{kind.program}: {said}")
        if not kind.own_geometry(mkfs_words(kind, spec)):
            verify_geometry(kind, volume, site)

    with effect(site.journal, "filesystem", facts, make, lambda act: undo(act, site.lease)):
        yield volume


def mkfs_words(kind: Filesystem, spec: StackSpec) -> tuple[str, ...]:
    """The sweep's own options of mkfs, word by word; raises :class:`StackError` for one that is not allowed."""
    try:
        return kind.mkfs_options.words(spec.mkfs_options or "")
    except OptionRefusedError as refused:
        raise StackError(f"mkfs_options {spec.mkfs_options!r}: {refused}", remedy=OPTIONS_REMEDY) from None


def make_argv(kind: Filesystem, spec: StackSpec, volume: Volume, uuids: Sequence[str]) -> list[list[str]]:
    """A mkfs command line for each device of the volume."""
    options = mkfs_words(kind, spec)
    made = (
        kind.mkfs(device, volume.geometry, LABEL, options, each)
        for device, each in zip(volume.devices, uuids, strict=True)
    )
    return [[argv[0], *kind.force, *argv[1:]] for argv in made]


def apply_lines(kind: Filesystem, spec: StackSpec, volume: Volume) -> list[str]:
    """The same for a user's host: placeholders for devices, labels of their own, and mkfs may still refuse."""
    options = mkfs_words(kind, spec)
    return [
        shlex.join(kind.mkfs(place, volume.geometry, f"data{number}", options))
        for number, place in enumerate(volume.places, start=1)
    ]


def verify_geometry(kind: Filesystem, volume: Volume, site: Site) -> None:
    """What mkfs was told must be what the filesystem says: mkfs.xfs drops it with a mere warning."""
    wanted = volume.geometry if kind.stripes else None
    for device in volume.devices:
        found = kind.geometry_of(device)
        if found != wanted:
            raise StackError(
                f"{kind.name} on {device} was to have the stripe geometry {wanted}, but has {found}",
                command=site.commands[-1],
                remedy="Volumes that are small ignore it: use larger disks. " + " ".join(site.warnings),
            )


def wipe(site: Site, volume: Volume) -> None:
    """Wipe the filesystem from an array that stays, before it gets another one."""
    with site.lease.destroying(f"wipefs for {site.tag}", volume.members, held_by=volume.array):
        proc.run_on_disks(["wipefs", "--all", "--quiet", *volume.devices])


def undo(act: Act, lease: Lease) -> None:
    """Wipe what we wrote from bare disks, where it is ours."""
    if not act.facts["bare"]:
        return
    members = lease.of(act.facts["disks"])
    written = {signature.device for signature in probes.signatures(members) if signature.ours}
    ours = [disk for disk in members if disk.name in written]
    if ours:
        with lease.destroying(f"wipefs ({act.facts['filesystem']})", ours):
            proc.run_on_disks(["wipefs", "--all", "--quiet", *(disk.path for disk in ours)])
