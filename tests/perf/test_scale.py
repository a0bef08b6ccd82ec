"""``stripelab recommend`` and sums over all seconds on stores of 10^6 seconds and more: time and peak memory.

``SCALE_ROWS=1000000,10000000,100000000 make perf`` makes the whole curve (10^8 rows take minutes to generate and a
few GB in the folder of temporary files).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.perf.large_store import generate

ROWS = [int(each) for each in os.environ.get("SCALE_ROWS", "1000000,10000000").split(",")]
MEASURE = """
import json, resource, sys, time
from pathlib import Path
started = time.perf_counter()
if sys.argv[1] == "recommend":
    from results.recommendation.recommend import recommend
    assert recommend(Path(sys.argv[2]), "mixed").answers[0].refusal is None
else:
    from results.store.query import load
    from results.runs.seconds import summaries
    assert sum(each.seconds for each in summaries(load(Path(sys.argv[2]), tables=()), "iops")) == int(sys.argv[3])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.perf_counter() - started, time.process_time(), peak / 1024]))
"""


@pytest.mark.timeout(1800)
def test_time_and_memory_over_the_number_of_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for rows in ROWS:
        path = tmp_path / str(rows)
        started = time.perf_counter()
        made = generate(path, rows)
        spent = time.perf_counter() - started
        size = sum(file.stat().st_size for file in path.rglob("*.parquet"))
        lines.append(f"{made:>11,} seconds, {size / 1e6:7.0f} MB, generated in {spent:.0f} s")
        for what in ("recommend", "summaries"):
            argv = [sys.executable, "-c", MEASURE, what, str(path), str(made)]
            said = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
            wall, cpu, peak = json.loads(said.stdout)
            lines.append(f"{'':11} {what:<10} {wall:7.1f} s ({cpu:.1f} s of CPU), peak {peak:.0f} MiB")
            assert peak < 2048
    with capsys.disabled():
        print("", *lines, sep="\n")
