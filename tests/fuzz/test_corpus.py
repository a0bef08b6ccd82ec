"""The fuzzers' corpus, once again; `make fuzz` looks for more."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
def test_every_input_of_the_corpus_passes(tmp_path: Path) -> None:
    done = subprocess.run([ROOT / "scripts/fuzz.sh", tmp_path, "0"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
