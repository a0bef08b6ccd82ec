"""A whole stack, layer on layer, and how each layer of a dead run is taken back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.acts import (
    Act,
    DestroyAct,
    FilesystemAct,
    LoopAct,
    MountAct,
    QueueAct,
    ThrottleAct,
)
from bench.engine import Targets
from bench.errors import DiskRefusedError, StackError
from bench.journal import Entry
from bench.lease import Lease
from bench.nodes import through
from bench.stack import arrays, filesystem, layout, loops, mount, queue, throttle
from bench.stack.spec import Site, StackRequest, StackSpec, Volume
from stripelab.raid import LEVELS

SECTOR_BYTES = 512


@contextmanager
def stack(site: Site, request: StackRequest) -> Iterator[tuple[Volume, Targets]]:
    """Build the stack, yield what the workloads run over, and take it all down again."""
    spec = request.spec
    with base(site, spec) as volume, formatted(site, spec, volume), dressed(site, request, volume) as targets:
        yield volume, targets


@contextmanager
def base(site: Site, spec: StackSpec) -> Iterator[Volume]:
    """The array, or the bare disks of a jbod: the layer that takes longest to build."""
    members = site.lease.disks[: spec.disks]
    if len(members) < spec.disks:
        raise DiskRefusedError(f"{spec.disks} disks are wanted, {len(members)} are leased")
    driver = arrays.of_level(spec.level)
    driver.require(LEVELS[spec.level])
    with driver.array(site, spec, members) as volume:
        yield volume


@contextmanager
def formatted(site: Site, spec: StackSpec, volume: Volume) -> Iterator[Volume]:
    """The filesystem on the volume; nothing where the point has none."""
    if spec.filesystem == "raw":
        yield volume
        return
    with filesystem.filesystem(site, spec, volume):
        yield volume


@contextmanager
def dressed(site: Site, request: StackRequest, volume: Volume) -> Iterator[Targets]:
    """What every trial sets up for itself: queue settings, mounts, directories and the data set."""
    spec = request.spec
    with ExitStack() as layers:
        layers.enter_context(queue.queue_settings(site, spec, volume))
        if spec.filesystem == "raw":
            yield layers.enter_context(_bare(site, volume))
        else:
            points = layers.enter_context(mount.mounted(site, spec, volume))
            try:
                layout.clear(points)
                targets = layout.targets_on_files(spec.layout or "flat", points, spec.disks, request.dataset)
            except OSError as failure:
                raise StackError(f"{failure.filename}: {failure.strerror}") from failure
            yield targets


@contextmanager
def _bare(site: Site, volume: Volume) -> Iterator[Targets]:
    """Bare devices as targets, held with O_EXCL while workloads run over them."""
    what = f"workloads on bare devices for {site.tag}"
    with site.lease.destroying(what, volume.members, held_by=volume.array) as opened, ExitStack() as held:
        try:
            for descriptor in opened:
                claim = os.open(through(descriptor), os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
                held.callback(os.close, claim)
        except OSError as failure:
            raise StackError(f"{failure.filename}: {failure.strerror}") from failure
        size_bytes = min(_size_bytes(device) for device in volume.devices)
        yield Targets((tuple(map(through, opened)),), size_bytes, device=True, descriptors=opened)


def _size_bytes(device: Path) -> int:
    return int((Path("/sys/class/block") / device.name / "size").read_text(encoding="ascii")) * SECTOR_BYTES


def undo_table(lease: Lease) -> Mapping[type[Act], Callable[[Entry], None]]:
    """How to take back each kind of act that a stack journals."""
    of_arrays = (driver.undo_table(lease) for driver in arrays.drivers())
    return {
        **{act: undo for table in of_arrays for act, undo in table.items()},
        FilesystemAct: lambda entry: filesystem.undo(entry, lease),
        MountAct: lambda entry: mount.undo(entry, lease.store),
        QueueAct: lambda entry: queue.undo(entry, lease),
        ThrottleAct: lambda entry: throttle.undo(entry, lease),
        LoopAct: lambda entry: loops.undo(entry, lease.store),
        DestroyAct: lambda _: None,  # what was destroyed stays destroyed
    }


def usable_bytes(volume: Volume) -> int:
    """Capacity of the devices together, as the kernel tells it."""
    return sum(_size_bytes(device) for device in volume.devices)
