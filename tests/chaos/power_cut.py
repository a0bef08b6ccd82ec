"""What runs in the guest whose power is cut, and in the next one, which looks for what was written.

``python -m tests.chaos.power_cut write|verify KIND DISK FOLDER [WRITES]``: KIND is ``raw`` or a filesystem.  The
writer appends a line to FOLDER/progress whenever a write has become durable: acknowledged and durable writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench import native
from bench.native import Job, Part, Verify

SIZE = 48 << 20
DEPTH = 8
BS = "8k"
PLACE = Path("/run/power-cut")
"""Where the filesystem is mounted in the guest."""


def job(kind: str, disk: Path) -> Job:
    return Job((Part(disk if kind == "raw" else PLACE / "file", 0, SIZE),))


def mount(kind: str, disk: Path) -> None:
    if kind != "raw":
        PLACE.mkdir()
        subprocess.run(["mount", disk, PLACE], check=True)


def write(kind: str, disk: Path, folder: Path) -> None:
    """Write until the end comes, and say how far it is each time that more has become durable."""
    if kind != "raw":
        subprocess.run([f"mkfs.{kind}", "-q", disk], check=True)
        mount(kind, disk)
        with (PLACE / "file").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, SIZE)
    progress = os.open(folder / "progress", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    said = 0

    def tell(jobs: list[tuple[int, int]]) -> None:
        nonlocal said
        ((acked, durable),) = jobs
        if durable > said:
            os.write(progress, f"{acked} {durable}\n".encode())
            said = durable

    load = native.options.load(words("randwrite") | {"fdatasync": 16, "runtime_s": 600.0, "verify": Verify()})
    native.run_jobs(load, [job(kind, disk)], on_progress=tell)


def verify(kind: str, disk: Path, writes: int) -> None:
    """Print what is found of the first ``writes`` writes: blocks by kind, as JSON."""
    mount(kind, disk)
    load = native.options.load(words("read") | {"verify": Verify(random=True, writes=writes)})
    done = native.run_jobs(load, [job(kind, disk)])
    sys.stdout.write(json.dumps({each.kind: each.blocks for each in done.findings}))


def words(rw: str) -> dict[str, object]:
    return {"rw": rw, "bs": BS, "iodepth": DEPTH}


def main() -> None:
    what, kind, disk, folder, *writes = sys.argv[1:]
    deadline = time.monotonic() + 10
    while not Path(disk).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    if what == "write":
        write(kind, Path(disk), Path(folder))
    else:
        verify(kind, Path(disk), int(writes[0]))


if __name__ == "__main__":
    main()
