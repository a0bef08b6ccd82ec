"""The sweep of the tests that measure throttled arrays of four disks, and its run on the lab's disks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.campaign import Summary
from bench.events import Emit
from bench.inventory import Disk
from bench.places import on_disks
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.sweep import Sweep

SWEEP = """
[sweep]
name = "inside"
seed = 3
replicates = {replicates}
initial_sync = "assume-clean"
[factors]
level = [{levels}]
disks = [4]
chunk_kib = [64]
filesystem = ["{filesystem}"]
[dataset]
files = {files}
file_size = "4MiB"
[[workload]]
name = "random-write"
rw = "randwrite"
bs = "4k"
iodepth = 16
numjobs = 4
runtime_s = {seconds}
[objective]
maximise = "iops"
workload = "random-write"
[lab]
disks = 4
profile = "hdd"
"""


def sweep_file(
    folder: Path,
    *levels: str,
    filesystem: str = "ext4",
    seconds: int = 3,
    replicates: int = 1,
    files: int = 8,
    more: str = "",
) -> Path:
    """A sweep file with these levels in ``folder``; ``more`` comes behind its end."""
    path = folder / "sweep.toml"
    names = ", ".join(f'"{level}"' for level in levels)
    text = SWEEP.format(levels=names, filesystem=filesystem, seconds=seconds, replicates=replicates, files=files)
    path.write_text(text + more)
    return path


def run(path: Path, store: Path, disks: Sequence[Disk], emit: Emit = lambda _: None) -> Summary:
    """Run the sweep on the first four of the disks."""
    plan = make_plan(Sweep.load(path, vocabulary()))
    return on_disks(plan, store, emit, [disk.id for disk in disks[:4]])
