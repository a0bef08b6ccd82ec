"""ext4; mke2fs(8), ext4(5), Linux Documentation/filesystems/ext4/super.rst."""

from __future__ import annotations

import struct
from pathlib import Path

from bench.shapes import ALONE, alone, one_of, optional, power, power_of_two, size, size_bytes, whole
from bench.stack.allowed import (
    PERCENT,
    SWITCH,
    Keywords,
    MkfsOptions,
    MountOptions,
    names_any,
    values_of,
    without,
)
from bench.stack.blocks import read_at
from bench.stack.spec import Geometry

BLOCK_BYTES = 4096
SUPERBLOCK_OFFSET = 1024
BLOCK_SIZE_OFFSET = SUPERBLOCK_OFFSET + 0x18
STRIDE_OFFSET = SUPERBLOCK_OFFSET + 0x164
STRIPE_WIDTH_OFFSET = SUPERBLOCK_OFFSET + 0x170

COUNT = whole(0, 1 << 31)
JOURNALS_BYTES = (
    (16 << 30, 128 << 20),
    (2 << 30, 64 << 20),
    (1 << 30, 32 << 20),
    (128 << 20, 16 << 20),
    (8 << 20, 4 << 20),
)
"""Least journal of mke2fs on devices from a size on (e2fsprogs, lib/ext2fs/mkjournal.c)."""

GEOMETRY = ("stride", "stripe-width", "stripe_width")
"""Keys of ``-E`` that set the stripe geometry."""
FEATURES = Keywords(
    alone("""
        64bit bigalloc dir_index dir_nlink ea_inode encrypt ext_attr extent extents extra_isize fast_commit filetype
        flex_bg has_journal huge_file inline_data large_dir large_file meta_bg metadata_csum metadata_csum_seed mmp
        none orphan_file project quota resize_inode sparse_super sparse_super2 stable_inodes uninit_bg verity
        """),
    off="^",
)
EXTENDED = Keywords(
    {
        **dict.fromkeys(GEOMETRY, whole(1, 1 << 24)),
        **dict.fromkeys(("lazy_itable_init", "lazy_journal_init", "packed_meta_blocks"), SWITCH),
        **dict.fromkeys(("discard", "nodiscard"), ALONE),
        "num_backup_sb": whole(0, 2),
        "mmp_update_interval": whole(1, 300),
        "resize": COUNT,
        "quotatype": one_of("usrquota", "grpquota", "prjquota"),
        "orphan_file_size": size(4096, 1 << 30),
    }
)


class Ext4:
    """ext4 with inode tables and journal written at once, so that no lazy write disturbs a measurement."""

    name = "ext4"
    program = "mkfs.ext4"
    package = "e2fsprogs"
    module = "ext4"
    stripes = True
    force = ("-q", "-F")
    mkfs_options = MkfsOptions(
        "mkfs.ext4",
        {
            "-b": power_of_two(1024, 4096),
            "-C": power_of_two(2048, 256 << 20),
            "-D": ALONE,
            "-E": EXTENDED,
            "-g": whole(256, 65528),
            "-G": power(1, 1 << 20),
            "-i": size(1024, 64 << 20),
            "-I": power(128, 4096),
            "-j": ALONE,
            "-J": Keywords({"size": whole(1, 40960), "fast_commit_size": whole(1, 40960), "location": COUNT}),
            "-m": PERCENT,
            "-N": whole(1, 1 << 32),
            "-O": FEATURES,
            "-T": one_of("news", "largefile", "largefile4", "big", "huge"),
        },
    )
    mount_options = MountOptions(
        {
            **alone("""
                nobarrier journal_checksum nojournal_checksum journal_async_commit delalloc nodelalloc discard
                nodiscard noauto_da_alloc dioread_lock dioread_nolock nodioread_nolock block_validity
                noblock_validity noinit_itable acl user_xattr grpid nogrpid bsdgroups sysvgroups
                i_version prefetch_block_bitmaps no_prefetch_block_bitmaps bsddf minixdf
                """),
            "barrier": optional(SWITCH),
            "auto_da_alloc": optional(SWITCH),
            "mb_optimize_scan": SWITCH,
            "init_itable": optional(whole(0, 1000)),
            "data": one_of("journal", "ordered", "writeback"),
            "data_err": one_of("ignore", "abort"),
            "errors": one_of("continue", "remount-ro"),
            "commit": whole(0, 300),
            "stripe": whole(0, 1 << 21),
            "inode_readahead_blks": power(1, 1 << 20),
            "journal_ioprio": whole(0, 7),
            "max_batch_time": whole(0, 10_000_000),
            "min_batch_time": whole(0, 10_000_000),
            "max_dir_size_kb": whole(1, 1 << 20),
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
        """``stride`` is the chunk and ``stripe_width`` the stripe, in blocks of the filesystem.

        mke2fs reads its last ``-E`` alone: ours and those of ``options`` become one.
        """
        block_bytes = next((size_bytes(text) or 0 for text in values_of(options, "-b")), BLOCK_BYTES)
        extended = ["lazy_itable_init=0", "lazy_journal_init=0", "nodiscard"]
        if geometry is not None and not self.own_geometry(options):
            extended.append(f"stride={geometry.chunk_kib * 1024 // block_bytes}")
            extended.append(f"stripe_width={geometry.stripe_width_kib * 1024 // block_bytes}")
        extended += values_of(options, "-E")
        identity = ("-U", uuid) if uuid is not None else ()
        argv = ["mkfs.ext4", "-b", str(block_bytes), "-L", label, *identity, "-E", ",".join(extended)]
        return [*argv, *without(without(options, "-b"), "-E"), str(device)]

    def room_bytes(self, device_bytes: int, options: tuple[str, ...]) -> int:
        """Without reserved blocks (5 %), inode tables (256 bytes for each 16 KiB) and journal; mke2fs(8).

        ``options`` can take each of these away.
        """
        if options:
            return device_bytes
        journal = next((size for above, size in JOURNALS_BYTES if device_bytes >= above), 0)
        return max(0, round(device_bytes * (1 - 0.05 - 256 / 16384)) - journal)

    def own_geometry(self, options: tuple[str, ...]) -> bool:
        """Whether the options set the stripe geometry."""
        return names_any(options, "-E", GEOMETRY)

    def geometry_of(self, device: Path) -> Geometry | None:
        """From the superblock: s_raid_stride and s_raid_stripe_width, in blocks of 1 << s_log_block_size KiB."""
        (power,) = struct.unpack("<I", read_at(device, BLOCK_SIZE_OFFSET, 4))
        (stride,) = struct.unpack("<H", read_at(device, STRIDE_OFFSET, 2))
        (width,) = struct.unpack("<I", read_at(device, STRIPE_WIDTH_OFFSET, 4))
        return Geometry(stride << power, width // stride) if stride and width else None


FILESYSTEM = Ext4()
