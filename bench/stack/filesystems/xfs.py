"""XFS; mkfs.xfs(8), xfs(5), "XFS Algorithms & Data Structures", superblock."""

from __future__ import annotations

import struct
from pathlib import Path

from bench.shapes import ALONE, alone, matching, one_of, power_of_two, whole
from bench.stack.allowed import SWITCH, Keywords, MkfsOptions, MountOptions, names_any
from bench.stack.blocks import read_at
from bench.stack.spec import Geometry

LEAST_BYTES = 300 << 20
"""mkfs.xfs makes nothing smaller from xfsprogs 5.19 on."""

BLOCK_SIZE_OFFSET = 4
UNIT_OFFSET = 184
"""sb_unit and sb_width stand side by side: two big-endian 32-bit counts of blocks."""

NUMBER = matching("a number of bytes, or one with s, b, k, m or g", r"[0-9]{1,12}[sbkmg]?")
SECTORS = whole(0, 1 << 31)
SECTOR_SIZE = power_of_two(512, 32768)
GEOMETRY = ("su", "sw", "sunit", "swidth", "noalign")
"""Keys of ``-d`` that set the stripe geometry."""


class Xfs:
    """XFS, without discarding the whole device first (on a virtual disk that takes ten seconds)."""

    name = "xfs"
    program = "mkfs.xfs"
    package = "xfsprogs"
    module = "xfs"
    stripes = True
    force = ("-q", "-f")
    mkfs_options = MkfsOptions(
        "mkfs.xfs",
        {
            "-b": Keywords({"size": power_of_two(512, 65536)}),
            "-d": Keywords(
                {
                    "agcount": whole(1, 1_000_000),
                    "agsize": NUMBER,
                    "su": NUMBER,
                    "sw": whole(1, 4096),
                    "sunit": SECTORS,
                    "swidth": SECTORS,
                    "noalign": ALONE,
                    "sectsize": SECTOR_SIZE,
                    "cowextsize": SECTORS,
                    "extszinherit": SECTORS,
                }
            ),
            "-i": Keywords(
                {
                    "size": power_of_two(256, 2048),
                    "perblock": whole(2, 128),
                    "maxpct": whole(0, 100),
                    "attr": whole(0, 2),
                    "projid32bit": SWITCH,
                    "sparse": SWITCH,
                    "nrext64": SWITCH,
                }
            ),
            "-l": Keywords(
                {
                    "size": NUMBER,
                    "version": whole(1, 2),
                    "su": NUMBER,
                    "sunit": SECTORS,
                    "sectsize": SECTOR_SIZE,
                    "lazy-count": SWITCH,
                    "agnum": whole(0, 1_000_000),
                    "internal": one_of("1"),
                }
            ),
            "-m": Keywords(dict.fromkeys(("crc", "finobt", "rmapbt", "reflink", "inobtcount", "bigtime"), SWITCH)),
            "-n": Keywords({"size": power_of_two(512, 65536), "version": one_of("2", "ci"), "ftype": SWITCH}),
            "-s": Keywords({"size": SECTOR_SIZE}),
            "-K": ALONE,
        },
    )
    mount_options = MountOptions(
        {
            **alone("""
                discard nodiscard inode32 inode64 largeio nolargeio noalign swalloc wsync nouuid filestreams
                grpid nogrpid bsdgroups sysvgroups noquota
                """),
            "allocsize": power_of_two(4096, 1 << 30),
            "logbufs": whole(2, 8),
            "logbsize": power_of_two(16384, 262144),
            "sunit": SECTORS,
            "swidth": SECTORS,
        }
    )

    def mkfs(
        self,
        device: Path,
        geometry: Geometry | None,
        label: str,
        options: tuple[str, ...],
        uuid: str | None = None,
    ) -> list[str]:
        """``su`` is the chunk and ``sw`` the number of data disks; without an array none is guessed.

        mkfs.xfs refuses a key that is there twice: a geometry among ``options`` stands alone.
        """
        data = f"su={geometry.chunk_kib}k,sw={geometry.data_disks}" if geometry is not None else "noalign"
        aligned = () if self.own_geometry(options) else ("-d", data)
        identity = ("-m", f"uuid={uuid}") if uuid is not None else ()
        return ["mkfs.xfs", "-K", "-L", label, *identity, *aligned, *options, str(device)]

    def room_bytes(self, device_bytes: int, options: tuple[str, ...]) -> int:
        """Without the log (64 MiB at least) and what allocation groups reserve; mkfs.xfs refuses less than 300 MB."""
        if device_bytes < LEAST_BYTES:
            return 0
        return round(device_bytes * 0.993) - (0 if options else 64 << 20)

    def own_geometry(self, options: tuple[str, ...]) -> bool:
        """Whether the options set the stripe geometry."""
        return names_any(options, "-d", GEOMETRY)

    def geometry_of(self, device: Path) -> Geometry | None:
        """From the superblock: sb_unit and sb_width, in blocks.

        mkfs.xfs ignores su and sw on small volumes with no more than a warning, which is why they
        are read back.
        """
        (block_bytes,) = struct.unpack(">I", read_at(device, BLOCK_SIZE_OFFSET, 4))
        unit, width = struct.unpack(">II", read_at(device, UNIT_OFFSET, 8))
        return Geometry(unit * block_bytes // 1024, width // unit) if unit and width else None


FILESYSTEM = Xfs()
