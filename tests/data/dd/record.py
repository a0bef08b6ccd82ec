"""Make the recordings of GNU dd in tests/data/dd/VERSION from real runs of the dd that is installed.

Usage: python tests/data/dd/record.py

Each file holds what dd printed on standard error.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNS = {
    "one-byte": "dd if=/dev/zero of=out bs=1 count=1",
    "999-bytes": "dd if=/dev/zero of=out bs=999 count=1",
    "1001-bytes": "dd if=/dev/zero of=out bs=1001 count=1",
    "10-mib": "dd if=/dev/zero of=out bs=1M count=10 conv=fdatasync",
    "direct": "dd if=/dev/zero of=file bs=1M count=8 oflag=direct conv=notrunc,nocreat,fdatasync",
    "progress": "dd if=/dev/zero of=/dev/null bs=1M count=60000 status=progress",
    "noxfer": "dd if=/dev/zero of=out bs=1M count=1 status=noxfer",
    "none": "dd if=/dev/zero of=out bs=1M count=1 status=none",
    "unaligned": "dd if=/dev/zero of=file bs=1000 count=1 oflag=direct conv=notrunc",
    "short-reads": "(printf abc; sleep 0.2; printf de) | dd of=out bs=10 count=2",
    "nothing": "dd if=/dev/null of=out bs=1M",
    "version": "dd --version >&2",
}


def main() -> None:
    environment = {**os.environ, "LC_ALL": "C"}
    version = subprocess.run(
        ["dd", "--version"], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()[2]
    out = HERE / version
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "file").write_bytes(bytes(8 << 20))
        for name, command in RUNS.items():
            done = subprocess.run(["sh", "-c", command], cwd=scratch, capture_output=True, check=False, env=environment)
            (out / f"{name}.txt").write_bytes(done.stderr)


if __name__ == "__main__":
    main()
