"""Ten thousand files of fio into a store, beside what an engineer would write with json and pandas.

``IMPORT_FILES=1000`` makes fewer.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from results.query import load

FILES = int(os.environ.get("IMPORT_FILES", "10000"))
COMPARED = 2000
"""Files on which both ways are measured: with all of json+ the frame has no room in memory."""

SHAPES = tuple(itertools.product(("randread", "randwrite", "randrw", "read"), (1, 4), (1, 16)))
"""Mode, jobs, depth: a real run of each is what the files are made from."""

CORPORA: Mapping[str, tuple[str, ...]] = {
    "json": ("--output-format=json",),
    "json+": ("--output-format=json+", "--lat_percentiles=1", "--clat_percentiles=1", "--slat_percentiles=1"),
}
"""What two kinds of labs have: figures alone, and full histograms of submission, completion and total latency."""

_STAMP = re.compile(r'"timestamp(?P<ms>_ms)?" : \d+')
_COUNT = re.compile(r'"total_ios" : (\d+)')


def record(folder: Path, options: Sequence[str]) -> list[str]:
    """One real run of fio of each shape, two seconds each; every third one reports its jobs as a group."""
    data, out = folder / "data", folder / "one.json"
    data.write_bytes(random.Random(1).randbytes(64 << 20))
    found = []
    for number, (mode, jobs, depth) in enumerate(SHAPES):
        subprocess.run(
            ["fio", "--eta=never", f"--output={out}", *options, "--thread", "--direct=1", "--ioengine=libaio",
             f"--filename={data}", "--allow_file_create=0", "--bs=4k", f"--rw={mode}", f"--numjobs={jobs}",
             f"--iodepth={depth}", "--time_based", "--runtime=2", "--name=perf",
             *(["--group_reporting"] if number % 3 == 0 else [])],
            check=True,
        )  # fmt: skip
        found.append(out.read_text())
    data.unlink()
    return found


def vary(text: str, number: int, rng: random.Random) -> str:
    """The run as if it had been made at another time, with other counts."""
    stamp = 1_700_000_000_000 + 1000 * number
    text = _STAMP.sub(lambda found: f'"timestamp{found["ms"] or ""}" : {stamp if found["ms"] else stamp // 1000}', text)
    return _COUNT.sub(lambda found: f'"total_ios" : {int(int(found[1]) * rng.uniform(0.9, 1.1))}', text)


@pytest.fixture(scope="module", params=CORPORA)
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files; in the folder ``compared`` those that both ways are measured on."""
    if shutil.which("fio") is None:
        pytest.skip("fio is not installed")
    top = tmp_path_factory.mktemp("import")
    recorded = record(top, CORPORA[request.param])
    rng = random.Random(20261124)
    for number in range(FILES):
        mode, jobs, depth = SHAPES[number % len(SHAPES)]
        part = "compared" if number < COMPARED else "rest"
        place = top / "lab" / part / f"night-{number // 640}" / f"box-{number % 5}"
        place.mkdir(parents=True, exist_ok=True)
        text = vary(recorded[number % len(SHAPES)], number, rng)
        (place / f"{mode}-{depth}-{jobs}-{number}.json").write_text(text)
    yield top / "lab"
    shutil.rmtree(top)


BY_HAND = """
import json, resource, sys, time
from pathlib import Path
import pandas as pd
tree, out, bins = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "bins"
began = time.perf_counter()
jobs = []
for path in sorted(tree.rglob("*.json")):
    with path.open() as file:
        document = json.load(file)
    for job in document["jobs"]:
        if not bins:
            for direction in ("read", "write", "trim"):
                for kind in ("slat_ns", "clat_ns", "lat_ns"):
                    job[direction][kind].pop("bins", None)
        jobs.append({**job, "path": str(path), "timestamp_ms": document["timestamp_ms"]})
frame = pd.json_normalize(jobs)
frame.to_parquet(out)
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10, *frame.shape]))
"""
"""The usual script, in one process: json.load, json_normalize of every job, to_parquet.

What it keeps is less (no merged jobs, no checks, no raw text); with ``bins`` it keeps the histograms of json+,
a column for each bucket, as flattening makes them."""


def by_hand(tree: Path, out: Path, kind: str) -> tuple[float, str]:
    """Wall-clock seconds, and the figures in words."""
    argv = [sys.executable, "-c", BY_HAND, str(tree), str(out), kind]
    wall, cpu, memory, rows, columns = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
    assert rows >= sum(1 for _ in tree.rglob("*.json")), "a row for each job at least"
    return wall, f"{wall:.1f} s ({cpu:.1f} s of CPU), {memory} MiB, {rows:,} rows of {columns:,} columns"


def imported(tree: Path, store: Path) -> tuple[float, str]:
    """The same of ``stripelab import``, as a user runs it."""
    command = [sys.executable, "-m", "bench", "import", str(tree), "--store", str(store), "--json"]
    command += ["--factors", "{night}/{box}/{rw}-{iodepth}-{numjobs}-{run}.json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    count = sum(1 for _ in tree.rglob("*.json"))
    assert (done["files"], done["trials"], done["skipped"]) == (count, count, [])
    assert len(load(store, verify=False).store.trial_ids()) == count
    stored = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    words = (
        f"{wall:.1f} s ({cpu:.1f} s of CPU), at most {after.ru_maxrss >> 10} MiB a process, store {stored >> 20} MiB"
    )
    return wall, words


def test_a_tree_of_fio_beside_json_and_pandas(tree: Path, tmp_path: Path) -> None:
    """The import of all files, then both ways on some of them."""
    size = sum(path.stat().st_size for path in tree.rglob("*.json"))
    print(f"\n{FILES:,} files, {size >> 20} MiB, from {len(SHAPES)} shapes of real runs")
    print(f"stripelab import of all, histograms and raw text kept: {imported(tree, tmp_path / 'all')[1]}")
    few = tree / "compared"
    count = min(COMPARED, FILES)
    took, words = imported(few, tmp_path / "few")
    print(f"stripelab import of {count:,}: {words}")
    for kind, said in (("bins", "all that is there"), ("none", "histograms dropped before")):
        wall, words = by_hand(few, tmp_path / f"{kind}.parquet", kind)
        print(f"json.load + json_normalize + to_parquet of these, {said}: {words}; {wall / took:.1f} times as long")
