"""The mount layer: each device at a mount point of its own under the site's folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench import probes, proc
from bench.errors import StackError
from bench.journal import Act, effect
from bench.stack.spec import Site, StackSpec, Volume

UNMOUNT_TIMEOUT_S = 30.0
DEFAULT_OPTIONS = "noatime"
"""A read that writes the access time back is another workload than the one asked for."""


@contextmanager
def mounted(site: Site, spec: StackSpec, volume: Volume) -> Iterator[tuple[Path, ...]]:
    """Mount every device; yields the mount points in the order of the devices."""
    options = spec.mount_options or DEFAULT_OPTIONS
    site.apply += [
        f"fstab: LABEL=data{number} /data{number} {spec.filesystem} {options} 0 0"
        for number, _ in enumerate(volume.places, start=1)
    ]
    with ExitStack() as stack:
        points = []
        for number, device in enumerate(volume.devices):
            point = site.folder / f"mnt{number}"
            stack.enter_context(_mounted(site, device, point, spec.filesystem, options))
            points.append(point)
        yield tuple(points)


@contextmanager
def _mounted(site: Site, device: Path, point: Path, kind: str, options: str) -> Iterator[None]:
    def mount() -> None:
        point.mkdir(parents=True, exist_ok=True)
        site.commands.append(proc.run(["mount", "-t", kind, "-o", options, device, point]).command)

    with effect(site.journal, "mount", {"point": str(point)}, mount, undo):
        yield


def undo(act: Act) -> None:
    """Unmount our mount point if it is mounted, and remove the folder."""
    point = Path(act.facts["point"])
    deadline = time.monotonic() + UNMOUNT_TIMEOUT_S
    while any(mount.mount_point == str(point) for mount in probes.mounts()):
        finished = proc.run(["umount", point], check=False)
        if finished.status != 0 and time.monotonic() > deadline:
            raise StackError(f"{point} cannot be unmounted: {finished.stderr.strip()}", command=finished.command)
        if finished.status != 0:
            time.sleep(0.1)
    with suppress(FileNotFoundError):
        point.rmdir()
