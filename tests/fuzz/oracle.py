"""What no accepted sweep may lead to: a second reading of the command lines, which shares nothing with the allow-lists.

The words are split by :mod:`getopt` with the programs' own option strings (mke2fs.c, xfs_mkfs.c, mkfs/main.c), so
that what counts is what the programs make of them.
"""

from __future__ import annotations

import getopt
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHORT = {
    "mkfs.ext4": "b:ce:g:i:jl:m:no:qr:s:t:d:vC:DE:FG:I:J:KL:M:N:O:R:ST:U:Vz:",
    "mkfs.xfs": "b:c:d:i:l:L:m:n:KNp:qr:s:CfV",
    "mkfs.btrfs": "A:b:fl:n:s:m:d:L:R:O:r:U:VvMKq",
}
LONG = _words("""
    alloc-start= byte-count= csum= checksum= force leafsize= label= metadata= mixed nodesize= sectorsize= data= version
    rootdir= nodiscard features= runtime-features= uuid= quiet verbose shrink help
""")
"""Those of mkfs.btrfs; the other two have none."""
DENIED = {
    "mkfs.ext4": _words("-c -d -e -K -l -M -n -o -r -R -s -S -t -v -V -z"),
    "mkfs.xfs": _words("-c -C -N -p -r -V"),
    "mkfs.btrfs": _words("""
        -A -b -l -r -V -v --alloc-start --byte-count --leafsize --rootdir --shrink --help --version --verbose
    """),
}
ONCE = {"mkfs.ext4": "-F -q -L -U -b -E", "mkfs.xfs": "-f -q -L", "mkfs.btrfs": "-f -q -L -U"}
DENIED_KEYS = {
    "mkfs.ext4": _words("device journal_dev offset root_owner root_selinux test_fs hash_seed encoding no_copy_xattrs"),
    "mkfs.xfs": _words("file name logdev rtdev options rtinherit daxinherit"),
    "mkfs.btrfs": _words("list-all zoned raid0 raid1 raid5 raid6 raid10 raid1c3 raid1c4"),
}
DENIED_MOUNT = _words("""
    ro loop bind rbind move remount subvol subvolid device logdev rtdev journal_dev journal_path offset sizelimit suid
    dev user users owner group uid gid umask context fscontext defcontext rootcontext helper norecovery noload sb
    usrjquota grpjquota degraded rescue recovery usebackuproot skip_balance nofail auto noauto private shared
    resuid resgid fatal_errors check_int debug enospc_debug test_dummy_encryption swsusp encoding
""")
SLASHES = ("--bssplit=", "--random_distribution=zoned", "--bsrange=", "--blocksize_range=")


def mkfs_faults(argv: Sequence[str], device: str, identity: str) -> list[str]:
    """What is wrong with a command line of mkfs."""
    program, *words = argv
    try:
        options, places = getopt.gnu_getopt(
            list(words), SHORT[program], sorted(LONG) if program == "mkfs.btrfs" else []
        )
    except getopt.GetoptError as error:
        return [f"getopt: {error}"]
    faults = [] if places == [device] else [f"positional words {places}"]
    faults += [f"denied {option}" for option, _ in options if option in DENIED[program]]
    names = [option for option, _ in options]
    faults += [f"{name} is there {names.count(name)} times" for name in ONCE[program].split() if names.count(name) != 1]
    for option, value in options:
        if "/" in value or "\\" in value or "\0" in value or value.startswith("@"):
            faults.append(f"{option} {value} could name a file")
        for entry in value.split(","):
            key, _, given = entry.strip().lstrip("^-+").partition("=")
            if key.lower() in DENIED_KEYS[program] and option != "-L":
                faults.append(f"{option} {entry}")
            if program == "mkfs.xfs" and (option, key) in {("-d", "size"), ("-l", "internal")} and given != "1":
                faults.append(f"{option} {entry}")
            if key == "uuid" and given != identity:
                faults.append(f"{option} {entry}")
    return faults


def mount_faults(argv: Sequence[str], device: str, point: str) -> list[str]:
    """What is wrong with a command line of mount."""
    options, places = getopt.gnu_getopt(list(argv[1:]), "t:o:")
    faults = [] if places == [device, point] else [f"positional words {places}"]
    if [option for option, _ in options] != ["-t", "-o"]:
        return [*faults, f"options {options}"]
    words = options[1][1].split(",")
    faults += [f"{word} is missing" for word in ("nosuid", "nodev") if word not in words]
    for word in words:
        key = word.partition("=")[0]
        if key.lower() in DENIED_MOUNT or key.lower().startswith(("x-", "subvol", "user", "quota", "iocharset")):
            faults.append(f"denied {word}")
        if not word or any(character in word for character in "/\\\"' \t\n@$`"):
            faults.append(f"{word!r} could name a file")
    return faults


def fio_faults(arguments: Sequence[str], targets: Sequence[str]) -> list[str]:
    """What is wrong with the command line of fio."""
    faults = []
    for word in arguments:
        key, _, value = word.partition("=")
        if key in {"--filename", "--directory"}:
            named = value.replace("\\:", ":").split(":")
            faults += [f"{key} {name}" for name in named if name not in targets]
        elif any(character in word for character in "$`;|&\n\0") or ("/" in value and not word.startswith(SLASHES)):
            faults.append(f"{word!r} could name a file or run a program")
        elif key.removeprefix("--").startswith(
            ("exec", "read_iolog", "write_iolog", "mem", "verify", "aux", "include")
        ):
            faults.append(f"denied {word}")
        if key == "--unlink" and value != "0":
            faults.append(f"denied {word}")
    return faults
