"""Btrfs on one device (its own RAID profiles are another level); mkfs.btrfs(8), btrfs(5)."""

from __future__ import annotations

from pathlib import Path

from bench.shapes import ALONE, alone, matching, one_of, optional, power_of_two, whole
from bench.stack.allowed import Keywords, MkfsOptions, MountOptions
from bench.stack.spec import Geometry

PROFILE = one_of("single", "dup")
"""Profiles that one device can have: the others ask for more devices than a volume has."""
FEATURES = Keywords(
    alone("mixed-bg extref raid56 skinny-metadata no-holes raid1c34 free-space-tree quota"),
    off="^",
)
CHECKSUM = one_of("crc32c", "xxhash", "xxhash64", "sha256", "blake2", "blake2b")
COMPRESSION = optional(
    matching("zlib[:1-9], lzo, zstd[:1-15] or no", r"zlib(:[1-9])?|lzo|zstd(:([1-9]|1[0-5]))?|no|none")
)


class Btrfs:
    """Btrfs with a single copy of metadata on each device: redundancy is the array's business."""

    name = "btrfs"
    program = "mkfs.btrfs"
    package = "btrfs-progs"
    module = "btrfs"
    stripes = False
    force = ("-q", "-f")
    mkfs_options = MkfsOptions(
        "mkfs.btrfs",
        {
            **dict.fromkeys(("-n", "--nodesize"), power_of_two(4096, 65536)),
            **dict.fromkeys(("-s", "--sectorsize"), power_of_two(4096, 65536)),
            **dict.fromkeys(("-m", "--metadata", "-d", "--data"), PROFILE),
            **dict.fromkeys(("-O", "--features", "-R", "--runtime-features"), FEATURES),
            **dict.fromkeys(("--csum", "--checksum"), CHECKSUM),
            **dict.fromkeys(("-M", "--mixed", "-K", "--nodiscard"), ALONE),
        },
    )
    mount_options = MountOptions(
        {
            **alone("""
                autodefrag noautodefrag nodatacow datacow nodatasum datasum ssd nossd ssd_spread nossd_spread
                nodiscard flushoncommit noflushoncommit barrier nobarrier treelog notreelog acl noacl nospace_cache
                """),
            "compress": COMPRESSION,
            "compress-force": COMPRESSION,
            "space_cache": optional(one_of("v1", "v2")),
            "discard": optional(one_of("sync", "async")),
            "thread_pool": whole(1, 1024),
            "commit": whole(1, 300),
            "max_inline": whole(0, 65536),
            "metadata_ratio": whole(0, 100),
        }
    )

    def mkfs(
        self,
        device: Path,
        geometry: Geometry | None,  # noqa: ARG002
        label: str,
        options: tuple[str, ...],
        uuid: str | None = None,
    ) -> list[str]:
        """Btrfs takes no stripe geometry."""
        identity = ("-U", uuid) if uuid is not None else ()
        return ["mkfs.btrfs", "-K", "-m", "single", "-L", label, *identity, *options, str(device)]

    def room_bytes(self, device_bytes: int, options: tuple[str, ...]) -> int:  # noqa: ARG002
        """Without what mkfs.btrfs gives to system and metadata at first; it refuses less than 109 MiB (16 mixed)."""
        return max(0, device_bytes - (13 << 20))

    def own_geometry(self, options: tuple[str, ...]) -> bool:  # noqa: ARG002
        """Btrfs takes no stripe geometry."""
        return False

    def geometry_of(self, device: Path) -> Geometry | None:  # noqa: ARG002
        """Btrfs keeps no stripe geometry."""
        return None


FILESYSTEM = Btrfs()
