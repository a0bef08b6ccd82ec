"""Btrfs on one device (its own RAID profiles are another level); mkfs.btrfs(8)."""

from __future__ import annotations

from pathlib import Path

from bench.stack.spec import Geometry


class Btrfs:
    """Btrfs with a single copy of metadata on each device: redundancy is the array's business."""

    name = "btrfs"
    program = "mkfs.btrfs"
    package = "btrfs-progs"
    module = "btrfs"
    stripes = False
    force = ("-q", "-f")

    def mkfs(self, device: Path, geometry: Geometry | None, label: str, options: tuple[str, ...]) -> list[str]:  # noqa: ARG002
        """Btrfs takes no stripe geometry."""
        return ["mkfs.btrfs", "-K", "-m", "single", "-L", label, *options, str(device)]

    def geometry_of(self, device: Path) -> Geometry | None:  # noqa: ARG002
        """Btrfs keeps no stripe geometry."""
        return None


FILESYSTEM = Btrfs()
