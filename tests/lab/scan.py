"""What a program in the sandbox reaches of the host: run inside it, as a script of the standard library alone.

``scan.py ROOT STEP MINE ...``: walks the tree at ROOT as it is visible, tries to open every file, device and FIFO
for writing, to make a file in every folder and to connect to every socket, and prints as JSON how much it tried and
what worked outside of the folders MINE.  Nothing is written or truncated, no link followed.  Below /proc, /sys, /dev,
/run and /etc everything is tried; of the folders below the third level elsewhere, one in STEP.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

EVERYTHING = ("proc", "sys", "dev", "run", "etc")
MADE = f".stripelab-scan-{os.getpid()}"


def entries(root: str, step: int, mine: list[str]) -> Iterator[tuple[str, int]]:
    """Path and mode of whatever lies at ``root`` and below it, as far as it is to be tried."""
    whole = tuple(f"{root.rstrip('/')}/{name}" for name in EVERYTHING)
    folders = [(root, 0)]
    while folders:
        folder, depth = folders.pop()
        yield folder, stat.S_IFDIR
        with contextlib.suppress(OSError), os.scandir(folder) as found:
            for entry in found:
                if entry.path in mine:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    chosen = (
                        depth < 2 or entry.path.startswith(whole) or zlib.crc32(os.fsencode(entry.path)) % step == 0
                    )
                    folders += [(entry.path, depth + 1)] if chosen else []
                elif not entry.is_symlink():
                    with contextlib.suppress(OSError):
                        yield entry.path, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)


def writes(path: str, kind: int) -> bool:
    """Whether the file opens for writing, or a file can be made in the folder."""
    target, flags = path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW
    if kind == stat.S_IFDIR:
        target, flags = f"{path}/{MADE}", flags | os.O_CREAT | os.O_EXCL
    try:
        os.close(os.open(target, flags, 0o600))
    except OSError:
        return False
    if kind == stat.S_IFDIR:
        Path(target).unlink()
    return True


def connects(path: str) -> bool:
    """Whether a socket of any type connects to the path, or sends to it."""
    for type_ in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, type_) as client:
            client.connect(path)
            return True
        with contextlib.suppress(OSError):
            one, other = socket.socketpair(socket.AF_UNIX, type_)
            with one, other, contextlib.suppress(OSError):
                one.connect(path)
                return True
            with one, other, contextlib.suppress(OSError):
                one.sendto(b"", path)
                return True
    return False


def main(root: str, step: int, mine: list[str]) -> None:
    """Scan and print."""
    tried = {"files": 0, "folders": 0, "devices": 0, "sockets": 0}
    opened, connected = [], []
    for path, kind in entries(root, step, mine):
        if kind == stat.S_IFSOCK:
            tried["sockets"] += 1
            connected += [path] if connects(path) else []
            continue
        if root != "/" and kind in {stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK}:
            continue  # through hostfs they are FIFOs and devices of the guest
        tried["folders" if kind == stat.S_IFDIR else "files" if kind == stat.S_IFREG else "devices"] += 1
        opened += [path] if writes(path, kind) else []
    sys.stdout.write(json.dumps({"tried": tried, "opened": opened, "connected": connected}) + "\n")


main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
