"""Every option of the allow-lists is one that the installed mkfs and the running kernel really take."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from bench.openers import number
from bench.stack import filesystems
from bench.stack.allowed import EVERY_FILESYSTEM, Keywords
from bench.stack.filesystem import make_argv, mkfs_words
from bench.stack.mount import mount_argv, mount_options, why_not_mounted
from bench.stack.spec import Geometry, StackSpec, Volume
from tests.bench.conftest import sh

MIB = 1 << 20
MKFS = {
    "ext4": [
        "-b 1024", "-b 4k", "-O bigalloc -C 65536", "-D", "-g 8192", "-G 32", "-i 65536", "-I 512", "-j",
        "-J size=32", "-O fast_commit -J fast_commit_size=4", "-J location=4096", "-m 0", "-m 1.5", "-N 4096",
        "-T news", "-T largefile", "-T largefile4", "-T big", "-T huge", "-O none", "-O ^has_journal",
        "-O ^64bit,^metadata_csum", "-O 64bit,metadata_csum,metadata_csum_seed", "-O dir_index,dir_nlink,ea_inode",
        "-O encrypt", "-O ext_attr,extent,extents,extra_isize,filetype,flex_bg,huge_file,has_journal", "-O inline_data",
        "-O large_dir,large_file", "-O meta_bg,^resize_inode", "-O mmp -E mmp_update_interval=5",
        "-O orphan_file -E orphan_file_size=1m", "-O quota,project -E quotatype=prjquota", "-O resize_inode",
        "-O sparse_super", "-O ^resize_inode,sparse_super2 -E num_backup_sb=2", "-O stable_inodes", "-O uninit_bg",
        "-O verity", "-O ^flex_bg,^resize_inode", "-E stride=16,stripe_width=64", "-E stripe-width=64,stride=16",
        "-E lazy_itable_init=1,lazy_journal_init=1", "-E packed_meta_blocks=1", "-E discard", "-E nodiscard",
        "-E resize=1048576",
    ],
    "xfs": [
        "-b size=1024", "-b size=4k", "-d agcount=8", "-d agsize=256m", "-d su=64k,sw=4", "-d sunit=128,swidth=512",
        "-d noalign", "-d sectsize=4096", "-d cowextsize=32", "-d extszinherit=16", "-i size=1024", "-i perblock=4",
        "-i maxpct=10,attr=2,projid32bit=1,sparse=1", "-i nrext64=1", "-l size=64m", "-l version=2,su=32k",
        "-l sunit=64", "-d sectsize=4096 -l sectsize=4096", "-l lazy-count=1,agnum=1", "-l internal=1",
        "-m crc=0,finobt=0,reflink=0,rmapbt=0,inobtcount=0,bigtime=0", "-m crc=1,rmapbt=1,reflink=1,bigtime=1",
        "-n size=8192", "-n version=ci", "-n ftype=1", "-n version=2", "-s size=4096", "-K",
    ],
    "btrfs": [
        "-n 32k", "--nodesize 16384", "-s 4096", "--sectorsize=4k", "-m dup", "--metadata single", "-d single",
        "--data=dup", "-O ^no-holes,extref", "--features skinny-metadata", "-R free-space-tree",
        "--runtime-features quota", "-R ^free-space-tree", "--csum xxhash", "--checksum=blake2", "--csum sha256",
        "--csum crc32c", "-M", "--mixed", "-O mixed-bg -M", "-K", "--nodiscard", "-O raid56,raid1c34",
    ],
}  # fmt: skip
"""Options of mkfs; together they have every option and every keyword of the lists."""


def seen(kind: filesystems.Filesystem, lines: list[str]) -> set[tuple[str, str]]:
    """Options with their keywords, as they are in the lines of a sweep."""
    found = set()
    for line in lines:
        words = iter(kind.mkfs_options.words(line))
        for option in words:
            argument = kind.mkfs_options.options[option]
            if isinstance(argument, Keywords):
                entries = next(words).split(",")
                found |= {(option, entry.partition("=")[0].removeprefix(argument.off)) for entry in entries}
            else:
                found.add((option, ""))
                if argument.description != "without a value":
                    next(words)
    return found


@pytest.mark.parametrize("name", MKFS)
def test_every_option_of_mkfs_is_tried(name: str) -> None:
    kind = filesystems.by_name(name)
    listed = {
        (option, keyword)
        for option, argument in kind.mkfs_options.options.items()
        for keyword in (argument.entries if isinstance(argument, Keywords) else [""])
    }
    aliases = {"--features", "--runtime-features", "-O", "-R"} if name == "btrfs" else set()  # one list, four names
    tried = seen(kind, MKFS[name])
    assert {each for each in listed - tried if each[0] not in aliases} == set()
    assert {keyword for option, keyword in listed if option in aliases} == {
        keyword for option, keyword in tried if option in aliases
    }


def test_every_filesystem_is_tried() -> None:
    assert set(MKFS) == set(MOUNT) == set(filesystems.names())


@pytest.mark.parametrize("geometry", [None, Geometry(64, 4)], ids=["bare", "striped"])
@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in MKFS.items() for line in lines])
def test_mkfs_takes_the_option(tmp_path: Path, name: str, line: str, geometry: Geometry | None) -> None:
    image = tmp_path / "disk.img"
    image.touch()
    os.truncate(image, 1024 * MIB)
    kind, identity = filesystems.by_name(name), str(uuid.uuid4())
    spec = StackSpec("jbod", 1, name, mkfs_options=line)
    (argv,) = make_argv(kind, spec, Volume((image,), (), geometry), [identity])
    sh(*argv)
    if "crc=0" not in line and "none" not in line:
        assert sh("blkid", "-p", "-o", "value", "-s", "TYPE", image).strip() == name
        assert sh("blkid", "-p", "-o", "value", "-s", "UUID", image).strip() == identity
    if kind.stripes and not kind.own_geometry(mkfs_words(kind, spec)) and "sectsize" not in line:
        assert kind.geometry_of(image) == geometry


MOUNT = {
    "ext4": [
        "barrier", "barrier=0", "nobarrier", "journal_checksum", "nojournal_checksum",
        "data=writeback,journal_async_commit", "delalloc", "nodelalloc", "discard", "nodiscard", "auto_da_alloc",
        "auto_da_alloc=0", "noauto_da_alloc", "dioread_lock", "dioread_nolock", "nodioread_nolock", "block_validity",
        "noblock_validity", "init_itable", "init_itable=20", "noinit_itable", "acl", "user_xattr", "grpid",
        "nogrpid", "bsdgroups", "sysvgroups", "i_version", "prefetch_block_bitmaps",
        "no_prefetch_block_bitmaps", "bsddf", "minixdf", "mb_optimize_scan=0", "data=journal", "data=ordered",
        "data=writeback", "data_err=ignore", "errors=remount-ro", "errors=continue", "commit=30", "stripe=64",
        "inode_readahead_blks=64", "journal_ioprio=0", "max_batch_time=0", "min_batch_time=1000",
        "max_dir_size_kb=1024",
    ],
    "xfs": [
        "discard", "nodiscard", "inode32", "inode64", "largeio", "nolargeio", "noalign", "swalloc", "wsync", "nouuid",
        "filestreams", "grpid", "nogrpid", "bsdgroups", "sysvgroups", "noquota", "allocsize=64m", "logbufs=8",
        "logbsize=256k", "logbsize=65536", "sunit=128,swidth=512",
    ],
    "btrfs": [
        "autodefrag", "noautodefrag", "nodatacow", "datacow", "nodatasum", "datasum", "ssd", "nossd", "ssd_spread",
        "nossd_spread", "nodiscard", "flushoncommit", "noflushoncommit", "barrier", "nobarrier", "treelog",
        "notreelog", "acl", "noacl", "compress", "compress=zstd:3", "compress=zlib:9", "compress=lzo", "compress=no",
        "compress-force=zstd:15", "compress-force", "space_cache", "nospace_cache", "space_cache=v2",
        "discard", "discard=async", "discard=sync",
        "thread_pool=4", "commit=60", "max_inline=2048", "metadata_ratio=4",
    ],
}  # fmt: skip


NEEDED_BY_MOUNT = {"xfs": "-d su=64k,sw=4", "btrfs": "-R ^free-space-tree"}
"""Without these the kernel takes no ``sunit`` and no ``space_cache``."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A filesystem of each kind in a file."""
    found = {}
    for name in MOUNT:
        image = tmp_path_factory.mktemp("images") / f"{name}.img"
        image.touch()
        os.truncate(image, 1024 * MIB)
        kind = filesystems.by_name(name)
        spec = StackSpec("jbod", 1, name, mkfs_options=NEEDED_BY_MOUNT.get(name))
        (argv,) = make_argv(kind, spec, Volume((image,), ()), [str(uuid.uuid4())])
        sh(*argv)
        found[name] = image
    return found


@pytest.mark.parametrize("name", MOUNT)
def test_every_option_of_mount_is_tried(name: str) -> None:
    tried = {word.partition("=")[0] for line in MOUNT[name] for word in line.split(",")}
    assert tried == set(filesystems.by_name(name).mount_options.own)


@pytest.mark.loop
@pytest.mark.parametrize("name", MOUNT)
def test_the_kernel_takes_every_option_of_mount(tmp_path: Path, images: dict[str, Path], name: str) -> None:
    device = Path(sh("losetup", "--find", "--show", images[name]).strip())
    point = tmp_path / "mnt"
    point.mkdir()
    wrong = []
    try:
        for line in [*EVERY_FILESYSTEM, *MOUNT[name]]:
            options = mount_options(StackSpec("jbod", 1, name, mount_options=line))
            try:
                sh(*mount_argv(name, options, device, point))
            except AssertionError as refused:
                wrong.append(f"{line}: {refused}")
                continue
            problem = why_not_mounted(number(device.stat().st_rdev), point, name)
            if problem:
                wrong.append(f"{line}: {problem}")
            sh("umount", point)
    finally:
        sh("losetup", "--detach", device)
    assert wrong == []
