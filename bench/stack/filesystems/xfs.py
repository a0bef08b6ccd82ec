"""XFS; mkfs.xfs(8), "XFS Algorithms & Data Structures", superblock."""

from __future__ import annotations

import struct
from pathlib import Path

from bench.stack.blocks import read_at
from bench.stack.spec import Geometry

BLOCK_SIZE_OFFSET = 4
UNIT_OFFSET = 184
"""sb_unit and sb_width stand side by side: two big-endian 32-bit counts of blocks."""


class Xfs:
    """XFS, without discarding the whole device first (on a virtual disk that takes ten seconds)."""

    name = "xfs"
    program = "mkfs.xfs"
    package = "xfsprogs"
    module = "xfs"
    stripes = True
    force = ("-q", "-f")

    def mkfs(self, device: Path, geometry: Geometry | None, label: str, options: tuple[str, ...]) -> list[str]:
        """``su`` is the chunk and ``sw`` the number of data disks; without an array none is guessed."""
        data = f"su={geometry.chunk_kib}k,sw={geometry.data_disks}" if geometry is not None else "noalign"
        return ["mkfs.xfs", "-K", "-L", label, "-d", data, *options, str(device)]

    def geometry_of(self, device: Path) -> Geometry | None:
        """From the superblock: sb_unit and sb_width, in blocks.

        mkfs.xfs ignores su and sw on small volumes with no more than a warning, which is why they
        are read back.
        """
        (block_bytes,) = struct.unpack(">I", read_at(device, BLOCK_SIZE_OFFSET, 4))
        unit, width = struct.unpack(">II", read_at(device, UNIT_OFFSET, 8))
        return Geometry(unit * block_bytes // 1024, width // unit) if unit and width else None


FILESYSTEM = Xfs()
