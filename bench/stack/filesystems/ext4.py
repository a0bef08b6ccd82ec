"""ext4; mke2fs(8), Linux Documentation/filesystems/ext4/super.rst."""

from __future__ import annotations

import struct
from pathlib import Path

from bench.stack.blocks import read_at
from bench.stack.spec import Geometry

BLOCK_KIB = 4
SUPERBLOCK_OFFSET = 1024
STRIDE_OFFSET = SUPERBLOCK_OFFSET + 0x164
STRIPE_WIDTH_OFFSET = SUPERBLOCK_OFFSET + 0x170


class Ext4:
    """ext4 with inode tables and journal written at once, so that no lazy write disturbs a measurement."""

    name = "ext4"
    program = "mkfs.ext4"
    package = "e2fsprogs"
    module = "ext4"
    stripes = True
    force = ("-q", "-F")

    def mkfs(self, device: Path, geometry: Geometry | None, label: str, options: tuple[str, ...]) -> list[str]:
        """``stride`` is the chunk and ``stripe_width`` the stripe, in blocks of 4 KiB."""
        extended = ["lazy_itable_init=0", "lazy_journal_init=0", "nodiscard"]
        if geometry is not None:
            extended.append(f"stride={geometry.chunk_kib // BLOCK_KIB}")
            extended.append(f"stripe_width={geometry.stripe_width_kib // BLOCK_KIB}")
        argv = ["mkfs.ext4", "-b", str(BLOCK_KIB * 1024), "-L", label, "-E", ",".join(extended)]
        return [*argv, *options, str(device)]

    def geometry_of(self, device: Path) -> Geometry | None:
        """From the superblock: s_raid_stride and s_raid_stripe_width, in blocks."""
        (stride,) = struct.unpack("<H", read_at(device, STRIDE_OFFSET, 2))
        (width,) = struct.unpack("<I", read_at(device, STRIPE_WIDTH_OFFSET, 4))
        return Geometry(stride * BLOCK_KIB, width // stride) if stride and width else None


FILESYSTEM = Ext4()
