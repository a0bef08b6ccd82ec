"""The layout layer: directories, and the data set laid out in them before any workload.

``flat``: every file in one directory per mount point.  ``hashed-AxB``: a fan-out of A directories
of B directories each, files spread over the leaves.  ``per-disk``: one directory a disk (one per
mount point on jbod, ``segK`` on an array), each a group of its own, as database segments are.
"""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.engine import Targets
from bench.errors import StackError
from permutations.workload import DataSet

WRITE_BYTES = 1 << 20
LOST_AND_FOUND = "lost+found"
"""mke2fs(8) makes it; it holds nothing of ours."""


def targets_on_files(layout: str, points: Sequence[Path], disks: int, dataset: DataSet) -> Targets:
    """Make the directories, lay out the data set, and say what the workloads run over."""
    groups = files_by_group(layout, points, disks, dataset.files)
    make_directories(layout, points)
    check_room(points, groups, dataset)
    with mmap.mmap(-1, WRITE_BYTES) as noise:  # one buffer for all files: fresh pages are dear in the lab
        noise.write(os.urandom(WRITE_BYTES))
        for path in (file for group in groups for file in group):
            path.parent.mkdir(parents=True, exist_ok=True)
            lay_out(path, dataset.file_bytes, noise)
    return Targets(groups, dataset.file_bytes, device=False)


def clear(points: Sequence[Path]) -> None:
    """Remove what an earlier trial of the same filesystem left; a new one is empty.

    Nothing is trimmed, as mkfs trims nothing here either.
    """
    for point in points:
        left = [entry for entry in point.iterdir() if entry.name != LOST_AND_FOUND and not entry.name.startswith(".")]
        for entry in left:
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    os.sync()


def files_by_group(layout: str, points: Sequence[Path], disks: int, files: int) -> tuple[tuple[Path, ...], ...]:
    """Paths of the data set, spread over the places of the layout in turn.

    Raises :class:`StackError` where there are fewer files than places: some would stay empty.
    """
    if layout == "per-disk":
        places = [[point] for point in points] if len(points) > 1 else [[points[0] / f"seg{n}"] for n in range(disks)]
    else:
        leaves = _leaves(layout)
        # Mount points take turns first, so that every disk of a jbod gets its share of the files.
        places = [[point / leaf for leaf in leaves for point in points]]
    needed = max(len(places), len(points))
    if files < needed:
        raise StackError(
            f"{files} files cannot be spread over {needed} places (layout {layout})",
            remedy=f"Set files = {needed} or more under [dataset] in the sweep file.",
        )
    groups: list[list[Path]] = [[] for _ in places]
    for number in range(files):
        group = number % len(places)
        directories = places[group]
        directory = directories[number // len(places) % len(directories)]
        groups[group].append(directory / f"file{number:05d}")
    return tuple(tuple(group) for group in groups)


def check_room(points: Sequence[Path], groups: Sequence[Sequence[Path]], dataset: DataSet) -> None:
    """Each filesystem has room for its share, so that nothing is written for minutes in vain."""
    paths = [path for group in groups for path in group]
    for point in points:
        needed = sum(path.is_relative_to(point) for path in paths) * dataset.file_bytes
        room = os.statvfs(point)
        if needed > room.f_bavail * room.f_frsize:
            raise StackError(
                f"the data set does not fit: {needed} bytes are wanted on {point}, "
                f"{room.f_bavail * room.f_frsize} are free",
                remedy="Take fewer or smaller files under [dataset] in the sweep file, or larger disks.",
            )


def make_directories(layout: str, points: Sequence[Path]) -> None:
    """The whole fan-out, leaves without a file included: it is part of what is measured."""
    for point in points:
        for leaf in _leaves(layout):
            (point / leaf).mkdir(parents=True, exist_ok=True)


def lay_out(path: Path, size_bytes: int, noise: mmap.mmap) -> None:
    """Write a file full of incompressible data with O_DIRECT and make it durable.

    Written, not merely allocated: the first write to an unwritten extent also writes metadata, and
    a read of one never reaches the disk.  ``noise`` holds WRITE_BYTES of random data, aligned.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_DIRECT | os.O_CLOEXEC, 0o644)
    try:
        for offset in range(0, size_bytes, WRITE_BYTES):
            noise[:16] = os.urandom(16)  # no two chunks alike: deduplication finds nothing
            _write_all(descriptor, memoryview(noise)[: min(WRITE_BYTES, size_bytes - offset)], offset)
        os.fsync(descriptor)
    except OSError as failure:
        raise StackError(f"the data set does not fit: {path}: {failure.strerror}") from failure
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: memoryview, offset: int) -> None:
    try:
        while data.nbytes:
            written = os.pwrite(descriptor, data, offset)
            data, offset = data[written:], offset + written
    finally:
        data.release()


def _leaves(layout: str) -> list[Path]:
    """Directories of a layout, relative to the mount point."""
    if not layout.startswith("hashed-"):
        return [Path("data")] if layout == "flat" else [Path()]
    outer, inner = (int(number) for number in layout.removeprefix("hashed-").split("x"))
    return [Path(f"{a:03x}") / f"{b:03x}" for a in range(outer) for b in range(inner)]
