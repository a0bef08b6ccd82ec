"""The notebooks, executed in a kernel of their own, each on a store that its first cell says how to make."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from results.guarantee import synthetic as guaranteed
from results.store.query import load
from results.synthetic import DISKS, Synthetic, write

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


EXECUTE = """
import sys

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

nodes = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(nodes, timeout=240, km=AsyncKernelManager(transport="ipc")).execute()
nbformat.write(nodes, sys.argv[2])
"""


def said(notebook: str, store: Path) -> str:
    """Execute a notebook on a store; everything that its cells print or show, as text.

    In a process of its own: the client leaves sockets behind, of which Python warns.
    """
    executed = store.parent / "executed.ipynb"
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, ROOT / "notebooks" / f"{notebook}.ipynb", executed],
        env={**os.environ, "STRIPELAB_STORE": str(store), "PYTHONPATH": str(ROOT)},
        cwd=store.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outputs = [output for cell in json.loads(executed.read_text())["cells"] for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    shown = [part for each in outputs for part in (each.get("text", ""), *each.get("data", {}).values())]
    return "\n".join("".join(part) for part in shown)


def files(store: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_explore_a_sweep(tmp_path):
    write(tmp_path / "s", Synthetic(replicates=3, seconds=6))
    before = files(tmp_path / "s")
    text = said("explore-a-sweep", tmp_path / "s")
    assert "recommended: raid0 x4" in text
    assert re.search(
        r"chunk_kib: 512K instead of 64K increases IOPS .* depends on level: "
        r"\S+ % with raid5, \S+ % with raid6, no significant change with raid0 or raid10",
        text,
    )
    assert text.count("<svg ") == 3
    assert "NOT REAL HARDWARE" in text
    assert files(tmp_path / "s") == before, "a notebook only reads"


def test_read_a_guarantee(tmp_path):
    guaranteed.write(tmp_path / "s", guaranteed.Campaign(guaranteed.Truth(phi=0.6)))
    text = said("read-a-guarantee", tmp_path / "s")
    assert "100% of the 20 days here are at or above the bound" in text
    assert "promised of future days: 77.2%, with 95% confidence" in text, "0.05 ** (1 / 11.6)"
    assert "correlation from day to day: 0.44, so they count as 11.6 days" in text


def test_find_the_slow_disk(tmp_path):
    write(tmp_path / "s", Synthetic(replicates=2, seconds=5, slow_disk=DISKS[2]))
    assert re.findall(r"THE DISK (\S+) IS SLOWER", said("find-the-slow-disk", tmp_path / "s")) == [DISKS[2]]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs_and_says_how_to_make_its_store(path):
    cells = json.loads(path.read_text())["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
    (command,) = re.findall(r"^python -m (results\.\S*synthetic) (\S+)", "".join(cells[0]["source"]), re.MULTILINE)
    assert f'"{command[1]}"' in "".join("".join(cell["source"]) for cell in cells)
    assert (ROOT / f"{command[0].replace('.', '/')}.py").exists()


def test_the_synthetic_sweep_says_that_it_is_one(tmp_path):
    words = ["-m", "results.synthetic", tmp_path / "s", "--replicates", "1", "--seconds", "2", "--slow-disk", DISKS[0]]
    subprocess.run([sys.executable, *words], check=True, cwd=ROOT)
    frames = load(tmp_path / "s")
    trials = frames.trials()
    assert set(trials["substrate"]) == {"loop"}
    assert set(trials["stripelab_version"]) == {"synthetic"}
    assert set(frames.environments()["hostname"]) == {"synthetic"}
    assert len(trials) == 8
