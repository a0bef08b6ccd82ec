from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.importing.campaign import Imported, import_files
from bench.importing.pattern import compile_pattern

DATA = Path(__file__).parents[2] / "data"
RECORDED = DATA / "fio" / "3.33"


@pytest.fixture
def importing(tmp_path: Path) -> Callable[..., Imported]:
    """Import into the store S of the test's folder."""

    def run(*places: Path, factors: tuple[str, ...] = (), processes: int = 1) -> Imported:
        return import_files(places, tmp_path / "S", [compile_pattern(text) for text in factors], processes=processes)

    return run


def document(name: str = "randwrite-4-jobs.json") -> dict[str, Any]:
    """A recording as JSON."""
    found: dict[str, Any] = json.loads((RECORDED / name).read_text())
    return found


def at(moment_ms: int, name: str = "clat-by-default.json", *, faster: float = 1.0) -> str:
    """A recording as if it had ended at another moment, and its writes had been faster."""
    found = document(name)
    found["timestamp_ms"], found["timestamp"] = moment_ms, moment_ms // 1000
    for job in found["jobs"]:
        write = job["write"]
        write["total_ios"] = int(write["total_ios"] * faster)
        write["io_bytes"] = write["total_ios"] * 4096
        write["io_kbytes"] = write["io_bytes"] // 1024
    return json.dumps(found)
