"""Ten thousand files of fio into a store, beside what an engineer would write with json and pandas.

``IMPORT_FILES=1000`` makes fewer.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from results.store.query import load

FILES = int(os.environ.get("IMPORT_FILES", "10000"))
COMPARED: Mapping[str, int] = {"json": FILES, "json+": min(FILES, 2000)}
"""Files on which the ways are measured beside each other: of all of json+ the frame has no room in memory."""
EACH: Mapping[str, int] = {"json": FILES, "json+": min(FILES, 400)}
"""The same of a frame a file, which takes several milliseconds each, and with json+ a tenth of a second."""
WHOLE = 10_000
"""Files of which the ratios are promised: of fewer the start of Python and Arrow is a larger part."""

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
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Their kind, and the files: in the folder ``each`` those that every way is measured on, in ``compared`` more."""
    if shutil.which("fio") is None:
        pytest.skip("fio is not installed")
    top, kind = tmp_path_factory.mktemp("import"), request.param
    recorded = record(top, CORPORA[kind])
    rng = random.Random(20261124)
    for number in range(FILES):
        mode, jobs, depth = SHAPES[number % len(SHAPES)]
        part = "each" if number < EACH[kind] else "compared" if number < COMPARED[kind] else "rest"
        place = top / "lab" / part / f"night-{number // 640}" / f"box-{number % 5}"
        place.mkdir(parents=True, exist_ok=True)
        text = vary(recorded[number % len(SHAPES)], number, rng)
        (place / f"{mode}-{depth}-{jobs}-{number}.json").write_text(text)
    yield kind, top / "lab"
    shutil.rmtree(top)


BY_HAND = """
import json, sys
from pathlib import Path
import pandas as pd
form, bins, out, trees = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
found = []
for path in sorted(path for tree in trees for path in Path(tree).rglob("*.json")):
    with path.open() as file:
        document = json.load(file)
    if bins == "dropped":
        for job in document["jobs"]:
            for direction in ("read", "write", "trim"):
                for kind in ("slat_ns", "clat_ns", "lat_ns"):
                    job[direction][kind].pop("bins", None)
    if form == "each":
        frame = pd.json_normalize(document, "jobs")
        frame["path"], frame["timestamp_ms"] = str(path), document["timestamp_ms"]
        found.append(frame)
    else:
        found += [{**job, "path": str(path), "timestamp_ms": document["timestamp_ms"]} for job in document["jobs"]]
frame = pd.concat(found, ignore_index=True) if form == "each" else pd.json_normalize(found)
frame.to_parquet(out)
print(json.dumps(frame.shape))
"""
"""The usual script, in one process: json.load, json_normalize, to_parquet.

``each`` makes a frame a file and puts them together at the end, as most people write it; ``all`` gathers every job
first and flattens once.  Either keeps less than an import does: the jobs' figures as they are, a column for each bucket
of json+ unless they are ``dropped`` before; no merged jobs, no checks, no raw text, nothing of names of folders."""

FORMS = (
    ("each", "kept", "a frame a file, concatenated; histograms kept"),
    ("all", "kept", "all jobs flattened at once; histograms kept"),
    ("all", "dropped", "all jobs flattened at once; histograms dropped before"),
)
PROMISED: Mapping[tuple[str, str, str], float] = {
    ("json", "each", "kept"): 10.0,
    ("json", "all", "kept"): 2.0,
    ("json+", "each", "kept"): 10.0,
    ("json+", "all", "kept"): 3.0,
}
"""How many times as long the script takes at least, on a machine that others use as well; docs/import-export.md has the
figures of one that is quiet."""


@dataclass(frozen=True)
class Took:
    """What a command took with all processes that it started: seconds on the wall and of CPU, and what it printed."""

    wall_s: float
    cpu_s: float
    memory_mib: int
    printed: str

    def __str__(self) -> str:
        return f"{self.wall_s:.2f} s ({self.cpu_s:.2f} s of CPU), at most {self.memory_mib} MiB a process"


MEASURE = """
import ctypes, json, os, resource, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], check=True, capture_output=True, text=True)
wall = time.perf_counter() - began
try:
    while True:
        os.wait()
except ChildProcessError:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10, done.stdout]))
"""
"""Runs a command and waits for those as well that outlive it: their CPU counts (PR_SET_CHILD_SUBREAPER, prctl(2))."""


def took(argv: Sequence[str]) -> Took:
    """Run a command, the start of Python and of its libraries included."""
    done = subprocess.run([sys.executable, "-c", MEASURE, *argv], check=True, capture_output=True)
    return Took(*json.loads(done.stdout))


def by_hand(form: str, bins: str, trees: Sequence[Path], out: Path) -> tuple[Took, str]:
    """The script; and the frame in words."""
    done = took([sys.executable, "-c", BY_HAND, form, bins, str(out), *map(str, trees)])
    rows, columns = json.loads(done.printed)
    assert rows >= count(trees), "a row for each job at least"
    return done, f"{rows:,} rows of {columns:,} columns"


def count(trees: Sequence[Path]) -> int:
    """Files in the trees."""
    return sum(1 for tree in trees for _ in tree.rglob("*.json"))


def imported(trees: Sequence[Path], store: Path) -> Took:
    """``stripelab import``, as a user runs it."""
    command = [sys.executable, "-m", "bench", "import", *map(str, trees), "--store", str(store), "--json"]
    done = took([*command, "--factors", "{night}/{box}/{rw}-{iodepth}-{numjobs}-{run}.json"])
    said, files = json.loads(done.printed), count(trees)
    assert (said["files"], said["trials"], said["skipped"]) == (files, files, [])
    assert len(load(store, verify=False).store.trial_ids()) == files
    shutil.rmtree(store)
    return done


@pytest.mark.timeout(1800)
def test_a_tree_of_fio_beside_json_and_pandas(tree: tuple[str, Path], tmp_path: Path) -> None:
    """The import of all files, then every way on those that it is fit for."""
    kind, top = tree
    size = sum(path.stat().st_size for path in top.rglob("*.json"))
    print(f"\n{FILES:,} files of {kind}, {size >> 20} MiB, from {len(SHAPES)} shapes of real runs")
    print(f"stripelab import of all, histograms and raw text kept: {imported([top], tmp_path / 'store')}")
    trees = [top / "each"]
    ratios = {}
    for form, bins, said in FORMS:
        if form == "all" and (top / "compared").exists():
            trees = [top / "each", top / "compared"]
        ours = min((imported(trees, tmp_path / "store") for _ in range(2)), key=lambda each: each.wall_s)
        theirs, frame = by_hand(form, bins, trees, tmp_path / "frame.parquet")
        ratios[kind, form, bins] = theirs.wall_s / ours.wall_s
        print(f"{count(trees):,} files, stripelab import: {ours}")
        print(f"  json.load + json_normalize + to_parquet, {said}: {theirs}, {frame}")
        print(f"  that is {ratios[kind, form, bins]:.1f} times as long, {theirs.cpu_s / ours.cpu_s:.1f} times the CPU")
    short = {each: ratio for each, ratio in ratios.items() if ratio < PROMISED.get(each, 0.0)}
    assert FILES < WHOLE or not short, f"the import is not as many times as fast as docs/import-export.md says: {short}"
